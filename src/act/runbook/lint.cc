#include "act/runbook/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "act/plan/claim_template.h"
#include "act/runbook/internal/lint_scope.h"

namespace tocsin::act {
namespace {

using internal::LintScope;
using nlohmann::json;

void CollectSteps(const std::vector<RunbookStep>& steps, LintScope& scope) {
  for (const RunbookStep& step : steps) {
    if (const auto* action = std::get_if<PlanStep>(&step.what))
      scope.steps[action->id] = {action, nullptr, nullptr, step.line};
    if (const auto* sub = std::get_if<SubRunbook>(&step.what))
      scope.steps[sub->id] = {nullptr, nullptr, sub, step.line};
    if (const auto* parallel = std::get_if<ParallelSteps>(&step.what)) {
      for (const auto& branch : parallel->branches) CollectSteps(branch, scope);
    }
    if (const auto* branch = std::get_if<BranchSteps>(&step.what)) {
      scope.steps[branch->id] = {nullptr, branch, nullptr, step.line};
      CollectSteps(branch->then, scope);
      CollectSteps(branch->otherwise, scope);
    }
  }
}

void MakeSamplePlan(LintScope& scope) {
  json inputs = json::object();
  for (const RunbookInput& input : scope.runbook.inputs)
    inputs[input.name] = input.fallback.is_null() ? SampleValue(input.type) : input.fallback;
  auto plan =
      scope.library.MakePlan(scope.runbook.id, inputs, [](std::string_view) { return Origin::kPerson; });
  if (!plan) {
    // "FILE:LINE: …" already says where.
    int line = 1;
    std::string text = plan.error().message();
    const std::string file = scope.runbook.file + ":";
    if (!scope.runbook.file.empty() && text.starts_with(file)) {
      line = std::max(1, std::atoi(text.c_str() + file.size()));
      const size_t end = text.find(": ", file.size());
      if (end != std::string::npos) text = text.substr(end + 2);
    }
    scope.Error(line, "plan", std::move(text));
    return;
  }
  scope.plan = *std::move(plan);
  for (const PlanStep& step : scope.plan.steps) {
    auto& mine = scope.before[step.id];
    for (const std::string& after : step.after) {
      mine.insert(after);
      mine.insert(scope.before[after].begin(), scope.before[after].end());
    }
  }
}

Result<Value> SampleOf(const Plan& plan, std::string_view source) {
  if (source.starts_with("inputs.")) {
    const auto it = plan.inputs.find(std::string(source.substr(7)));
    if (it != plan.inputs.end()) return it->second;
  }
  const auto parts = PartsOfSource(source);
  for (const PlanStep& step : plan.steps) {
    if (!parts || step.id != parts->step || !step.outputs.contains(parts->name)) continue;
    const ValueType& type = step.outputs.at(parts->name).type;
    return Value{SampleValue(type), Origin::kOutput, type};
  }
  return Value{"sample", Origin::kTelemetry, {}};
}

// Claims with placeholders cannot be read until a value is there; one of the right type will do.
void LintClaims(LintScope& scope) {
  const Time now = *ParseTime("2026-01-01T00:00:00Z");
  const auto check = [&](const json& claim, int line, bool expected) {
    if (claim.is_null()) return;
    const ClaimMoment moment{now, expected ? now - Duration::Minutes(1) : Time{}};
    const auto read =
        ResolveClaim(claim, [&](std::string_view source) { return SampleOf(scope.plan, source); }, moment);
    if (!read) scope.Error(line, "claim", read.error().message());
  };
  for (const json& claim : scope.runbook.stop_when) check(claim, 1, false);
  for (const auto& [id, step] : scope.steps) {
    if (step.decision != nullptr) check(step.decision->condition.claim, step.line, false);
    if (step.action == nullptr) continue;
    for (const json& claim : step.action->requires_claims) check(claim, step.line, false);
    for (const json& claim : step.action->expects) check(claim, step.line, true);
    for (const PlanCondition& condition : step.action->when) check(condition.claim, step.line, false);
  }
}

}  // namespace

json SampleValue(const ValueType& type) {
  if (type.kind == "choice") return type.choices.empty() ? "" : type.choices.front();
  if (type.kind == "boolean") return true;
  if (type.kind == "integer" || type.kind == "number") {
    const double value = std::isfinite(type.minimum)   ? type.minimum
                         : std::isfinite(type.maximum) ? std::min(type.maximum, 1.0)
                                                       : 1.0;
    return type.kind == "integer" ? json(static_cast<int64_t>(std::ceil(value))) : json(value);
  }
  return "sample";
}

std::string RenderFinding(const LintFinding& finding) {
  return fmt::format("{}:{}: {}: {} ({})", finding.file, finding.line,
                     finding.severity == LintSeverity::kError ? "error" : "warning", finding.text,
                     finding.rule);
}

std::vector<LintFinding> Lint(const RunbookLibrary& library, const Runbook& runbook,
                              const LintContext& context) {
  LintScope scope{library, runbook, context, {}, {}, {}, {}};
  CollectSteps(runbook.steps, scope);
  MakeSamplePlan(scope);
  internal::LintPeople(scope);
  internal::LintActions(scope);
  internal::LintValues(scope);
  internal::LintFlow(scope);
  LintClaims(scope);
  const auto order = [](const LintFinding& f) {
    return std::tuple(f.line, f.severity == LintSeverity::kError ? 0 : 1, f.rule, f.text);
  };
  std::ranges::stable_sort(scope.findings, {}, order);
  const auto repeated = std::ranges::unique(scope.findings, {}, order);
  scope.findings.erase(repeated.begin(), repeated.end());
  return std::move(scope.findings);
}

void FillInverses(Plan& plan, const std::vector<const ActionSpec*>& actions) {
  for (PlanStep& step : plan.steps) {
    if (step.manual || step.inverse || !step.no_inverse.empty()) continue;
    const auto spec = std::ranges::find(actions, step.call.action, [](const auto* s) { return s->name; });
    if (spec == actions.end() || !(*spec)->usual_inverse.is_object()) continue;
    const json& usual = (*spec)->usual_inverse;
    CallTemplate inverse{usual.value("action", step.call.action), json::object(), step.call.timeout};
    bool whole = true;
    const json with = usual.value("with", json::object());
    for (const auto& [name, text] : with.items()) {
      const std::string sole = SoleSource(text);
      // A parameter that the step leaves out is left out of its inverse.
      if (sole.starts_with("with.") && !step.call.with.contains(sole.substr(5))) continue;
      auto put = SubstitutePlaceholders(
          text,
          [&](std::string_view source) -> Result<json> {
            if (!source.starts_with("with.")) return json(PlaceholderOf(source));
            return step.call.with.value(std::string(source.substr(5)), json(""));
          },
          name);
      if (!put) {
        whole = false;
        continue;
      }
      inverse.with[name] = *std::move(put);
    }
    if (whole) step.inverse = std::move(inverse);
  }
}

}  // namespace tocsin::act
