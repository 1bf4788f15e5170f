// SettingsSummary: what a configuration means, for a person who is about to use it: who is on call now, what
// each receiver does, and what will not work when it matters although it is no mistake.
//
// Pure: the time is a parameter. Value type. No secret is in it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "respond/oncall/icalendar.h"
#include "runtime/settings.h"

namespace tocsin::runtime {

struct SettingsWarning {
  std::string kind;  // "person", "schedule", "policy", "receiver", "incidents", "paging"
  std::string name;
  std::string text;  // "nobody is on call for 12 h of the next 14 days, first from Sat 28 Nov 00:00"
};

struct SettingsSummary {
  std::vector<respond::WhoIsOnCall> on_call;
  std::vector<SettingsWarning> warnings;
  size_t routes = 0;
};

inline constexpr Duration kLookAhead = Duration::Hours(14 * 24);

SettingsSummary Summarize(const Settings& settings, Time now);
// For a terminal; times in each schedule's zone.
std::string RenderSummary(const Settings& settings, const SettingsSummary& summary);
nlohmann::json SummaryJson(const Settings& settings, const SettingsSummary& summary);

}  // namespace tocsin::runtime
