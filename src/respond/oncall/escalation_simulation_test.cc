// A thousand random schedules × policies × faults: crashes at every point between deciding, storing, sending
// and confirming, clocks that jump both ways, acknowledgements that come twice, late, out of order, from
// programs and for a run that is over, starts just before clocks change. Real time is what the test counts;
// the run sees only the wall clock. One seed alone: TOCSIN_SIM_SEED=17.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "respond/oncall/escalation.h"
#include "respond/oncall/testing/random_schedule.h"

namespace tocsin::respond {
namespace {

using testing::Pick;

constexpr Duration kTick = Duration::Seconds(20);

struct Acknowledgement {
  std::string by;
  bool person;
  int64_t run;
  Time due;  // real time
};

class World {
 public:
  explicit World(uint64_t seed) : rng_(seed), real_(testing::RandomStart(rng_)) {
    crashes_ = rng_.Below(3) != 0;
    jumps_ = rng_.Below(3) != 0;
    for (int i = Pick(rng_, 1, 2); i > 0; --i) {
      const std::string name = fmt::format("s{}", i);
      schedules_[name] = testing::RandomSchedule(rng_, name, real_);
    }
    MakePolicy();
    resolver_.on_call = [this](const std::string& schedule, Time at) {
      const std::string person = OnCallAt(schedules_.at(schedule), at);
      return person.empty() ? std::vector<std::string>{} : std::vector<std::string>{person};
    };
    resolver_.members = [this](const std::string& schedule) { return MembersOf(schedules_.at(schedule)); };
  }

  void RunAll() {
    for (int64_t number = 1; number <= 2; ++number) {
      Begin(number);
      while (!OverFor(Duration::Minutes(10))) {
        Tick();
        if (::testing::Test::HasFatalFailure()) return;
        ASSERT_LE(real_, begun_ + Allowed() + Duration::Minutes(30)) << "the run does not end";
      }
      Check();
      if (::testing::Test::HasFatalFailure()) return;
      pages += sent_.size();
    }
  }

  size_t pages = 0;
  size_t crashes = 0;
  size_t ended = 0;

 private:
  struct Crash {};
  enum Point { kBeforeStore, kAfterStore, kBeforeConfirm, kAfterConfirm };

  void MakePolicy() {
    static constexpr std::array kWaits = {0, 1, 5, 5, 10, 15};
    policy_.name = "p";
    for (int i = Pick(rng_, 1, 4); i > 0; --i) {
      EscalationStep step{Duration::Minutes(kWaits[rng_.Below(kWaits.size())]), {}};
      for (int j = Pick(rng_, 1, 3); j > 0; --j) {
        if (rng_.Below(4) == 0)
          step.targets.push_back({"person", testing::RandomPerson(rng_)});
        else
          step.targets.push_back(
              {"schedule", fmt::format("s{}", Pick(rng_, 1, static_cast<int>(schedules_.size())))});
      }
      policy_.steps.push_back(step);
    }
    policy_.repeat = Pick(rng_, 0, 2);
    policy_.repeat_after = Duration::Minutes(kWaits[rng_.Below(kWaits.size())]);
    ASSERT_TRUE(CheckPolicy(policy_).ok());
  }

  Time Wall() const { return real_ + skew_; }

  void Begin(int64_t number) {
    EscalationOutcome outcome;
    run_ = EscalationRun::Start("INC-7", number, policy_, Wall(), outcome);
    begun_ = real_;
    allowance_ = Duration{};
    decided_.clear();
    sent_.clear();
    resends_ = 0;
    carried_ = 0;
    over_ = acknowledged_ = Time{};
    Store();
    // What people press in this run; what they pressed in the last one may still be under way.
    if (rng_.Below(2) == 0) return;
    const Time due = real_ + Duration::Minutes(Pick(rng_, 0, 40));
    for (int i = Pick(rng_, 1, 4); i > 0; --i) {
      const Time late = due + Duration::Minutes(Pick(rng_, 0, 90));
      inbox_.push_back({testing::RandomPerson(rng_), rng_.Below(4) != 0, number, late});
      if (rng_.Below(2) == 0) inbox_.push_back({inbox_.back().by, true, number, due});
    }
  }

  void Store() {
    disk_ = run_.ToJson().dump();
    stored_at_ = real_;
    back_since_stored_ = false;
    for (const auto& order : run_.pending()) decided_.emplace(order.key, order);
    const bool running = run_.state() == "running";
    if (!running && !over_.known()) over_ = real_;
    if (run_.state() == "acknowledged" && !acknowledged_.known()) acknowledged_ = real_;
  }

  void MaybeCrash(Point) {
    if (crashes_ && rng_.Below(40) == 0) throw Crash{};
  }

  void Tick() {
    try {
      Work();
    } catch (const Crash&) {
      ++crashes;
      const Duration down = Duration::Seconds(Pick(rng_, 20, 1200));
      allowance_.ns += down.ns;
      real_ = real_ + down;
      MaybeJump();
      if (back_since_stored_) allowance_.ns += (real_ - stored_at_).ns;
      run_ = *EscalationRun::FromJson(nlohmann::json::parse(disk_));
    }
    real_ = real_ + kTick;
    if (rng_.Below(60) == 0) MaybeJump();
  }

  void MaybeJump() {
    if (!jumps_ || rng_.Below(2) == 0) return;
    const Duration jump = Duration::Seconds(Pick(rng_, -20'000, 20'000));
    if (jump.ns < 0) {
      back_since_stored_ = true;
      allowance_.ns += kTick.ns;
    }
    skew_.ns += jump.ns;
  }

  void Work() {
    const auto outcome = run_.Advance(Wall(), policy_, resolver_);
    CheckOrders(outcome);
    if (outcome.changed) {
      MaybeCrash(kBeforeStore);
      Store();
      CountSteps(outcome);
      MaybeCrash(kAfterStore);
    }
    SendPending();
    ReadInbox();
  }

  // Whoever sends drops a key it has seen; a key must mean the same page for ever.
  void SendPending() {
    const auto pending = run_.pending();
    for (const auto& order : pending) {
      MaybeCrash(kAfterStore);
      if (rng_.Below(10) == 0) return;  // the channel is down: later
      const auto [place, first] = sent_.emplace(order.key, order);
      if (!first) ++resends_;
      ASSERT_EQ(place->second, order);
      ASSERT_FALSE(acknowledged_.known()) << "sent after the acknowledgement: " << order.key;
      MaybeCrash(kBeforeConfirm);
      ASSERT_TRUE(run_.Confirm(order.key));
      Store();
      MaybeCrash(kAfterConfirm);
    }
  }

  void ReadInbox() {
    for (size_t i = 0; i < inbox_.size();) {
      const Acknowledgement item = inbox_[i];
      if (item.due > real_) {
        ++i;
        continue;
      }
      const auto before = run_.ToJson();
      const auto outcome = run_.Acknowledge(item.by, item.person, item.run, Wall(), policy_, resolver_);
      if (outcome) {
        ASSERT_TRUE(item.person);
        ASSERT_EQ(item.run, run_.run()) << "an acknowledgement for another run was taken";
        ASSERT_TRUE(OnPolicy(item.by)) << item.by;
        MaybeCrash(kBeforeStore);  // not answered: pressed again, from the inbox
        Store();
      } else {
        ASSERT_FALSE(outcome.error().message().empty());
        ASSERT_EQ(run_.ToJson(), before) << "a refusal changed something";
      }
      inbox_.erase(inbox_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  bool OnPolicy(const std::string& person) const {
    for (const auto& step : policy_.steps) {
      for (const auto& target : step.targets) {
        if (target.kind == "person" && target.name == person) return true;
        if (target.kind != "schedule") continue;
        const auto members = MembersOf(schedules_.at(target.name));
        if (std::ranges::find(members, person) != members.end()) return true;
      }
    }
    return false;
  }

  // The people of a step are exactly those whom its targets name at that instant.
  void CheckOrders(const EscalationOutcome& outcome) {
    std::map<std::pair<int, int>, std::set<std::string>> people;
    for (const auto& order : outcome.orders) {
      ASSERT_EQ(order.at, Wall());
      ASSERT_TRUE(people[std::pair(order.repeat, order.step)].insert(order.person).second) << "paged twice";
    }
    for (const auto& [place, names] : people) {
      std::set<std::string> expected;
      for (const auto& target : policy_.steps.at(static_cast<size_t>(place.second)).targets) {
        const std::string person =
            target.kind == "person" ? target.name : OnCallAt(schedules_.at(target.name), Wall());
        if (!person.empty()) expected.insert(person);
      }
      ASSERT_EQ(names, expected);
    }
  }

  // Every step is carried out once, stored, in order.
  void CountSteps(const EscalationOutcome& outcome) {
    const int steps = static_cast<int>(policy_.steps.size());
    for (const auto& event : outcome.events) {
      if (event.kind != "paged" && event.kind != "step_empty") continue;
      const int repeat = carried_ / steps;
      const std::string step = fmt::format("step {}{}", carried_ % steps + 1,
                                           repeat == 0 ? "" : fmt::format(", pass {}", repeat + 1));
      ASSERT_TRUE(event.text.starts_with(step + ":")) << event.text << " instead of " << step;
      ++carried_;
    }
  }

  bool OverFor(Duration d) const { return over_.known() && real_ >= over_ + d && run_.pending().empty(); }

  // The bound on when a run that nobody acknowledges ends, in real time.
  Duration Allowed() const {
    const int64_t calls = int64_t{policy_.repeat + 1} * (static_cast<int64_t>(policy_.steps.size()) + 1) + 1;
    return Duration::Nanos(MaxLength(policy_).ns + allowance_.ns + calls * kTick.ns);
  }

  void Check() {
    ASSERT_LE(over_ - begun_, Allowed());
    // Nothing lost: every page that was decided and stored was sent, or withdrawn by an acknowledgement.
    for (const auto& [key, order] : decided_) {
      ASSERT_TRUE(sent_.contains(key) || acknowledged_.known()) << "lost: " << key;
    }
    for (const auto& [key, order] : sent_) ASSERT_TRUE(decided_.contains(key)) << "sent, not stored: " << key;
    if (!crashes_) {
      ASSERT_EQ(resends_, 0u);
    }
    if (acknowledged_.known()) return;
    ++ended;
    ASSERT_EQ(run_.state(), "ended");
    ASSERT_EQ(carried_, (policy_.repeat + 1) * static_cast<int>(policy_.steps.size()))
        << "a step was left out";
    if (!crashes_ && !jumps_) CheckExactTimes();
  }

  // Without faults, each step is at its exact time, rounded up to the next call.
  void CheckExactTimes() {
    Time at = begun_;
    for (int repeat = 0; repeat <= policy_.repeat; ++repeat) {
      bool told = true;
      for (size_t step = 0; step < policy_.steps.size(); ++step) {
        if (told) at = at + policy_.steps[step].after;
        told = false;
        for (const auto& [key, order] : decided_) {
          if (order.repeat != repeat || order.step != static_cast<int>(step)) continue;
          told = true;
          ASSERT_EQ(order.at - skew_, at) << key;
        }
      }
      at = at + policy_.repeat_after;
    }
    ASSERT_EQ(over_, at);
  }

  Rng rng_;
  Time real_;
  Duration skew_;
  bool crashes_ = false;
  bool jumps_ = false;
  std::map<std::string, Schedule> schedules_;
  EscalationPolicy policy_;
  TargetResolver resolver_;
  EscalationOutcome ignored_;
  EscalationRun run_ = EscalationRun::Start("INC-7", 1, policy_, real_, ignored_);
  std::string disk_;
  std::vector<Acknowledgement> inbox_;
  std::map<std::string, PageOrder> decided_;  // stored, by key
  std::map<std::string, PageOrder> sent_;
  size_t resends_ = 0;
  int carried_ = 0;
  Time begun_, over_, acknowledged_, stored_at_;
  Duration allowance_;  // down time, and what clocks that go back may cost
  bool back_since_stored_ = false;
};

TEST(EscalationSimulation, NoPageLostNoneTwiceEveryRunEndsOnTime) {
  uint64_t first = 1;
  uint64_t last = 1000;
  if (const char* seed = std::getenv("TOCSIN_SIM_SEED"); seed != nullptr) {
    first = last = std::strtoull(seed, nullptr, 10);
  }
  size_t pages = 0;
  size_t crashes = 0;
  size_t ended = 0;
  for (uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE(fmt::format("replay with TOCSIN_SIM_SEED={}", seed));
    World world(seed);
    world.RunAll();
    if (HasFatalFailure()) return;
    pages += world.pages;
    crashes += world.crashes;
    ended += world.ended;
  }
  RecordProperty("pages", static_cast<int>(pages));
  RecordProperty("crashes", static_cast<int>(crashes));
  if (first != last) {
    EXPECT_GT(pages, 3000u);
    EXPECT_GT(crashes, 300u);
    EXPECT_GT(ended, 500u);
  }
}

}  // namespace
}  // namespace tocsin::respond
