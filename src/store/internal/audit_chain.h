// The audit chain: SHA-256 over each event and the hash before it, and the head kept beside the ledger.
// docs/formats/audit-chain.md gives the bytes. Thread-safety: none, one owner each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "kernel/status.h"
#include "signal/incident.h"

namespace tocsin::store::internal {

// 64 zeros: the hash before the first event.
std::string GenesisHash();

class AuditHasher {
 public:
  AuditHasher();
  ~AuditHasher();
  AuditHasher(const AuditHasher&) = delete;
  AuditHasher& operator=(const AuditHasher&) = delete;
  // Hash of an event (its seq set, its hash ignored) that follows `previous` (64 hex digits).
  std::string Hash(const signal::Event& event, const std::string& previous);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// How far the chain had come, kept in a file of its own, so that a chain cut short is seen.
struct AuditHead {
  uint64_t events = 0;
  std::string hash;
};

class AuditHeadFile {
 public:
  // "" = none is kept (an in-memory ledger).
  explicit AuditHeadFile(std::string path) : path_(std::move(path)) {}
  ~AuditHeadFile();
  AuditHeadFile(const AuditHeadFile&) = delete;
  AuditHeadFile& operator=(const AuditHeadFile&) = delete;
  bool kept() const { return !path_.empty(); }
  // nullopt: there is no such file. kDataLoss: it is there and unreadable.
  Result<std::optional<AuditHead>> Read() const;
  // Durable on return.
  Status Write(const AuditHead& head);

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace tocsin::store::internal
