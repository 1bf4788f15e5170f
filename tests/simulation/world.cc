#include "tests/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <nlohmann/json.hpp>

#include "respond/dispatch/testing/dispatch_bench.h"
#include "respond/notify/outbox_item.h"
#include "respond/oncall/testing/random_schedule.h"

namespace tocsin::simulation {

using nlohmann::json;
using respond::testing::Pick;

namespace {

constexpr Duration kFaultsFor = Duration::Hours(3);
constexpr Duration kLongest = Duration::Hours(40);

bool Over(const std::string& state) {
  return state == "monitoring" || state == "closed" || state == "merged";
}

std::string Text(const json& body, const char* key) {
  const auto it = body.find(key);
  return it != body.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// "page/INC-2K7Q/1/0/2/ada/1" → "page/INC-2K7Q/1/0/2/ada"
std::string StepOf(const std::string& key) { return key.substr(0, key.rfind('/')); }

}  // namespace

class World::Clock final : public ports::Clock {
 public:
  explicit Clock(const World& world) : world_(world) {}
  Time Now() const override { return world_.Wall(); }
  Time Monotonic() const override { return world_.real_; }

 private:
  const World& world_;
};

class World::Channel final : public respond::Notifier {
 public:
  Channel(World& world, std::string name, bool keyed)
      : world_(world), name_(std::move(name)), keyed_(keyed) {}
  std::string_view channel() const override { return name_; }
  bool deduplicates_by_key() const override { return keyed_; }
  bool takes_digests() const override { return false; }
  respond::SendOutcome Send(const respond::NotificationMessage& message,
                            const respond::Destination& destination) override {
    return world_.Deliver(destination.name, message, keyed_);
  }

 private:
  World& world_;
  std::string name_;
  bool keyed_;
};

World::World(uint64_t seed, bool verbose)
    : rng_(seed), verbose_(verbose), real_(respond::testing::RandomStart(rng_)) {
  clock_ = std::make_unique<Clock>(*this);
  auto opened = store::OpenSqlite({.path = ":memory:", .read_only = false});
  if (!opened) {
    Broken("no ledger: " + opened.error().message());
    return;
  }
  disk_ = *std::move(opened);
  ledger_ = std::make_unique<FaultyLedger>(*disk_, rng_);
  phone_ = std::make_shared<Channel>(*this, "ntfy", false);
  hook_ = std::make_shared<Channel>(*this, "webhook", true);
  MakePeople();
  MakePolicy();
  MakeFailures();
  MakePresses();
  faults_until_ = real_ + kFaultsFor;
  ledger_->crashes = rng_.Below(3) != 0;
  ledger_->errors = rng_.Below(3) != 0;
}

World::~World() = default;

void World::Broken(const std::string& what) {
  if (broken_.empty()) broken_ = fmt::format("{}: {}", FormatTime(real_), what);
}

void World::MakePeople() {
  for (char c = 'a'; c <= 'j'; ++c) {
    const std::string person(1, c);
    config_->oncall.people[person] = {person, person, {}, {}};
    respond::Preferences preferences;
    preferences.person = person;
    for (int i = Pick(rng_, 1, 3); i > 0; --i) {
      const std::string name = fmt::format("{}-{}", person, i);
      config_->destinations.push_back(
          {.name = name, .channel = rng_.Below(2) == 0 ? "ntfy" : "webhook", .address = "http://x/"});
      preferences.channels["high"].push_back(name);
    }
    config_->preferences[person] = std::move(preferences);
  }
  config_->destinations.push_back({.name = "team", .channel = "ntfy", .address = "http://x/"});
}

void World::MakePolicy() {
  static constexpr std::array kWaits = {0, 1, 5, 5, 10, 15};
  for (int i = 1; i <= 2; ++i) {
    const std::string name = fmt::format("s{}", i);
    config_->oncall.schedules[name] = respond::testing::RandomSchedule(rng_, name, real_);
  }
  respond::EscalationPolicy policy;
  policy.name = "p";
  for (int i = Pick(rng_, 1, 4); i > 0; --i) {
    respond::EscalationStep step{Duration::Minutes(kWaits[rng_.Below(kWaits.size())]), {}};
    for (int j = Pick(rng_, 1, 3); j > 0; --j) {
      if (rng_.Below(4) == 0)
        step.targets.push_back({"person", respond::testing::RandomPerson(rng_)});
      else
        step.targets.push_back({"schedule", fmt::format("s{}", Pick(rng_, 1, 2))});
    }
    policy.steps.push_back(std::move(step));
  }
  policy.repeat = Pick(rng_, 0, 2);
  policy.repeat_after = Duration::Minutes(kWaits[rng_.Below(kWaits.size())]);
  config_->oncall.policies["p"] = policy;
  config_->receivers["on-call"] = {"on-call", "p", {"team"}};
  config_->incidents = {"incidents", "p", {"team"}};
}

void World::MakeFailures() {
  failures_ = static_cast<size_t>(Pick(rng_, 1, 3));
  for (size_t i = 0; i < failures_; ++i) {
    const std::string name = fmt::format("svc-{}", i);
    Time at = real_ + Duration::Minutes(Pick(rng_, 0, 60));
    const auto alert = respond::testing::AlertOf(name, "Down", at, "critical");
    tellings_.push_back({respond::testing::Told(name, {alert}, at), at});
    for (int turn = Pick(rng_, 0, 2); turn > 0; --turn) {
      at = at + Duration::Minutes(Pick(rng_, 2, 120));
      tellings_.push_back({respond::testing::Told(name, {}, at, "resolved"), at});
      at = at + Duration::Minutes(Pick(rng_, 2, 60));
      tellings_.push_back({respond::testing::Told(name, {alert}, at), at});
    }
  }
  std::ranges::stable_sort(tellings_, {}, &Telling::due);
}

void World::MakePresses() {
  static constexpr std::array kActions = {"acknowledge", "acknowledge", "acknowledge", "mitigate", "note"};
  if (rng_.Below(3) == 0) return;
  for (int i = Pick(rng_, 1, 6); i > 0; --i) {
    presses_.push_back({respond::testing::RandomPerson(rng_), kActions[rng_.Below(kActions.size())],
                        rng_.Below(4) != 0, real_ + Duration::Minutes(Pick(rng_, 0, 200))});
  }
}

bool World::Restart() {
  respond::DispatcherOptions options;
  options.sender.store_pause = Duration{};
  options.sender.batch = 50;
  options.equip = [this](const respond::DispatchConfig& config, respond::NotifierDirectory& directory) {
    directory.SetNotifier(phone_);
    directory.SetNotifier(hook_);
    return directory.SetDestinations(config.destinations);
  };
  auto opened = respond::Dispatcher::Open(options, *ledger_, nullptr, *clock_, config_);
  if (opened) dispatcher_ = *std::move(opened);
  return dispatcher_ != nullptr;
}

void World::Allow(Duration span) {
  for (auto& [incident, watch] : watches_) watch.allowance.ns += span.ns;
}

void World::Jump(bool down) {
  if (counts_.jumps >= 4 || real_ > faults_until_) return;
  ++counts_.jumps;
  const Duration jump = Duration::Seconds(Pick(rng_, -20'000, 20'000));
  skew_.ns += jump.ns;
  if (verbose_) std::cerr << FormatTime(real_) << " the clock jumps by " << jump.seconds() << " s\n";
  // While down, the time since the last word on the disk is not known.
  Allow(down ? Duration::Minutes(3) : tick_);
}

void World::Breakdown() {
  auto& [until, kind] = outages_[config_->destinations[rng_.Below(config_->destinations.size())].name];
  until = real_ + Duration::Minutes(Pick(rng_, 1, 30));
  kind = Pick(rng_, 0, 2);
}

respond::SendOutcome World::Deliver(const std::string& destination,
                                    const respond::NotificationMessage& message, bool keyed) {
  ledger_->MaybeCrash();
  const std::string step = StepOf(message.idempotency_key);
  if (message.kind == "page" && message.idempotency_key.starts_with("page/") &&
      watches_[message.incident_id].taken) {
    Broken("a page goes out after the acknowledgement: " + message.idempotency_key);
  }
  const auto take = [&] {
    ++counts_.deliveries;
    uint64_t& count = delivered_[{step, destination}];
    // The other side drops a key it knows; a different key for the same step would be a second noise.
    count = keyed ? uint64_t{1} : count + 1;
    if (count > 1) Broken(fmt::format("{} was sent to {} twice", step, destination));
    told_steps_.insert(step);
  };
  respond::SendOutcome outcome;
  if (const auto outage = outages_.find(destination);
      outage != outages_.end() && outage->second.first > real_) {
    const int kind = outage->second.second;
    outcome.status = {Code::kUnavailable, "out of order"};
    outcome.retryable = kind != 1;
    outcome.possibly_delivered = kind == 2;
    if (kind == 2 && rng_.Below(2) == 0) take();
    return outcome;
  }
  take();
  ledger_->MaybeCrash();
  return outcome;
}

bool World::OnPolicy(const std::string& person) const {
  for (const auto& step : config_->oncall.policies.at("p").steps) {
    for (const auto& target : step.targets) {
      if (target.kind == "person" && target.name == person) return true;
      if (target.kind != "schedule") continue;
      const auto members = MembersOf(config_->oncall.schedules.at(target.name));
      if (std::ranges::find(members, person) != members.end()) return true;
    }
  }
  return false;
}

void World::SeePage(const signal::Event& event, Watch& watch) {
  const json body = json::parse(event.body_json);
  const std::string key = Text(body, "key"), person = Text(body, "person");
  if (!paged_.emplace(key, event.subject).second) Broken(key + " was decided twice");
  ++counts_.pages;
  const auto step = body.at("step").get<size_t>();
  watch.steps.emplace(body.at("repeat").get<int64_t>(), body.at("step").get<int64_t>());
  bool right = false;
  for (const auto& target : config_->oncall.policies.at("p").steps.at(step).targets) {
    right = right || (target.kind == "person" && target.name == person) ||
            (target.kind == "schedule" &&
             OnCallAt(config_->oncall.schedules.at(target.name), event.time) == person);
  }
  if (!right) Broken(fmt::format("{} was paged by {} and is not on call then", person, key));
}

void World::See(const signal::Event& event) {
  if (verbose_) {
    std::cerr << fmt::format("{} {} {} {} {}\n", FormatTime(real_), event.subject, event.kind, event.actor,
                             event.body_json.substr(0, 160));
  }
  if (!event.subject.starts_with("INC-")) return;
  Watch& watch = watches_[event.subject];
  if (event.kind == "escalation.started") {
    watch = {real_, {}, 0, false, {}};
  } else if (event.kind == "incident.paged") {
    SeePage(event, watch);
  } else if (event.kind == "escalation.step_empty") {
    ++watch.empty_steps;
  } else if (event.kind == "incident.acknowledged") {
    ++counts_.acknowledged;
    if (!OnPolicy(event.actor)) Broken(event.actor + " acknowledged, who is not on the policy");
    watch.taken = true;
    watch.begun = {};
  } else if (event.kind == "incident.state" && Over(Text(json::parse(event.body_json), "to"))) {
    watch.begun = {};
  } else if (event.kind == "escalation.ended" && watch.begun.known()) {
    ++counts_.ended;
    const auto& policy = config_->oncall.policies.at("p");
    const size_t all = policy.steps.size() * static_cast<size_t>(1 + policy.repeat);
    if (watch.steps.size() + watch.empty_steps != all) {
      Broken(fmt::format("{}: {} steps paged and {} empty of {}", event.subject, watch.steps.size(),
                         watch.empty_steps, all));
    }
    const int64_t looks = static_cast<int64_t>(all) + policy.repeat + 4;
    const Duration most{MaxLength(policy).ns + watch.allowance.ns + looks * tick_.ns};
    if (real_ - watch.begun > most) {
      Broken(fmt::format("{} reached the end of its policy after {}, not within {}", event.subject,
                         FormatDuration(real_ - watch.begun), FormatDuration(most)));
    }
    watch.begun = {};
  }
}

void World::SeeEvents() {
  while (true) {
    const auto events = disk_->Events("", seen_, 500);
    if (!events || events->empty()) return;
    for (const auto& event : *events) See(event);
    seen_ = events->back().seq;
  }
}

void World::Work() {
  for (size_t i = 0; i < tellings_.size();) {
    if (tellings_[i].due > real_) break;
    Telling telling = tellings_[i];
    telling.notification.time = Wall();
    if (!dispatcher_->Record({telling.notification}, Wall()).ok()) break;  // in order, and again
    tellings_.erase(tellings_.begin() + static_cast<std::ptrdiff_t>(i));
    if (rng_.Below(4) == 0 && real_ < faults_until_) {  // the word that it was taken was lost
      telling.due = real_ + Duration::Minutes(Pick(rng_, 0, 1));
      const auto at = std::ranges::upper_bound(tellings_, telling.due, {}, &Telling::due);
      tellings_.insert(at, telling);
    }
    SeeEvents();
  }
  if (!dispatcher_->Step(Wall()).ok()) Allow(Duration{2 * tick_.ns});
  SeeEvents();
  for (int i = 0; i < 30; ++i) {
    const auto sent = dispatcher_->SendOne();
    SeeEvents();
    if (!sent || !*sent) break;
  }
  for (size_t i = 0; i < presses_.size();) {
    if (presses_[i].due > real_) {
      ++i;
      continue;
    }
    const Press press = presses_[i];
    presses_.erase(presses_.begin() + static_cast<std::ptrdiff_t>(i));
    const auto incidents = disk_->FindIncidents({});
    if (!incidents || incidents->empty()) continue;
    const auto& incident = (*incidents)[rng_.Below(incidents->size())];
    respond::IncidentAction action{press.action, {}, {}};
    if (press.action == "note") action.text["text"] = "looking";
    (void)dispatcher_->Act(incident.id, action, {press.by, press.person});
    SeeEvents();
  }
}

void World::Tick() {
  const bool faults = real_ <= faults_until_;
  if (!faults) ledger_->crashes = ledger_->errors = false;
  if (faults && rng_.Below(40) == 0) Breakdown();
  if (faults && rng_.Below(120) == 0) Jump(false);
  try {
    if (real_ >= down_until_ && (dispatcher_ != nullptr || Restart())) Work();
  } catch (const Crash&) {
    ++counts_.crashes;
    if (verbose_) std::cerr << FormatTime(real_) << " crash\n";
    dispatcher_.reset();
    SeeEvents();  // what was written before it ended
    const Duration down = Duration::Seconds(Pick(rng_, 0, 600));
    down_until_ = real_ + down;
    Allow(Duration{down.ns + 2 * tick_.ns});
    if (rng_.Below(4) == 0) Jump(true);
  }
  real_ = real_ + tick_;
}

bool World::Quiet() {
  if (!tellings_.empty() || !presses_.empty() || real_ <= faults_until_ || dispatcher_ == nullptr)
    return false;
  for (const auto& [incident, watch] : watches_) {
    if (watch.begun.known()) return false;
  }
  store::DocumentFilter open;
  open.collection = "outbox_open";
  open.limit = 1;
  const auto items = disk_->FindDocuments(open);
  return items && items->empty();
}

std::string World::WhatIsOpen() {
  std::string out = fmt::format("{} tellings, {} presses", tellings_.size(), presses_.size());
  for (const auto& [incident, watch] : watches_) {
    if (watch.begun.known()) out += ", the run of " + incident;
  }
  const auto items =
      disk_->FindDocuments({.collection = "outbox_open", .due_until = {}, .after_id = "", .limit = 5});
  for (const auto& entry : *items) {
    const auto key = entry.id.substr(entry.id.find('|') + 1);
    const auto item = disk_->FindDocument("outbox", key);
    out += ", " + (item && *item ? (*item)->body_json : "nothing of " + key);
  }
  return out;
}

void World::CheckPage(const std::string& step, const std::string& incident) {
  store::DocumentFilter filter;
  filter.collection = "outbox";
  filter.after_id = step + "/";
  filter.limit = 20;
  const auto documents = disk_->FindDocuments(filter);
  std::string last;
  bool dropped = false;
  for (const auto& document : *documents) {
    if (!document.id.starts_with(step + "/")) break;
    const auto item = respond::OutboxItemFromJson(document.body_json);
    if (!item) return Broken(document.id + " cannot be read");
    dropped = dropped || item->state == "dropped";
    const bool only = item->place + 1 == item->destinations.size();
    if (item->state == "failed" || item->state == "possibly-sent") last = only ? "exhausted" : "goes on";
    if (item->state == "sent") last = "sent";
  }
  if (last == "sent" || last == "exhausted" || told_steps_.contains(step)) return;
  const bool withdrawn = std::ranges::any_of(*disk_->Events(incident, 0, 10'000), [](const auto& event) {
    return event.kind == "incident.acknowledged" ||
           (event.kind == "incident.state" && Over(Text(json::parse(event.body_json), "to")));
  });
  if (!dropped || !withdrawn) Broken(step + " was lost");
}

void World::CheckEnd() {
  for (const auto& [step, incident] : paged_) CheckPage(step, incident);
  store::IncidentFilter all;
  all.limit = 1000;
  const auto incidents = disk_->FindIncidents(all);
  if (incidents->size() != failures_)
    Broken(fmt::format("{} failures became {} incidents", failures_, incidents->size()));
  const auto audit = disk_->VerifyAudit();
  if (!audit || !audit->intact) Broken("the chain of the timeline is broken");
}

std::optional<std::string> World::Run() {
  const Time begun = real_;
  while (broken_.empty() && !Quiet()) {
    Tick();
    if (real_ - begun > kLongest) Broken("it does not come to an end: " + WhatIsOpen());
  }
  if (broken_.empty()) CheckEnd();
  counts_.errors = ledger_ ? ledger_->injected : 0;
  if (broken_.empty()) return std::nullopt;
  return broken_;
}

}  // namespace tocsin::simulation
