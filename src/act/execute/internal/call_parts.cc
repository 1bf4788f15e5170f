#include "act/execute/internal/call_parts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "act/execute/executor_settings.h"
#include "claims/claim_text.h"

namespace tocsin::act {

bool MatchesName(const std::vector<std::string>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
    return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : pattern == name;
  });
}

}  // namespace tocsin::act

namespace tocsin::act::internal {
namespace {

using nlohmann::json;

const ActionParameter* FindParameter(const ActionSpec& spec, std::string_view name) {
  const auto it = std::find_if(spec.parameters.begin(), spec.parameters.end(),
                               [&](const ActionParameter& p) { return p.name == name; });
  return it == spec.parameters.end() ? nullptr : &*it;
}

}  // namespace

ActionSpec MakeSpec(std::string name, std::string about, std::vector<ActionParameter> parameters) {
  ActionSpec spec;
  spec.name = std::move(name);
  spec.about = std::move(about);
  spec.parameters = std::move(parameters);
  return spec;
}

Status CheckParameters(const std::vector<ActionSpec>& specs, const ExecutorCall& call) {
  const auto spec = std::find_if(specs.begin(), specs.end(),
                                 [&](const ActionSpec& one) { return one.name == call.action; });
  if (spec == specs.end())
    return Status(Code::kUnimplemented, fmt::format("nobody speaks {}", claims::Printable(call.action)));
  if (!call.with.is_object()) return Status(Code::kInvalidArgument, "with: is not an object");
  for (const auto& [name, value] : call.with.items()) {
    const ActionParameter* const parameter = FindParameter(*spec, name);
    if (parameter == nullptr)
      return Status(Code::kInvalidArgument,
                    fmt::format("with.{}: {} has no such parameter", claims::Printable(name), call.action));
    if (!parameter->Takes(value))
      return Status(Code::kInvalidArgument, fmt::format("with.{}: is not of type {}", name, parameter->type));
  }
  for (const ActionParameter& parameter : spec->parameters) {
    if (parameter.required && !call.with.contains(parameter.name))
      return Status(Code::kInvalidArgument,
                    fmt::format("with.{}: is needed: {}", parameter.name, parameter.about));
  }
  return {};
}

std::string TextIn(const json& with, const char* name, std::string otherwise) {
  const auto it = with.find(name);
  return it != with.end() && it->is_string() ? it->get<std::string>() : std::move(otherwise);
}
int64_t NumberIn(const json& with, const char* name, int64_t otherwise) {
  const auto it = with.find(name);
  return it != with.end() && it->is_number_integer() ? it->get<int64_t>() : otherwise;
}
bool FlagIn(const json& with, const char* name) {
  const auto it = with.find(name);
  return it != with.end() && it->is_boolean() && it->get<bool>();
}

Status NoSuchEntry(std::string_view what, const std::string& name,
                   const std::vector<std::string>& there_are) {
  return Status(
      Code::kPermissionDenied,
      fmt::format("with.{}: act.executors has no '{}'; there are: {}", what, claims::Printable(name),
                  there_are.empty() ? "none" : fmt::format("{}", fmt::join(there_are, ", "))));
}

Receipt MakeReceipt(Receipt::Outcome outcome, std::string_view text, json outputs, json evidence) {
  Receipt receipt;
  receipt.outcome = outcome;
  receipt.text = claims::Printable(text, kMaxReceiptText);
  receipt.outputs = std::move(outputs);
  receipt.evidence = std::move(evidence);
  return receipt;
}

Receipt NotBegun(const Status& why) {
  return MakeReceipt(Receipt::Outcome::kNotDone, why.message(), json::object(),
                     {{"error", std::string(CodeName(why.code()))}});
}

Preview MakePreview(std::string_view text, json undo) {
  Preview preview;
  preview.text = claims::Printable(text, kMaxReceiptText);
  preview.undo = std::move(undo);
  return preview;
}

std::string CleanText(std::string_view bytes, size_t most) {
  const bool cut = bytes.size() > most;
  std::string_view kept = bytes.substr(0, most);
  // Not within a character.
  while (cut && !kept.empty() && (static_cast<unsigned char>(bytes[kept.size()]) & 0xC0) == 0x80)
    kept.remove_suffix(1);
  const std::string valid = json(kept).dump(-1, ' ', false, json::error_handler_t::replace);
  const json read = json::parse(valid, nullptr, false);
  return (read.is_string() ? read.get<std::string>() : "") + (cut ? "…" : "");
}

std::string LastWords(const ports::ProgramEnd& end) {
  std::string_view text = end.err.empty() ? end.out : end.err;
  while (text.ends_with('\n') || text.ends_with(' ')) text.remove_suffix(1);
  const size_t line = text.rfind('\n');
  return claims::Printable(CleanText(line == std::string_view::npos ? text : text.substr(line + 1), 4096),
                           200);
}

}  // namespace tocsin::act::internal
