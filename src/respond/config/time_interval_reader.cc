#include "respond/config/time_interval_reader.h"

#include <algorithm>

#include "respond/oncall/time_zone.h"

namespace tocsin::respond {
namespace {

using ports::YamlValue;

constexpr size_t kMaxRanges = 100;

Status ReadRanges(const YamlValue& yaml, std::string_view key, Result<IntRange> (*parse)(std::string_view),
                  std::vector<IntRange>& out) {
  const auto list = yaml.Find(key);
  if (!list) return Status::Ok();
  TOCSIN_ASSIGN_OR_RETURN(const auto items, list->Items(kMaxRanges));
  for (const auto& item : items) {
    TOCSIN_ASSIGN_OR_RETURN(const std::string text, item.Text());
    const auto range = parse(text);
    if (!range) return item.Wrong(range.error().message());
    out.push_back(*range);
  }
  return Status::Ok();
}

Status ReadTimes(const YamlValue& yaml, std::vector<IntRange>& out) {
  const auto list = yaml.Find("times");
  if (!list) return Status::Ok();
  TOCSIN_ASSIGN_OR_RETURN(const auto items, list->Items(kMaxRanges));
  for (const auto& item : items) {
    TOCSIN_RETURN_IF_ERROR(item.Keys({"start_time", "end_time"}));
    TOCSIN_ASSIGN_OR_RETURN(const auto start, item.Need("start_time"));
    TOCSIN_ASSIGN_OR_RETURN(const auto end, item.Need("end_time"));
    TOCSIN_ASSIGN_OR_RETURN(const std::string from, start.Text());
    TOCSIN_ASSIGN_OR_RETURN(const std::string to, end.Text());
    const auto range = ParseTimesOfDay(from, to);
    if (!range) return item.Wrong(range.error().message());
    out.push_back(*range);
  }
  return Status::Ok();
}

Result<TimeInterval> ReadInterval(const YamlValue& yaml) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"times", "weekdays", "days_of_month", "months", "years", "location"}));
  TimeInterval out;
  TOCSIN_RETURN_IF_ERROR(ReadTimes(yaml, out.times));
  TOCSIN_RETURN_IF_ERROR(ReadRanges(yaml, "weekdays", ParseWeekdays, out.weekdays));
  TOCSIN_RETURN_IF_ERROR(ReadRanges(yaml, "days_of_month", ParseDaysOfMonth, out.days_of_month));
  TOCSIN_RETURN_IF_ERROR(ReadRanges(yaml, "months", ParseMonths, out.months));
  TOCSIN_RETURN_IF_ERROR(ReadRanges(yaml, "years", ParseYears, out.years));
  if (const auto location = yaml.Find("location")) {
    TOCSIN_ASSIGN_OR_RETURN(out.location, location->Text());
    const auto zone = TimeZone::Find(out.location);
    if (!zone) return Error(location->Wrong(zone.error().message()));
    out.offset = [zone = *zone](Time at) { return zone.OffsetAt(at); };
  }
  return out;
}

Status ReadNamed(const YamlValue& yaml, std::vector<NamedInterval>& out) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"name", "time_intervals"}));
  TOCSIN_ASSIGN_OR_RETURN(const auto name, yaml.Need("name"));
  NamedInterval named;
  TOCSIN_ASSIGN_OR_RETURN(named.name, name.Text());
  if (named.name.empty()) return name.Wrong("is empty");
  if (std::ranges::find(out, named.name, &NamedInterval::name) != out.end())
    return name.Wrong("'" + named.name.substr(0, 64) + "' comes twice");
  out.push_back(std::move(named));
  const auto list = yaml.Find("time_intervals");
  if (!list) return Status::Ok();
  TOCSIN_ASSIGN_OR_RETURN(const auto items, list->Items(kMaxTimeIntervals));
  for (const auto& item : items) {
    TOCSIN_ASSIGN_OR_RETURN(auto interval, ReadInterval(item));
    out.back().intervals.push_back(std::move(interval));
  }
  return Status::Ok();
}

}  // namespace

void ReadIntervals(const YamlValue& yaml, std::vector<TimeInterval>& out) {
  const auto items = yaml.Items(kMaxTimeIntervals);
  if (!items) return yaml.Note(items.error());
  for (const auto& item : *items) {
    auto interval = ReadInterval(item);
    if (interval)
      out.push_back(*std::move(interval));
    else
      item.Note(interval.error());
  }
}

void ReadTimeIntervals(const YamlValue& yaml, std::vector<NamedInterval>& out) {
  const auto items = yaml.Items(kMaxTimeIntervals);
  if (!items) return yaml.Note(items.error());
  for (const auto& item : *items) yaml.Note(ReadNamed(item, out));
}

}  // namespace tocsin::respond
