#include "respond/alerts/mute_times.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>

#include "kernel/ascii.h"

namespace tocsin::respond {
namespace {

constexpr int kMinutesOfDay = 24 * 60;
constexpr std::array<std::string_view, 7> kWeekdays = {"sunday",   "monday", "tuesday", "wednesday",
                                                       "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"january",   "february", "march",    "april",
                                                      "may",       "june",     "july",     "august",
                                                      "september", "october",  "november", "december"};

std::optional<int> Number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <size_t N>
std::optional<int> NameOf(const std::array<std::string_view, N>& names, std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), LowerAscii(text));
  if (found == names.end()) return std::nullopt;
  return static_cast<int>(found - names.begin());
}

tl::unexpected<Status> Wrong(std::string_view text, const std::string& why) {
  return Error(Code::kInvalidArgument, "'" + std::string(text.substr(0, 64)) + "': " + why);
}

// "first:last" or one value.
template <class Read>
Result<IntRange> ReadRange(std::string_view text, Read read, const std::string& expected) {
  const size_t colon = text.find(':');
  const std::optional<int> first = read(text.substr(0, colon));
  const std::optional<int> last = colon == std::string_view::npos ? first : read(text.substr(colon + 1));
  if (!first || !last) return Wrong(text, "expected " + expected);
  return IntRange{*first, *last};
}

std::optional<int> MinuteOfDay(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = Number(text.substr(0, 2));
  const auto minute = Number(text.substr(3));
  if (!hour || !minute || *hour < 0 || *minute < 0 || *minute > 59) return std::nullopt;
  const int total = *hour * 60 + *minute;
  return total > kMinutesOfDay ? std::nullopt : std::optional<int>(total);
}

bool InAny(const std::vector<IntRange>& ranges, int value) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [value](const IntRange& range) {
           return range.first <= value && value <= range.last;
         });
}

bool DayInAny(const std::vector<IntRange>& ranges, int day, int days_in_month) {
  if (ranges.empty()) return true;
  const auto from_start = [&](int d) { return d < 0 ? days_in_month + d + 1 : d; };
  return std::any_of(ranges.begin(), ranges.end(), [&](const IntRange& range) {
    return from_start(range.first) <= day && day <= from_start(range.last);
  });
}

}  // namespace

bool TimeInterval::Contains(Time now) const {
  using std::chrono::days;
  const int64_t local = now.ns + (offset ? offset(now).ns : 0);
  const std::chrono::sys_time<std::chrono::nanoseconds> instant{std::chrono::nanoseconds{local}};
  const auto midnight = std::chrono::floor<days>(instant);
  const std::chrono::year_month_day date{midnight};
  const int minute =
      static_cast<int>(std::chrono::duration_cast<std::chrono::minutes>(instant - midnight).count());
  if (!times.empty() && std::none_of(times.begin(), times.end(), [minute](const IntRange& range) {
        return range.first <= minute && minute < range.last;
      })) {
    return false;
  }
  const std::chrono::year_month_day_last month_end{date.year(), std::chrono::month_day_last{date.month()}};
  return InAny(weekdays, static_cast<int>(std::chrono::weekday{midnight}.c_encoding())) &&
         DayInAny(days_of_month, static_cast<int>(static_cast<unsigned>(date.day())),
                  static_cast<int>(static_cast<unsigned>(month_end.day()))) &&
         InAny(months, static_cast<int>(static_cast<unsigned>(date.month()))) &&
         InAny(years, static_cast<int>(date.year()));
}

Result<IntRange> ParseTimesOfDay(std::string_view start, std::string_view end) {
  const auto first = MinuteOfDay(start);
  if (!first) return Wrong(start, "expected a time such as 09:00");
  const auto last = MinuteOfDay(end);
  if (!last) return Wrong(end, "expected a time such as 17:00, at most 24:00");
  if (*last <= *first)
    return Wrong(end, "must be after the start of the range; give two ranges to cross midnight");
  return IntRange{*first, *last};
}

Result<IntRange> ParseWeekdays(std::string_view text) {
  TOCSIN_ASSIGN_OR_RETURN(const IntRange range,
                          ReadRange(
                              text, [](std::string_view day) { return NameOf(kWeekdays, day); },
                              "weekdays such as monday:friday"));
  if (range.last < range.first) return Wrong(text, "the week starts with sunday; give two ranges");
  return range;
}

Result<IntRange> ParseDaysOfMonth(std::string_view text) {
  TOCSIN_ASSIGN_OR_RETURN(const IntRange range,
                          ReadRange(text, Number, "days of the month such as 1:5 or -3:-1"));
  for (const int day : {range.first, range.last}) {
    if (day == 0 || day < -31 || day > 31) return Wrong(text, "days go from 1 to 31, or from -31 to -1");
  }
  if (range.first < 0 && range.last > 0) return Wrong(text, "the end must be negative when the start is");
  const bool same_sign = (range.first < 0) == (range.last < 0);
  if (same_sign && range.last < range.first) return Wrong(text, "the end is before the start");
  return range;
}

Result<IntRange> ParseMonths(std::string_view text) {
  const auto read = [](std::string_view month) -> std::optional<int> {
    if (const auto name = NameOf(kMonths, month)) return *name + 1;
    const auto number = Number(month);
    return number && *number >= 1 && *number <= 12 ? number : std::nullopt;
  };
  TOCSIN_ASSIGN_OR_RETURN(const IntRange range, ReadRange(text, read, "months such as january:march or 1:3"));
  if (range.last < range.first) return Wrong(text, "the end is before the start; give two ranges");
  return range;
}

Result<IntRange> ParseYears(std::string_view text) {
  TOCSIN_ASSIGN_OR_RETURN(const IntRange range, ReadRange(text, Number, "years such as 2026:2028"));
  if (range.first < 1970 || range.last > 9999) return Wrong(text, "years go from 1970 to 9999");
  if (range.last < range.first) return Wrong(text, "the end is before the start");
  return range;
}

bool NamedInterval::Contains(Time now) const {
  return std::any_of(intervals.begin(), intervals.end(),
                     [now](const auto& interval) { return interval.Contains(now); });
}

Result<MuteTimes> MuteTimes::Make(std::vector<NamedInterval> named) {
  MuteTimes out;
  out.named_ = std::move(named);
  std::sort(out.named_.begin(), out.named_.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (size_t i = 0; i < out.named_.size(); ++i) {
    const std::string& name = out.named_[i].name;
    if (name.empty()) return Error(Code::kInvalidArgument, "time_intervals: a name is required");
    if (i > 0 && out.named_[i - 1].name == name) {
      return Error(Code::kInvalidArgument, "time_intervals: '" + name.substr(0, 64) + "' is defined twice");
    }
  }
  return out;
}

const NamedInterval* MuteTimes::Find(std::string_view name) const {
  const auto found = std::lower_bound(named_.begin(), named_.end(), name,
                                      [](const NamedInterval& a, std::string_view b) { return a.name < b; });
  return found != named_.end() && found->name == name ? &*found : nullptr;
}

bool MuteTimes::Muted(const std::vector<std::string>& mute, const std::vector<std::string>& active,
                      Time now) const {
  const auto inside = [&](const std::string& name) {
    const NamedInterval* interval = Find(name);
    return interval != nullptr && interval->Contains(now);
  };
  if (std::any_of(mute.begin(), mute.end(), inside)) return true;
  return !active.empty() && std::none_of(active.begin(), active.end(), inside);
}

bool MaintenanceWindow::Mutes(signal::Labels labels, Time now) const {
  const bool open = std::any_of(intervals.begin(), intervals.end(),
                                [now](const auto& interval) { return interval.Contains(now); });
  return open && MatchesAll(matchers, labels);
}

}  // namespace tocsin::respond
