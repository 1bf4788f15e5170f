// JournalFile: the few calls a segment is written with. A second implementation in the tests fails on demand.
// Ownership: owns its descriptor. Thread-safety: none.
#pragma once

#include <sys/uio.h>

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "kernel/status.h"

namespace tocsin::store::internal {

class JournalFile {
 public:
  virtual ~JournalFile() = default;
  // Appends all parts or fails; after a failure an unknown part of them may be in the file.
  virtual Status Append(std::span<iovec> parts) = 0;
  virtual Status Truncate(uint64_t size) = 0;
  // Once it has failed, nothing written before it may be taken for durable, ever.
  virtual Status Sync() = 0;
};

using JournalFileFactory = std::function<Result<std::unique_ptr<JournalFile>>(const std::string& path)>;

// Creates the file; it must not exist. Its directory entry is made durable too.
Result<std::unique_ptr<JournalFile>> CreateJournalFile(const std::string& path);
Status SyncDirectory(const std::string& path);

}  // namespace tocsin::store::internal
