// What the rules of lint share: one runbook, the plan it makes of sample inputs, and where each step is in
// the file. Not thread-safe: one a call of Lint.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "act/plan/placeholder.h"
#include "act/runbook/lint.h"

namespace tocsin::act::internal {

// A step of the runbook's own file.
struct FileStep {
  const PlanStep* action = nullptr;  // or manual
  const BranchSteps* decision = nullptr;
  const SubRunbook* sub = nullptr;
  int line = 0;
};

struct LintScope {
  const RunbookLibrary& library;
  const Runbook& runbook;
  const LintContext& context;
  std::vector<LintFinding> findings;
  std::map<std::string, FileStep, std::less<>> steps;                // by id
  Plan plan;                                                         // without steps when none can be made
  std::map<std::string, std::set<std::string>, std::less<>> before;  // ids of the plan, all that come before

  void Error(int line, std::string_view rule, std::string text) {
    findings.push_back({LintSeverity::kError, runbook.file, line, std::string(rule), std::move(text)});
  }
  void Warn(int line, std::string_view rule, std::string text) {
    findings.push_back({LintSeverity::kWarning, runbook.file, line, std::string(rule), std::move(text)});
  }
  const RunbookInput* Input(std::string_view name) const {
    for (const RunbookInput& input : runbook.inputs) {
      if (input.name == name) return &input;
    }
    return nullptr;
  }
  const ActionSpec* Spec(std::string_view action) const {
    for (const ActionSpec* spec : context.actions) {
      if (spec->name == action) return spec;
    }
    return nullptr;
  }
  bool HasEffect(const PlanStep& step) const {
    const ActionSpec* spec = Spec(step.call.action);
    return !step.manual && (spec != nullptr ? !spec->read_only : step.tier != Tier::kObserve);
  }
};

// Whether a value from telemetry or an agent can become a parameter with this type at all.
bool IsClosedType(const ValueType& type);

// Each step by itself: action, parameters, inverse, effect, reach, targets.
void LintActions(LintScope& scope);
// What placeholders name, and who could choose their values.
void LintValues(LintScope& scope);
// What can never be reached.
void LintFlow(LintScope& scope);
// Owner, validation, links, permissions.
void LintPeople(LintScope& scope);

}  // namespace tocsin::act::internal
