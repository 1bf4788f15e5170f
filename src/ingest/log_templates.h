// LogTemplates: gives every log record of a batch its template id, and puts into the same batch a row for
// each template that is new, has widened, was merged away, or was last written a day ago. One for the whole
// process.
//
// What is mined is the redacted body (the event's name when there is no body; nothing for a record with
// neither). A row is made for each service a template is seen in. Rows carry strictly increasing times, so
// that the last one of a template is the one with the greatest time whatever order batches become durable in.
//
// Use: Restore once at start with the stored rows; Assign on each decoded batch before it is appended; Forget
// with the rows of a batch that could not be stored, so that they come with a later one.
// Bounds: those of stats::TemplateMiner, kMaxServices services for a template and kMaxSightings in all;
// beyond them lines still get ids, and rows are written anew or not at all. Thread-safety: all methods, one
// lock. Cost: about half a microsecond a line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "signal/batch.h"
#include "stats/template_miner.h"

namespace tocsin::ingest {

// 16 lower-case hex digits, and back; 0 when the text is no such id.
std::string TemplateIdText(uint64_t id);
uint64_t ParseTemplateId(std::string_view text);

class LogTemplates {
 public:
  static constexpr size_t kMaxServices = 1'000;
  static constexpr size_t kMaxSightings = 100'000;
  static constexpr Duration kRepeat = Duration::Hours(24);

  // Stored rows, in any order.
  void Restore(std::vector<signal::LogTemplate> rows);
  // `received`: now, by the receiver's clock.
  void Assign(signal::Batch& batch, Time received);
  void Forget(std::vector<signal::LogTemplate> rows);

  size_t size() const;  // live templates

 private:
  // A template in a service.
  struct Sighting {
    std::string service;
    Time first_seen;
    Time written;          // of the row written last
    uint64_t version = 0;  // of the text in it
    int64_t severity = 0;
  };
  struct Known {
    uint64_t version = 1;
    std::vector<Sighting> sightings;
  };

  void AssignOne(signal::LogRecord& log, Time received, signal::Batch& batch);
  void Note(uint64_t id, const signal::LogRecord& log, Time received, signal::Batch& batch);
  void Follow(const stats::TemplateEvent& event, Time received, signal::Batch& batch);
  void Write(uint64_t id, const Sighting& sighting, std::string merged_into, Time received,
             signal::Batch& batch);

  mutable std::mutex mutex_;
  // All guarded by mutex_.
  stats::TemplateMiner miner_;
  std::unordered_map<uint64_t, Known> known_;
  size_t sightings_ = 0;
  Time last_written_;
  std::vector<signal::LogTemplate> unstored_;
};

}  // namespace tocsin::ingest
