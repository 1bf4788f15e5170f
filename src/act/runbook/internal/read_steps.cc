#include "act/runbook/internal/read_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "act/plan/claim_template.h"
#include "act/plan/placeholder.h"
#include "act/runbook/read_runbook.h"
#include "ports/yaml/yaml_json.h"

namespace tocsin::act::internal {
namespace {

using nlohmann::json;
using ports::YamlSection;
using ports::YamlValue;
constexpr size_t kMostInstructionBytes = 8u << 10;
constexpr size_t kMostClaims = 20, kMostTargets = 50, kMostBranches = 16;
constexpr std::array<std::string_view, 3> kEnds = {"done", "failed", "skipped"};
constexpr std::array<std::string_view, 5> kStepKinds = {"action", "manual", "parallel", "if", "run"};

// Any value as JSON whose placeholders are well formed; null when it is wrong.
json ReadTemplate(const YamlValue& at) {
  auto value = ports::YamlAsJson(at);
  if (!value) {
    at.Note(value.error());
    return {};
  }
  if (const auto found = PlaceholdersIn(*value); !found) {
    at.Note(at.Wrong(found.error().message()));
    return {};
  }
  return *std::move(value);
}

json ReadObject(const std::optional<YamlValue>& at) {
  if (!at) return json::object();
  json out = ReadTemplate(*at);
  if (out.is_object()) return out;
  if (!out.is_null()) at->Note(at->Wrong("is not a mapping of parameters to values"));
  return json::object();
}

std::string ReadTemplateText(const std::optional<YamlValue>& at, size_t most = YamlValue::kMaxTextBytes) {
  if (!at) return "";
  const auto text = at->Text(most);
  if (!text) {
    at->Note(text.error());
    return "";
  }
  if (const auto found = PlaceholdersIn(*text); !found) at->Note(at->Wrong(found.error().message()));
  return *text;
}

// Placeholders apart, a claim can be read now.
json ReadClaimTemplate(const YamlValue& at, ClaimPlace place) {
  json claim = ReadTemplate(at);
  if (claim.is_null()) return claim;
  if (!claim.is_object() || !claim.contains("kind")) {
    at.Note(at.Wrong("is no claim: a mapping with 'kind' (docs/formats/claim.md)"));
    return claim;
  }
  if (!PlaceholdersIn(claim)->empty()) return claim;
  const Time now = *ParseTime("2026-01-01T00:00:00Z");
  const ClaimMoment moment{now, place == ClaimPlace::kExpect ? now - Duration::Minutes(1) : Time{}};
  const auto none = [](std::string_view) -> Result<Value> { return Error(Code::kNotFound, "no value"); };
  if (const auto read = ResolveClaim(claim, none, moment); !read) at.Note(at.Wrong(read.error().message()));
  return claim;
}

PlanCondition ReadCondition(const YamlValue& at) {
  PlanCondition out;
  YamlSection section(at);
  int ways = 0;
  if (const auto claim = section.Value("claim")) {
    out.claim = ReadClaimTemplate(*claim, ClaimPlace::kBefore);
    ++ways;
  }
  if (const auto value = section.Value("value")) {
    out.value = ReadTemplateText(value);
    if (SoleSource(out.value).empty()) value->Note(value->Wrong("is no placeholder, so it never changes"));
    if (!at.Find("is")) section.Fail("value", "needs 'is': what the value is compared with");
    ++ways;
  }
  section.Text("is", out.is);
  if (section.Value("step")) {
    section.Text("step", out.step);
    section.Text("ended", out.ended);
    if (std::ranges::find(kEnds, out.ended) == kEnds.end())
      section.Fail("ended", "is one of done, failed, skipped");
    ++ways;
  }
  section.Value("ended");
  section.Finish();
  if (ways != 1) at.Note(at.Wrong("is one of {claim}, {value, is} and {step, ended}"));
  return out;
}

CallTemplate ReadCall(YamlSection& section) {
  CallTemplate call;
  section.Text("action", call.action);
  if (call.action.empty()) section.Fail("action", "names no action, as kubernetes.scale");
  call.with = ReadObject(section.Value("with"));
  section.Span("timeout", call.timeout);
  return call;
}

void ReadTargets(const YamlValue& at, std::vector<Target>& out) {
  const auto items = at.Items(kMostTargets);
  if (!items) return at.Note(items.error());
  for (const YamlValue& item : *items) {
    Target target;
    if (item.IsMapping()) {
      YamlSection section(item);
      section.Text("kind", target.kind);
      target.name = ReadTemplateText(section.Value("name"));
      section.Finish();
    } else {
      const std::string text = ReadTemplateText(item);
      const size_t slash = text.find('/');
      target.kind = text.substr(0, slash);
      if (slash != std::string::npos) target.name = text.substr(slash + 1);
    }
    if (!IsRunbookName(target.kind) || target.name.empty())
      item.Note(item.Wrong("is no target: KIND/NAME, or {kind, name}, of the inventory"));
    out.push_back(std::move(target));
  }
}

void ReadNumber(YamlSection& section, std::string_view key, double low, double high,
                std::optional<double>& out) {
  const auto at = section.Value(key);
  if (!at) return;
  const auto value = ports::YamlAsJson(*at);
  if (!value || !value->is_number() || value->get<double>() < low || value->get<double>() > high)
    return at->Note(at->Wrong(fmt::format("is no number from {:g} to {:g}", low, high)));
  out = value->get<double>();
}

Reach ReadReach(YamlSection& section) {
  Reach reach;
  ReadNumber(section, "traffic", 0, 1, reach.traffic);
  ReadNumber(section, "instances", 0, 1e9, reach.instances);
  ReadNumber(section, "users", 0, 1e12, reach.users);
  ReadNumber(section, "money", 0, 1e12, reach.money);
  return reach;
}

bool IsPointer(std::string_view text) {
  if (!text.starts_with('/')) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  }
  return true;
}

void ReadStepOutputs(const YamlValue& at, std::map<std::string, StepOutput>& out) {
  const auto named = at.Named(50);
  if (!named) return at.Note(named.error());
  for (const auto& [name, value] : *named) {
    if (!IsRunbookName(name)) value.Note(value.Wrong("is no name: letters, digits, - and _"));
    YamlSection section(value);
    StepOutput& output = out[name];
    section.Text("at", output.pointer);
    if (!IsPointer(output.pointer))
      section.Fail("at", "is no JSON pointer into what the action answers, as /body/revision");
    output.type = ReadValueType(section);
    section.Finish();
  }
}

void ReadConditions(const YamlValue& at, std::vector<PlanCondition>& out) {
  if (!at.IsList()) return out.push_back(ReadCondition(at));
  const auto items = at.Items(kMostClaims);
  if (!items) return at.Note(items.error());
  for (const YamlValue& item : *items) out.push_back(ReadCondition(item));
}

void ReadInverse(YamlSection& section, PlanStep& step) {
  section.Map("inverse", [&](YamlSection& inverse) { step.inverse = ReadCall(inverse); });
  section.Text("no_inverse", step.no_inverse, 500);
  if (step.inverse && !step.no_inverse.empty())
    section.Fail("no_inverse", "says why there is no inverse, but there is one");
}

void ReadTier(YamlSection& section, Tier& out) {
  const auto at = section.Value("tier");
  if (!at) return;
  const auto text = at->Text();
  if (!text) return at->Note(text.error());
  if (!ParseTier(*text, out)) at->Note(at->Wrong("is one of never, observe, advise, approve, auto"));
}

PlanStep ReadActionStep(YamlSection& section) {
  PlanStep step;
  step.call = ReadCall(section);
  ReadTier(section, step.tier);
  if (const auto at = section.Value("targets")) ReadTargets(*at, step.targets);
  section.Map("reach", [&](YamlSection& reach) { step.reach = ReadReach(reach); });
  if (const auto at = section.Value("requires"))
    step.requires_claims = ReadClaimTemplates(*at, ClaimPlace::kBefore);
  section.Map("expect", [&](YamlSection& expect) {
    step.effect_within = Duration::Minutes(10);
    expect.Span("within", step.effect_within);
    if (const auto at = expect.Value("claims")) step.expects = ReadClaimTemplates(*at, ClaimPlace::kExpect);
    if (step.expects.empty()) expect.Fail("claims", "names no claim");
  });
  ReadInverse(section, step);
  if (section.Value("cooldown")) section.Span("cooldown", step.cooldown.emplace());
  section.Flag("go_on_if_failed", step.go_on_if_failed);
  if (const auto at = section.Value("outputs")) ReadStepOutputs(*at, step.outputs);
  return step;
}

PlanStep ReadManualStep(YamlSection& section) {
  PlanStep step;
  step.manual = true;
  step.instructions = ReadTemplateText(section.Value("manual"), kMostInstructionBytes);
  if (step.instructions.empty()) section.Fail("manual", "says nothing to do");
  section.Text("who", step.who);
  section.Flag("go_on_if_failed", step.go_on_if_failed);
  return step;
}

std::string ReadId(YamlSection& section, StepReading& reading, const std::string& otherwise) {
  std::string id = otherwise;
  section.Text("id", id);
  if (!IsRunbookName(id)) section.Fail("id", "is needed: letters, digits, - and _, at most 64");
  if (!reading.ids.insert(id).second) section.Fail("id", fmt::format("'{}' comes twice", id.substr(0, 64)));
  return id;
}

ParallelSteps ReadParallel(const YamlValue& at, StepReading& reading) {
  ParallelSteps out;
  const auto items = at.Items(kMostBranches);
  if (!items) {
    at.Note(items.error());
    return out;
  }
  if (items->size() < 2) at.Note(at.Wrong("has fewer than two lists of steps"));
  for (const YamlValue& branch : *items) {
    out.branches.push_back(ReadSteps(branch, reading));
    if (out.branches.back().empty()) branch.Note(branch.Wrong("has no steps"));
  }
  return out;
}

BranchSteps ReadBranch(YamlSection& section, StepReading& reading) {
  BranchSteps out;
  out.id = ReadId(section, reading, fmt::format("if-{}", ++reading.decisions));
  if (const auto at = section.Value("if")) out.condition = ReadCondition(*at);
  if (const auto at = section.Value("then")) out.then = ReadSteps(*at, reading);
  if (const auto at = section.Value("else")) out.otherwise = ReadSteps(*at, reading);
  if (out.then.empty()) section.Fail("then", "has no steps");
  return out;
}

RunbookStep ReadStep(const YamlValue& at, StepReading& reading) {
  RunbookStep out;
  out.line = at.line();
  YamlSection section(at);
  std::string_view kind;
  const auto kinds = std::ranges::count_if(kStepKinds, [&](std::string_view key) {
    if (!at.Find(key)) return false;
    kind = key;
    return true;
  });
  if (kinds != 1) {
    at.Note(at.Wrong("is one of: action, manual, parallel, if, run"));
    return out;
  }
  if (kind == "parallel") {
    out.what = ReadParallel(*section.Value("parallel"), reading);
  } else if (kind == "if") {
    out.what = ReadBranch(section, reading);
  } else if (kind == "run") {
    SubRunbook sub;
    sub.id = ReadId(section, reading, "");
    section.Text("run", sub.runbook);
    sub.inputs = ReadObject(section.Value("inputs"));
    out.what = std::move(sub);
  } else {
    const std::string id = ReadId(section, reading, "");
    PlanStep step = kind == "action" ? ReadActionStep(section) : ReadManualStep(section);
    step.id = id;
    section.Text("title", step.title);
    if (const auto when = section.Value("when")) ReadConditions(*when, step.when);
    out.what = std::move(step);
  }
  section.Finish();
  return out;
}

}  // namespace

std::vector<RunbookStep> ReadSteps(const YamlValue& list, StepReading& reading) {
  std::vector<RunbookStep> out;
  const auto items = list.Items(kMaxPlanSteps);
  if (!items) {
    list.Note(items.error());
    return out;
  }
  for (const YamlValue& item : *items) out.push_back(ReadStep(item, reading));
  return out;
}

std::vector<json> ReadClaimTemplates(const YamlValue& list, ClaimPlace place) {
  std::vector<json> out;
  const auto items = list.Items(kMostClaims);
  if (!items) {
    list.Note(items.error());
    return out;
  }
  for (const YamlValue& item : *items) out.push_back(ReadClaimTemplate(item, place));
  return out;
}

ValueType ReadValueType(YamlSection& section) {
  ValueType type;
  const YamlValue& at = section.value();
  section.Text("inventory", type.inventory);
  section.Texts("choices", type.choices, 200);
  std::optional<double> low, high;
  ReadNumber(section, "minimum", -1e15, 1e15, low);
  ReadNumber(section, "maximum", -1e15, 1e15, high);
  if (low) type.minimum = *low;
  if (high) type.maximum = *high;
  type.kind = !type.inventory.empty() ? "inventory"
              : !type.choices.empty() ? "choice"
              : low || high           ? "number"
                                      : "text";
  section.Text("type", type.kind);
  const bool number = type.kind == "integer" || type.kind == "number";
  constexpr std::array<std::string_view, 6> kKinds = {"inventory", "choice",  "integer",
                                                      "number",    "boolean", "text"};
  if (std::ranges::find(kKinds, type.kind) == kKinds.end())
    section.Fail("type", fmt::format("is one of {}", fmt::join(kKinds, ", ")));
  if ((type.kind == "inventory") == type.inventory.empty())
    section.Fail("inventory", "goes with type inventory: the kind of entry, as deployment");
  if ((type.kind == "choice") == type.choices.empty())
    section.Fail("choices", "goes with type choice: the values that are allowed");
  if (!number && (low || high)) section.Fail(low ? "minimum" : "maximum", "goes with integer and number");
  if (type.minimum > type.maximum) at.Note(at.Wrong("minimum is above maximum"));
  return type;
}

json ReadTemplates(const YamlValue& mapping) {
  json out = json::object();
  const auto named = mapping.Named(50);
  if (!named) {
    mapping.Note(named.error());
    return out;
  }
  for (const auto& [name, value] : *named) out[name] = ReadTemplate(value);
  return out;
}

}  // namespace tocsin::act::internal
