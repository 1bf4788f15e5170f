#include "respond/notify/preferences.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace tocsin::respond {
namespace {

constexpr int kMinutesADay = 24 * 60;
constexpr int64_t kNsAMinute = 60'000'000'000;

struct LocalMinute {
  int weekday = 0;  // 0 is Monday
  int minute = 0;   // of the day
};

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }

LocalMinute ToLocal(Time at, const UtcOffset& offset) {
  const int64_t minutes = FloorDivide((at + offset(at)).ns, kNsAMinute);
  const int64_t day = FloorDivide(minutes, kMinutesADay);
  const int64_t weekday = ((day + 3) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
  return {static_cast<int>(weekday), static_cast<int>(minutes - day * kMinutesADay)};
}

bool BeginsOn(const QuietHours& quiet, int weekday) {
  return ((quiet.days >> static_cast<unsigned>(weekday)) & 1U) != 0;
}

bool Covers(const QuietHours& quiet, Time at, const UtcOffset& offset) {
  const LocalMinute local = ToLocal(at, offset);
  const int yesterday = (local.weekday + 6) % 7;
  if (quiet.from_minute < quiet.to_minute) {
    return BeginsOn(quiet, local.weekday) && local.minute >= quiet.from_minute &&
           local.minute < quiet.to_minute;
  }
  return (BeginsOn(quiet, local.weekday) && local.minute >= quiet.from_minute) ||
         (BeginsOn(quiet, yesterday) && local.minute < quiet.to_minute);
}

bool QuietAt(const Preferences& preferences, const std::string& urgency, Time at, const UtcOffset& offset) {
  return std::any_of(preferences.quiet.begin(), preferences.quiet.end(), [&](const QuietHours& quiet) {
    const bool held =
        std::find(quiet.urgencies.begin(), quiet.urgencies.end(), urgency) != quiet.urgencies.end();
    return held && Covers(quiet, at, offset);
  });
}

// The first full minute that is not quiet. Within eight days, or else there is none and waiting is no plan.
std::optional<Time> EndOfQuiet(const Preferences& preferences, const std::string& urgency, Time now,
                               const UtcOffset& offset) {
  Time at{(FloorDivide(now.ns, kNsAMinute) + 1) * kNsAMinute};
  for (int i = 0; i < 8 * kMinutesADay; ++i, at = at + Duration::Minutes(1)) {
    if (!QuietAt(preferences, urgency, at, offset)) return at;
  }
  return std::nullopt;
}

std::vector<std::string> ChannelsFor(const Preferences& preferences, const std::string& urgency) {
  const auto exact = preferences.channels.find(urgency);
  if (exact != preferences.channels.end() && !exact->second.empty()) return exact->second;
  for (const auto& [name, destinations] : preferences.channels) {  // "high" before "low"
    if (!destinations.empty()) return destinations;
  }
  return {};
}

std::string JoinNames(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", then ") + name;
  return out;
}

Status CheckQuiet(const Preferences& preferences, size_t index) {
  const QuietHours& quiet = preferences.quiet[index];
  const auto bad = [&](const std::string& what) {
    return Status(Code::kInvalidArgument, fmt::format("{}: quiet[{}]: {}", preferences.person, index, what));
  };
  const auto in_day = [](int minute) { return minute >= 0 && minute < kMinutesADay; };
  if (!in_day(quiet.from_minute) || !in_day(quiet.to_minute)) return bad("a time must be 00:00 … 23:59");
  if ((quiet.days & 0x7fU) == 0) return bad("it begins on no day");
  for (const std::string& urgency : quiet.urgencies) {
    if (urgency != "high" && urgency != "low") return bad("urgency '" + urgency + "' is not high or low");
  }
  return Status::Ok();
}

}  // namespace

std::string UrgencyOf(const std::string& severity) {
  return severity == "sev3" || severity == "sev4" ? "low" : "high";
}

ChannelPlan PlanChannels(const Preferences& preferences, const std::string& urgency, bool last_step, Time now,
                         const UtcOffset& offset) {
  ChannelPlan plan;
  plan.destinations = ChannelsFor(preferences, urgency);
  plan.not_before = now;
  if (plan.destinations.empty() && preferences.quiet_channels.empty()) {
    plan.reason = preferences.person + " has no channel to be told by";
    return plan;
  }
  const bool quiet = QuietAt(preferences, urgency, now, offset);
  if (quiet && !last_step && !preferences.quiet_channels.empty()) {
    plan.destinations = preferences.quiet_channels;
    plan.reason = "quiet hours: " + JoinNames(plan.destinations);
    return plan;
  }
  if (plan.destinations.empty()) plan.destinations = preferences.quiet_channels;
  plan.reason = JoinNames(plan.destinations);
  if (!quiet) return plan;
  if (last_step) {
    plan.reason += "; quiet hours do not hold on the last step";
    return plan;
  }
  if (const auto end = EndOfQuiet(preferences, urgency, now, offset)) {
    plan.not_before = *end;
    const int minute = ToLocal(*end, offset).minute;
    plan.reason =
        fmt::format("quiet hours until {:02}:{:02}, then {}", minute / 60, minute % 60, plan.reason);
  } else {
    plan.reason += "; the quiet hours never end, so they do not hold";
  }
  return plan;
}

Status CheckPreferences(const Preferences& preferences,
                        const std::function<bool(const std::string&)>& known) {
  const auto check = [&](const std::vector<std::string>& names, const std::string& where) {
    for (const std::string& name : names) {
      if (!known(name)) {
        return Status(Code::kInvalidArgument,
                      fmt::format("{}: {}: there is no destination '{}'", preferences.person, where, name));
      }
    }
    return Status::Ok();
  };
  for (const auto& [urgency, names] : preferences.channels) {
    if (urgency != "high" && urgency != "low") {
      return Status(Code::kInvalidArgument,
                    fmt::format("{}: channels: '{}' is not high or low", preferences.person, urgency));
    }
    TOCSIN_RETURN_IF_ERROR(check(names, "channels." + urgency));
  }
  if (ChannelsFor(preferences, "high").empty()) {
    return Status(Code::kInvalidArgument, preferences.person + ": channels: name at least one destination");
  }
  TOCSIN_RETURN_IF_ERROR(check(preferences.quiet_channels, "quiet_channels"));
  for (size_t i = 0; i < preferences.quiet.size(); ++i) TOCSIN_RETURN_IF_ERROR(CheckQuiet(preferences, i));
  return Status::Ok();
}

}  // namespace tocsin::respond
