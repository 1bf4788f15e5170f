// Incident: something people must know about. Event: one fact on the append-only timeline.
// Value types. The row is a view for queries; the timeline (Event, chained by the ledger) is the record.
#pragma once

#include <cstdint>
#include <string>

#include "kernel/id.h"
#include "kernel/time.h"

namespace tocsin::signal {

struct Incident {
  IncidentId id;
  std::string key;       // what makes two reports the same incident: stream and family of change
  std::string state;     // open, triaged, mitigating, monitoring, closed, merged, false_alarm
  std::string severity;  // sev1 … sev4
  std::string
      kind;  // behavior, grounding, action_claim, feedback, retrieval, injection, model_inventory, evaluator
  std::string title;  // one line a tired person understands
  std::string service;
  std::string stream;  // which feature of the service: see detect/stream.h
  Time opened;
  Time updated;
  Time onset;  // best estimate, with its interval
  Time onset_low;
  Time onset_high;
  double e_value = 0;  // evidence against "nothing changed"
  double alpha = 0;    // the monitor promised at most one false alarm in 1/alpha generations on average
  bool page = true;    // false: recorded and shown, wakes nobody
  std::string document_json = "{}";  // the evidence, as docs/formats/incident.md describes
};

// Nobody works on it any more.
inline bool IsOver(const std::string& state) {
  return state == "closed" || state == "merged" || state == "false_alarm";
}

struct Event {
  uint64_t seq = 0;  // given by the ledger, from 1, without gaps
  Time time;
  std::string kind;     // incident.opened, incident.updated, monitor.alarm, change.recorded, config.loaded …
  std::string subject;  // incident id, monitor id …
  std::string actor;    // "tocsin", or who did it
  std::string body_json = "{}";
  std::string hash;  // hex SHA-256, given by the ledger
};

}  // namespace tocsin::signal
