#include "respond/dispatch/noise_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>

#include "respond/json_text.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

constexpr uint64_t kFlaps = 3;
constexpr Duration kTooFresh = Duration::Hours(1);
constexpr int kMaxMerges = 16;
constexpr Duration kWeek = Duration::Hours(24 * 7);

// What the timeline says of one incident.
struct Story {
  uint64_t pages = 0;
  Time last_page;
  bool opened = false;  // in the range
  bool acknowledged = false, worked = false;
  std::string state = "open", merged_into;
};

bool IsWork(const signal::Event& event, const std::string& to) {
  static const std::set<std::string, std::less<>> kWork = {
      "incident.noted",    "incident.task_added", "incident.task_done", "incident.assigned",
      "incident.severity", "incident.track",      "incident.linked",    "incident.factor",
      "incident.clock",    "incident.split",      "incident.absorbed"};
  if (event.actor == "tocsin") return false;
  if (event.kind != "incident.state") return kWork.contains(event.kind);
  return to == "triaged" || to == "mitigating" || to == "monitoring" || to == "closed";
}

bool OutsideHours(const TimeZone& zone, Time at) {
  const WallTime wall = zone.ToWall(at);
  const int64_t minute = wall.of_day / 60'000'000'000;
  return wall.weekday() > 4 || minute < 9 * 60 || minute >= 18 * 60;
}
bool AtNight(const TimeZone& zone, Time at) {
  const int64_t minute = zone.ToWall(at).of_day / 60'000'000'000;
  return minute < 7 * 60 || minute >= 22 * 60;
}

class Maker {
 public:
  Maker(const DispatchConfig& config, const NoiseInput& input) : config_(config), input_(input) {
    for (const auto& [name, schedule] : config.oncall.schedules) {
      auto shifts = Shifts(schedule, input.from, input.to);
      if (shifts) shifts_[name] = std::move(*shifts);
    }
  }

  NoiseReport Make() {
    out_.from = input_.from;
    out_.to = input_.to;
    for (const auto& event : input_.events) Take(event);
    for (const auto& [id, story] : stories_) Judge(id, story);
    Budget();
    Collect();
    return std::move(out_);
  }

 private:
  bool InRange(Time at) const { return at >= input_.from && at < input_.to; }

  void Take(const signal::Event& event) {
    if (!event.kind.starts_with("incident.")) return;
    json body = json::parse(event.body_json, nullptr, false);
    if (!body.is_object()) body = json::object();
    Story& story = stories_[event.subject];
    if (event.kind == "incident.opened") {
      story.opened = InRange(event.time);
    } else if (event.kind == "incident.paged") {
      const std::string person = JsonText(body, "person");
      if (InRange(event.time) && !person.empty()) TakePage(event, person, story);
    } else if (event.kind == "incident.acknowledged") {
      story.acknowledged = true;
      return;
    } else if (event.kind == "incident.state") {
      story.state = JsonText(body, "to");
      story.merged_into = story.state == "merged" ? JsonText(body, "into") : "";
    }
    if (story.acknowledged && IsWork(event, JsonText(body, "to"))) story.worked = true;
  }

  // The shift of theirs that this falls into.
  NoisyShift& ShiftOf(const std::string& person, Time at) {
    for (const auto& [name, shifts] : shifts_) {
      for (const Shift& shift : shifts) {
        if (shift.person != person || at < shift.from || at >= shift.to) continue;
        return by_shift_
            .try_emplace({person, name, shift.from.ns}, NoisyShift{person, name, shift.from, shift.to})
            .first->second;
      }
    }
    return by_shift_.try_emplace({person, "", 0}, NoisyShift{person, "", input_.from, input_.to})
        .first->second;
  }

  void TakePage(const signal::Event& event, const std::string& person, Story& story) {
    ++story.pages;
    story.last_page = event.time;
    const auto known = config_.oncall.people.find(person);
    const TimeZone zone = known == config_.oncall.people.end() ? TimeZone() : known->second.zone;
    const uint64_t outside = OutsideHours(zone, event.time) ? 1 : 0;
    const uint64_t night = AtNight(zone, event.time) ? 1 : 0;
    ++out_.pages;
    out_.outside_hours += outside;
    out_.night += night;
    NoisyPerson& who = by_person_[person];
    who.person = person;
    ++who.pages;
    who.outside_hours += outside;
    who.night += night;
    NoisyShift& shift = ShiftOf(person, event.time);
    ++shift.pages;
    shift.night += night;
    incidents_of_[&shift].insert(event.subject);
  }

  // The story that counts: of what it was merged into, as often as that happened.
  const Story& Final(const Story& story) const {
    const Story* at = &story;
    for (int i = 0; i < kMaxMerges && at->state == "merged"; ++i) {
      const auto into = stories_.find(at->merged_into);
      if (into == stories_.end()) break;
      at = &into->second;
    }
    return *at;
  }

  void Judge(const std::string& id, const Story& story) {
    const Story& end = Final(story);
    const bool false_alarm = end.state == "false_alarm";
    const bool acknowledged = story.acknowledged || end.acknowledged;
    const bool acted = !false_alarm && (story.worked || end.worked);
    if (story.opened) ++out_.opened;
    if (story.pages > 0) {
      ++out_.paged;
      const bool open = end.state != "closed" && end.state != "merged";
      if (false_alarm)
        ++out_.false_alarms;
      else if (acted)
        ++out_.acted;
      else if (open && input_.to - story.last_page < kTooFresh)
        ++out_.undecided;
      else if (acknowledged)
        ++out_.acknowledged_only;
      else
        ++out_.untouched;
    }
    const auto incident = input_.incidents.find(id);
    if (incident == input_.incidents.end()) return;
    for (const auto& key : RulesOf(incident->second)) {
      NoisyRule& rule = by_rule_[key];
      std::tie(rule.kind, rule.rule) = key;
      rule.opened += story.opened ? 1 : 0;
      rule.paged += story.pages > 0 ? 1 : 0;
      rule.acted += story.pages > 0 && acted ? 1 : 0;
      rule.false_alarms += story.pages > 0 && false_alarm ? 1 : 0;
      if (story.pages > 0 && !acted && !false_alarm && input_.to - story.last_page < kTooFresh)
        undecided_.insert(key);
    }
    if (incident->second.alpha > 0 && incident->second.page && story.opened) {
      ++out_.behaviour_pages;
      if (false_alarm) ++out_.behaviour_false;
    }
  }

  using RuleKey = std::pair<std::string, std::string>;
  static std::set<RuleKey> RulesOf(const signal::Incident& incident) {
    if (incident.kind == "declared") return {};
    if (incident.kind != "alerts")
      return {{"monitor", incident.stream.empty() ? incident.key : incident.stream}};
    std::set<RuleKey> rules;
    const json document = json::parse(incident.document_json, nullptr, false);
    if (!document.is_object() || !document.contains("alerts") || !document["alerts"].is_array()) return rules;
    for (const auto& alert : document["alerts"]) {
      if (!alert.is_object()) continue;
      if (std::string name = JsonText(alert, "name"); !name.empty()) rules.insert({"alert", std::move(name)});
    }
    return rules;
  }

  void Budget() {
    out_.generations = input_.generations;
    out_.alpha = input_.alpha;
    out_.expected_false = input_.generations * input_.alpha;
    const double weeks = (input_.to - input_.from).seconds() / kWeek.seconds();
    out_.expected_false_per_week = weeks > 0 ? out_.expected_false / weeks : 0;
  }

  void Collect() {
    for (auto& [key, shift] : by_shift_) {
      shift.incidents = incidents_of_[&shift].size();
      shift.too_many = !shift.schedule.empty() &&
                       shift.pages > static_cast<uint64_t>(std::max(0, config_.pages_per_shift));
      out_.shifts.push_back(shift);
    }
    for (auto& [name, person] : by_person_) out_.people.push_back(person);
    for (auto& [key, rule] : by_rule_) {
      rule.flaps = rule.opened >= kFlaps;
      rule.deaf = rule.paged > 0 && rule.acted == 0 && !undecided_.contains(key);
      if (rule.flaps || rule.deaf) out_.rules.push_back(rule);
    }
    std::ranges::stable_sort(out_.shifts, std::greater<>(), &NoisyShift::pages);
    std::ranges::stable_sort(out_.people, std::greater<>(), &NoisyPerson::pages);
    std::ranges::stable_sort(out_.rules, std::greater<>(),
                             [](const NoisyRule& r) { return std::pair(r.paged, r.opened); });
  }

  const DispatchConfig& config_;
  const NoiseInput& input_;
  NoiseReport out_;
  std::map<std::string, std::vector<Shift>> shifts_;
  std::map<std::string, Story> stories_;
  std::map<std::tuple<std::string, std::string, int64_t>, NoisyShift> by_shift_;
  std::map<const NoisyShift*, std::set<std::string>> incidents_of_;
  std::map<std::string, NoisyPerson> by_person_;
  std::map<RuleKey, NoisyRule> by_rule_;
  std::set<RuleKey> undecided_;  // with an incident too fresh to judge
};

}  // namespace

NoiseReport MakeNoiseReport(const DispatchConfig& config, const NoiseInput& input) {
  return Maker(config, input).Make();
}

}  // namespace tocsin::respond
