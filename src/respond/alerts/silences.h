// Silences: who asked for which alerts to be quiet, from when to when, and which silence an alert now.
//
//   pending ── starts_at ──▶ active ── ends_at or Expire ──▶ expired ── keep_expired ──▶ forgotten
//
// Checking an alert looks up its own labels: a silence with an equality matcher waits in one bucket
// (label=value), only those without any are tried one by one.
// Changing follows Alertmanager: an update that keeps the matchers of a silence keeps its id; any other one
// expires it and makes a new one. Maintenance windows are silences that start later.
// Errors: kInvalidArgument naming the field, kNotFound, kResourceExhausted beyond max_silences.
// Ownership: owns its silences. Thread-safety: none; const methods from many threads when nobody writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kernel/status.h"
#include "respond/alerts/matcher.h"

namespace tocsin::respond {

struct Silence {
  std::string id;  // a UUID
  Matchers matchers;
  Time starts_at, ends_at, updated_at;
  std::string created_by;
  std::string comment;

  // "pending", "active" or "expired"
  std::string_view StateAt(Time now) const {
    return ends_at <= now ? "expired" : starts_at > now ? "pending" : "active";
  }
};

// A version 4 UUID of two random words.
std::string MakeSilenceId(uint64_t high, uint64_t low);

struct SilenceLimits {
  size_t max_silences = 100'000;
  size_t max_text_bytes = 4096;  // created_by and comment
  Duration keep_expired = Duration::Hours(120);
};

class Silences {
 public:
  explicit Silences(SilenceLimits limits = {}) : limits_(limits) {}
  // The index points at the silences: they move along, they cannot be copied.
  Silences(Silences&&) = default;
  Silences& operator=(Silences&&) = default;

  // Creates, or updates the one named by silence.id. Returns the id it has afterwards: `new_id` when a new
  // one was made. A start in the past is now.
  Result<std::string> Set(Silence silence, std::string new_id, Time now);
  Status Expire(std::string_view id, Time now);
  // Forgets those expired for longer than keep_expired; returns how many.
  size_t Collect(Time now);
  // Puts back a silence as it was stored, whatever its times.
  Status Restore(Silence silence);

  // The ids of the silences active now that match, sorted.
  std::vector<std::string> Silencing(signal::Labels labels, Time now) const;
  bool Silenced(signal::Labels labels, Time now) const;

  const Silence* Find(std::string_view id) const;
  // Those whose matchers, read as labels, satisfy the filter, as amtool's queries want; newest end first.
  std::vector<const Silence*> Query(const Matchers& filter) const;
  size_t size() const { return silences_.size(); }

  std::string Save() const;
  static Result<Silences> Load(std::string_view bytes, SilenceLimits limits);

 private:
  Status Check(const Silence& silence, Time now) const;
  void AddToIndex(const Silence& silence);
  void RemoveFromIndex(const Silence& silence);
  std::string BestKey(const Silence& silence) const;
  template <class Visit>
  bool AnyActive(signal::Labels labels, Time now, Visit visit) const;

  SilenceLimits limits_;
  std::unordered_map<std::string, Silence> silences_;
  // label 0xff value ─▶ silences; the empty key holds those without an equality matcher. Nodes never move.
  std::unordered_map<std::string, std::vector<const Silence*>> buckets_;
  std::unordered_map<std::string, std::string> key_of_;  // id ─▶ its bucket, while not expired
};

}  // namespace tocsin::respond
