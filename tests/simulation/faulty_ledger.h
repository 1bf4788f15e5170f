// FaultyLedger: a ledger whose transactions fail, answer nothing though they were written, or end the process
// (an exception) before or after they are written. Reads fail too. Decorates; not thread-safe.
#pragma once

#include "kernel/rng.h"
#include "store/ledger.h"

namespace tocsin::simulation {

struct Crash {};

class FaultyLedger final : public store::Ledger {
 public:
  FaultyLedger(store::Ledger& inner, Rng& rng) : inner_(inner), rng_(rng) {}

  bool crashes = false, errors = false;
  uint64_t injected = 0;

  void MaybeCrash() {
    if (crashes && rng_.Below(150) == 0) throw Crash{};
  }

  Status Transact(const std::function<Status(store::LedgerTransaction&)>& body) override {
    MaybeCrash();
    if (Fails(60)) return Unavailable();
    const Status status = inner_.Transact(body);
    MaybeCrash();
    if (status.ok() && Fails(60)) return Unavailable();
    return status;
  }
  Result<std::optional<signal::Incident>> FindIncident(const IncidentId& id) override {
    if (Fails(400)) return Error(Unavailable());
    return inner_.FindIncident(id);
  }
  Result<std::vector<signal::Incident>> FindIncidents(const store::IncidentFilter& filter) override {
    if (Fails(400)) return Error(Unavailable());
    return inner_.FindIncidents(filter);
  }
  Result<std::vector<signal::Event>> Events(const std::string& subject, uint64_t after,
                                            size_t limit) override {
    if (Fails(400)) return Error(Unavailable());
    return inner_.Events(subject, after, limit);
  }
  Result<std::vector<store::MonitorState>> MonitorStates() override { return inner_.MonitorStates(); }
  Result<std::optional<store::Document>> FindDocument(const std::string& collection,
                                                      const std::string& id) override {
    if (Fails(400)) return Error(Unavailable());
    return inner_.FindDocument(collection, id);
  }
  Result<std::vector<store::Document>> FindDocuments(const store::DocumentFilter& filter) override {
    if (Fails(400)) return Error(Unavailable());
    return inner_.FindDocuments(filter);
  }
  Result<store::AuditReport> VerifyAudit() override { return inner_.VerifyAudit(); }

 private:
  bool Fails(uint64_t one_in) {
    if (!errors || rng_.Below(one_in) != 0) return false;
    ++injected;
    return true;
  }
  static Status Unavailable() { return {Code::kUnavailable, "the disk does not answer"}; }

  store::Ledger& inner_;
  Rng& rng_;
};

}  // namespace tocsin::simulation
