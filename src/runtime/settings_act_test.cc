// The section `act` of tocsin.yaml, and a token from `tocsin token new` to a caller who is known.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "act/access.h"
#include "runtime/settings.h"
#include "runtime/settings_summary.h"
#include "store/testing/scratch_directory.h"
#include "surface/cli/commands.h"

namespace tocsin::runtime {
namespace {

const std::string kHash(64, 'a'), kOther(64, 'b');

act::ActSettings Read(const std::string& yaml, const std::string& file = "tocsin.yaml") {
  const auto settings = ParseSettings(yaml, file);
  EXPECT_TRUE(settings) << settings.error().message();
  return settings ? settings->act : act::ActSettings{};
}
std::string Problem(const std::string& yaml) {
  const auto settings = ParseSettings(yaml, "tocsin.yaml");
  return settings ? "" : settings.error().message();
}
void Expect(const std::string& yaml, const std::string& problem) {
  EXPECT_NE(Problem(yaml).find(problem), std::string::npos) << yaml << "\n" << Problem(yaml);
}

TEST(ActSettings, WithoutTheSectionNothingIsAllowedAndTheDefaultsHold) {
  const auto act = Read("{}");
  EXPECT_TRUE(act.rules.access.people.empty());
  EXPECT_EQ(act.rules.auto_reach.traffic, 0.05);
  EXPECT_EQ(act.rules.rates.size(), 4u);
  EXPECT_TRUE(act.switch_key.empty());
}

TEST(ActSettings, ReadsWhoMayDoWhat) {
  const auto act =
      Read("act: {access: {people: {ada: {token_sha256: " + kHash +
           ", may_approve: false, actions: [flag.*]}, bob: {}}, agents: {fixer: {token_sha256: " + kOther +
           ", ceiling: auto, actions: [kubernetes.scale], may_reach_people: true, budget: "
           "{actions: 3, money: 2.5, window: 2h}}}}}");
  const auto& ada = act.rules.access.people.at("ada");
  EXPECT_EQ(ada.token_sha256, kHash);
  EXPECT_FALSE(ada.may_approve);
  EXPECT_EQ(ada.actions, std::vector<std::string>{"flag.*"});
  EXPECT_EQ(act.rules.access.people.at("bob").actions, std::vector<std::string>{"*"});
  const auto& fixer = act.rules.access.agents.at("fixer");
  EXPECT_EQ(fixer.ceiling, act::Tier::kAuto);
  EXPECT_EQ(fixer.budget.actions, 3);
  EXPECT_EQ(fixer.budget.money, 2.5);
  EXPECT_EQ(fixer.budget.window, Duration::Hours(2));
  EXPECT_TRUE(fixer.may_reach_people);
}

TEST(ActSettings, ReadsInventoryLimitsAndFreezes) {
  const auto act = Read(R"(
act:
  inventory:
    deployment:
      shop/checkout: {traffic: 0.04, instances: 10, users: 7, facts: {owner: ada}}
      cart:
  limits:
    auto_reach: {users: 5}
    rates: [{per: target, count: 1, window: 2h}]
    never_actions: [database.*]
  freezes:
    - name: nights
      times: [{times: [{start_time: "22:00", end_time: "24:00"}]}]
    - {name: always, except: ["*"]}
  breaker: {failures: 9}
)");
  const auto* checkout = act.rules.inventory.Find("deployment", "shop/checkout");
  ASSERT_NE(checkout, nullptr);
  EXPECT_EQ(checkout->traffic, 0.04);
  EXPECT_EQ(checkout->instances, 10);
  EXPECT_EQ(checkout->facts.at("owner"), "ada");
  ASSERT_NE(act.rules.inventory.Find("deployment", "cart"), nullptr);
  EXPECT_FALSE(act.rules.inventory.Find("deployment", "cart")->traffic);
  EXPECT_EQ(act.rules.auto_reach.traffic, 0.05) << "what is not said keeps its default";
  EXPECT_EQ(act.rules.auto_reach.users, 5);
  ASSERT_EQ(act.rules.rates.size(), 1u) << "a list takes the place of the default";
  EXPECT_EQ(act.rules.rates[0].window, Duration::Hours(2));
  ASSERT_EQ(act.freezes.size(), 2u);
  ASSERT_EQ(act.freezes[0].intervals.size(), 1u);
  EXPECT_TRUE(act.freezes[0].intervals[0].Contains(*ParseTime("2026-11-24T22:30:00Z")));
  EXPECT_FALSE(act.freezes[0].intervals[0].Contains(*ParseTime("2026-11-24T21:30:00Z")));
  EXPECT_TRUE(act.freezes[1].intervals.empty());
  EXPECT_EQ(act.breaker.failures, 9);
}

TEST(ActSettings, SaysWhereAndWhatIsWrong) {
  Expect("act:\n  access:\n    people:\n      ada: {token: x}\n",
         "tocsin.yaml:4: act.access.people.ada: unknown key");
  Expect("act: {access: {people: {ada: {token_sha256: " + std::string(64, 'A') + "}}}}",
         "is not 64 hex digits");
  Expect("act: {access: {agents: {fixer: {}}}}", "tocsin token new fixer --agent");
  Expect("act: {access: {people: {ada: {token_sha256: " + kHash +
             "}}, agents: {fixer: {token_sha256: " + kHash + "}}}}",
         "is the token of ada already");
  Expect("act: {access: {people: {ada: {}}, agents: {ada: {token_sha256: " + kHash + "}}}}",
         "is the name of a person already");
  Expect("act: {access: {people: {tocsin: {}}}}", "uses for itself");
  Expect("act: {access: {agents: {x: {token_sha256: " + kHash + ", ceiling: never}}}}", "is none of observe");
  Expect("act: {access: {people: {ada: {actions: ['kubernetes*']}}}}", "names no action");
  for (const char* share : {"5%", "1.01", "-0.1", "nan", "inf", "0x1"})
    Expect(std::string("act: {limits: {auto_reach: {traffic: '") + share + "'}}}", "is no share from 0 to 1");
  Expect("act: {inventory: {deployment: {cart: {trafic: 0.1}}}}", "is it 'traffic'?");
  Expect("act: {limits: {cooldown: 25h}}", "only a day is remembered");
  Expect("act: {limits: {rates: [{per: all, count: 3, window: 2d}]}}", "only a day is remembered");
  Expect("act: {limits: {rates: [{per: all}]}}", "'count' is missing");
  Expect("act: {freezes: [{name: a}, {name: a}]}", "comes twice");
  Expect("act: {freezes: [{name: a, times: [{weekdays: [noday]}]}]}", "act.freezes[0].times[0]");
  Expect("act: {switch: {seconds: 5}}", "openssl genpkey");
}

TEST(ActSettings, TheSwitchsKeyIsReadAndNeverShown) {
  const store::testing::ScratchDirectory scratch;
  const std::string file = scratch.path() + "/tocsin.yaml";
  std::ofstream(scratch.path() + "/key") << std::string(64, '7') << "\n";
  const auto act = Read("act: {runbooks: books, switch: {key_file: key, seconds: 3}}", file);
  EXPECT_EQ(act.switch_key, std::string(32, '\x77'));
  EXPECT_EQ(act.switch_seconds, 3);
  EXPECT_EQ(act.runbooks, scratch.path() + "/books");
  EXPECT_EQ(Read("act: {runbooks: /srv/books}", file).runbooks, "/srv/books");
  const std::string wrong = Problem("act: {switch: {key: hunter2}}");
  EXPECT_NE(wrong.find("act.switch.key"), std::string::npos) << wrong;
  EXPECT_EQ(wrong.find("hunter2"), std::string::npos) << wrong;
}

TEST(ActSettings, SomeKeysNeedARestart) {
  const auto settings = ParseSettings("act: {workers: 5, breaker: {failures: 4}}", "tocsin.yaml");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->fixed_keys.count("act.workers"), 1u);
  EXPECT_EQ(settings->fixed_keys.count("act.breaker"), 0u);
}

TEST(ActSettings, TheSummaryWarns) {
  const auto settings = ParseSettings(
      "people: {ada: {channels: [{kind: email, address: a@b.c}]}}\nmail: {url: 'smtp://x', from: a@b.c}\n"
      "act: {runbooks: x, access: {people: {eve: {may_approve: false}}, agents: {fixer: {token_sha256: " +
          kHash + ", ceiling: auto, actions: ['*']}}}}",
      "tocsin.yaml");
  ASSERT_TRUE(settings) << settings.error().message();
  const std::string text = RenderSummary(*settings, Summarize(*settings, Time{1'790'000'000'000'000'000}));
  for (const char* warning : {"is not among 'people'", "nobody may approve anything",
                              "the inventory is empty", "may do every action by itself", "1 person, 1 agent"})
    EXPECT_NE(text.find(warning), std::string::npos) << warning << "\n" << text;
}

TEST(TokenCommand, WhatItPrintsCanBePastedAndThenTheTokenIsKnown) {
  for (const bool agent : {false, true}) {
    std::ostringstream out, err;
    surface::CommandContext context{out, err, 0};
    CLI::App app;
    surface::AddTokenCommand(app, context);
    std::vector<std::string> arguments = {"fixer", "new", "token"};  // CLI11 takes them from the back
    if (agent) arguments.insert(arguments.begin(), "--agent");
    app.parse(arguments);
    EXPECT_EQ(context.exit_code, 0) << err.str();
    const std::string text = out.str();
    const std::string token = text.substr(0, text.find('\n'));
    EXPECT_EQ(token.size(), 47u);
    const std::string yaml = text.substr(text.find("act:\n"));
    EXPECT_EQ(yaml.find(token), std::string::npos);
    const auto caller = act::Authenticate(Read(yaml).rules.access, token);
    ASSERT_TRUE(caller) << yaml;
    EXPECT_EQ(caller->name, "fixer");
    EXPECT_EQ(caller->person, !agent);
    EXPECT_FALSE(act::Authenticate(Read(yaml).rules.access, token + "x"));
  }
}

}  // namespace
}  // namespace tocsin::runtime
