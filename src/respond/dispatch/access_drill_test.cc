#include "respond/dispatch/access_drill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ports/clock.h"
#include "respond/dispatch/equip.h"
#include "respond/lifecycle/incident_action.h"
#include "respond/notify/testing/http_recorder.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;
using testing::Behaviour;
using ::testing::HasSubstr;
using testing::HttpRecorder;
using ::testing::Not;

const Time kFrom = *ParseTime("2026-03-02T00:00:00Z");
const Time kTo = kFrom + Duration::Hours(24 * 14);

DispatchConfig Config(const std::string& layers) {
  DispatchConfig config;
  config.oncall = *ParseOnCall(R"(
people: {ada: {name: Ada}, bob: {name: Bob}, cyd: {name: Cyd}}
schedules:
  primary:
    zone: UTC
    layers:
)" + layers + R"(
policies:
  default: {steps: [{targets: [{person: ada}]}, {after: 5m, targets: [{schedule: primary}]}]}
)",
                               "oncall.yaml");
  for (const std::string person : {"ada", "bob"}) {
    config.destinations.push_back({person + "/ntfy", "ntfy", "https://ntfy.example/" + person, "", {}});
    config.preferences[person] = {person, {{"high", {person + "/ntfy"}}}, {}, {}};
  }
  return config;
}

const char* const kAlways =
    R"(      - {participants: [ada, bob], every: daily, start: 2026-01-01, handover: "09:00"})";

std::string Missing(const std::vector<DrillCheck>& checks) {
  std::string out;
  for (const auto& check : checks) {
    if (!check.ok) out += check.kind + " " + check.subject + ": " + check.detail + "\n";
  }
  return out;
}

TEST(AccessDrill, EverybodyOnDutyNeedsAChannelThatIsConfigured) {
  DispatchConfig config = Config(kAlways);
  EXPECT_EQ(Missing(CheckPeople(config, kFrom, kTo)), "");
  config.destinations.pop_back();  // bob's
  EXPECT_EQ(Missing(CheckPeople(config, kFrom, kTo)),
            "channel bob/ntfy: is not configured\nperson bob: has no channel to be told by\n");
  config.preferences.erase("bob");
  EXPECT_EQ(Missing(CheckPeople(config, kFrom, kTo)), "person bob: has no channel to be told by\n");
  // Bob is on call only from tomorrow 09:00 on.
  EXPECT_EQ(Missing(CheckPeople(config, kFrom + Duration::Hours(34), kFrom + Duration::Hours(40))),
            "person bob: has no channel to be told by\n");
  EXPECT_EQ(Missing(CheckPeople(config, kFrom + Duration::Hours(10), kFrom + Duration::Hours(30))), "");
  EXPECT_THAT(Missing(CheckPeople({}, kFrom, kTo)), HasSubstr("nobody is on call"));
}

TEST(AccessDrill, APolicysLastStepMustReachSomebodyAtEveryInstant) {
  EXPECT_EQ(Missing(CheckPolicies(Config(kAlways), kFrom, kTo)), "");
  const std::string nights = R"(      - participants: [bob]
        every: daily
        start: 2026-01-01
        restrictions: [{days: [mon-fri], from: "00:00", to: "24:00"}, {days: [sat], from: "00:00", to: "23:30"}, {days: [sun], from: "00:00", to: "24:00"}])";
  DispatchConfig config = Config(nights);
  const std::string gaps = Missing(CheckPolicies(config, kFrom, kTo));
  EXPECT_THAT(gaps,
              HasSubstr("policy default: reaches nobody at its last step from 23:30 UTC on 7 Mar to 00:00"));
  EXPECT_EQ(std::ranges::count(gaps, '\n'), 2);  // two Saturdays
  config.preferences.erase("bob");
  EXPECT_THAT(Missing(CheckPolicies(config, kFrom, kTo)),
              HasSubstr("reaches nobody at its last step from 00:00"));
  config.preferences.erase("ada");
  EXPECT_THAT(Missing(CheckPolicies(config, kFrom, kTo)), HasSubstr("reaches nobody at all"));
  EXPECT_THAT(Missing(CheckPolicies({}, kFrom, kTo)), HasSubstr("no policy is configured"));
}

TEST(AccessDrill, TestMessagesAreReallySentAndTheirOutcomeTold) {
  HttpRecorder ntfy, pager;
  pager.Otherwise({.status = 202, .body = "{}"});
  DispatchConfig config = Config(kAlways);
  config.destinations = {{"ada/ntfy", "ntfy", ntfy.Url("/ada"), "", {}},
                         {"ada/pd", "pagerduty", pager.Url("/v2/enqueue"), "key", {}},
                         {"bob/ntfy", "ntfy", ntfy.Url("/bob"), "", {}},
                         {"ml-slack", "slack", ntfy.Url("/nobodys"), "", {}}};
  config.preferences["ada"].channels["low"] = {"ada/ntfy", "ada/pd"};
  ntfy.Next({.status = 200});
  ntfy.Next({.status = 403, .body = "forbidden"});
  const ports::Clock& clock = ports::SystemClock();
  NotifierDirectory directory;
  ASSERT_TRUE(EquipDirectory(config, clock, directory).ok());
  const auto checks = SendTests(config, directory, kFrom, kTo, kFrom);
  ASSERT_EQ(checks.size(), 3U);
  EXPECT_TRUE(checks[0].ok) << checks[0].detail;
  EXPECT_TRUE(checks[1].ok) << checks[1].detail;
  EXPECT_THAT(Missing(checks), HasSubstr("channel bob/ntfy: INVALID_ARGUMENT"));
  EXPECT_THAT(ntfy.Requests()[0].body, HasSubstr("Test from Tocsin: nothing is wrong"));
  const auto pages = pager.Requests();
  ASSERT_EQ(pages.size(), 2U);
  EXPECT_EQ(json::parse(pages[0].body)["event_action"], "trigger");
  EXPECT_EQ(json::parse(pages[1].body)["event_action"], "resolve");
  EXPECT_EQ(json::parse(pages[0].body)["dedup_key"], json::parse(pages[1].body)["dedup_key"]);
}

TEST(AccessDrill, LinksAreAskedForOnceAndJudgedByTheirAnswer) {
  HttpRecorder web, gate, hanging;
  gate.Otherwise({.status = 401});
  hanging.Otherwise({.kind = Behaviour::Kind::kHang});
  auto ledger = std::move(*store::OpenSqlite({":memory:", false}));
  Declaration declaration;
  declaration.title = "slow";
  declaration.service = "bot";
  declaration.document_json =
      json{{"links", json::array({{{"url", web.Url("/rule")}}, {{"url", "javascript:alert(1)"}}, 7})},
           {"alerts", json::array({{{"url", web.Url("/rule")}, {"runbook_url", gate.Url("/runbook")}}})}}
          .dump();
  signal::Incident incident;
  ASSERT_TRUE(ledger
                  ->Transact([&](store::LedgerTransaction& t) -> Status {
                    TOCSIN_ASSIGN_OR_RETURN(incident, DeclareIncident(t, declaration, {"ada"}, kFrom));
                    return Status::Ok();
                  })
                  .ok());
  ASSERT_TRUE(ApplyAction(*ledger, incident.id, {"link", {{"url", hanging.Url("/dash")}, {"title", "t"}}, {}},
                          {"ada"}, kFrom));
  DispatchConfig config;
  config.url = web.Url("");
  const auto links = LinksToCheck(config, ledger.get());
  ASSERT_TRUE(links);
  EXPECT_EQ(links->size(), 6U);  // base, page, rule (once), javascript, runbook, dashboard
  web.Next({.status = 200});
  web.Next({.status = 302, .headers = "Location: /login\r\n"});
  web.Otherwise({.status = 404});
  const auto begun = std::chrono::steady_clock::now();
  const auto checks = CheckLinks(*links, Duration::Millis(500));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  ASSERT_EQ(checks.size(), 6U);
  EXPECT_EQ(std::ranges::count(checks, true, &DrillCheck::ok), 3);
  const std::string missing = Missing(checks);
  EXPECT_THAT(missing, HasSubstr("answered 404"));
  EXPECT_THAT(missing, HasSubstr("link javascript:alert(1): link of " + incident.id.value + ": is no http"));
  EXPECT_THAT(missing, HasSubstr("did not answer in time"));
  EXPECT_THAT(RenderDrill({kFrom, kTo, checks}), HasSubstr("needs a sign-in"));
  EXPECT_THAT(RenderDrill({kFrom, kTo, checks}), HasSubstr("3 of 6 checks found something missing"));
  EXPECT_EQ(web.Requests().size(), 3U);
  EXPECT_EQ(DrillToJson({kFrom, kTo, checks})["missing"], 3);
}

TEST(AccessDrill, TooManyLinksAreSaidToBeLeftOut) {
  std::vector<DrillLink> links(kMaxDrillLinks + 5, DrillLink{"ftp://x", "why"});
  const auto checks = CheckLinks(links, Duration::Millis(100));
  ASSERT_EQ(checks.size(), kMaxDrillLinks + 1);
  EXPECT_THAT(Missing(checks), HasSubstr("link 5 more: not looked at"));
}

}  // namespace
}  // namespace tocsin::respond
