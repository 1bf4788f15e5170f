#include "respond/oncall/icalendar.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "respond/oncall/testing/random_schedule.h"

namespace tocsin::respond {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Time At(std::string_view text) { return *ParseTime(text); }

Schedule Daily() {
  Schedule out;
  out.name = "primary";
  out.zone = *TimeZone::Find("Europe/Berlin");
  RotationLayer layer;
  layer.participants = {"ada", "bob"};
  layer.every_hours = 24;
  layer.start_day = *ParseDay("2026-03-28");
  out.layers.push_back(layer);
  return out;
}

std::string NameOfPerson(const std::string& person) { return person == "ada" ? "Ada; Countess, of L" : ""; }

// A reader of its own: unfolds, and gives start by UID.
std::map<std::string, std::string> StartsByUid(const std::string& feed) {
  std::string text = feed;
  for (size_t at = text.find("\r\n "); at != std::string::npos; at = text.find("\r\n ", at))
    text.erase(at, 3);
  std::map<std::string, std::string> out;
  std::string uid;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find("\r\n", at);
    const std::string line = text.substr(at, end - at);
    if (line.starts_with("UID:")) uid = line.substr(4);
    if (line.starts_with("DTSTART:")) {
      EXPECT_TRUE(out.emplace(uid, line.substr(8)).second) << uid << " comes twice";
    }
    at = end + 2;
  }
  return out;
}

TEST(ICalendar, AShiftIsAnEvent) {
  const auto feed = *RenderICalendar(Daily(), At("2026-03-28T00:00:00Z"), At("2026-03-29T07:00:00Z"),
                                     At("2026-01-01T00:00:00.5Z"), NameOfPerson);
  EXPECT_EQ(feed,
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Tocsin//On call//EN\r\nCALSCALE:GREGORIAN\r\n"
            "X-WR-CALNAME:On call: primary\r\nREFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n"
            "BEGIN:VEVENT\r\nUID:20260328T080000Z-primary-ada@tocsin\r\nDTSTAMP:20260101T000000Z\r\n"
            "DTSTART:20260328T080000Z\r\nDTEND:20260329T070000Z\r\n"
            "SUMMARY:On call (primary): Ada\\; Countess\\, of L\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\n"
            "END:VCALENDAR\r\n");
}

TEST(ICalendar, TextIsEscapedAndCannotAddLines) {
  EXPECT_EQ(EscapeICalendar("a\\b;c,d\r\ne\tf\x7f"), "a\\\\b\\;c\\,d\\nef");
  Schedule schedule = Daily();
  schedule.name = "x\r\nBEGIN:VALARM";
  const auto feed =
      *RenderICalendar(schedule, At("2026-03-28T00:00:00Z"), At("2026-03-30T00:00:00Z"), Time{1}, nullptr);
  EXPECT_THAT(feed, Not(HasSubstr("\nBEGIN:VALARM")));
}

TEST(ICalendar, LinesAreFoldedBetweenCharacters) {
  for (size_t lead = 0; lead < 8; ++lead) {
    std::string text(lead, 'x');
    for (int i = 0; i < 80; ++i) text += i % 2 == 0 ? "\xF0\x9F\x94\x94" : "\xC3\xA9";
    const std::string folded = FoldICalendar(text);
    std::string joined;
    for (size_t at = 0; at < folded.size();) {
      const size_t end = folded.find("\r\n", at);
      ASSERT_NE(end, std::string::npos);
      ASSERT_LE(end - at, 75u);
      const std::string line = folded.substr(at, end - at);
      ASSERT_TRUE(at == 0 || line[0] == ' ');
      const std::string part = at > 0 ? line.substr(1) : line;
      ASSERT_NE(static_cast<unsigned char>(part[0]) & 0xC0, 0x80);
      joined += part;
      at = end + 2;
    }
    EXPECT_EQ(joined, text);
  }
  EXPECT_EQ(FoldICalendar(std::string(75, 'a')), std::string(75, 'a') + "\r\n");
  EXPECT_EQ(FoldICalendar(std::string(300, '\x80')).substr(71, 3), "\r\n ");  // not UTF-8: still ends
}

TEST(ICalendar, AFeedThatIsFetchedLaterHasTheSameEvents) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    const Time from = testing::RandomStart(rng);
    const Schedule schedule = testing::RandomSchedule(rng, "s", from);
    const Time to = from + Duration::Hours(24 * 20);
    const Time later = from + Duration::Minutes(testing::Pick(rng, 1, 3000));
    const auto one = StartsByUid(*RenderICalendar(schedule, from, to, Time{1}, nullptr));
    const auto two = StartsByUid(*RenderICalendar(schedule, later, to, Time{1}, nullptr));
    const auto shifts = *Shifts(schedule, later - Duration::Hours(24 * 30), to);
    for (const auto& shift : shifts) {
      if (shift.person.empty() || shift.to <= later || shift.from == later - Duration::Hours(24 * 30))
        continue;
      std::string start = FormatTime(shift.from);
      std::erase_if(start, [](char c) { return c == '-' || c == ':'; });
      const std::string uid = fmt::format("{}-s-{}@tocsin", start, shift.person);
      ASSERT_TRUE(one.contains(uid)) << uid;
      ASSERT_TRUE(two.contains(uid)) << uid;
      ASSERT_EQ(one.at(uid), two.at(uid));
    }
  }
}

TEST(WhoIsOnCall, IsTextInTheReadersZone) {
  const Schedule primary = Daily();
  Schedule always = Daily();
  always.name = "db";
  always.layers[0].participants = {"cyd"};
  Schedule none = Daily();
  none.name = "later";
  none.layers[0].start_day = *ParseDay("2026-04-01");
  const auto zone = *TimeZone::Find("America/New_York");
  EXPECT_EQ(*RenderWhoIsOnCall({&primary, &always, &none}, At("2026-03-29T12:00:00Z"), zone,
                               [](const std::string& p) { return p == "bob" ? "Bob B" : ""; }),
            "primary  Bob B (bob)  until Mon 30 Mar 03:00, then ada\n"
            "db       cyd          for the next 14 days\n"
            "later    nobody       until Wed 1 Apr 03:00, then ada\n"
            "Times in America/New_York.\n");
}

}  // namespace
}  // namespace tocsin::respond
