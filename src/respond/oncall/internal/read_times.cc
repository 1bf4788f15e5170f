#include "respond/oncall/internal/read_times.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tocsin::respond::internal {
namespace {

std::optional<int> TwoDigits(std::string_view text) {
  if (text.size() != 2 || text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
    return std::nullopt;
  return (text[0] - '0') * 10 + (text[1] - '0');
}

std::optional<int> WeekdayOf(std::string_view text) {
  static constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  const auto found = std::ranges::find(kDays, text);
  if (found == kDays.end()) return std::nullopt;
  return static_cast<int>(found - kDays.begin());
}

}  // namespace

Result<TimeZone> ReadZone(const ports::YamlValue& yaml) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string name, yaml.Text());
  auto zone = TimeZone::Find(name);
  if (!zone) return Error(yaml.Wrong(zone.error().message()));
  return *std::move(zone);
}

Result<int> ReadMinuteOfDay(const ports::YamlValue& yaml) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, yaml.Text());
  const std::string_view view = text;
  const bool shaped = view.size() == 5 && view[2] == ':';
  const auto hour = shaped ? TwoDigits(view.substr(0, 2)) : std::nullopt;
  const auto minute = shaped ? TwoDigits(view.substr(3)) : std::nullopt;
  const int out = hour.value_or(0) * 60 + minute.value_or(0);
  if (!hour || !minute || *minute > 59 || out > kMinutesADay)
    return Error(yaml.Wrong(fmt::format("'{}' is not a time such as 09:00", view.substr(0, 64))));
  return out;
}

Result<int64_t> ReadDay(const ports::YamlValue& yaml) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, yaml.Text());
  auto out = ParseDay(text);
  if (!out) return Error(yaml.Wrong(out.error().message()));
  return *out;
}

Result<uint8_t> ReadWeekdays(const ports::YamlValue& yaml) {
  TOCSIN_ASSIGN_OR_RETURN(const auto items, yaml.Items(7));
  if (items.empty()) return Error(yaml.Wrong("is empty"));
  unsigned out = 0;
  for (const auto& item : items) {
    TOCSIN_ASSIGN_OR_RETURN(const std::string text, item.Text());
    const std::string_view all = text;
    const size_t dash = all.find('-');
    const auto first = WeekdayOf(all.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : WeekdayOf(all.substr(dash + 1));
    if (!first || !last)
      return Error(item.Wrong(
          fmt::format("'{}' is not a day such as mon, or days such as mon-fri", all.substr(0, 64))));
    for (int day = *first;; day = (day + 1) % 7) {
      out |= 1u << static_cast<unsigned>(day);
      if (day == *last) break;
    }
  }
  return static_cast<uint8_t>(out);
}

}  // namespace tocsin::respond::internal
