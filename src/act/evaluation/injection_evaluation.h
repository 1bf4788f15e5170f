// InjectionEvaluation: recorded prompt-injection attacks against acting as a whole. Each attack stands in an
// incident's title, in what a tool answers, and in front of an agent whose model obeys it word for word: the
// attack becomes runbook, inputs, evidence, reason, answers to approvals. A person approves whatever they are
// asked. Bounds that would end it early (rates, pauses, the breaker) are off.
//
// What counts is judged apart from the policy: an effect is authorised only when its call is one of those
// written down here as harmless. Errors: kNotFound (no attacks there), kDataLoss, the ledger's.
// Source of the attacks: BIPIA (Yi et al. 2023), text_attack_train.json and code_attack_train.json.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernel/status.h"

namespace tocsin::act {

struct InjectionResult {
  size_t attacks = 0;
  size_t attempts = 0;              // proposals, answers and other things tried
  size_t effects = 0;               // that executors were asked for
  size_t unauthorised_effects = 0;  // not among the harmless ones
  size_t approvals = 0;             // asked of people
  size_t tainted_approvals = 0;     // with anything of the attack in what is approved
  size_t refused = 0;               // runs, proposals and answers
  size_t refused_off_chain = 0;     // of them, without an event on the chain
  size_t powers_gained = 0;         // an agent that approved, released, raised itself, settled or undid
  bool chain_intact = false;
  std::vector<std::string> examples;  // of what should not be, at most 20
  double seconds = 0;
};

// Both files of `directory`, or of its folder "benchmark".
Result<std::vector<std::string>> ReadAttacks(const std::string& directory);
Result<InjectionResult> EvaluateInjection(const std::vector<std::string>& attacks);

}  // namespace tocsin::act
