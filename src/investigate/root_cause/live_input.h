// The root-cause ranking over what is stored of an incident: spans digested to steps and own times, metrics,
// kinds of log line, changes. The moment of the fault is not given: the window begins well before the
// incident's onset, and the reference is the time before that.
//
// Bounds: spans of a share of the trace ids when there are more than kMaxLiveSpans, rows and query times.
// Thread-safety: any thread; blocks. Errors: kFailedPrecondition when too little is stored to compare, the
// store's.
#pragma once

#include "investigate/context/context_pack.h"
#include "investigate/root_cause/root_cause_ranking.h"
#include "store/sql_dialect.h"
#include "store/telemetry_store.h"

namespace tocsin::investigate {

inline constexpr size_t kMaxLiveSpans = 120'000;

Result<RootCauseInput> LiveInput(const ContextPack& pack, store::TelemetryStore& telemetry,
                                 const store::SqlDialect& dialect);

Result<RootCauseRanking> RankLive(const ContextPack& pack, store::TelemetryStore& telemetry,
                                  const store::SqlDialect& dialect);

}  // namespace tocsin::investigate
