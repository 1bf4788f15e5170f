// Journal: segments of records in a directory, named by their first position (%020u.seg).
//
// Ownership: owns the open segment. Thread-safety: Write and Position by one thread; Drop by another.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "kernel/status.h"
#include "store/internal/journal_file.h"

namespace tocsin::store::internal {

struct JournalPayload {
  std::string bytes;
  uint64_t hash = 0;  // StableHash(bytes)
};

class Journal {
 public:
  // Called for each recovered record, in order of position.
  using Replay = std::function<Status(uint64_t position, std::string_view payload)>;

  // Reads what is there: a torn last record is cut (its bytes are kept in a file torn-*.bad beside the
  // segments), anything else that is damaged is kDataLoss with file and offset, and nothing is changed. The
  // next position is after both the last record and `applied`.
  static Result<std::unique_ptr<Journal>> Open(const std::string& directory, size_t segment_bytes,
                                               uint64_t applied, JournalFileFactory factory,
                                               const Replay& replay);

  // Makes the payloads durable as one group; returns the position of the first. On an error none of them is
  // in the journal; when that cannot be assured, every later Write fails too.
  Result<uint64_t> Write(std::span<const JournalPayload> payloads);
  // The last durable position.
  uint64_t Position() const { return position_.load(); }
  // Deletes segments whose records are all at or before `applied`; the open one is kept.
  Status Drop(uint64_t applied);

 private:
  Journal(std::string directory, size_t segment_bytes, JournalFileFactory factory)
      : directory_(std::move(directory)), segment_bytes_(segment_bytes), factory_(std::move(factory)) {}
  Status StartSegment();
  Status AppendAndSync(std::span<const JournalPayload> payloads);

  const std::string directory_;
  const size_t segment_bytes_;
  const JournalFileFactory factory_;
  std::unique_ptr<JournalFile> file_;
  uint64_t file_bytes_ = 0;
  Status failed_;  // not ok: this journal takes nothing any more
  std::atomic<uint64_t> position_{0};
  std::mutex mutex_;
  std::map<uint64_t, std::string> segments_;  // by first position; guarded
};

}  // namespace tocsin::store::internal
