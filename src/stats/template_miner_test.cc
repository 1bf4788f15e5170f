#include "stats/template_miner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "kernel/rng.h"
#include "stats/log_shape.h"

namespace tocsin::stats {
namespace {

// The templates of lines once all have been seen.
std::vector<std::string> Mine(TemplateMiner& miner, const std::vector<std::string>& lines) {
  std::vector<uint64_t> ids;
  for (const std::string& line : lines) ids.push_back(miner.Add(line));
  std::vector<std::string> texts;
  for (const uint64_t id : ids) texts.push_back(miner.Text(id));
  return texts;
}
std::set<std::string> Kinds(const std::vector<std::string>& lines) {
  TemplateMiner miner;
  const auto texts = Mine(miner, lines);
  return {texts.begin(), texts.end()};
}

TEST(TemplateMiner, WhereANameIsExpectedTwoAreEnough) {
  EXPECT_EQ(Kinds({"session opened for user root by (uid=0)", "session opened for user news by (uid=0)"}),
            (std::set<std::string>{"session opened for user <*> by (uid=<*>)"}));
  EXPECT_EQ(Kinds({"Acquiring suspend blocker 'display' now", "Acquiring suspend blocker 'wake' now"}),
            (std::set<std::string>{"Acquiring suspend blocker '<*>' now"}));
}

TEST(TemplateMiner, AWordWhereANumberWasIsAValue) {
  EXPECT_EQ(Kinds({"Invalid login by 17 from the web", "Invalid login by guest from the web"}),
            (std::set<std::string>{"Invalid login by <*> from the web"}));
}

TEST(TemplateMiner, StatesVerbsAndSubjectsStayApart) {
  EXPECT_EQ(Kinds({"Task 1 moved from NEW to READY", "Task 1 moved from READY to RUN",
                   "Task 2 moved from RUN to DONE", "Task 9 moved from NEW to FAILED"})
                .size(),
            4u);
  EXPECT_EQ(Kinds({"instance started (lifecycle event)", "instance paused (lifecycle event)",
                   "instance stopped (lifecycle event)"})
                .size(),
            3u);
  EXPECT_EQ(Kinds({"syslogd startup succeeded", "klogd startup succeeded", "hcid startup succeeded",
                   "cupsd startup succeeded", "sdpd startup succeeded", "portmap startup succeeded",
                   "rpcd startup succeeded"})
                .size(),
            7u);
}

TEST(TemplateMiner, ManyWordsInAPlaceAreAVariable) {
  std::vector<std::string> lines;
  for (const char* city : {"paris", "rome", "oslo", "bern", "riga", "kyiv", "lima"}) {
    lines.push_back(fmt::format("weather report {} has been updated", city));
  }
  TemplateMiner miner;
  std::vector<uint64_t> ids;
  for (const std::string& line : lines) ids.push_back(miner.Add(line));
  EXPECT_NE(ids[0], ids[1]) << "the id a line gets is what is known when it arrives";
  for (const uint64_t id : ids) EXPECT_EQ(miner.Resolve(id), ids[0]) << "the oldest survives";
  EXPECT_EQ(miner.Text(ids[1]), "weather report <*> has been updated");
  EXPECT_EQ(miner.size(), 1u);
  size_t made = 0, merged = 0, widened = 0;
  for (const TemplateEvent& e : miner.TakeEvents()) {
    made += e.kind == TemplateEvent::Kind::kNew;
    merged += e.kind == TemplateEvent::Kind::kMerged && e.into == ids[0];
    widened += e.kind == TemplateEvent::Kind::kWidened && e.id == ids[0];
  }
  EXPECT_EQ(made, 5u);
  EXPECT_EQ(merged, 4u);
  EXPECT_EQ(widened, 1u);
}

TEST(TemplateMiner, AStateThatTurnsUpLateIsNotAValue) {
  TemplateMiner miner;
  std::set<uint64_t> ids;
  const std::vector<std::string> states = {"ready", "busy", "idle", "draining", "stopped", "failed", "lost"};
  for (const std::string& state : states) {
    for (int i = 0; i < 5'000; ++i)
      ids.insert(miner.Add(fmt::format("worker {} is now {} and counted", i, state)));
  }
  EXPECT_EQ(ids.size(), states.size());
  EXPECT_EQ(miner.size(), states.size());
}

TEST(TemplateMiner, IdsAreTheSameInEveryProcess) {
  TemplateMiner miner;
  EXPECT_EQ(fmt::format("{:016x}", miner.Add("Connection from 10.0.0.1 closed")), "1ee414adeee4715f");
  EXPECT_EQ(fmt::format("{:016x}", miner.Add("")), "2e72b465129cb01b");
}

std::vector<std::string> MixedLines(uint64_t seed, size_t n) {
  Rng rng(seed);
  const std::vector<std::string> users = {"ada", "bob", "cyd", "dan", "eve", "fay", "gus", "hal", "ivy"};
  std::vector<std::string> lines;
  for (size_t i = 0; i < n; ++i) {
    const uint64_t x = rng.Below(1000);
    const std::string& user = users[rng.Below(users.size())];
    switch (rng.Below(6)) {
      case 0:
        lines.push_back(fmt::format("session opened for user {} by (uid={})", user, x));
        break;
      case 1:
        lines.push_back(
            fmt::format("cache {} evicted {} entries in {} ms", x % 3 == 0 ? "warm" : "cold", x, x));
        break;
      case 2:
        lines.push_back(
            fmt::format("payment of order ORD-{} by {} was declined: insufficient funds", x, user));
        break;
      case 3:
        lines.push_back(fmt::format("{} shard {} moved", x % 2 == 0 ? "primary" : "replica", x));
        break;
      case 4:
        lines.push_back(fmt::format("{{\"msg\":\"took\",\"ms\":{},\"user\":\"{}\"}}", x, user));
        break;
      default:
        lines.push_back(fmt::format("retry {}/{} of http://host-{}/p failed: timeout", x % 5, 5, x));
    }
  }
  return lines;
}

TEST(TemplateMiner, RestoredFromItsTextsItKnowsEveryLineAgain) {
  const auto lines = MixedLines(3, 3'000);
  TemplateMiner before;
  std::vector<uint64_t> ids;
  for (const std::string& line : lines) ids.push_back(before.Add(line));
  std::map<uint64_t, std::string> texts;
  for (const uint64_t id : ids) texts[before.Resolve(id)] = before.Text(id);
  TemplateMiner after;
  for (const auto& [id, text] : texts) after.Restore(id, text);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (before.Resolve(ids[i]) != ids[i]) after.RestoreAlias(ids[i], before.Resolve(ids[i]));
  }
  EXPECT_TRUE(after.TakeEvents().empty());
  for (size_t i = 0; i < lines.size(); ++i) {
    ASSERT_EQ(after.Add(lines[i]), before.Resolve(ids[i])) << lines[i];
    ASSERT_EQ(after.Text(ids[i]), texts[before.Resolve(ids[i])]);
  }
  EXPECT_TRUE(after.TakeEvents().empty()) << "nothing is new";
}

TEST(TemplateMiner, MemoryIsBounded) {
  TemplateMinerOptions options;
  options.max_templates = 50;
  options.max_aliases = 10;
  TemplateMiner miner(options);
  Rng rng(5);
  std::string line;
  for (int i = 0; i < 20'000; ++i) {
    line.clear();
    for (uint64_t n = 1 + rng.Below(6); n > 0; --n) {
      for (int c = 0; c < 6; ++c) line += static_cast<char>('a' + rng.Below(26));
      line += ' ';
    }
    const uint64_t id = miner.Add(line);
    ASSERT_NE(id, 0u);
    ASSERT_EQ(miner.Resolve(id), id);
    ASSERT_LE(miner.size(), 50u);
    (void)miner.TakeEvents();
  }
  EXPECT_GT(miner.evicted(), 1'000u);
}

TEST(TemplateMiner, WhatMadeRoomComesBackUnderItsId) {
  TemplateMinerOptions options;
  options.max_templates = 20;
  TemplateMiner miner(options);
  const uint64_t id = miner.Add("the rare line of the month");
  for (int i = 0; i < 100; ++i)
    miner.Add(std::string(static_cast<size_t>(i) + 1, 'x') + " !" + std::string(static_cast<size_t>(i), '!'));
  EXPECT_EQ(miner.Text(id), "");
  EXPECT_EQ(miner.Add("the rare line of the month"), id);
}

TEST(TemplateMiner, RandomBytesDoNoHarm) {
  Rng rng(6);
  TemplateMiner miner;
  for (int i = 0; i < 20'000; ++i) {
    std::string line;
    for (uint64_t n = rng.Below(80); n > 0; --n) line += static_cast<char>(rng.Below(256));
    const uint64_t id = miner.Add(line);
    ASSERT_EQ(miner.Add(line), id);
    ASSERT_LE(miner.Text(id).size(), line.size() + 3 * kMaxShapeItems);
  }
}

}  // namespace
}  // namespace tocsin::stats
