// HarmSeverity: how loud an incident is when people judge it: what a wrong answer does to who reads it, how
// often, and how many are reached; and, beside it, what the classic objective says. The louder one counts.
//
//   expected people = rate × people
//   dangerous   can cost health, money or freedom        ≥ 1: sev1
//   harmful     wrong in a way that is acted upon         ≥ 10: sev1, ≥ 1: sev2
//   misleading  wrong, and likely noticed                 ≥ 1,000: sev1, ≥ 100: sev2, ≥ 1: sev3
//   funny       embarrassing at most                      ≥ 10,000: sev2, ≥ 1,000: sev3
//   otherwise sev4. A one-off that could hurt is not funny: the class decides first.
//   objective: burning its error budget ≥ 14.4 × too fast: sev1, ≥ 6: sev2, ≥ 1: sev3 (Google SRE Workbook,
//   chapter 5)
// Pure; thread-safe.
#pragma once

#include <string>

#include "kernel/status.h"

namespace tocsin::respond {

struct Harm {
  std::string harm_class;  // "" = not judged
  double rate = 0;         // share of answers, 0 to 1
  double people = 0;       // reached by all answers
  double budget_burn = 0;  // 1 = the error budget lasts exactly its window
  bool operator==(const Harm&) const = default;
};

// kInvalidArgument names the field.
Status CheckHarm(const Harm& harm);
std::string SeverityOf(const Harm& harm);

}  // namespace tocsin::respond
