// TrustBook: the records of all agents, in the ledger ("trust", id = "AGENT|CLASS"). What happens is noted in
// the transaction in which it is stored, so that record and chain agree.
//
//   good  claims held, actions that helped        bad  claims refuted, actions that failed or were undone
//   upper bound of good / (good + bad) below 80 % ─► at most approve, below 50 % ─► advise, 20 % ─► observe
//   lower bound of at least 80 %                  ─► promotion to auto is proposed; a person raises it
//
// The bounds are Clopper and Pearson's at 90 % (5 % on each side) over counts that decay by half every 30
// days, successes rounded down and trials up. Functions over a ledger; thread-safe as it is. Errors:
// kPermissionDenied (not a person), kInvalidArgument, kDataLoss, the ledger's.
#pragma once

#include <string>
#include <vector>

#include "act/access.h"
#include "act/trust/trust_record.h"
#include "kernel/status.h"
#include "store/ledger.h"

namespace tocsin::act {

inline constexpr Duration kTrustHalfLife = Duration::Hours(24 * 30);

// What is added to a record.
struct TrustNews {
  double claims_held = 0, claims_refuted = 0, claims_unverifiable = 0;
  double proposed = 0, approved = 0, denied = 0, refused = 0;
  double executed = 0, helped = 0, failed = 0, undone = 0;
};

// "kubernetes" of "kubernetes.scale".
std::string ActionClass(const std::string& action);
// Pure: decays to `now`, adds, and lowers the ceiling when the record asks for it.
TrustRecord Learn(TrustRecord record, const TrustNews& news, Time now);

// Adds to the record. That the ceiling fell by it is an event on the chain.
Status NoteTrust(store::LedgerTransaction& transaction, const std::string& agent,
                 const std::string& action_class, const TrustNews& news, Time now);
// A record that nobody has begun is one with its first values.
Result<TrustRecord> ReadTrust(store::Ledger& ledger, const std::string& agent,
                              const std::string& action_class);
Result<std::vector<TrustRecord>> ReadAllTrust(store::Ledger& ledger);
// A person's: sets the ceiling, up or down, and forgets what is bad of before, which the chain still has.
Result<TrustRecord> SetTrust(store::Ledger& ledger, const std::string& agent, const std::string& action_class,
                             Tier tier, const std::string& reason, const Caller& caller, Time now);

}  // namespace tocsin::act
