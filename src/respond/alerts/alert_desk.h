// AlertDesk: the alerts that fire, the silences, and the groups people are told about; durable before it is
// acknowledged.
//
//   Receive ─► log ─► table ─► inhibition, groups ─► notifications due ─► Take ─► whoever tells, then Told
//
// A notification stays until Told has been made durable: after a crash it is handed out again with the same
// key, and whoever tells drops what it has had. Times come with the calls; the desk reads no clock.
//
// Ownership: owns the log and its thread. Thread-safety: all methods. Errors: as the log's (kUnavailable,
// kResourceExhausted: try again), kInvalidArgument for a wrong silence, kNotFound.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"
#include "respond/alerts/alert_table.h"
#include "respond/alerts/grouping.h"
#include "respond/alerts/inhibition.h"
#include "respond/alerts/mute_times.h"
#include "respond/alerts/routing.h"
#include "respond/alerts/silences.h"
#include "signal/alert.h"

namespace tocsin::respond {

// What a person configures (docs/formats/configuration.md).
struct AlertRules {
  RouteSpec route;
  std::vector<InhibitRule> inhibit;
  std::vector<NamedInterval> time_intervals;
};

struct AlertDeskOptions {
  std::string directory;  // of the log
  AlertRules rules;
  AlertTableLimits table;
  SilenceLimits silences;
  size_t max_notifications = 10'000;  // waiting to be told
};

// In the desk's own memory: valid during the call that shows it.
struct ShownAlert {
  const AlertTable::View* alert = nullptr;
  std::vector<std::string> silenced_by;
  std::vector<uint64_t> inhibited_by;  // fingerprints
  std::vector<std::string_view> receivers;
  // "active" or "suppressed"
  std::string_view state() const {
    return silenced_by.empty() && inhibited_by.empty() ? "active" : "suppressed";
  }
};

struct AlertQuery {
  Matchers filter;
  std::string receiver;  // "" = any
  bool active = true, silenced = true, inhibited = true;
};

// A group of alerts that somebody is to be told about.
struct AlertNotification {
  std::string key;  // names this telling for good
  Time time;
  std::string group_key, receiver, reason;  // new, changed, repeat, resolved
  signal::LabelSet group_labels;
  std::vector<signal::Alert> firing, resolved;  // at most kMaxToldAlerts each
  size_t firing_count = 0, resolved_count = 0;
};
inline constexpr size_t kMaxToldAlerts = 200;

struct AlertCounts {
  uint64_t alerts = 0, silences = 0, groups = 0, notifications = 0, memory_bytes = 0;
  uint64_t received = 0;  // since the start
};

class AlertDesk {
 public:
  using Done = std::function<void(Status)>;

  static Result<std::unique_ptr<AlertDesk>> Open(const AlertDeskOptions& options);
  virtual ~AlertDesk() = default;

  // `done` once they are durable and in the table; must not block.
  virtual void Receive(std::vector<signal::Alert> alerts, Time now, Done done) = 0;
  virtual Status Resolve(uint64_t fingerprint, Time now) = 0;
  virtual Result<std::string> SetSilence(Silence silence, Time now) = 0;
  virtual Status ExpireSilence(const std::string& id, Time now) = 0;

  // Looks at the groups that are due. Cheap when none is.
  virtual Status Step(Time now) = 0;
  virtual std::vector<AlertNotification> Take(size_t limit) const = 0;
  // The wall clock was put back by this much.
  virtual Status ShiftBack(Duration back, Time now) = 0;
  virtual Status Told(std::vector<std::string> keys, Time now) = 0;
  // From now on by these rules. Groups whose route is still there go on as they are; every firing alert that
  // is in no group of the routes it has now is grouped anew, and told of as new there. What waits to be told
  // stays. kInvalidArgument: the rules are wrong, and the old ones stay. Not stored: Open is given them.
  virtual Status Configure(AlertRules rules, Time now) = 0;

  // The fingerprints of alerts whose labels match the filter, unordered: what Show may be asked for, part by
  // part, so that a long answer holds nobody up.
  virtual std::vector<uint64_t> Find(const Matchers& filter) const = 0;
  // Those of the given that the query wants, in this order. Resolved and forgotten ones are not shown.
  virtual void Show(std::span<const uint64_t> fingerprints, const AlertQuery& query, Time now,
                    const std::function<void(const ShownAlert&)>& visit) const = 0;
  virtual std::vector<Silence> FindSilences(const Matchers& filter) const = 0;
  virtual std::optional<Silence> FindSilence(const std::string& id) const = 0;
  struct ShownGroup {
    signal::LabelSet labels;
    std::string receiver;
    std::vector<uint64_t> alerts;  // for Show
  };
  // Groups with at least one alert that the query wants, by labels.
  virtual std::vector<ShownGroup> Groups(const AlertQuery& query, Time now) const = 0;
  virtual std::vector<std::string> Receivers() const = 0;
  virtual bool Firing(uint64_t fingerprint, Time now) const = 0;
  virtual AlertCounts Counts() const = 0;
};

}  // namespace tocsin::respond
