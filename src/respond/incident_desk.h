// IncidentDesk: turns findings into incidents in the ledger: opens, deduplicates, updates while evidence
// grows, and writes the timeline.
//
// Two findings are the same incident when stream and family agree (and detail, for recorded facts) and the
// earlier incident is not closed. Updates that say nothing new are not written; see docs/guides/
// reading-an-incident.md for the severity rubric. All writes go through the transaction given, so that they
// commit together with the monitors' states.
//
// Ownership: none of the ledger. Thread-safety: none, one owner.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "detect/finding.h"
#include "kernel/status.h"
#include "signal/incident.h"
#include "store/ledger.h"

namespace tocsin::respond {

struct DeskOptions {
  size_t max_document_bytes = 256u << 10;
  Duration update_interval = Duration::Minutes(5);  // of event time, between updates that say nothing new
  size_t max_active = 2000;                         // further findings are refused and counted
};

struct DeskOutcome {
  std::vector<signal::Incident> opened;
  std::vector<signal::Incident> updated;
  uint64_t unchanged = 0;
  uint64_t refused = 0;
};

class IncidentDesk {
 public:
  explicit IncidentDesk(DeskOptions options = {}) : options_(options) {}
  Result<DeskOutcome> Record(store::LedgerTransaction& transaction, std::span<const detect::Finding> findings,
                             Time now) const;

 private:
  DeskOptions options_;
};

// "support-bot/chat/refund|behavior": what makes two findings the same incident.
std::string IncidentKey(const detect::Finding& finding);

}  // namespace tocsin::respond
