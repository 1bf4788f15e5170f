// What an McpServer needs, in memory: a ledger, telemetry, investigations, a clock that stands, a
// MemoryActDesk. For tests.
#pragma once

#include <memory>
#include <stdexcept>

#include "investigate/investigation_desk.h"
#include "store/ledger.h"
#include "store/telemetry_store.h"
#include "surface/mcp/mcp_server.h"
#include "surface/mcp/testing/memory_act_desk.h"

namespace tocsin::surface::mcp::testing {

class HandClock : public ports::Clock {
 public:
  Time Now() const override { return now; }
  Time Monotonic() const override { return now; }
  Time now{1'790'000'000'000'000'000};
};

struct McpBench {
  McpBench() {
    auto opened = store::OpenSqlite({":memory:", false});
    auto duck = store::OpenDuckDb({":memory:", 256, 1});
    if (!opened || !duck) throw std::runtime_error("no store in memory");
    ledger = std::move(*opened);
    telemetry = std::move(*duck);
    investigations = std::make_unique<investigate::InvestigationDesk>(investigate::InvestigationSources{
        investigate::ContextSources{*telemetry, store::DuckDbDialect(), *ledger, clock},
        nullptr,
        clock,
        nullptr,
        {}});
  }
  McpSources Sources(bool acting = true) {
    return {*ledger, *investigations, clock, acting ? &desk : nullptr, "0.0-test"};
  }
  // An incident whose title attacks.
  void PutIncident(const std::string& id, const std::string& title) {
    signal::Incident incident;
    incident.id = IncidentId{id};
    incident.title = title;
    incident.service = "checkout";
    incident.state = "open";
    incident.opened = clock.now;
    incident.updated = clock.now;
    const Status put = ledger->Transact(
        [&](store::LedgerTransaction& transaction) { return transaction.PutIncident(incident); });
    if (!put.ok()) throw std::runtime_error(put.message());
  }

  HandClock clock;
  std::unique_ptr<store::Ledger> ledger;
  std::unique_ptr<store::TelemetryStore> telemetry;
  std::unique_ptr<investigate::InvestigationDesk> investigations;
  MemoryActDesk desk;
};

}  // namespace tocsin::surface::mcp::testing
