// Ledger: what Tocsin itself decides and must not forget: incidents, the chained timeline, monitor state.
// SQLite (WAL, synchronous=FULL) through SOCI today; PostgreSQL follows behind the same interface.
//
// Every event is linked to the one before it by SHA-256, over a canonical encoding that
// docs/formats/audit-chain.md gives; `tocsin audit verify` recomputes the chain.
//
// Ownership: opened by the runtime. Thread-safety: all methods may be called from any thread; transactions
// are serialised.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernel/id.h"
#include "kernel/status.h"
#include "signal/incident.h"

namespace tocsin::store {

// Saved state of a monitor: `position` is the last journal entry it has seen.
struct MonitorState {
  std::string id;
  uint64_t position = 0;
  int64_t format = 1;  // version of `state`'s encoding, the monitor's own
  std::string state;   // bytes
};

struct IncidentFilter {
  std::string state;    // "" = any; "active" = any but closed, merged, false_alarm
  std::string service;  // "" = any
  std::string key;      // "" = any
  size_t limit = 100;   // newest first
};

// A piece of state that belongs to what runs over people and time: a silence, a page waiting to be sent, an
// escalation under way, a task. Found again by collection and id, or by when it is due.
struct Document {
  std::string collection;  // "silences", "outbox" … see docs/formats/ledger.md
  std::string id;          // unique in its collection
  Time due;                // ns = 0: at no time
  std::string body_json = "{}";
};

struct DocumentFilter {
  std::string collection;
  std::optional<Time> due_until;  // only those due by then, soonest first; otherwise all by id
  std::string after_id;           // to page on, when by id
  size_t limit = 1000;
};

struct AuditReport {
  uint64_t events = 0;
  bool intact = true;
  uint64_t first_bad_seq = 0;  // when not intact
  std::string what;            // what is wrong there
  std::string head_hash;
};

class LedgerTransaction {
 public:
  virtual ~LedgerTransaction() = default;
  // Links and stores the event; seq and hash are given. Returns seq.
  virtual Result<uint64_t> AppendEvent(const signal::Event& event) = 0;
  // Inserts or replaces the row of this id.
  virtual Status PutIncident(const signal::Incident& incident) = 0;
  virtual Status PutMonitorState(const MonitorState& state) = 0;
  virtual Status DeleteMonitorState(const std::string& id) = 0;
  // Inserts or replaces.
  virtual Status PutDocument(const Document& document) = 0;
  // True when there was one.
  virtual Result<bool> DeleteDocument(const std::string& collection, const std::string& id) = 0;
  // Reads inside the transaction.
  virtual Result<std::optional<Document>> FindDocument(const std::string& collection,
                                                       const std::string& id) = 0;
  virtual Result<std::vector<Document>> FindDocuments(const DocumentFilter& filter) = 0;
  virtual Result<std::optional<signal::Incident>> FindIncident(const IncidentId& id) = 0;
  virtual Result<std::vector<signal::Incident>> FindIncidents(const IncidentFilter& filter) = 0;
  virtual Result<std::vector<signal::Event>> Events(const std::string& subject, uint64_t after_seq,
                                                    size_t limit) = 0;
};

class Ledger {
 public:
  virtual ~Ledger() = default;
  // Runs `body` in one durable transaction; rolled back when it returns an error, which is returned.
  virtual Status Transact(const std::function<Status(LedgerTransaction&)>& body) = 0;

  virtual Result<std::optional<signal::Incident>> FindIncident(const IncidentId& id) = 0;
  virtual Result<std::vector<signal::Incident>> FindIncidents(const IncidentFilter& filter) = 0;
  // Oldest first; "" = every subject.
  virtual Result<std::vector<signal::Event>> Events(const std::string& subject, uint64_t after_seq,
                                                    size_t limit) = 0;
  virtual Result<std::vector<MonitorState>> MonitorStates() = 0;
  virtual Result<std::optional<Document>> FindDocument(const std::string& collection,
                                                       const std::string& id) = 0;
  virtual Result<std::vector<Document>> FindDocuments(const DocumentFilter& filter) = 0;
  virtual Result<AuditReport> VerifyAudit() = 0;
};

struct SqliteOptions {
  std::string path;        // a file, or ":memory:"
  bool read_only = false;  // for the command line beside a running server
};
// Opens or creates the ledger and migrates its schema. kDataLoss when damaged, kFailedPrecondition when
// newer.
Result<std::unique_ptr<Ledger>> OpenSqlite(const SqliteOptions& options);

}  // namespace tocsin::store
