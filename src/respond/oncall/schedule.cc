#include "respond/oncall/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tocsin::respond {
namespace {

constexpr int64_t kMinute = 60 * int64_t{1'000'000'000};

const TimeZone& ZoneOf(const Schedule& schedule, const RotationLayer& layer) {
  return layer.zone ? *layer.zone : schedule.zone;
}

// The instant at which turn `index` of the layer begins.
Time TurnStart(const TimeZone& zone, const RotationLayer& layer, int64_t index) {
  return zone.ToInstant(
      WallTime::At(layer.start_day, layer.handover_minute + index * layer.every_hours * 60));
}

// The last turn that has begun; below 0 before the start. The wall clock gives it but for an hour that is
// skipped or comes twice, where the instants of the hand-overs decide.
int64_t TurnAt(const TimeZone& zone, const RotationLayer& layer, Time at) {
  const WallTime wall = zone.ToWall(at);
  const int64_t minutes =
      (wall.day - layer.start_day) * kMinutesADay + wall.of_day / kMinute - layer.handover_minute;
  const int64_t turn = int64_t{layer.every_hours} * 60;
  int64_t index = minutes / turn - ((minutes % turn) < 0 ? 1 : 0);
  while (TurnStart(zone, layer, index + 1) <= at) ++index;
  while (TurnStart(zone, layer, index) > at) --index;
  return index;
}

struct Span {
  Time from;
  Time to;
};

Span SpanOn(const TimeZone& zone, const Restriction& restriction, int64_t day) {
  const int64_t to =
      restriction.to_minute + (restriction.to_minute <= restriction.from_minute ? kMinutesADay : 0);
  return {zone.ToInstant(WallTime::At(day, restriction.from_minute)), zone.ToInstant(WallTime::At(day, to))};
}

bool BeginsOn(const Restriction& restriction, int64_t day) {
  return ((restriction.weekdays >> WallTime{day, 0}.weekday()) & 1) != 0;
}

bool Counts(const TimeZone& zone, const RotationLayer& layer, Time at) {
  if (layer.restrictions.empty()) return true;
  const int64_t today = zone.ToWall(at).day;
  for (const auto& restriction : layer.restrictions) {
    for (int64_t day = today - 2; day <= today + 1; ++day) {
      if (!BeginsOn(restriction, day)) continue;
      const Span span = SpanOn(zone, restriction, day);
      if (span.from <= at && at < span.to) return true;
    }
  }
  return false;
}

// Every instant in the range at which somebody else may take over.
std::vector<Time> Boundaries(const Schedule& schedule, Time from, Time to) {
  std::vector<Time> out;
  const auto add = [&](Time at) {
    if (from < at && at < to) out.push_back(at);
  };
  for (const auto& item : schedule.overrides) {
    add(item.from);
    add(item.to);
  }
  for (const auto& layer : schedule.layers) {
    const TimeZone& zone = ZoneOf(schedule, layer);
    int64_t index = std::max<int64_t>(TurnAt(zone, layer, from), -1);
    for (Time at = from; at < to; ++index) {
      at = TurnStart(zone, layer, index + 1);
      add(at);
    }
    if (layer.restrictions.empty()) continue;
    const int64_t last = zone.ToWall(to).day + 1;
    for (int64_t day = zone.ToWall(from).day - 2; day <= last; ++day) {
      for (const auto& restriction : layer.restrictions) {
        if (!BeginsOn(restriction, day)) continue;
        const Span span = SpanOn(zone, restriction, day);
        add(span.from);
        add(span.to);
      }
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Status Wrong(std::string what) { return Status(Code::kInvalidArgument, std::move(what)); }

Status CheckLayer(const RotationLayer& layer, size_t index) {
  const std::string at = fmt::format("layers[{}]", index);
  if (layer.participants.empty()) return Wrong(at + ".participants is empty");
  if (layer.participants.size() > kMaxParticipants)
    return Wrong(fmt::format("{}.participants has more than {}", at, kMaxParticipants));
  if (std::ranges::count(layer.participants, "") > 0)
    return Wrong(at + ".participants has one without a name");
  if (layer.every_hours < 1 || layer.every_hours > kMaxTurnHours)
    return Wrong(at + ".every is not from 1 hour to 366 days");
  if (layer.handover_minute < 0 || layer.handover_minute >= kMinutesADay)
    return Wrong(at + ".handover is not a time of day");
  if (layer.start_day < 0 || layer.start_day > 84'400) return Wrong(at + ".start is not from 1970 to 2200");
  if (layer.restrictions.size() > kMaxRestrictions)
    return Wrong(fmt::format("{}.restrictions has more than {}", at, kMaxRestrictions));
  for (size_t i = 0; i < layer.restrictions.size(); ++i) {
    const auto& r = layer.restrictions[i];
    if ((r.weekdays & 0x7f) == 0) return Wrong(fmt::format("{}.restrictions[{}].days is empty", at, i));
    if (r.from_minute < 0 || r.from_minute >= kMinutesADay || r.to_minute < 0 || r.to_minute > kMinutesADay)
      return Wrong(fmt::format("{}.restrictions[{}] has a time outside the day", at, i));
  }
  return Status::Ok();
}

}  // namespace

Status CheckSchedule(const Schedule& schedule) {
  if (schedule.name.empty()) return Wrong("the schedule has no name");
  if (schedule.layers.size() > kMaxLayers) return Wrong(fmt::format("layers has more than {}", kMaxLayers));
  if (schedule.overrides.size() > kMaxOverrides)
    return Wrong(fmt::format("overrides has more than {}", kMaxOverrides));
  for (size_t i = 0; i < schedule.layers.size(); ++i) {
    TOCSIN_RETURN_IF_ERROR(CheckLayer(schedule.layers[i], i));
  }
  for (size_t i = 0; i < schedule.overrides.size(); ++i) {
    const auto& item = schedule.overrides[i];
    if (item.person.empty()) return Wrong(fmt::format("overrides[{}].person is empty", i));
    if (item.to <= item.from) return Wrong(fmt::format("overrides[{}] ends before it begins", i));
  }
  return Status::Ok();
}

std::string OnCallAt(const Schedule& schedule, Time at) {
  for (auto item = schedule.overrides.rbegin(); item != schedule.overrides.rend(); ++item) {
    if (item->from <= at && at < item->to) return item->person;
  }
  for (auto layer = schedule.layers.rbegin(); layer != schedule.layers.rend(); ++layer) {
    const TimeZone& zone = ZoneOf(schedule, *layer);
    if (layer->participants.empty() || !Counts(zone, *layer, at)) continue;
    const int64_t turn = TurnAt(zone, *layer, at);
    if (turn < 0) continue;
    return layer->participants[static_cast<size_t>(turn) % layer->participants.size()];
  }
  return {};
}

Result<std::vector<Shift>> Shifts(const Schedule& schedule, Time from, Time to) {
  std::vector<Shift> out;
  if (to <= from) return out;
  if (to - from > kMaxShiftRange) return Error(Code::kOutOfRange, "shifts are shown for at most 400 days");
  std::vector<Time> starts = Boundaries(schedule, from, to);
  if (starts.size() > kMaxHandovers)
    return Error(Code::kOutOfRange,
                 fmt::format("more than {} hand-overs in the range; ask for a shorter one", kMaxHandovers));
  starts.insert(starts.begin(), from);
  for (const Time start : starts) {
    std::string person = OnCallAt(schedule, start);
    if (!out.empty() && out.back().person == person) continue;
    if (!out.empty()) out.back().to = start;
    out.push_back({std::move(person), start, to});
  }
  return out;
}

std::vector<std::string> MembersOf(const Schedule& schedule) {
  std::set<std::string> names;
  for (const auto& layer : schedule.layers)
    names.insert(layer.participants.begin(), layer.participants.end());
  for (const auto& item : schedule.overrides) names.insert(item.person);
  return {names.begin(), names.end()};
}

}  // namespace tocsin::respond
