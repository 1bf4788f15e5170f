// TrustRecord: what is known of one agent at one class of action: how often what it claimed held, what it
// proposed was approved, and what was executed helped. Counts decay by half every 30 days. The ceiling falls
// by itself and rises only by a person: a class of actions in which an agent has no record begins at approve.
//
// Value type; kept by trust_book.h.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "act/plan/plan.h"
#include "kernel/time.h"

namespace tocsin::act {

struct TrustRecord {
  std::string agent, action_class;  // "kubernetes"; "claims" for what it states
  // Decayed counts as of `updated`.
  double claims_held = 0, claims_refuted = 0, claims_unverifiable = 0;
  double proposed = 0, approved = 0, denied = 0, refused = 0;
  double executed = 0, helped = 0, failed = 0, undone = 0;
  // 95 % lower bound (Clopper–Pearson on the decayed counts) of "claims held and action helped".
  double lower_bound = 0;
  Tier ceiling = Tier::kApprove;  // what the record allows at most
  std::string why;                // of the ceiling
  bool promotion_due = false;     // the record would allow more: proposed to people
  Time updated;
};

nlohmann::json TrustToJson(const TrustRecord& record);

}  // namespace tocsin::act
