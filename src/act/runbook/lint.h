// Lint: what is wrong with a runbook before the night that it is needed. An error means that it cannot do
// what it says, or that more could steer it than should; a warning, that a person should look.
//
// What is not known (actions, rules, people) is not looked at; it never counts as right. Pure; thread-safe.
// The rules by name are in docs/formats/runbook.md.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "act/execute/executor.h"
#include "act/policy/policy_rules.h"
#include "act/runbook/runbook_library.h"

namespace tocsin::act {

enum class LintSeverity { kWarning, kError };

struct LintFinding {
  LintSeverity severity = LintSeverity::kWarning;
  std::string file;
  int line = 0;
  std::string rule;  // "missing_inverse"
  std::string text;  // one line: what, where, what would help
};
// "runbooks/x.yaml:12: error: … (missing_inverse)"
std::string RenderFinding(const LintFinding& finding);

struct LintContext {
  std::vector<const ActionSpec*> actions;  // none: actions are not looked at
  const PolicyRules* rules = nullptr;      // null: inventory and permissions are not looked at
  std::vector<std::string> on_call;        // ids of people; none: as with rules
  // Which links a person may open, as beginnings; who is not in here may open all.
  std::map<std::string, std::vector<std::string>> links;
  Time now;  // not known: validation is not looked at
};

// By line.
std::vector<LintFinding> Lint(const RunbookLibrary& library, const Runbook& runbook,
                              const LintContext& context);

// The usual inverse of each step's action where the runbook says neither an inverse nor why there is none.
void FillInverses(Plan& plan, const std::vector<const ActionSpec*>& actions);

// An input's value of its type, to try a runbook with: a choice, a number within bounds, a name.
nlohmann::json SampleValue(const ValueType& type);

}  // namespace tocsin::act
