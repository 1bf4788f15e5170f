#include "respond/oncall/time_zone.h"

#include <fmt/format.h>
#include <unicode/basictz.h>
#include <unicode/timezone.h>
#include <unicode/tztrans.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <map>
#include <mutex>

namespace tocsin::respond {
namespace {

constexpr int64_t kNanosADay = int64_t{86'400} * 1'000'000'000;
constexpr int64_t kNanosAMilli = 1'000'000;

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - ((a % b != 0 && (a % b < 0) != (b < 0)) ? 1 : 0); }

UDate ToMillis(int64_t ns) { return static_cast<UDate>(FloorDiv(ns, kNanosAMilli)); }

WallTime FromNanos(int64_t ns) {
  const int64_t day = FloorDiv(ns, kNanosADay);
  return {day, ns - day * kNanosADay};
}

}  // namespace

struct TimeZone::Table {
  std::string name;
  std::unique_ptr<icu::BasicTimeZone> zone;  // its const methods may be called from any threads
};

WallTime WallTime::At(int64_t day, int64_t minute) {
  const int64_t days = FloorDiv(minute, kMinutesADay);
  return {day + days, (minute - days * kMinutesADay) * 60 * 1'000'000'000};
}

int WallTime::weekday() const { return static_cast<int>(((day + 3) % 7 + 7) % 7); }  // 1970-01-01: a Thursday

Result<int64_t> ParseDay(std::string_view text) {
  const auto number = [&](size_t from, size_t size, auto& out) {
    const char* end = text.data() + from + size;
    return std::from_chars(text.data() + from, end, out).ptr == end;
  };
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  if (text.size() == 10 && text[4] == '-' && text[7] == '-' && number(0, 4, year) && number(5, 2, month) &&
      number(8, 2, day)) {
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                           std::chrono::day(day)};
    if (date.ok() && year >= 1970 && year <= 2200) {
      return std::chrono::sys_days(date).time_since_epoch().count();
    }
  }
  return Error(Code::kInvalidArgument,
               fmt::format("'{}' is not a day such as 2026-03-29, from 1970 to 2200", text.substr(0, 40)));
}

std::string FormatDay(int64_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

Result<std::shared_ptr<const TimeZone::Table>> TimeZone::Load(const std::string& name) {
  const auto unknown = [&] {
    return Error(Code::kInvalidArgument, fmt::format("unknown time zone '{}'", name.substr(0, 80)));
  };
  if (name != "UTC" && name.find('/') == std::string::npos) return unknown();
  for (const char c : name) {
    if (c < '!' || c > '~') return unknown();
  }
  const icu::UnicodeString id = icu::UnicodeString::fromUTF8(name);
  UErrorCode error = U_ZERO_ERROR;
  std::array<char, 8> region{};  // only a zone of the tables has one; "GMT+3:17" does not
  icu::TimeZone::getRegion(id, region.data(), static_cast<int32_t>(region.size()), error);
  if (U_FAILURE(error) || name == "Etc/Unknown") return unknown();
  std::unique_ptr<icu::TimeZone> zone(icu::TimeZone::createTimeZone(id));
  auto* basic = dynamic_cast<icu::BasicTimeZone*>(zone.get());
  if (basic == nullptr || *zone == icu::TimeZone::getUnknown()) return unknown();
  (void)zone.release();
  auto table = std::make_shared<Table>();
  table->name = name;
  table->zone.reset(basic);
  return table;
}

// The cache holds names of the tables only, so it is bounded by them.
Result<TimeZone> TimeZone::Find(std::string_view name) {
  static std::mutex mutex;
  static auto& cache = *new std::map<std::string, std::shared_ptr<const Table>, std::less<>>();
  const std::lock_guard lock(mutex);
  if (const auto found = cache.find(name); found != cache.end()) return TimeZone(found->second);
  TOCSIN_ASSIGN_OR_RETURN(auto table, Load(std::string(name)));
  cache.emplace(std::string(name), table);
  return TimeZone(std::move(table));
}

TimeZone::TimeZone() {
  static const TimeZone utc = *Find("UTC");
  table_ = utc.table_;
}

const std::string& TimeZone::name() const { return table_->name; }

Duration TimeZone::OffsetAt(Time at) const {
  int32_t raw = 0;
  int32_t saving = 0;
  UErrorCode error = U_ZERO_ERROR;
  table_->zone->getOffset(ToMillis(at.ns), false, raw, saving, error);
  return Duration::Millis(int64_t{raw} + saving);
}

WallTime TimeZone::ToWall(Time at) const { return FromNanos(at.ns + OffsetAt(at).ns); }

Time TimeZone::ToInstant(const WallTime& wall) const {
  const int64_t local = wall.day * kNanosADay + wall.of_day;
  int32_t raw = 0;
  int32_t saving = 0;
  UErrorCode error = U_ZERO_ERROR;
  table_->zone->getOffsetFromLocal(ToMillis(local), UCAL_TZ_LOCAL_FORMER, UCAL_TZ_LOCAL_FORMER, raw, saving,
                                   error);
  const Time at{local - Duration::Millis(int64_t{raw} + saving).ns};
  if (ToWall(at) == wall) return at;
  // A gap: with the offset before it, the time lies beyond the change of the clocks, whose instant it is.
  icu::TimeZoneTransition change;
  if (table_->zone->getPreviousTransition(ToMillis(at.ns), true, change)) {
    return Time{static_cast<int64_t>(std::llround(change.getTime())) * kNanosAMilli};
  }
  return at;
}

std::string TimeZone::Format(Time at) const {
  static constexpr std::array kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const WallTime wall = ToWall(at);
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(wall.day))};
  const int64_t minute = wall.of_day / Duration::Minutes(1).ns;
  return fmt::format("{} {} {} {:02}:{:02}", kDays[static_cast<size_t>(wall.weekday())],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     minute / 60, minute % 60);
}

}  // namespace tocsin::respond
