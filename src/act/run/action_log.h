// ActionLog: what was executed and refused within the last day, for rates, cooldowns, budgets and the circuit
// breakers. Kept in memory and in the ledger ("actions", id = idempotency key, due = when it may be
// forgotten), so that a restart forgets nothing that bounds an agent.
//
// To decide and to reserve is one step, so that two calls cannot both be the last that is allowed.
// Thread-safety: all methods.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "act/act_settings.h"
#include "act/policy/decide.h"
#include "store/ledger.h"

namespace tocsin::act {

struct AgentTrouble {
  bool open = false;
  std::string why;
};
// Open for `pause` after any window held as many as allowed. Times in any order. Pure.
AgentTrouble BreakerOf(const std::vector<Time>& failures, const std::vector<Time>& refusals,
                       const BreakerSettings& settings, Time now);

class ActionLog {
 public:
  Status Restore(store::Ledger& ledger, Time now);

  // Decides with the history of the last day, which takes the place of `facts.history`.
  Decision DecideOnly(const PolicyRules& rules, PolicyFacts facts, const ActionCall& call) const;
  // The same but for what `key` itself has reserved; when it is allowed, the action counts from then on.
  Decision DecideAndReserve(const PolicyRules& rules, PolicyFacts facts, const ActionCall& call,
                            const std::string& key);
  AgentTrouble Breaker(const std::string& agent, const BreakerSettings& settings, Time now) const;

  // Writes what was reserved; what became of it; takes it back when nothing left.
  Status Put(store::LedgerTransaction& transaction, const std::string& key) const;
  void Failed(const std::string& key);
  void Forget(const std::string& key);  // and Drop in the ledger
  Status Drop(store::LedgerTransaction& transaction, const std::string& key) const;
  // That an agent was refused.
  Status Refused(store::LedgerTransaction& transaction, const std::string& agent, const std::string& key,
                 Time now);

  // Forgets what is older than a day.
  Status Prune(store::Ledger& ledger, Time now);

 private:
  std::vector<PastAction> HistoryBut(const std::string& key, Time now) const;  // under the mutex

  mutable std::mutex mutex_;
  std::map<std::string, PastAction> actions_;         // by key
  std::map<std::string, std::deque<Time>> refusals_;  // by agent
};

}  // namespace tocsin::act
