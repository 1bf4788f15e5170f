#include "store/internal/ledger_schema.h"

#include <fmt/format.h>

#include <array>

namespace tocsin::store::internal {
namespace {

constexpr std::array kVersion1 = {
    "CREATE TABLE schema_version (version INTEGER NOT NULL)",
    "INSERT INTO schema_version VALUES (0)",
    "CREATE TABLE events (seq BIGINT NOT NULL PRIMARY KEY, time_ns BIGINT NOT NULL, kind TEXT NOT NULL, "
    "subject TEXT NOT NULL, actor TEXT NOT NULL, body_json TEXT NOT NULL, hash TEXT NOT NULL)",
    "CREATE INDEX events_subject ON events (subject, seq)",
    "CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the timeline is "
    "append-only'); END",
    "CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the timeline is "
    "append-only'); END",
    "CREATE TABLE incidents (id TEXT NOT NULL PRIMARY KEY, incident_key TEXT NOT NULL, state TEXT NOT NULL, "
    "severity TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL, service TEXT NOT NULL, stream TEXT NOT "
    "NULL, "
    "opened_ns BIGINT NOT NULL, updated_ns BIGINT NOT NULL, onset_ns BIGINT NOT NULL, e_value DOUBLE "
    "PRECISION NOT "
    "NULL, alpha DOUBLE PRECISION NOT NULL, document_json TEXT NOT NULL)",
    "CREATE INDEX incidents_key ON incidents (incident_key)",
    "CREATE INDEX incidents_opened ON incidents (opened_ns)",
    "CREATE TABLE monitor_states (id TEXT NOT NULL PRIMARY KEY, position BIGINT NOT NULL, state BLOB)",
};

constexpr std::array kVersion2 = {
    "ALTER TABLE incidents ADD COLUMN onset_low_ns BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE incidents ADD COLUMN onset_high_ns BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE incidents ADD COLUMN page INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE monitor_states ADD COLUMN format BIGINT NOT NULL DEFAULT 1",
};

constexpr std::array kVersion3 = {
    "CREATE TABLE documents (collection TEXT NOT NULL, id TEXT NOT NULL, due_ns BIGINT NOT NULL, body_json "
    "TEXT NOT NULL, PRIMARY KEY (collection, id))",
    "CREATE INDEX documents_due ON documents (collection, due_ns)",
};

}  // namespace

int LedgerVersion(soci::session& sql) {
  int tables = 0;
  sql << "SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'", soci::into(tables);
  if (tables == 0) return 0;
  int version = 0;
  sql << "SELECT max(version) FROM schema_version", soci::into(version);
  return version;
}

Status MigrateLedger(soci::session& sql) {
  const int version = LedgerVersion(sql);
  if (version > kLedgerSchemaVersion) {
    return Status(Code::kFailedPrecondition,
                  fmt::format("the ledger is of version {}, this binary knows {}: use a newer "
                              "Tocsin",
                              version, kLedgerSchemaVersion));
  }
  if (version == kLedgerSchemaVersion) return Status::Ok();
  soci::transaction transaction(sql);
  if (version < 1) {
    for (const char* statement : kVersion1) sql << statement;
  }
  if (version < 2) {
    for (const char* statement : kVersion2) sql << statement;
  }
  if (version < 3) {
    for (const char* statement : kVersion3) sql << statement;
  }
  sql << "UPDATE schema_version SET version = :v", soci::use(kLedgerSchemaVersion);
  transaction.commit();
  return Status::Ok();
}

}  // namespace tocsin::store::internal
