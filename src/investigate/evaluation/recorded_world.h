// RecordedWorld: two hours of telemetry of a small shop with a support assistant, in which one thing broke at
// a known moment: what claims are planted over. The same seed gives the same records.
//
// Services: web → checkout → payment → db, web → search, bot (language model). From `onset` on, `faulty` (one
// of checkout, payment, db) fails or slows down, logs a line it never logged, stops logging another, and uses
// more processor; the assistant invents account numbers and refuses more often, in one region. search stays
// as it was. Value type.
#pragma once

#include <string>
#include <vector>

#include "claims/verifier.h"
#include "signal/batch.h"
#include "store/telemetry_store.h"

namespace tocsin::investigate {

struct RecordedWorld {
  Time start, onset, end;
  std::string faulty;
  bool fails = false;  // else slows down
  signal::Batch batch;
  std::string culprit_change, later_change;  // ids: three minutes before the onset, long after it
  std::vector<claims::AlertSource::Firing> alerts;
  std::string invented_trace, invented_identifier;  // an answer that invents
  std::string grounded_trace, grounded_identifier;  // one that names what it was given
};

RecordedWorld MakeRecordedWorld(uint64_t seed);

// What the records hold, counted here and not by SQL: the oracle claims are judged against.
struct Sample {
  double value = 0;
  size_t n = 0;
};
Sample OracleOf(const RecordedWorld& world, const claims::Measure& measure, const claims::Window& window);

// All of it in a store of its own, in memory; without the rows that `leave_out` names, when given.
Result<std::unique_ptr<store::TelemetryStore>> StoreWorld(const RecordedWorld& world,
                                                          const std::optional<claims::Window>& leave_out);

}  // namespace tocsin::investigate
