// How a person wants to be told: which destinations in which order, and when not.
//
// Pure; value types; local time comes as a function, so that no time zone is needed here. Quiet hours put off
// what is not urgent, or send it by the channels named for them; they never apply to the last step of an
// escalation policy, and by default not to urgent messages at all: someone must hear.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernel/status.h"
#include "kernel/time.h"
#include "respond/utc_offset.h"

namespace tocsin::respond {

struct QuietHours {
  int from_minute = 22 * 60;  // of the local day, 0 … 1439; included
  int to_minute = 7 * 60;     // not included; smaller than from: over midnight; equal: the whole day
  uint8_t days = 0x7f;        // bit 0 is Monday: the days on which these hours begin
  std::vector<std::string> urgencies = {"low"};  // which messages they hold back
};

struct Preferences {
  std::string person;
  std::map<std::string, std::vector<std::string>>
      channels;  // "high", "low" → destinations, first choice first
  std::vector<QuietHours> quiet;
  std::vector<std::string> quiet_channels;  // used in quiet hours; empty: put off until they end
};

struct ChannelPlan {
  std::vector<std::string> destinations;  // empty: the person cannot be told
  Time not_before;                        // now, or the end of the quiet hours
  std::string reason;                     // for the timeline: "quiet hours until 07:00, then ada-mail"
};

// sev1 and sev2 are "high", everything else "low"; a severity that is not known is "high".
std::string UrgencyOf(const std::string& severity);
// A list that is missing is taken from the other urgency: a person with any channel can be told.
ChannelPlan PlanChannels(const Preferences& preferences, const std::string& urgency, bool last_step, Time now,
                         const UtcOffset& offset);
// Every destination named is known, no minute or urgency is out of range. kInvalidArgument naming the place.
Status CheckPreferences(const Preferences& preferences, const std::function<bool(const std::string&)>& known);

}  // namespace tocsin::respond
