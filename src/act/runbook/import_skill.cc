#include <fmt/format.h>

#include "act/runbook/internal/import_writer.h"
#include "ports/yaml/yaml_json.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
constexpr size_t kMostInstructions = 7u << 10, kMostSections = 100;

struct Section {
  std::string title, body;
};

std::string_view Trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// The next line, without its end; `text` is what follows.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Headings begin sections; what is within a fence of code is no heading.
std::vector<Section> SectionsOf(std::string_view body) {
  std::vector<Section> out(1);
  bool code = false;
  while (!body.empty()) {
    const std::string_view line = TakeLine(body);
    if (line.starts_with("```")) code = !code;
    const size_t hashes = line.find_first_not_of('#');
    if (!code && line.starts_with('#') && hashes <= 6 && hashes != std::string_view::npos &&
        line[hashes] == ' ')
      out.push_back({std::string(Trimmed(line.substr(hashes))), ""});
    else
      out.back().body += std::string(line) + "\n";
  }
  std::erase_if(out, [](const Section& section) { return Trimmed(section.body).empty(); });
  return out;
}

}  // namespace

Result<ImportedRunbook> ImportSkill(std::string_view text, const std::string& name) {
  if (text.size() > kMaxImportBytes) return Error(Code::kInvalidArgument, name + ": is larger than 1 MiB");
  std::string_view rest = text;
  if (TakeLine(rest) != "---")
    return Error(Code::kInvalidArgument, name + ": is no SKILL.md: it does not begin with '---'");
  std::string front;
  bool closed = false;
  while (!rest.empty() && !closed) {
    const std::string_view line = TakeLine(rest);
    closed = line == "---";
    if (!closed) front += std::string(line) + "\n";
  }
  if (!closed) return Error(Code::kInvalidArgument, name + ": the part between '---' is not closed");
  TOCSIN_ASSIGN_OR_RETURN(const json head, ports::ParseYamlAsJson(front, name));
  const json title = head.is_object() ? head.value("name", json()) : json();
  if (!title.is_string() || title.get<std::string>().empty())
    return Error(Code::kInvalidArgument, name + ": has no name between '---'");

  std::vector<std::string> left_out;
  for (const auto& [key, value] : head.items()) {
    if (key != "name" && key != "description") left_out.push_back(fmt::format("'{}' of the head", key));
  }
  ordered_json out = {{"runbook", internal::NameOf(title.get<std::string>(), "skill")},
                      {"title", internal::PlainText(title.get<std::string>(), 200)},
                      {"advise_only", true},
                      {"steps", ordered_json::array()}};
  if (const json about = head.value("description", json()); about.is_string())
    out["about"] = internal::PlainText(about.get<std::string>(), 4000);
  std::set<std::string> taken;
  for (const Section& section : SectionsOf(rest)) {
    if (out["steps"].size() >= kMostSections)
      return Error(Code::kOutOfRange, fmt::format("{}: has more than {} sections", name, kMostSections));
    if (section.body.size() > kMostInstructions)
      left_out.push_back(fmt::format("the end of section '{}', which is long", section.title));
    ordered_json step = {{"id", internal::FreeName(section.title, "step", taken)}};
    if (!section.title.empty()) step["title"] = internal::PlainText(section.title, 200);
    step["manual"] = internal::PlainText(Trimmed(section.body), kMostInstructions);
    out["steps"].push_back(std::move(step));
  }
  if (out["steps"].empty()) return Error(Code::kInvalidArgument, name + ": says nothing to do");
  left_out.push_back("files beside it: scripts and references stay where they are");
  out[internal::kComments] = {
      "Imported from a SKILL.md. At most advised until somebody has gone through it."};
  for (const std::string& one : left_out) out[internal::kComments].push_back("Not carried over: " + one);
  return internal::WriteImport(out, std::move(left_out), name);
}

}  // namespace tocsin::act
