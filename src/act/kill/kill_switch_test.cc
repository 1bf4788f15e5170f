#include "act/kill/kill_switch.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <latch>
#include <nlohmann/json.hpp>
#include <thread>

#include "act/access.h"
#include "act/kill/internal/kill_file.h"
#include "store/testing/scratch_directory.h"

namespace tocsin::act {
namespace {

using std::chrono::steady_clock;

const Caller kAda{"ada", true, "cli"};
const Caller kFixer{"fixer", false, "mcp"};
const KillSubject kByFixer{"fixer", "restart", "kubernetes.restart", "INC-1"};
const KillSubject kByPerson{"", "restart", "kubernetes.restart", "INC-1"};
const KillScope kAll{"all", ""};
const KillScope kAgents{"agents", ""};

class KillSwitchTest : public ::testing::Test {
 protected:
  KillSwitchTest() { Start(); }
  static void SetUpTestSuite() { spdlog::set_level(spdlog::level::off); }
  static void TearDownTestSuite() { spdlog::set_level(spdlog::level::info); }
  void Start(bool read_only = false) {
    kill_.reset();
    ledger_.reset();
    ledger_ = std::move(*store::OpenSqlite({path_, read_only}));
    auto opened = KillSwitch::Open(*ledger_, ports::SystemClock(), file_);
    ASSERT_TRUE(opened) << opened.error().ToString();
    kill_ = std::move(*opened);
  }
  void WriteFile(const std::string& text) const { std::ofstream(file_) << text; }
  // True when it comes about within ten seconds; `took_ms` of the last wait.
  template <class F>
  bool Soon(F holds) {
    const auto start = steady_clock::now();
    while (!holds()) {
      if (steady_clock::now() - start > std::chrono::seconds(10)) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    took_ms_ = std::chrono::duration<double, std::milli>(steady_clock::now() - start).count();
    return true;
  }
  bool Blocked(const KillSubject& subject, bool look_now = false) const {
    return kill_->Blocks(subject, look_now).has_value();
  }
  // "kill.engaged agents ada", oldest first.
  std::vector<std::string> Events() const {
    std::vector<std::string> out;
    const auto events = ledger_->Events("kill-switch", 0, 1000);
    for (const auto& event : *events)
      out.push_back(event.kind + " " + nlohmann::json::parse(event.body_json)["scope"].get<std::string>() +
                    " " + event.actor);
    return out;
  }
  // As somebody beside the server, on the same database.
  void Sql(const char* statement) const {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(db, statement, nullptr, nullptr, &error), SQLITE_OK) << error;
    sqlite3_close(db);
  }

  store::testing::ScratchDirectory scratch_;
  const std::string path_ = scratch_.path() + "/ledger.sqlite";
  const std::string file_ = scratch_.path() + "/KILL";
  std::unique_ptr<store::Ledger> ledger_;
  std::unique_ptr<KillSwitch> kill_;
  double took_ms_ = 0;
};

TEST_F(KillSwitchTest, NothingIsOnUntilSomebodyEngagesIt) {
  EXPECT_FALSE(Blocked(kByFixer, true));
  EXPECT_TRUE(kill_->Engaged().empty());
}

TEST_F(KillSwitchTest, EachScopeStopsWhatItNamesAndNothingElse) {
  const KillSubject other{"other", "scale", "http.post", "INC-2"};
  for (const char* text : {"agent:fixer", "runbook:restart", "action:kubernetes.restart", "incident:INC-1"}) {
    const KillScope scope = *ParseKillScope(text);
    ASSERT_TRUE(kill_->Engage(scope, "looks wrong", kFixer)) << text;
    EXPECT_TRUE(Blocked(kByFixer)) << text;
    EXPECT_EQ(Blocked(kByPerson), scope.kind != "agent") << text;
    EXPECT_FALSE(Blocked(other)) << text;
    ASSERT_TRUE(kill_->Release(scope, "looked at", kAda)) << text;
    EXPECT_FALSE(Blocked(kByFixer)) << text;
  }
  ASSERT_TRUE(kill_->Engage(kAgents, "", kAda));
  EXPECT_TRUE(Blocked(other));
  EXPECT_FALSE(Blocked(kByPerson));
  ASSERT_TRUE(kill_->Engage(kAll, "", kAda));
  EXPECT_TRUE(Blocked(kByPerson));
}

TEST_F(KillSwitchTest, OnlyAPersonReleasesAndOnlyWithAReason) {
  EXPECT_EQ(kill_->Release(kAll, "why not", kAda).error().code(), Code::kFailedPrecondition);
  ASSERT_TRUE(kill_->Engage(kAll, "deploys are wrong", kAda));
  EXPECT_EQ(kill_->Release(kAll, "I am fine again", kFixer).error().code(), Code::kPermissionDenied);
  EXPECT_EQ(kill_->Release(kAll, "  ", kAda).error().code(), Code::kInvalidArgument);
  EXPECT_TRUE(Blocked(kByPerson));
  const auto off = kill_->Release(kAll, "the deploy is reverted", kAda);
  ASSERT_TRUE(off);
  EXPECT_FALSE(off->engaged);
  EXPECT_EQ(off->reason, "the deploy is reverted");
  EXPECT_FALSE(Blocked(kByPerson));
  EXPECT_EQ(Events(), (std::vector<std::string>{"kill.engaged all ada", "kill.released all ada"}));
}

TEST_F(KillSwitchTest, WhatIsNoScopeIsRefused) {
  for (const KillScope& scope : {KillScope{"everything", ""}, KillScope{"agent", ""}, KillScope{"all", "x"},
                                 KillScope{"agent", std::string(200, 'a')}, KillScope{"agent", "a\nb"}})
    EXPECT_EQ(kill_->Engage(scope, "", kAda).error().code(), Code::kInvalidArgument) << scope.kind;
  EXPECT_TRUE(kill_->Engaged().empty());
}

TEST_F(KillSwitchTest, TwiceIsOnceAndTheFirstIsNamed) {
  ASSERT_TRUE(kill_->Engage(kAgents, "first", kAda));
  const auto again = kill_->Engage(kAgents, "second", kFixer);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->by, "ada");
  EXPECT_EQ(again->reason, "first");
  EXPECT_EQ(Events().size(), 1u);
}

TEST_F(KillSwitchTest, SurvivesARestartAndTheChainIsWhole) {
  ASSERT_TRUE(kill_->Engage({"agent", "fixer"}, "it loops", kAda));
  const KillState before = kill_->Engaged().at(0);
  Start();
  ASSERT_EQ(kill_->Engaged().size(), 1u);
  const KillState after = kill_->Engaged()[0];
  EXPECT_EQ(after.scope, before.scope);
  EXPECT_EQ(after.by, "ada");
  EXPECT_EQ(after.reason, "it loops");
  EXPECT_EQ(after.at, before.at);
  EXPECT_TRUE(Blocked(kByFixer));
  ASSERT_TRUE(kill_->Release({"agent", "fixer"}, "mended", kAda));
  Start();
  EXPECT_FALSE(Blocked(kByFixer));
  EXPECT_TRUE(ledger_->VerifyAudit()->intact);
}

TEST_F(KillSwitchTest, WhatTheLedgerHoldsAndNobodyUnderstandsIsAll) {
  Sql("INSERT INTO documents VALUES ('kill', 'robots', 0, 'not json')");
  Start();
  EXPECT_TRUE(Blocked(kByPerson));
}

TEST_F(KillSwitchTest, IsInEffectBeforeTheLedgerIsWaitedFor) {
  std::latch inside(1), go(1);
  std::thread holder([&] {
    EXPECT_TRUE(ledger_
                    ->Transact([&](store::LedgerTransaction&) -> Status {
                      inside.count_down();
                      go.wait();
                      return {};
                    })
                    .ok());
  });
  inside.wait();
  std::atomic<bool> returned = false, told = false;
  kill_->Watch([&] { told = true; });
  std::thread engaging([&] {
    EXPECT_TRUE(kill_->Engage(kAgents, "now", kAda));
    returned = true;
  });
  EXPECT_TRUE(Soon([&] { return Blocked(kByFixer) && told.load(); }));
  EXPECT_FALSE(returned);
  WriteFile("all");  // and the file works while the ledger does not
  EXPECT_TRUE(Soon([&] { return Blocked(kByPerson); }));
  EXPECT_FALSE(returned);
  go.count_down();
  holder.join();
  engaging.join();
  EXPECT_TRUE(Soon([&] { return Events().size() == 2; }));
}

TEST_F(KillSwitchTest, HoldsWhenTheLedgerCannotBeWrittenAndIsWrittenLater) {
  Sql("CREATE TRIGGER full BEFORE INSERT ON documents BEGIN SELECT RAISE(FAIL, 'disk full'); END");
  const auto engaged = kill_->Engage(kAll, "now", kAda);
  ASSERT_FALSE(engaged);
  EXPECT_NE(engaged.error().message().find("is on from now"), std::string::npos) << engaged.error().message();
  EXPECT_NE(engaged.error().message().find(file_), std::string::npos) << engaged.error().message();
  EXPECT_TRUE(Blocked(kByPerson));
  EXPECT_TRUE(Events().empty());
  Sql("DROP TRIGGER full");
  EXPECT_TRUE(Soon([&] { return Events().size() == 1; }));
  Start();
  EXPECT_TRUE(Blocked(kByPerson));
}

TEST_F(KillSwitchTest, StaysOnWhenItsReleaseCannotBeWritten) {
  ASSERT_TRUE(kill_->Engage(kAll, "", kAda));
  Start(true);
  EXPECT_FALSE(kill_->Release(kAll, "fine", kAda));
  EXPECT_TRUE(Blocked(kByPerson));
}

TEST_F(KillSwitchTest, TheFileIsSeenWithinATenthOfASecondAndBeforeAnEffectAtOnce) {
  std::atomic<int> told = 0;
  kill_->Watch([&] { ++told; });
  WriteFile("");
  const auto now = kill_->Blocks(kByPerson, true);
  ASSERT_TRUE(now);
  EXPECT_TRUE(now->by_file);
  EXPECT_TRUE(Soon([&] { return told > 0; }));
  EXPECT_LT(took_ms_, 1000) << "on a machine shared with others";
  EXPECT_TRUE(Blocked(kByPerson));
  std::filesystem::remove(file_);
  EXPECT_FALSE(Blocked(kByPerson, true));
  EXPECT_TRUE(Soon([&] { return !Blocked(kByPerson); }));
  EXPECT_TRUE(Soon([&] {
    return Events() == std::vector<std::string>{"kill.engaged all file", "kill.released all file"};
  }));
}

TEST_F(KillSwitchTest, EachLineOfTheFileIsAScope) {
  WriteFile("agent:fixer\r\n\n  runbook:scale \n");
  EXPECT_TRUE(Soon([&] { return kill_->Engaged().size() == 2; }));
  EXPECT_TRUE(Blocked(kByFixer));
  EXPECT_FALSE(Blocked(kByPerson, true));
  EXPECT_TRUE(Blocked({"", "scale", "", ""}));
  WriteFile("runbook:scale\n");
  EXPECT_TRUE(Soon([&] { return kill_->Engaged().size() == 1; }));
  EXPECT_TRUE(Soon([&] {
    const auto events = Events();
    return events.size() == 3 && events.back() == "kill.released agent:fixer file";
  }));
}

TEST_F(KillSwitchTest, AFileThatSaysNothingClearIsAll) {
  const auto only_all = [&](const char* what) {
    const auto found = internal::ReadKillFile(file_);
    ASSERT_EQ(found.size(), 1u) << what;
    EXPECT_EQ(found[0].scope, kAll) << what << found[0].scope.ToText();
  };
  for (const char* text : {"", "\n\n", "agents\nagent\n", "# a note\nagents", "ALL", "agent:a\x01"}) {
    WriteFile(text);
    only_all(text);
  }
  std::ofstream(file_) << std::string("agents\n\0", 8);
  only_all("a zero byte");
  std::ofstream large(file_);
  for (int i = 0; i < 10'000; ++i) large << "agent:number-" << i << "\n";
  large.close();
  only_all("too large");
  std::filesystem::remove(file_);
  ASSERT_EQ(mkfifo(file_.c_str(), 0600), 0);
  only_all("a pipe, without waiting for who writes");
  std::filesystem::remove(file_);
  std::filesystem::create_directory(file_);
  only_all("a folder");
  std::filesystem::remove(file_);
  std::filesystem::create_symlink(scratch_.path() + "/nowhere", file_);
  only_all("a link that leads nowhere");
  std::filesystem::remove(file_);
  EXPECT_TRUE(internal::ReadKillFile(file_).empty());
}

TEST_F(KillSwitchTest, TheFileIsReleasedByRemovingItOnly) {
  ASSERT_TRUE(kill_->Engage(kAgents, "", kAda));
  WriteFile("agents\n");
  EXPECT_TRUE(Soon([&] { return kill_->Engaged().size() == 2; }));
  const auto refused = kill_->Release(kAgents, "fine", kAda);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kFailedPrecondition);
  EXPECT_NE(refused.error().message().find(file_), std::string::npos);
  std::filesystem::remove(file_);
  EXPECT_TRUE(Soon([&] { return kill_->Engaged().size() == 1; }));
  EXPECT_TRUE(Blocked(kByFixer)) << "the ledger's is its own";
  EXPECT_TRUE(kill_->Release(kAgents, "fine", kAda));
}

TEST_F(KillSwitchTest, WhatTheFileDidWhileNobodyLookedIsRecordedOnce) {
  WriteFile("agents\n");
  EXPECT_TRUE(Soon([&] { return Events().size() == 1; }));
  Start();
  EXPECT_TRUE(Blocked(kByFixer));
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  EXPECT_EQ(Events().size(), 1u) << "the same file is no new engagement";
  kill_.reset();
  std::filesystem::remove(file_);
  Start();
  EXPECT_FALSE(Blocked(kByFixer));
  EXPECT_TRUE(Soon([&] { return Events().size() == 2; }));
  EXPECT_EQ(Events().back(), "kill.released agents file");
}

TEST_F(KillSwitchTest, ThereIsABoundButAllAlwaysGoes) {
  Start(true);  // in memory only, which is quick
  for (int i = 0; i < 1000; ++i) {
    const auto ignored = kill_->Engage({"agent", "a" + std::to_string(i)}, "", kFixer);
  }
  EXPECT_EQ(kill_->Engage({"agent", "more"}, "", kFixer).error().code(), Code::kResourceExhausted);
  EXPECT_FALSE(Blocked(kByPerson));
  const auto ignored = kill_->Engage(kAll, "", kFixer);
  EXPECT_TRUE(Blocked(kByPerson));
}

// What an engage that has returned stands against: releases from other threads, and looks from many.
TEST_F(KillSwitchTest, ManyThreadsNeverSeeItOffWhileItIsOn) {
  std::atomic<bool> over = false;
  ASSERT_TRUE(kill_->Engage(kAll, "stays", kAda));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      while (!over) {
        EXPECT_TRUE(Blocked(kByPerson, t % 2 == 0));
        EXPECT_FALSE(kill_->Engaged().empty());
      }
    });
  }
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const KillScope own{"agent", "a" + std::to_string(t)};
      for (int i = 0; i < 15; ++i) {
        EXPECT_TRUE(kill_->Engage(own, "", kAda));
        EXPECT_TRUE(kill_->Blocks({own.name, "", "", ""}));
        EXPECT_TRUE(kill_->Release(own, "done", kAda));
      }
    });
  }
  for (size_t t = 4; t < threads.size(); ++t) threads[t].join();
  over = true;
  for (size_t t = 0; t < 4; ++t) threads[t].join();
  EXPECT_EQ(kill_->Engaged().size(), 1u);
  EXPECT_EQ(Events().size(), 1u + 4 * 15 * 2);
  EXPECT_TRUE(ledger_->VerifyAudit()->intact);
}

// One scope, engaged and released at once by many: what is in memory afterwards is what a restart finds.
TEST_F(KillSwitchTest, AnEngageThatMeetsAReleaseWins) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(kill_->Engage(kAgents, "", kFixer));
    });
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) (void)kill_->Release(kAgents, "go on", kAda);
    });
  }
  for (auto& thread : threads) thread.join();
  const bool on = Blocked(kByFixer);
  Start();
  EXPECT_EQ(Blocked(kByFixer), on);
  EXPECT_EQ(kill_->Release(kAgents, "go on", kAda).has_value(), on);
  EXPECT_FALSE(Blocked(kByFixer));
}

}  // namespace
}  // namespace tocsin::act
