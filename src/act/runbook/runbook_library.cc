#include "act/runbook/runbook_library.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "act/policy/call_hash.h"
#include "act/runbook/internal/flatten.h"
#include "act/runbook/read_runbook.h"

namespace tocsin::act {
namespace {

namespace fs = std::filesystem;

// Never more than a runbook may have and one byte, so that a larger one is seen.
Result<std::string> ReadBounded(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error(Code::kNotFound, path + ": cannot be read");
  std::string text(kMaxRunbookBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > kMaxRunbookBytes) return Error(Code::kInvalidArgument, path + ": is larger than 256 KiB");
  return text;
}

Result<std::vector<std::string>> FilesOf(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> out;
  fs::directory_iterator it(directory, error);
  if (error)
    return Error(Code::kNotFound,
                 fmt::format("{}: is no directory of runbooks: {}", directory, error.message()));
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    const fs::path& path = it->path();
    const bool yaml = path.extension() == ".yaml" || path.extension() == ".yml";
    std::error_code ignored;
    if (yaml && it->is_regular_file(ignored)) out.push_back(path.string());
  }
  std::ranges::sort(out);
  return out;
}

void CollectCalls(const std::vector<RunbookStep>& steps, std::set<std::string>& out) {
  for (const RunbookStep& step : steps) {
    if (const auto* sub = std::get_if<SubRunbook>(&step.what)) out.insert(sub->runbook);
    if (const auto* parallel = std::get_if<ParallelSteps>(&step.what)) {
      for (const auto& branch : parallel->branches) CollectCalls(branch, out);
    }
    if (const auto* branch = std::get_if<BranchSteps>(&step.what)) {
      CollectCalls(branch->then, out);
      CollectCalls(branch->otherwise, out);
    }
  }
}

}  // namespace

Result<std::shared_ptr<const RunbookLibrary>> RunbookLibrary::Read(const std::string& directory) {
  TOCSIN_ASSIGN_OR_RETURN(auto files, FilesOf(directory));
  auto library = std::make_shared<RunbookLibrary>();
  if (files.size() > kMaxRunbooks) {
    library->problems_.emplace_back(
        Code::kOutOfRange,
        fmt::format("{}: has more than {} runbooks; the rest is not read", directory, kMaxRunbooks));
    files.resize(kMaxRunbooks);
  }
  for (const std::string& file : files) {
    const auto text = ReadBounded(file);
    const auto root = text ? ports::YamlValue::Parse(*text, file) : Error(text.error());
    if (!root) {
      library->problems_.push_back(root.error());
      continue;
    }
    Runbook runbook = ReadRunbookDocument(*root);
    const auto problems = root->Problems();
    library->problems_.insert(library->problems_.end(), problems.begin(), problems.end());
    if (!problems.empty()) continue;
    runbook.text = *text;
    const auto there = library->by_id_.find(runbook.id);
    if (there != library->by_id_.end())
      library->problems_.push_back(
          root->Wrong(fmt::format("runbook '{}' is in {} already", runbook.id, there->second.file)));
    else
      library->by_id_.emplace(runbook.id, std::move(runbook));
  }
  return std::shared_ptr<const RunbookLibrary>(std::move(library));
}

std::shared_ptr<const RunbookLibrary> RunbookLibrary::Of(std::vector<Runbook> runbooks) {
  auto library = std::make_shared<RunbookLibrary>();
  for (Runbook& runbook : runbooks) {
    const std::string id = runbook.id;
    library->by_id_.emplace(id, std::move(runbook));
  }
  return library;
}

const Runbook* RunbookLibrary::Find(std::string_view id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &it->second;
}

std::vector<const Runbook*> RunbookLibrary::All() const {
  std::vector<const Runbook*> out;
  for (const auto& [id, runbook] : by_id_) out.push_back(&runbook);
  return out;
}

std::string RunbookLibrary::VersionOf(std::string_view id) const {
  if (Find(id) == nullptr) return "";
  std::set<std::string> seen{std::string(id)};
  for (std::vector<std::string> open{std::string(id)}; !open.empty();) {
    const Runbook* runbook = Find(open.back());
    open.pop_back();
    if (runbook == nullptr) continue;
    std::set<std::string> calls;
    CollectCalls(runbook->steps, calls);
    for (const std::string& call : calls) {
      if (seen.insert(call).second) open.push_back(call);
    }
  }
  std::string all = std::string(id) + '\n';
  for (const std::string& name : seen) {
    const Runbook* runbook = Find(name);
    // Hashes of equal length, so that no text can stand for two.
    all += Sha256Hex(name) + (runbook == nullptr ? std::string("-") : Sha256Hex(runbook->text)) + '\n';
  }
  return Sha256Hex(all).substr(0, 16);
}

Result<Plan> RunbookLibrary::MakePlan(std::string_view id, const nlohmann::json& inputs,
                                      const std::function<Origin(std::string_view input)>& origin_of) const {
  const Runbook* runbook = Find(id);
  if (runbook == nullptr)
    return Error(Code::kNotFound, fmt::format("there is no runbook '{}'", id.substr(0, 64)));
  return internal::Flatten(*this, *runbook, inputs, origin_of);
}

}  // namespace tocsin::act
