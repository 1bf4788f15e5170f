#include "respond/alerts/grouping.h"

#include <gtest/gtest.h>

#include "kernel/rng.h"

namespace tocsin::respond {
namespace {

Time At(int64_t seconds) { return Time{1'800'000'000LL * 1'000'000'000LL} + Duration::Seconds(seconds); }

RoutingTree Tree() {
  RouteSpec root;
  root.receiver = "r";
  root.group_by = {{"service"}};
  root.group_wait = Duration::Seconds(30);
  root.group_interval = Duration::Seconds(300);
  root.repeat_interval = Duration::Seconds(3600);
  return RoutingTree::Make(root).value();
}

class GroupingTest : public ::testing::Test {
 protected:
  void Insert(uint64_t fp, const std::string& service, int64_t starts, int64_t ends, int64_t now) {
    const signal::LabelSet labels = {{"alertname", "A" + std::to_string(fp)}, {"service", service}};
    ASSERT_TRUE(grouping_.Insert(fp, signal::LabelViews(labels), At(starts), At(ends), At(now)).ok());
  }
  // "reason +firing -resolved" of each notification.
  std::string Step(int64_t now, const Grouping::Muted& muted = {}) {
    std::string out;
    for (const auto& told : grouping_.Step(At(now), muted)) {
      out += std::string(told.reason);
      for (const auto& alert : told.firing) out += " +" + std::to_string(alert.fingerprint);
      for (const auto& alert : told.resolved) out += " -" + std::to_string(alert.fingerprint);
      out += ";";
    }
    return out;
  }
  RoutingTree tree_ = Tree();
  Grouping grouping_{tree_};
};

TEST_F(GroupingTest, WaitsThenTellsChangesThenRepeats) {
  Insert(1, "a", 0, 9000, 0);
  Insert(2, "a", 10, 9000, 10);
  EXPECT_EQ(grouping_.NextDeadline(), At(30));
  EXPECT_EQ(Step(29), "");
  EXPECT_EQ(Step(30), "new +1 +2;");
  EXPECT_EQ(Step(330), "");
  Insert(3, "a", 400, 9000, 400);
  EXPECT_EQ(Step(600), "");
  EXPECT_EQ(Step(630), "changed +1 +2 +3;");
  int64_t now = 630;
  std::string told;
  for (; told.empty(); now += 300) told = Step(now + 300);
  EXPECT_EQ(told, "repeat +1 +2 +3;");
  EXPECT_EQ(now, 630 + 3600);
}

TEST_F(GroupingTest, TellsOfTheEndOnceAndForgets) {
  Insert(1, "a", 0, 9000, 0);
  Insert(2, "a", 0, 9000, 0);
  EXPECT_EQ(Step(30), "new +1 +2;");
  Insert(1, "a", 0, 100, 100);
  EXPECT_EQ(Step(330), "changed +2 -1;");
  EXPECT_EQ(Step(630), "");
  Insert(2, "a", 0, 700, 700);
  EXPECT_EQ(Step(930), "resolved -2;");
  EXPECT_EQ(grouping_.size(), 0u);
  Insert(2, "a", 1000, 9000, 1000);
  EXPECT_EQ(Step(1030), "new +2;");
}

TEST_F(GroupingTest, AnAlertThatTimesOutIsOver) {
  Insert(1, "a", 0, 100, 0);
  EXPECT_EQ(Step(30), "new +1;");
  EXPECT_EQ(Step(330), "resolved -1;");
  EXPECT_FALSE(grouping_.NextDeadline().has_value());
}

TEST_F(GroupingTest, AnOldAlertIsToldAtOnce) {
  Insert(1, "a", -100, 9000, 0);
  EXPECT_EQ(Step(0), "new +1;");
}

TEST_F(GroupingTest, MutedAlertsComeUpAgain) {
  Insert(1, "a", 0, 9000, 0);
  Insert(2, "a", 0, 9000, 0);
  const auto quiet = [](uint64_t fp) { return fp == 1; };
  EXPECT_EQ(Step(30, quiet), "new +2;");
  EXPECT_EQ(Step(330, quiet), "");
  EXPECT_EQ(Step(630), "changed +1 +2;");
  // Told of, then silenced: no telling, and none when it comes back unchanged.
  EXPECT_EQ(Step(930, quiet), "");
  EXPECT_EQ(Step(1230), "");
}

TEST_F(GroupingTest, ASnapshotGoesOnWhereItWas) {
  Insert(1, "a", 0, 9000, 0);
  Insert(2, "b", 5, 9000, 5);
  EXPECT_EQ(Step(30), "new +1;");
  auto loaded = Grouping::Load(grouping_.Save(), tree_);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().ToString();
  EXPECT_EQ(loaded->NextDeadline(), At(35));
  EXPECT_EQ(loaded->Step(At(35)).at(0).group_key, R"({}:{service="b"})");
  EXPECT_TRUE(loaded->Step(At(330)).empty());
  EXPECT_EQ(Grouping::Load("abc", tree_).error().code(), Code::kDataLoss);
}

// Any order of insertions, crashes and steps: whatever fires long enough is told exactly once, and its end
// once.
TEST_F(GroupingTest, NothingIsLostOrToldTwice) {
  Rng rng(21);
  std::map<uint64_t, int64_t> ends;
  std::map<uint64_t, int> told_firing, told_resolved;
  for (int64_t now = 0; now < 40'000; now += 7) {
    if (now < 20'000) {
      const uint64_t fp = static_cast<uint64_t>(now) + 1;
      ends[fp] = now + 700 + static_cast<int64_t>(rng.Below(2000));
      Insert(fp, "s" + std::to_string(rng.Below(30)), now, ends[fp], now);
    }
    if (rng.Below(20) == 0) grouping_ = Grouping::Load(grouping_.Save(), tree_).value();
    if (rng.Below(3) != 0) continue;
    for (const auto& told : grouping_.Step(At(now))) {
      if (told.reason == "repeat") continue;
      for (const auto& alert : told.firing) told_firing[alert.fingerprint] = 1;
      for (const auto& alert : told.resolved) ++told_resolved[alert.fingerprint];
    }
  }
  (void)grouping_.Step(At(50'000));
  EXPECT_EQ(told_firing.size(), ends.size());
  for (const auto& [fp, end] : ends) EXPECT_EQ(told_resolved[fp], 1) << fp;
  EXPECT_EQ(grouping_.size(), 0u);
}

}  // namespace
}  // namespace tocsin::respond
