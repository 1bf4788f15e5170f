// EscalationDesk: the escalations of all incidents, kept as documents of the ledger: started, carried out
// when due, stopped; and what is told of them, handed to the outbox. Everything inside a transaction of the
// caller's, so that an incident, its escalation, its pages and its timeline are one write.
//
//   incident ──Start──▶ run (collection "escalations", id "INC-2K7Q|policy", due = its next deadline)
//   run ──AdvanceDue──▶ orders ──▶ outbox items (a step's key is told once), "incident.paged" on the timeline
//
// An incident may have several runs, one a policy; a person's acknowledgement holds for those whose policy
// names the person. A policy that is gone from the configuration is replaced by that of `incidents`, or, with
// none, the run ends and says so.
//
// Ownership: value; holds the configuration, refers to the outbox. Thread-safety: as the transaction's.
// Errors: the ledger's; Acknowledge: kPermissionDenied, kAlreadyExists, kFailedPrecondition; kDataLoss for a
// run that cannot be read.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernel/status.h"
#include "respond/dispatch/dispatch_config.h"
#include "respond/dispatch/escalation_records.h"
#include "respond/notify/outbox.h"
#include "respond/oncall/escalation.h"
#include "signal/incident.h"
#include "store/ledger.h"

namespace tocsin::respond {

class EscalationDesk {
 public:
  EscalationDesk(std::shared_ptr<const DispatchConfig> config, const Outbox& outbox)
      : config_(std::move(config)), resolver_(ResolverOf({config_, &config_->oncall})), outbox_(&outbox) {}

  // Pages by this policy from now on. Nothing when a run of it is under way or acknowledged; one that ended
  // or was resolved begins again. Carries out what is due at once.
  Status Start(store::LedgerTransaction& transaction, const signal::Incident& incident,
               const std::string& policy, Time now) const;
  // Starts the policy of each rule, and tells its places once for this occasion.
  Status PageBy(store::LedgerTransaction& transaction, const signal::Incident& incident,
                const std::vector<ReceiverRule>& rules, const std::string& occasion, const std::string& what,
                Time now) const;
  // Carries out the runs that are due, at most `limit`; how many there were.
  Result<size_t> AdvanceDue(store::LedgerTransaction& transaction, Time now, size_t limit) const;

  // Looks at every run that waits, due or not: what a process does first, because the clock may have been put
  // back while there was none.
  Status LookAtAll(store::LedgerTransaction& transaction, Time now) const;

  // Acknowledges every run whose policy names the person; true when one was not acknowledged before. Without
  // any run everything is allowed. Gives the refusal of the first run when none accepts.
  Result<bool> Acknowledge(store::LedgerTransaction& transaction, const signal::Incident& incident,
                           const std::string& by, bool is_person, Time now) const;
  Status Snooze(store::LedgerTransaction& transaction, const signal::Incident& incident,
                const std::string& by, bool is_person, Time until, Time now) const;
  Status Unacknowledge(store::LedgerTransaction& transaction, const signal::Incident& incident,
                       const std::string& by, Time now) const;
  // Goes on with another policy, in place of those that are not over.
  Status Reassign(store::LedgerTransaction& transaction, const signal::Incident& incident,
                  const std::string& by, const std::string& policy, Time now) const;
  // Ends all runs, drops what has not gone out, and tells those who were paged that it is over. True when
  // there was a run to end.
  Result<bool> Resolve(store::LedgerTransaction& transaction, const signal::Incident& incident,
                       const std::string& what, Time now) const;
  // It became more urgent (or less): pages that were put off or chose quiet channels are made anew, unless
  // somebody has it.
  Status Louder(store::LedgerTransaction& transaction, const signal::Incident& incident, Time now) const;
  // The wall clock was put back: every wait keeps what was left of it.
  Status ShiftBack(store::LedgerTransaction& transaction, Duration back, Time now) const;
  // Nobody could be told at this step ("page/INC-2K7Q/1/0/2/ada"): the next need not wait.
  Status Hasten(store::LedgerTransaction& transaction, const IncidentId& incident, const std::string& step,
                Time now) const;

  // Tells places that are nobody's own: each once for this `what` ("opened", "changed/5").
  Status Tell(store::LedgerTransaction& transaction, const signal::Incident& incident,
              const std::vector<std::string>& destinations, const std::string& kind,
              const std::string& occasion, const std::string& what, Time now) const;

  // Asks those places and, on all their channels in order, this person ("" = nobody). Once for a key.
  Status Ask(store::LedgerTransaction& transaction, const std::string& key,
             const NotificationMessage& message, const std::vector<std::string>& destinations,
             const std::string& person, Time now) const;

  const DispatchConfig& config() const { return *config_; }

 private:
  const EscalationPolicy* PolicyOf(const std::string& name) const;
  const EscalationPolicy& PolicyOrNone(const std::string& name) const;
  Status Store(store::LedgerTransaction& transaction, const signal::Incident& incident, StoredRun& run,
               EscalationOutcome outcome, Time now) const;
  // Store, and nothing goes out any more of the steps that begin so.
  Status Withdraw(store::LedgerTransaction& transaction, const signal::Incident& incident, StoredRun& run,
                  const std::string& prefix, EscalationOutcome outcome, const std::string& why,
                  Time now) const;
  Status HandStep(store::LedgerTransaction& transaction, const signal::Incident& incident, StoredRun& run,
                  Time now) const;
  Status Note(store::LedgerTransaction& transaction, const signal::Incident& incident, const StoredRun& run,
              const EscalationEvent& event, Time now) const;
  Status Hand(store::LedgerTransaction& transaction, const signal::Incident& incident, const PageOrder& order,
              Time now) const;
  Status TellPaged(store::LedgerTransaction& transaction, const signal::Incident& incident,
                   const EscalationRun& run, const std::string& kind, const std::string& what,
                   Time now) const;
  Status AdvanceOne(store::LedgerTransaction& transaction, const store::Document& document, Time now) const;

  std::shared_ptr<const DispatchConfig> config_;
  TargetResolver resolver_;
  const Outbox* outbox_;
};

}  // namespace tocsin::respond
