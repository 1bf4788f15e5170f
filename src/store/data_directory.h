// DataDirectory: everything Tocsin keeps, in one folder, used by one server at a time.
//
//   DIR/lock               held (flock) while a server runs; holds its process id, for people
//   DIR/journal/           segments (docs/formats/journal.md)
//   DIR/telemetry.duckdb   telemetry (docs/formats/telemetry-tables.md)
//   DIR/ledger.sqlite      incidents, timeline, monitor states (docs/formats/ledger.md)
//   DIR/audit.head         head of the audit chain (docs/formats/audit-chain.md)
//
// Ownership: owns the lock, released by the destructor or by the end of the process.
// Thread-safety: const methods only; any thread.
#pragma once

#include <memory>
#include <string>

#include "kernel/status.h"
#include "store/ledger.h"
#include "store/telemetry_store.h"
#include "store/telemetry_writer.h"

namespace tocsin::store {

class DataDirectory {
 public:
  // Creates the folder when it is missing (only its owner may enter) and locks it. kFailedPrecondition:
  // another process holds it, named in the message; kUnavailable: cannot be created or written.
  static Result<DataDirectory> Open(const std::string& path);
  ~DataDirectory();
  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&& other) noexcept;

  const std::string& path() const { return path_; }
  std::string journal() const { return path_ + "/journal"; }
  std::string telemetry() const { return path_ + "/telemetry.duckdb"; }
  std::string ledger() const { return LedgerPath(path_); }

  // For readers that come beside a running server and need no lock.
  static std::string LedgerPath(const std::string& path) { return path + "/ledger.sqlite"; }

 private:
  DataDirectory(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}
  std::string path_;
  int lock_fd_ = -1;
};

struct StoreOptions {
  std::string directory;
  size_t memory_limit_mb = 1024;  // DuckDB's
  int threads = 0;                // DuckDB's; 0 = half of the cores
};

// The stores of one data directory. Members are destroyed last to first: the lock goes last. A
// TelemetryWriter (StartTelemetryWriter, with directory.journal()) refers to `telemetry` and must be
// destroyed before it.
struct Stores {
  DataDirectory directory;
  std::unique_ptr<TelemetryStore> telemetry;
  std::unique_ptr<Ledger> ledger;
};

Result<Stores> OpenStores(const StoreOptions& options);

}  // namespace tocsin::store
