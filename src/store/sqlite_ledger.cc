#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>

#include "ports/clock.h"
#include "store/internal/audit_chain.h"
#include "store/internal/ledger_rows.h"
#include "store/internal/ledger_schema.h"
#include "store/ledger.h"

namespace tocsin::store {
namespace {

using internal::AuditHasher;
using internal::AuditHead;
using internal::AuditHeadFile;

constexpr const char* kInconsistent = "audit.inconsistent";  // reserved for what Open finds

// What SQLite says, by what the operator can do about it.
Status FromSqlite(const char* doing) {
  const Status status = Status::FromException(doing, Code::kUnavailable);
  const auto says = [&](const char* part) { return status.message().find(part) != std::string::npos; };
  if (says("malformed") || says("not a database") || says("corrupt")) {
    return Status(Code::kDataLoss, status.message());
  }
  if (says("append-only") || says("constraint")) return Status(Code::kFailedPrecondition, status.message());
  return status;
}

// Runs a function that may throw and gives its value, or the error.
template <class Function>
auto Guarded(const char* doing, Function&& function) -> Result<decltype(function())> {
  try {
    return function();
  } catch (...) {
    return Error(FromSqlite(doing));
  }
}

std::vector<signal::Event> ReadEvents(soci::session& sql, const std::string& subject, uint64_t after_seq,
                                      size_t limit) {
  std::vector<signal::Event> events;
  internal::ForEvents(sql, subject, after_seq, limit, [&](signal::Event& event) {
    events.push_back(event);
    return true;
  });
  return events;
}

class SqliteLedger final : public Ledger {
 public:
  explicit SqliteLedger(const SqliteOptions& options) : options_(options), head_(HeadPath(options.path)) {}

  Status Open();
  Status Transact(const std::function<Status(LedgerTransaction&)>& body) override;
  Result<std::optional<signal::Incident>> FindIncident(const IncidentId& id) override {
    const std::lock_guard lock(mutex_);
    return Guarded("reading an incident", [&] { return internal::SelectIncident(sql_, id); });
  }
  Result<std::vector<signal::Incident>> FindIncidents(const IncidentFilter& filter) override {
    const std::lock_guard lock(mutex_);
    return Guarded("reading incidents", [&] { return internal::SelectIncidents(sql_, filter); });
  }
  Result<std::vector<signal::Event>> Events(const std::string& subject, uint64_t after_seq,
                                            size_t limit) override;
  Result<std::vector<MonitorState>> MonitorStates() override {
    const std::lock_guard lock(mutex_);
    return Guarded("reading monitor states", [&] { return internal::SelectMonitorStates(sql_); });
  }
  Result<std::optional<Document>> FindDocument(const std::string& collection,
                                               const std::string& id) override {
    const std::lock_guard lock(mutex_);
    return Guarded("reading a document", [&] { return internal::SelectDocument(sql_, collection, id); });
  }
  Result<std::vector<Document>> FindDocuments(const DocumentFilter& filter) override {
    const std::lock_guard lock(mutex_);
    return Guarded("reading documents", [&] { return internal::SelectDocuments(sql_, filter); });
  }
  Result<AuditReport> VerifyAudit() override;

 private:
  class Transaction;
  static std::string HeadPath(const std::string& path) {
    if (path == ":memory:") return "";
    return (std::filesystem::path(path).parent_path() / "audit.head").string();
  }
  bool in_memory() const { return options_.path == ":memory:"; }
  void Connect(soci::session& sql) const;
  Status OpenTables();
  Status CheckHead();
  Status Commit(const internal::ChainEnd& end);

  const SqliteOptions options_;
  std::mutex mutex_;
  soci::session sql_;       // guarded
  AuditHeadFile head_;      // guarded
  AuditHasher hasher_;      // guarded
  internal::ChainEnd end_;  // guarded: of what is committed
};

class SqliteLedger::Transaction final : public LedgerTransaction {
 public:
  Transaction(soci::session& sql, AuditHasher& hasher, const internal::ChainEnd& end)
      : sql_(sql), hasher_(hasher), end_(end) {}
  const internal::ChainEnd& end() const { return end_; }

  Result<uint64_t> AppendEvent(const signal::Event& event) override {
    return Guarded("appending an event", [&] {
      signal::Event linked = event;
      linked.seq = end_.seq + 1;
      linked.hash = hasher_.Hash(linked, end_.hash);
      internal::InsertEvent(sql_, linked);
      end_ = {linked.seq, linked.hash};
      return linked.seq;
    });
  }
  Status PutIncident(const signal::Incident& incident) override {
    return Run("writing an incident", [&] { internal::UpsertIncident(sql_, incident); });
  }
  Status PutMonitorState(const MonitorState& state) override {
    return Run("writing a monitor's state", [&] { internal::UpsertMonitorState(sql_, state); });
  }
  Status DeleteMonitorState(const std::string& id) override {
    return Run("deleting a monitor's state", [&] { internal::EraseMonitorState(sql_, id); });
  }
  Status PutDocument(const Document& document) override {
    return Run("writing a document", [&] { internal::UpsertDocument(sql_, document); });
  }
  Result<bool> DeleteDocument(const std::string& collection, const std::string& id) override {
    return Guarded("deleting a document", [&] { return internal::EraseDocument(sql_, collection, id); });
  }
  Result<std::optional<Document>> FindDocument(const std::string& collection,
                                               const std::string& id) override {
    return Guarded("reading a document", [&] { return internal::SelectDocument(sql_, collection, id); });
  }
  Result<std::vector<Document>> FindDocuments(const DocumentFilter& filter) override {
    return Guarded("reading documents", [&] { return internal::SelectDocuments(sql_, filter); });
  }
  Result<std::optional<signal::Incident>> FindIncident(const IncidentId& id) override {
    return Guarded("reading an incident", [&] { return internal::SelectIncident(sql_, id); });
  }
  Result<std::vector<signal::Incident>> FindIncidents(const IncidentFilter& filter) override {
    return Guarded("reading incidents", [&] { return internal::SelectIncidents(sql_, filter); });
  }
  Result<std::vector<signal::Event>> Events(const std::string& subject, uint64_t after_seq,
                                            size_t limit) override {
    return Guarded("reading events", [&] { return ReadEvents(sql_, subject, after_seq, limit); });
  }

 private:
  template <class Function>
  static Status Run(const char* doing, Function&& function) {
    const auto done = Guarded(doing, [&] {
      function();
      return true;
    });
    return done ? Status::Ok() : done.error();
  }
  soci::session& sql_;
  AuditHasher& hasher_;
  internal::ChainEnd end_;
};

void SqliteLedger::Connect(soci::session& sql) const {
  sql.open(soci::sqlite3, fmt::format("db=\"{}\" timeout=10", options_.path));
  if (options_.read_only) {
    sql << "PRAGMA query_only = ON";
    return;
  }
  if (!in_memory()) {
    std::string mode;
    sql << "PRAGMA journal_mode = WAL", soci::into(mode);
  }
  sql << "PRAGMA synchronous = FULL";
  sql << "PRAGMA foreign_keys = ON";
}

Status SqliteLedger::OpenTables() {
  try {
    Connect(sql_);
    if (options_.read_only) {
      const int version = internal::LedgerVersion(sql_);
      if (version > internal::kLedgerSchemaVersion) {
        return Status(Code::kFailedPrecondition, "the ledger is newer than this binary");
      }
      if (version == 0) return Status(Code::kDataLoss, options_.path + " holds no ledger");
    } else {
      TOCSIN_RETURN_IF_ERROR(internal::MigrateLedger(sql_));
    }
    end_ = internal::ReadChainEnd(sql_);
    return Status::Ok();
  } catch (...) {
    return FromSqlite("SQLite");
  }
}

Status SqliteLedger::Open() {
  if (options_.read_only && !std::filesystem::exists(options_.path)) {
    return Status(Code::kUnavailable, "there is no ledger at " + options_.path);
  }
  TOCSIN_RETURN_IF_ERROR(OpenTables().WithContext("opening ledger " + options_.path));
  if (options_.read_only || !head_.kept()) return Status::Ok();
  return CheckHead();
}

// Before the head is overwritten: what does not fit it goes on the timeline, where it stays.
Status SqliteLedger::CheckHead() {
  const auto read = head_.Read();
  std::string what;
  AuditHead head;
  if (!read) {
    what = read.error().message();
  } else if (!*read) {
    if (end_.seq > 0) what = "audit.head was missing";
  } else {
    head = **read;
    if (head.events > end_.seq) {
      what = fmt::format("audit.head told of {} events, {} were there", head.events, end_.seq);
    } else if (head.events > 0 && internal::EventHash(sql_, head.events) != head.hash) {
      what = fmt::format("audit.head and event {} differ", head.events);
    }
  }
  if (what.empty()) return head_.Write({end_.seq, end_.hash});
  spdlog::error("audit chain: {}; recorded on the timeline", what);
  return Transact([&](LedgerTransaction& transaction) {
    signal::Event event;
    event.time = ports::SystemClock().Now();
    event.kind = kInconsistent;
    event.subject = "audit";
    event.actor = "tocsin";
    event.body_json = nlohmann::json({{"what", what},
                                      {"head_events", head.events},
                                      {"head_hash", head.hash},
                                      {"found_events", end_.seq}})
                          .dump();
    const auto seq = transaction.AppendEvent(event);
    return seq ? Status::Ok() : seq.error();
  });
}

Status SqliteLedger::Transact(const std::function<Status(LedgerTransaction&)>& body) {
  if (options_.read_only) return Status(Code::kFailedPrecondition, "the ledger was opened to read only");
  const std::lock_guard lock(mutex_);
  try {
    sql_ << "BEGIN IMMEDIATE";
  } catch (...) {
    return FromSqlite("beginning a ledger transaction");
  }
  Transaction transaction(sql_, hasher_, end_);
  Status status = body(transaction);
  try {
    if (status.ok()) {
      sql_ << "COMMIT";
      const bool grew = transaction.end().seq != end_.seq;
      end_ = transaction.end();
      // The commit stands whatever becomes of the head file; it may lag, and the next commit rewrites it.
      if (grew) {
        if (Status s = head_.Write({end_.seq, end_.hash}); !s.ok()) spdlog::error("{}", s.message());
      }
      return status;
    }
  } catch (...) {
    status = FromSqlite("committing a ledger transaction");
  }
  try {
    sql_ << "ROLLBACK";
  } catch (...) {
    spdlog::error("{}", Status::FromException("rolling a ledger transaction back").message());
  }
  return status;
}

Result<std::vector<signal::Event>> SqliteLedger::Events(const std::string& subject, uint64_t after_seq,
                                                        size_t limit) {
  const std::lock_guard lock(mutex_);
  return Guarded("reading events", [&] { return ReadEvents(sql_, subject, after_seq, limit); });
}

void MarkBad(AuditReport& report, uint64_t seq, std::string what) {
  if (!report.intact) return;  // the first is what counts
  report.intact = false;
  report.first_bad_seq = seq;
  report.what = std::move(what);
}

// Walks the chain; stops where it breaks, as nothing after that can be told.
void WalkChain(soci::session& sql, const AuditHead& head, AuditReport& report) {
  AuditHasher hasher;
  report.head_hash = internal::GenesisHash();
  internal::ForEvents(sql, "", 0, INT64_MAX, [&](signal::Event& event) {
    const uint64_t expected = report.events + 1;
    if (event.seq != expected) {
      MarkBad(report, expected, fmt::format("event {} is missing, {} follows", expected, event.seq));
      return false;
    }
    if (hasher.Hash(event, report.head_hash) != event.hash) {
      MarkBad(report, event.seq, "the event or the one before it was altered: its hash does not follow");
      return false;
    }
    if (event.kind == kInconsistent)
      MarkBad(report, event.seq, "the start recorded here found: " + event.body_json);
    if (event.seq == head.events && event.hash != head.hash) {
      MarkBad(report, event.seq, "audit.head has another hash for this event: the chain was written anew");
    }
    report.events = event.seq;
    report.head_hash = event.hash;
    return true;
  });
}

Result<AuditReport> SqliteLedger::VerifyAudit() {
  AuditReport report;
  AuditHead head;
  bool head_missing = false;
  if (head_.kept()) {  // read before the events, so that it is never ahead of them
    auto read = head_.Read();
    if (!read) {
      MarkBad(report, 0, read.error().message());
    } else if (*read) {
      head = **read;
    } else {
      head_missing = true;
    }
  }
  const auto walked = Guarded("verifying the audit chain", [&] {
    if (in_memory()) {
      const std::lock_guard lock(mutex_);
      WalkChain(sql_, head, report);
    } else {  // a session of its own: the walk holds nobody up
      soci::session sql;
      Connect(sql);
      WalkChain(sql, head, report);
    }
    return true;
  });
  if (!walked) return Error(walked.error());
  if (head_missing && report.events > 0) {
    MarkBad(report, report.events + 1, "audit.head is missing: events may have been cut off the end");
  }
  if (report.events < head.events) {
    MarkBad(report, report.events + 1,
            fmt::format("audit.head tells of {} events: the end was cut off", head.events));
  }
  return report;
}

}  // namespace

Result<std::unique_ptr<Ledger>> OpenSqlite(const SqliteOptions& options) {
  auto ledger = std::make_unique<SqliteLedger>(options);
  TOCSIN_RETURN_IF_ERROR(ledger->Open());
  return ledger;
}

}  // namespace tocsin::store
