// A schedule for calendars (RFC 5545) and for the terminal.
//
// The feed holds one event for each shift of somebody: times in UTC, lines folded at 75 octets between
// characters, CRLF. A shift keeps its UID while its person and its beginning stay, so that a calendar that
// fetches again moves nothing; shifts that began before the range are shown from their true beginning when it
// is at most 35 days back. Pure functions of values. Thread-safety: any. Errors: kOutOfRange as of Shifts.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"
#include "respond/oncall/schedule.h"
#include "respond/oncall/time_zone.h"

namespace tocsin::respond {

// What to call a person; empty: their id.
using PersonName = std::function<std::string(const std::string& person)>;

// `stamp` is when the schedule was last changed. At most 365 days.
Result<std::string> RenderICalendar(const Schedule& schedule, Time from, Time to, Time stamp,
                                    const PersonName& name);

struct WhoIsOnCall {
  std::string schedule;
  std::string person;  // empty: nobody
  Time until;          // not known: not within the days looked at
  std::string next;    // empty: nobody, or not within them
};

// Looks 14 days ahead.
Result<WhoIsOnCall> WhoIsOn(const Schedule& schedule, Time now);
// One line for each schedule, times in the reader's zone:
// "primary    Ada Lovelace (ada)  until Mon 30 Mar 09:00, then bob"
Result<std::string> RenderWhoIsOnCall(const std::vector<const Schedule*>& schedules, Time now,
                                      const TimeZone& reader, const PersonName& name);

// "a\;b": TEXT of RFC 5545 3.3.11; other control characters are dropped. Exposed for tests.
std::string EscapeICalendar(std::string_view text);
// One content line with its CRLF, folded (RFC 5545 3.1). Exposed for tests.
std::string FoldICalendar(std::string_view line);

}  // namespace tocsin::respond
