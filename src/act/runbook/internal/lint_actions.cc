// Each step by itself, and the people around a runbook.
#include <fmt/format.h>

#include <algorithm>

#include "act/runbook/internal/lint_scope.h"
#include "ports/yaml/yaml_value.h"

namespace tocsin::act::internal {
namespace {

using nlohmann::json;

void LintCall(LintScope& scope, int line, const std::string& at, const CallTemplate& call) {
  if (scope.context.actions.empty()) return;
  const ActionSpec* spec = scope.Spec(call.action);
  if (spec == nullptr) {
    std::vector<std::string_view> names;
    for (const ActionSpec* one : scope.context.actions) names.push_back(one->name);
    const std::string near = ports::NearestWord(call.action, names);
    return scope.Error(line, "unknown_action",
                       fmt::format("{}: there is no action '{}'{}", at, call.action,
                                   near.empty() ? "" : fmt::format("; is it '{}'?", near)));
  }
  std::vector<std::string_view> names;
  for (const ActionParameter& parameter : spec->parameters) {
    names.push_back(parameter.name);
    if (!call.with.contains(parameter.name)) {
      if (parameter.required)
        scope.Error(line, "missing_parameter",
                    fmt::format("{}: {} needs '{}': {}", at, call.action, parameter.name, parameter.about));
      continue;
    }
    const json& value = call.with[parameter.name];
    if (SoleSource(value).empty() && !parameter.Takes(value))
      scope.Error(line, "parameter_type",
                  fmt::format("{}.with.{}: is no {}", at, parameter.name, parameter.type));
  }
  for (const auto& [name, value] : call.with.items()) {
    if (std::ranges::find(names, name) != names.end()) continue;
    const std::string near = ports::NearestWord(name, names);
    scope.Error(line, "unknown_parameter",
                fmt::format("{}: {} does not take '{}'{}", at, call.action, name,
                            near.empty() ? "" : fmt::format("; is it '{}'?", near)));
  }
}

void LintInverse(LintScope& scope, const PlanStep& step, int line) {
  const ActionSpec* spec = scope.Spec(step.call.action);
  if (step.inverse) {
    LintCall(scope, line, step.id + ".inverse", *step.inverse);
    const auto sources = PlaceholdersIn(step.inverse->with);
    for (const std::string& source : sources ? *sources : std::vector<std::string>{}) {
      if (!source.starts_with("undo.") || spec == nullptr) continue;
      if (std::ranges::find(spec->undo, source.substr(5)) == spec->undo.end())
        scope.Error(line, "unknown_placeholder",
                    fmt::format("{}.inverse: {} keeps no '{}' of what was there before; it keeps: {}",
                                step.id, step.call.action, source.substr(5), fmt::join(spec->undo, ", ")));
    }
    return;
  }
  if (!scope.HasEffect(step) || step.tier <= Tier::kObserve) return;
  const bool usual = spec != nullptr && spec->usual_inverse.is_object();
  if (step.no_inverse.empty() && !usual)
    scope.Error(line, "missing_inverse",
                fmt::format("{}: has no inverse; give one, or say why there is none (no_inverse)", step.id));
  else if (!step.no_inverse.empty() && step.tier == Tier::kAuto)
    scope.Warn(line, "missing_inverse",
               fmt::format("{}: nothing can undo it, so an agent asks at tier auto too", step.id));
}

void LintEffect(LintScope& scope, const PlanStep& step, int line) {
  if (!scope.HasEffect(step) || step.tier <= Tier::kObserve) return;
  if (step.expects.empty())
    scope.Warn(line, "no_expected_effect",
               fmt::format("{}: expects no effect, so nobody will know whether it helped (expect)", step.id));
  const Reach& reach = step.reach;
  if (step.tier == Tier::kAuto && !reach.traffic && !reach.instances && !reach.users)
    scope.Error(line, "reach_undeclared",
                fmt::format("{}: tier auto, and nobody says how far it reaches (reach)", step.id));
  if (step.targets.empty())
    scope.Error(line, "no_target",
                fmt::format("{}: names no target, so the policy refuses it (targets)", step.id));
}

void LintTargets(LintScope& scope, const PlanStep& step, int line) {
  if (scope.context.rules == nullptr) return;
  const Inventory& inventory = scope.context.rules->inventory;
  for (const Target& target : step.targets) {
    if (target.name.find("{{") != std::string::npos) {
      if (!inventory.HasKind(target.kind))
        scope.Error(line, "inventory",
                    fmt::format("{}: the inventory has no {} at all", step.id, target.kind));
    } else if (inventory.Find(target.kind, target.name) == nullptr) {
      scope.Error(line, "inventory",
                  fmt::format("{}: {} '{}' is not in the inventory", step.id, target.kind, target.name));
    }
  }
}

// Somebody who is on call at night must be able to let it happen.
void LintPermission(LintScope& scope, const PlanStep& step, int line) {
  const LintContext& context = scope.context;
  if (context.rules == nullptr || step.manual) return;
  if (MatchesAction(context.rules->never_actions, step.call.action))
    return scope.Error(
        line, "unreachable",
        fmt::format("{}: '{}' is among the actions that nobody may do", step.id, step.call.action));
  if (context.on_call.empty() || !scope.HasEffect(step)) return;
  std::vector<std::string> may_not;
  for (const std::string& person : context.on_call) {
    const auto it = context.rules->access.people.find(person);
    const bool may = it != context.rules->access.people.end() &&
                     MatchesAction(it->second.actions, step.call.action) &&
                     (step.tier <= Tier::kAdvise || it->second.may_approve);
    if (!may) may_not.push_back(person);
  }
  if (may_not.empty()) return;
  const std::string text =
      fmt::format("{}: {} may not {} '{}' (act.access)", step.id, fmt::join(may_not, ", "),
                  step.tier <= Tier::kAdvise ? "do" : "approve", step.call.action);
  if (may_not.size() == context.on_call.size())
    scope.Error(line, "permission", text + "; nobody else is on call");
  else
    scope.Warn(line, "permission", text);
}

bool IsLink(std::string_view link) {
  const size_t scheme = link.starts_with("https://") ? 8 : link.starts_with("http://") ? 7 : 0;
  if (scheme == 0) return false;
  const std::string_view host = link.substr(scheme, link.find_first_of("/?#", scheme) - scheme);
  return !host.empty() && host.find('@') == std::string_view::npos &&
         std::ranges::none_of(link, [](char c) { return c <= ' ' || c == 0x7f; });
}

void LintLink(LintScope& scope, const std::string& link) {
  if (!IsLink(link)) return scope.Error(1, "link", fmt::format("'{}' is no http or https link", link));
  std::vector<std::string> may_not;
  for (const std::string& person : scope.context.on_call) {
    const auto it = scope.context.links.find(person);
    if (it == scope.context.links.end()) continue;
    if (std::ranges::none_of(it->second, [&](const auto& prefix) { return link.starts_with(prefix); }))
      may_not.push_back(person);
  }
  if (may_not.empty()) return;
  const std::string text = fmt::format("{} may not open {}", fmt::join(may_not, ", "), link);
  if (may_not.size() == scope.context.on_call.size())
    scope.Error(1, "link", text + "; nobody else is on call");
  else
    scope.Warn(1, "link", text);
}

}  // namespace

void LintActions(LintScope& scope) {
  for (const auto& [id, step] : scope.steps) {
    if (step.action == nullptr || step.action->manual) continue;
    LintCall(scope, step.line, id, step.action->call);
    LintInverse(scope, *step.action, step.line);
    LintEffect(scope, *step.action, step.line);
    LintTargets(scope, *step.action, step.line);
    LintPermission(scope, *step.action, step.line);
  }
}

void LintPeople(LintScope& scope) {
  const Runbook& runbook = scope.runbook;
  if (runbook.owner.empty()) scope.Warn(1, "no_owner", "nobody owns it: who keeps it right? (owner)");
  for (const std::string& link : runbook.links) LintLink(scope, link);
  if (!scope.context.now.known()) return;
  if (!runbook.last_validated.known())
    scope.Warn(1, "stale_validation", "nobody has ever validated it (last_validated)");
  else if (runbook.last_validated > scope.context.now + Duration::Hours(24))
    scope.Error(1, "stale_validation", "last_validated is in the future");
  else if (const Time due = runbook.last_validated + runbook.validate_every; due < scope.context.now)
    scope.Warn(1, "stale_validation",
               fmt::format("was to be validated again by {}: try it, then set last_validated",
                           FormatTime(due).substr(0, 10)));
}

}  // namespace tocsin::act::internal
