// AlertHistory: alerts with the time they fired, for claims and context packs: those the desk knows to fire
// now, with all their labels, and those that made incidents, of which the ledger remembers name, service and
// when they were last heard of.
//
// Ownership: refers to desk (may be null) and ledger. Thread-safety: Alerts may be called from any thread.
// Errors: the ledger's.
#pragma once

#include "claims/verifier.h"
#include "ports/clock.h"
#include "respond/alerts/alert_desk.h"
#include "store/ledger.h"

namespace tocsin::investigate {

class AlertHistory final : public claims::AlertSource {
 public:
  AlertHistory(const respond::AlertDesk* desk, store::Ledger& ledger, const ports::Clock& clock)
      : desk_(desk), ledger_(ledger), clock_(clock) {}
  Result<std::vector<Firing>> Alerts(const claims::Window& window, size_t limit) const override;

 private:
  const respond::AlertDesk* desk_;
  store::Ledger& ledger_;
  const ports::Clock& clock_;
};

}  // namespace tocsin::investigate
