#include "respond/oncall/icalendar.h"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::respond {
namespace {

constexpr size_t kFoldOctets = 75;
constexpr Duration kLookBack = Duration::Hours(24 * 35);
constexpr Duration kLookAhead = Duration::Hours(24 * 14);

// "20260329T010000Z"
std::string UtcStamp(Time at) {
  std::string text = FormatTime(Time{at.ns - at.ns % Duration::Seconds(1).ns});
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

// Letters and digits of the name, everything else as hex: nothing that a UID may not hold.
std::string UidPart(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain)
      out += c;
    else
      out += fmt::format("_{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string NameOf(const PersonName& name, const std::string& person) {
  std::string out = name ? name(person) : std::string();
  return out.empty() ? person : out;
}

// "Ada Lovelace (ada)"
std::string LongName(const PersonName& name, const std::string& person) {
  if (person.empty()) return "nobody";
  const std::string shown = NameOf(name, person);
  return shown == person ? person : fmt::format("{} ({})", shown, person);
}

std::string Event(const Schedule& schedule, const Shift& shift, Time stamp, const PersonName& name) {
  std::string out = FoldICalendar("BEGIN:VEVENT");
  out += FoldICalendar(fmt::format("UID:{}-{}-{}@tocsin", UtcStamp(shift.from), UidPart(schedule.name),
                                   UidPart(shift.person)));
  out += FoldICalendar("DTSTAMP:" + UtcStamp(stamp));
  out += FoldICalendar("DTSTART:" + UtcStamp(shift.from));
  out += FoldICalendar("DTEND:" + UtcStamp(shift.to));
  out += FoldICalendar("SUMMARY:" + EscapeICalendar(fmt::format("On call ({}): {}", schedule.name,
                                                                NameOf(name, shift.person))));
  out += FoldICalendar("TRANSP:TRANSPARENT");
  out += FoldICalendar("END:VEVENT");
  return out;
}

}  // namespace

std::string EscapeICalendar(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == ';' || c == ',') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
      out += c;
    }
  }
  return out;
}

std::string FoldICalendar(std::string_view line) {
  std::string out;
  size_t room = kFoldOctets;
  while (line.size() > room) {
    size_t cut = room;
    while (cut > room - 4 && (static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) --cut;
    out.append(line.substr(0, cut)).append("\r\n ");
    line.remove_prefix(cut);
    room = kFoldOctets - 1;  // the space counts
  }
  return out.append(line).append("\r\n");
}

Result<std::string> RenderICalendar(const Schedule& schedule, Time from, Time to, Time stamp,
                                    const PersonName& name) {
  TOCSIN_ASSIGN_OR_RETURN(const auto shifts, Shifts(schedule, from - kLookBack, to));
  std::string out = FoldICalendar("BEGIN:VCALENDAR");
  out += FoldICalendar("VERSION:2.0");
  out += FoldICalendar("PRODID:-//Tocsin//On call//EN");
  out += FoldICalendar("CALSCALE:GREGORIAN");
  out += FoldICalendar("X-WR-CALNAME:" + EscapeICalendar("On call: " + schedule.name));
  out += FoldICalendar("REFRESH-INTERVAL;VALUE=DURATION:PT1H");
  for (const auto& shift : shifts) {
    if (shift.person.empty() || shift.to <= from) continue;
    out += Event(schedule, shift, stamp, name);
  }
  out += FoldICalendar("END:VCALENDAR");
  return out;
}

Result<WhoIsOnCall> WhoIsOn(const Schedule& schedule, Time now) {
  TOCSIN_ASSIGN_OR_RETURN(const auto shifts, Shifts(schedule, now, now + kLookAhead));
  WhoIsOnCall out{schedule.name, shifts.front().person, {}, {}};
  if (shifts.size() < 2) return out;
  out.until = shifts.front().to;
  out.next = shifts[1].person;
  return out;
}

Result<std::string> RenderWhoIsOnCall(const std::vector<const Schedule*>& schedules, Time now,
                                      const TimeZone& reader, const PersonName& name) {
  std::vector<WhoIsOnCall> rows;
  size_t first = 0;
  size_t second = 0;
  for (const Schedule* schedule : schedules) {
    TOCSIN_ASSIGN_OR_RETURN(auto row, WhoIsOn(*schedule, now));
    first = std::max(first, row.schedule.size());
    second = std::max(second, LongName(name, row.person).size());
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return std::string("No schedules.\n");
  std::string out;
  for (const auto& row : rows) {
    out += fmt::format("{:<{}}  {:<{}}  ", row.schedule, first, LongName(name, row.person), second);
    if (row.until.known())
      out += fmt::format("until {}, then {}\n", reader.Format(row.until), LongName(name, row.next));
    else
      out += "for the next 14 days\n";
  }
  return out + fmt::format("Times in {}.\n", reader.name());
}

}  // namespace tocsin::respond
