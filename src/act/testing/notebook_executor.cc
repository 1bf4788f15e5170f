#include "act/testing/notebook_executor.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

namespace tocsin::act::testing {
namespace {

std::string TextAt(const nlohmann::json& with, const char* key) {
  return with.is_object() && with.contains(key) ? TextOf(with[key]) : std::string();
}

bool Write(const std::string& path, const std::string& line) {
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written =
      write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && fsync(fd) == 0;
  close(fd);
  return written;
}

void WaitFor(const std::stop_token& stop) {
  while (!stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

}  // namespace

std::vector<NotebookLine> ReadNotebook(const std::string& path) {
  std::vector<NotebookLine> lines;
  std::ifstream in(path);
  std::string text;
  while (std::getline(in, text)) {
    std::istringstream parts(text);
    NotebookLine line;
    parts >> line.key >> line.name >> line.value;
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<ActionSpec> NotebookExecutor::Actions() const {
  ActionSpec write;
  write.name = "note.write";
  write.about = "writes a value under a name";
  write.parameters = {{"name", "text", true, ""}, {"value", "text", true, ""}, {"behave", "text", false, ""}};
  write.undo = {"value"};
  write.outputs = {"was"};
  write.recoverable = true;
  ActionSpec page = write;
  page.name = "note.page";
  page.reaches_people = true;
  ActionSpec read;
  read.name = "note.read";
  read.about = "reads a value";
  read.parameters = {{"name", "text", true, ""}};
  read.outputs = {"value"};
  read.read_only = true;
  return {write, page, read};
}

Status NotebookExecutor::Check(const ExecutorCall& call) const {
  if (TextAt(call.with, "name").empty()) return {Code::kInvalidArgument, "with.name is missing"};
  return {};
}

Result<Preview> NotebookExecutor::Look(const ExecutorCall& call, std::stop_token) {
  ++looks;
  Preview preview;
  std::string was = "nothing";
  for (const NotebookLine& line : ReadNotebook(path_)) {
    if (line.name == TextAt(call.with, "name")) was = line.value;
  }
  preview.text = "writes " + TextAt(call.with, "value") + " in place of " + was;
  preview.undo = {{"value", was}};
  if (const auto it = facts.find(TextAt(call.with, "name")); it != facts.end()) preview.facts = it->second;
  preview.no_change = call.action == "note.write" && was == TextAt(call.with, "value");
  return preview;
}

Receipt NotebookExecutor::Run(const ExecutorCall& call, std::stop_token stop) {
  using Outcome = Receipt::Outcome;
  ++runs;
  const std::string name = TextAt(call.with, "name"), behave = TextAt(call.with, "behave");
  if (call.action == "note.read") {
    std::string value;
    for (const NotebookLine& line : ReadNotebook(path_)) {
      if (line.name == name) value = line.value;
    }
    return {Outcome::kDone, "read", {{"value", value}}, {}};
  }
  if (behave == "fail") return {Outcome::kFailed, "the other side says no", {}, {}};
  if (behave == "unknown") return {Outcome::kUnknown, "no answer came", {}, {}};
  if (behave == "not_done_once") {
    const std::lock_guard lock(mutex_);
    if (tries_[call.idempotency_key]++ == 0) return {Outcome::kNotDone, "no connection", {}, {}};
  }
  if (behave == "stall") {
    ++under_way;
    WaitFor(stop);
    --under_way;
    return {Outcome::kNotDone, "cut off before anything was written", {}, {}};
  }
  const std::string line = call.idempotency_key + " " + name + " " + TextAt(call.with, "value") + "\n";
  if (!Write(path_, line)) return {Outcome::kFailed, "cannot be written", {}, {}};
  if (behave == "late_stall") {
    ++under_way;
    WaitFor(stop);
    --under_way;
  }
  return {Outcome::kDone, "written", {{"was", name}}, {}};
}

Receipt NotebookExecutor::Recover(const ExecutorCall& call, std::stop_token) {
  if (call.action == "note.read" || TextAt(call.with, "behave") == "unknown")
    return {Receipt::Outcome::kUnknown, "nobody can tell", {}, {}};
  for (const NotebookLine& line : ReadNotebook(path_)) {
    if (line.key == call.idempotency_key)
      return {Receipt::Outcome::kDone, "found written", {{"was", TextAt(call.with, "name")}}, {}};
  }
  return {Receipt::Outcome::kNotDone, "not written", {}, {}};
}

}  // namespace tocsin::act::testing
