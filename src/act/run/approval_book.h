// ApprovalBook: questions asked of people and their answers, in the ledger ("approvals", due = when the
// question expires while it is open). An answer holds only for exactly the call that was shown.
//
// Functions over a transaction; thread-safe as it is. Errors: kNotFound, kPermissionDenied (an agent, whoever
// proposed it, somebody without the right), kFailedPrecondition (not open, expired, another call than the one
// seen), kAlreadyExists (this person has answered), the ledger's.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "act/access.h"
#include "act/policy/decide.h"
#include "act/run/approval.h"
#include "kernel/time.h"
#include "store/ledger.h"

namespace tocsin::act {

inline constexpr size_t kMaxOpenApprovals = 500;

// An id that nothing of the collection has: prefix and six digits of Crockford base 32.
Result<std::string> FreshActId(store::LedgerTransaction& transaction, const std::string& prefix,
                               const std::string& collection);

Status PutApproval(store::LedgerTransaction& transaction, const Approval& approval);
Result<std::optional<Approval>> ReadApproval(store::Ledger& ledger, const std::string& id);
// Open ones first, then newest first.
Result<std::vector<Approval>> ReadApprovals(store::Ledger& ledger, bool open_only);
// Checks and records one answer.
Result<Approval> AnswerApproval(store::LedgerTransaction& transaction, const Access& access,
                                const std::string& id, bool approve, const std::string& seen,
                                const std::string& reason, const Caller& caller, Time now);
// An open one is so no longer: "withdrawn", "expired". Nothing when it is not open.
Status WithdrawApproval(store::LedgerTransaction& transaction, const std::string& id,
                        const std::string& state);
// Of this approval, for the policy.
std::vector<GivenApproval> GivenOf(const Approval& approval);

}  // namespace tocsin::act
