// BuildContext: gathers the context pack of an incident (context_pack.h). Reads only.
//
// Windows: the baseline is the `baseline` before the onset, the window from the onset until now, at most
// `after`. An incident of alerts begins before its first alert, because rules wait: its baseline ends
// `alert_lead` earlier. Both are clipped to what is stored, so that claims over them can be run.
//
// Cost: at most some fifteen queries, each ended after `query_timeout`, none begun after `budget`; one scan a
// table for window and baseline together. Spans are read by trace: when there are more than `max_spans`,
// those of a fixed share of the trace ids. Everything else is counted exactly. A section whose query fails is
// left out and says so.
//
// Thread-safety: any thread; blocks for as long as the queries take: not for an I/O thread.
// Errors: kNotFound (no such incident), the ledger's. Telemetry that cannot be read is no error.
#pragma once

#include "claims/verifier.h"
#include "investigate/context/context_pack.h"
#include "investigate/context/runbook_source.h"
#include "kernel/id.h"
#include "kernel/status.h"
#include "ports/clock.h"
#include "respond/dispatch/dispatch_config.h"
#include "store/ledger.h"
#include "store/sql_dialect.h"
#include "store/telemetry_store.h"

namespace tocsin::investigate {

struct ContextSources {
  store::TelemetryStore& telemetry;
  const store::SqlDialect& dialect;
  store::Ledger& ledger;
  const ports::Clock& clock;                          // for how long it takes
  const claims::AlertSource* alerts = nullptr;        // without it, what the incident's document holds
  const RunbookSource* runbooks = nullptr;            // without it, what alerts link to
  const respond::DispatchConfig* dispatch = nullptr;  // who is on call
};

struct ContextOptions {
  Time now;
  Duration baseline = Duration::Minutes(60);
  Duration after = Duration::Minutes(60);
  Duration alert_lead = Duration::Minutes(5);
  Duration changes_before = Duration::Hours(24);
  Duration query_timeout = Duration::Seconds(3);
  Duration budget = Duration::Seconds(10);
  size_t max_spans = 100'000;  // read for calls and latencies
  size_t max_services = 12;    // affected ones that are looked at
  size_t max_lines = 12;       // of a section
  int hops = 2;                // callers and callees of the affected services
};

Result<ContextPack> BuildContext(const ContextSources& sources, const IncidentId& id,
                                 const ContextOptions& options);

}  // namespace tocsin::investigate
