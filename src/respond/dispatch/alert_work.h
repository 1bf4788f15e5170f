// AlertWork: what is remembered of an incident that alerts opened: which groups of alerts still fire in it,
// who was told, and the first alert of each service, from which its title and evidence are written.
// Value type with a JSON form (collection "alert_incidents"). Pure; thread-safe.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "kernel/status.h"
#include "kernel/time.h"
#include "respond/alerts/correlation.h"
#include "signal/alert.h"
#include "signal/incident.h"

namespace tocsin::respond {

inline constexpr size_t kMaxWorkServices = 300;  // remembered with their first alert
inline constexpr size_t kMaxWorkGroups = 5'000;  // beyond it the incident is over only by a person's word

struct FirstAlert {
  std::string name, text, severity, url;
  std::string runbook;  // annotation runbook_url, when it is a web address
  uint64_t fingerprint = 0;
  Time starts_at;
};

struct GroupWork {
  uint64_t firing = 0;
  std::set<std::string> services;  // at most kMaxGroupServices
};
inline constexpr size_t kMaxGroupServices = 50;

struct AlertWork {
  std::set<std::string> receivers;
  std::map<std::string, GroupWork> groups;  // by key
  std::map<std::string, FirstAlert> first;  // by service; "" holds alerts without one
  uint64_t services = 0;                    // may be more than `first` holds
  uint64_t member_parts = 0;                // documents of "alert_members"
  uint64_t tellings = 0;                    // numbers what places are told
  std::string severity = "sev4";            // the loudest alert so far
  Time onset;
  std::string told;  // what the last update said, so that the same is not said again
  Time told_at;
  bool over = false;  // every group was over at the last look

  uint64_t firing() const;
};

// "critical" → sev1, "error" → sev2, "warning" → sev3, "info" → sev4; sev1 to sev4 stand for themselves;
// what is not known is sev3.
std::string SeverityOfAlert(signal::Labels labels);
// "DatabaseDown on postgres: no connections left", from its summary or description.
FirstAlert FirstAlertOf(const signal::Alert& alert);
// Takes an alert in: the first of its service, the loudest severity, the earliest start.
void TakeAlert(AlertWork& work, const signal::Alert& alert);
// The groups of `from` are those of `work` too.
void AddGroups(AlertWork& work, const AlertWork& from);
// "412 alerts fire in 41 services".
std::string ExtentOf(const AlertWork& work);
// Writes title, severity, service, onset and document of the incident.
void Describe(signal::Incident& incident, const AlertWork& work, const std::vector<ProbableSource>& sources);

nlohmann::json ToJson(const AlertWork& work);
Result<AlertWork> AlertWorkFromJson(const std::string& json);

}  // namespace tocsin::respond
