#include "act/runbook/read_runbook.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "act/plan/placeholder.h"
#include "act/runbook/internal/read_steps.h"
#include "ports/yaml/yaml_json.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
using ports::YamlSection;
using ports::YamlValue;
constexpr size_t kMostAboutBytes = 8u << 10;

void ReadDate(YamlSection& section, std::string_view key, Time& out) {
  const auto at = section.Value(key);
  if (!at) return;
  const auto text = at->Text();
  if (!text) return at->Note(text.error());
  const auto time = ParseTime(text->size() == 10 ? *text + "T00:00:00Z" : *text);
  if (!time) return at->Note(at->Wrong("is no date such as 2026-03-29"));
  out = *time;
}

RunbookInput ReadInput(const std::string& name, const YamlValue& at) {
  RunbookInput input;
  input.name = name;
  if (!IsRunbookName(name)) at.Note(at.Wrong("is no name of an input: letters, digits, - and _"));
  YamlSection section(at);
  section.Text("about", input.about, 1000);
  input.type = internal::ReadValueType(section);
  if (const auto value = section.Value("default")) {
    auto read = ports::YamlAsJson(*value);
    const Status right = read ? CheckValue(input.type, *read) : read.error();
    if (!right.ok()) {
      value->Note(value->Wrong(right.message()));
    } else {
      input.fallback = *std::move(read);
    }
    input.required = false;
  }
  section.Flag("required", input.required);
  if (input.required && !input.fallback.is_null())
    section.Fail("required", "has a default, so it is never missing");
  section.Text("from", input.from);
  if (!input.from.empty()) {
    const auto parts = PartsOfSource(input.from);
    if (!parts || parts->root != "incident")
      section.Fail("from", "is a field of the incident, as incident.service");
  }
  section.Finish();
  return input;
}

void ReadTrigger(YamlSection& section, RunbookTrigger& out) {
  section.Texts("kinds", out.kinds, 50);
  section.Texts("services", out.services, 200);
  section.Texts("surfaces", out.surfaces, 50);
  section.Texts("alerts", out.alerts, 200);
  section.Texts("words", out.words, 50);
}

void ReadHead(YamlSection& section, Runbook& out) {
  section.Text("runbook", out.id);
  if (!IsRunbookName(out.id))
    section.Fail("runbook", "is needed: the runbook's id of letters, digits, - and _, at most 64");
  section.Text("title", out.title);
  if (out.title.empty()) section.Fail("title", "is needed: what it does, in a few words");
  section.Text("about", out.about, kMostAboutBytes);
  section.Text("owner", out.owner);
  ReadDate(section, "last_validated", out.last_validated);
  section.Span("validate_every", out.validate_every);
  section.Flag("advise_only", out.advise_only);
  section.Map("trigger", [&](YamlSection& trigger) { ReadTrigger(trigger, out.trigger); });
  section.Map("limits", [&](YamlSection& limits) {
    limits.Number("per_hour", out.limits.per_hour, 1, 1000);
    limits.Number("per_incident", out.limits.per_incident, 1, 1000);
    limits.Span("timeout", out.limits.timeout);
  });
  section.Text("escalate_to", out.escalate_to);
  section.Texts("links", out.links, 50);
}

void ReadBody(YamlSection& section, Runbook& out) {
  if (const auto at = section.Value("inputs")) {
    const auto named = at->Named(50);
    if (!named) at->Note(named.error());
    if (named) {
      for (const auto& [name, value] : *named) out.inputs.push_back(ReadInput(name, value));
    }
  }
  if (const auto at = section.Value("stop_when"))
    out.stop_when = internal::ReadClaimTemplates(*at, internal::ClaimPlace::kBefore);
  if (const auto at = section.Value("outputs")) out.outputs = internal::ReadTemplates(*at);
  internal::StepReading reading;
  if (const auto at = section.Value("steps")) out.steps = internal::ReadSteps(*at, reading);
  if (out.steps.empty()) section.Fail("steps", "is needed: a list of at least one step");
}

bool IsWithin(const ValueType& type, double value) { return value >= type.minimum && value <= type.maximum; }

std::string BoundsText(const ValueType& type) {
  std::string out;
  if (std::isfinite(type.minimum)) out += fmt::format(" of at least {:g}", type.minimum);
  if (std::isfinite(type.maximum))
    out += fmt::format("{} at most {:g}", out.empty() ? " of" : " and", type.maximum);
  return out;
}

}  // namespace

bool IsRunbookName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Status CheckValue(const ValueType& type, const json& value) {
  const auto wants = [&](std::string_view what) {
    return Status(Code::kInvalidArgument, fmt::format("is no {}{}", what, BoundsText(type)));
  };
  if (type.kind == "boolean") return value.is_boolean() ? Status::Ok() : wants("true or false");
  if (type.kind == "integer")
    return value.is_number_integer() && IsWithin(type, value.get<double>()) ? Status::Ok()
                                                                            : wants("whole number");
  if (type.kind == "number")
    return value.is_number() && IsWithin(type, value.get<double>()) ? Status::Ok() : wants("number");
  if (!value.is_string()) return wants("text");
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() > 1024) return Status(Code::kInvalidArgument, "is longer than 1024 bytes");
  if (type.kind == "choice" && std::ranges::find(type.choices, text) == type.choices.end())
    return Status(Code::kInvalidArgument, fmt::format("is none of {}", fmt::join(type.choices, ", ")));
  if (type.kind == "inventory" && text.empty())
    return Status(Code::kInvalidArgument, "is empty: it names a " + type.inventory + " of the inventory");
  return Status::Ok();
}

Runbook ReadRunbookDocument(const YamlValue& root) {
  Runbook out;
  out.file = root.file();
  ports::ReadGuarded(root, [&] {
    YamlSection section(root);
    ReadHead(section, out);
    ReadBody(section, out);
    section.Finish();
  });
  return out;
}

Result<Runbook> ReadRunbook(std::string_view text, const std::string& file) {
  if (text.size() > kMaxRunbookBytes)
    return Error(Code::kInvalidArgument, fmt::format("{}: is larger than 256 KiB", file));
  TOCSIN_ASSIGN_OR_RETURN(const YamlValue root, YamlValue::Parse(text, file));
  Runbook out = ReadRunbookDocument(root);
  TOCSIN_RETURN_IF_ERROR(root.FirstProblem());
  out.text = text;
  return out;
}

}  // namespace tocsin::act
