// What placeholders name and who could choose their values; what can never be reached.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "act/runbook/internal/lint_scope.h"
#include "act/runbook/read_runbook.h"

namespace tocsin::act::internal {
namespace {

using nlohmann::json;

enum class Place { kParameter, kInverse, kOther };

// One template of the file and where it is.
struct Use {
  std::string step;  // id; "" = of the runbook as a whole
  std::string at;
  int line = 1;
  Place place = Place::kOther;
};

class ValueLint {
 public:
  explicit ValueLint(LintScope& scope) : scope_(scope) {}

  void All() {
    for (const auto& [id, step] : scope_.steps) OfStep(id, step);
    for (const json& claim : scope_.runbook.stop_when) Look(claim, {"", "stop_when", 1, Place::kOther});
    Look(scope_.runbook.outputs, {"", "outputs", 1, Place::kOther});
    for (const RunbookInput& input : scope_.runbook.inputs) {
      if (!used_.contains(input.name))
        scope_.Warn(1, "unused_input", fmt::format("input '{}' is never used", input.name));
      if (scope_.context.rules != nullptr && input.type.kind == "inventory" &&
          !scope_.context.rules->inventory.HasKind(input.type.inventory))
        scope_.Error(
            1, "inventory",
            fmt::format("input '{}': the inventory has no {} at all", input.name, input.type.inventory));
    }
  }

 private:
  void OfStep(const std::string& id, const FileStep& step) {
    const auto use = [&](const char* at, Place place) { return Use{id, at, step.line, place}; };
    if (step.sub != nullptr) Look(step.sub->inputs, use("inputs", Place::kOther));
    if (step.decision != nullptr) OfCondition(step.decision->condition, use("if", Place::kOther));
    if (step.action == nullptr) return;
    const PlanStep& action = *step.action;
    Look(action.call.with, use("with", Place::kParameter));
    for (const Target& target : action.targets) Look(target.name, use("targets", Place::kParameter));
    Look(action.instructions, use("manual", Place::kOther));
    for (const json& claim : action.requires_claims) Look(claim, use("requires", Place::kOther));
    for (const json& claim : action.expects) Look(claim, use("expect", Place::kOther));
    if (action.inverse) Look(action.inverse->with, use("inverse.with", Place::kInverse));
    for (const PlanCondition& condition : action.when) OfCondition(condition, use("when", Place::kOther));
  }

  void OfCondition(const PlanCondition& condition, const Use& use) {
    Look(condition.claim, use);
    Look(condition.value, use);
  }

  void Look(const json& text, const Use& use) {
    const auto sources = PlaceholdersIn(text);
    for (const std::string& source : sources ? *sources : std::vector<std::string>{}) {
      const auto parts = PartsOfSource(source);
      if (!parts) continue;
      if (parts->root == "inputs") OfInput(*parts, use);
      if (parts->root == "steps") OfOutput(*parts, use);
      if (parts->root == "undo" && use.place != Place::kInverse)
        Nothing(use, source, "only a step's inverse knows what was there before");
      if (parts->root == "with") Nothing(use, source, "a runbook's steps have no such values");
      if (parts->root == "incident" && MayBeProposed(use))
        Open(use, fmt::format("{} is text from telemetry", source),
             "take it in as an input of a closed type (from: " + source + ")", true);
    }
  }

  void OfInput(const SourceParts& parts, const Use& use) {
    const RunbookInput* input = scope_.Input(parts.name);
    if (input == nullptr) return Nothing(use, "inputs." + parts.name, "there is no such input");
    used_.insert(input->name);
    if (!input->required && input->fallback.is_null())
      scope_.Warn(use.line, "unknown_placeholder",
                  fmt::format("{}: input '{}' may be left out and has no default; then the step fails",
                              Where(use), input->name));
    if (!MayBeProposed(use) || IsClosedType(input->type)) return;
    const bool telemetry = !input->from.empty();
    Open(use,
         telemetry ? fmt::format("input '{}' is taken from {}", input->name, input->from)
                   : fmt::format("an agent may choose input '{}' freely", input->name),
         input->type.kind == "text" ? "give it a closed type: inventory, choice, or a number with bounds"
                                    : "give it a minimum and a maximum",
         telemetry);
  }

  void OfOutput(const SourceParts& parts, const Use& use) {
    const auto it = scope_.steps.find(parts.step);
    const std::string source = fmt::format("steps.{}.outputs.{}", parts.step, parts.name);
    if (it == scope_.steps.end()) return Nothing(use, source, "there is no such step");
    const FileStep& step = it->second;
    if (step.sub != nullptr) {
      const Runbook* runbook = scope_.library.Find(step.sub->runbook);
      if (runbook != nullptr && !runbook->outputs.contains(parts.name))
        Nothing(use, source, fmt::format("runbook '{}' has no such output", step.sub->runbook));
      return;
    }
    const bool there = step.action != nullptr && step.action->outputs.contains(parts.name);
    if (!there) return Nothing(use, source, "the step has no such output");
    const auto before = scope_.before.find(use.step);
    if (before != scope_.before.end() && !before->second.contains(parts.step))
      Nothing(use, source, "that step is not sure to be over by then");
    if (MayBeProposed(use) && !IsClosedType(step.action->outputs.at(parts.name).type))
      Open(use, fmt::format("{} is what another program answers", source),
           "give the output a closed type: inventory, choices, or minimum and maximum", true);
  }

  bool MayBeProposed(const Use& use) const {
    if (use.place == Place::kOther) return false;
    const auto it = scope_.steps.find(use.step);
    return it != scope_.steps.end() && it->second.action != nullptr &&
           it->second.action->tier != Tier::kNever;
  }
  static std::string Where(const Use& use) { return use.step.empty() ? use.at : use.step + "." + use.at; }
  void Nothing(const Use& use, const std::string& source, std::string_view why) {
    scope_.Error(use.line, "unknown_placeholder",
                 fmt::format("{}: {} names nothing: {}", Where(use), source, why));
  }
  void Open(const Use& use, const std::string& what, const std::string& help, bool error) {
    const std::string text = fmt::format("{}: {}, and could steer the step; {}", Where(use), what, help);
    if (error)
      scope_.Error(use.line, "untrusted_parameter", text);
    else
      scope_.Warn(use.line, "untrusted_parameter", text);
  }

  LintScope& scope_;
  std::set<std::string, std::less<>> used_;
};

// Why the condition cannot hold, or nothing.
std::string NeverHolds(const LintScope& scope, const PlanCondition& condition) {
  if (!condition.step.empty()) {
    for (const PlanStep& step : scope.plan.steps) {
      if (step.id != condition.step) continue;
      if (condition.ended == "failed" && !step.go_on_if_failed)
        return fmt::format("when '{}' fails the run ends (go_on_if_failed)", step.id);
      if (condition.ended == "skipped" && step.when.empty())
        return fmt::format("'{}' is never skipped", step.id);
      if (condition.ended == "done" && step.tier == Tier::kNever)
        return fmt::format("'{}' is never done (tier never)", step.id);
    }
    return "";
  }
  const std::string source = SoleSource(condition.value);
  const auto parts = PartsOfSource(source);
  if (!parts) return "";
  ValueType type;
  if (const RunbookInput* input = parts->root == "inputs" ? scope.Input(parts->name) : nullptr)
    type = input->type;
  const auto step = scope.steps.find(parts->step);
  if (step != scope.steps.end() && step->second.action != nullptr &&
      step->second.action->outputs.contains(parts->name))
    type = step->second.action->outputs.at(parts->name).type;
  json value = condition.is;
  if (type.kind == "boolean" || type.kind == "integer" || type.kind == "number")
    value = json::parse(condition.is, nullptr, false);
  const Status right =
      value.is_discarded() ? Status(Code::kInvalidArgument, "is no " + type.kind) : CheckValue(type, value);
  return right.ok() ? ""
                    : fmt::format("{} can never be '{}', which {}", source, condition.is, right.message());
}

// All that holds when a step begins: its own conditions, and those of every step that must be done for it.
std::vector<PlanCondition> Implied(const Plan& plan, const PlanStep& step) {
  std::vector<PlanCondition> out = step.when;
  std::set<std::string> seen;
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i].ended != "done" || !seen.insert(out[i].step).second) continue;
    const auto it = std::ranges::find(plan.steps, out[i].step, &PlanStep::id);
    if (it == plan.steps.end()) continue;
    const std::vector<PlanCondition> more = it->when;
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

// Two conditions that cannot both hold, in words.
std::string Contradiction(const std::vector<PlanCondition>& all) {
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const PlanCondition &a = all[i], &b = all[j];
      if (!a.step.empty() && a.step == b.step && a.ended != b.ended)
        return fmt::format("'{}' cannot end both {} and {}", a.step, b.ended, a.ended);
      if (!a.value.empty() && a.value == b.value && a.is != b.is)
        return fmt::format("{} cannot be both '{}' and '{}'", SoleSource(a.value), b.is, a.is);
    }
  }
  return "";
}

}  // namespace

bool IsClosedType(const ValueType& type) {
  if (type.kind == "integer" || type.kind == "number")
    return std::isfinite(type.minimum) && std::isfinite(type.maximum);
  return type.kind == "inventory" || type.kind == "choice" || type.kind == "boolean";
}

void LintValues(LintScope& scope) { ValueLint(scope).All(); }

void LintFlow(LintScope& scope) {
  std::map<std::string_view, std::string> never;  // a step of the plan, and why it is not reached
  for (const PlanStep& step : scope.plan.steps) {
    const auto mine = scope.steps.find(step.id);
    const int line = mine == scope.steps.end() ? 1 : mine->second.line;
    std::string why;
    for (const PlanCondition& condition : step.when) {
      const bool outcome = never.contains(condition.step) && condition.ended == "done";
      if (why.empty()) why = outcome ? never[condition.step] : NeverHolds(scope, condition);
    }
    if (why.empty()) why = Contradiction(Implied(scope.plan, step));
    for (const std::string& before : scope.before[step.id]) {
      if (!why.empty()) break;
      const auto it = std::ranges::find(scope.plan.steps, before, &PlanStep::id);
      if (it->tier == Tier::kNever && !it->go_on_if_failed && it->when.empty())
        why = fmt::format("'{}' before it is always refused (tier never)", before);
    }
    if (why.empty()) continue;
    never[step.id] = why;
    if (mine != scope.steps.end())
      scope.Error(line, "unreachable", fmt::format("{}: is never reached: {}", step.id, why));
  }
}

}  // namespace tocsin::act::internal
