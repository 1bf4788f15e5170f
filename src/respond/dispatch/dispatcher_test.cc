// From alerts and findings to the person who has it: the dispatcher on a ledger in memory and a turned clock.
#include "respond/dispatch/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "respond/dispatch/paging_status.h"
#include "respond/dispatch/testing/dispatch_bench.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;
using testing::AlertOf;
using ::testing::Contains;
using testing::DispatchBench;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Told;
using ::testing::UnorderedElementsAre;

const Actor kAda{"ada", true};

class Dispatching : public ::testing::Test {
 protected:
  void Record(const std::vector<AlertNotification>& notifications) {
    const Status status = bench.dispatcher->Record(notifications, bench.clock.now);
    ASSERT_TRUE(status.ok()) << status.ToString();
    bench.Run();
    ASSERT_TRUE(bench.step.ok()) << bench.step.ToString();
  }
  std::vector<signal::Incident> Incidents(const std::string& state = "") {
    store::IncidentFilter filter;
    filter.state = state;
    return *bench.ledger->FindIncidents(filter);
  }
  Status Act(const IncidentId& id, const std::string& action, std::map<std::string, std::string> text = {},
             const Actor& actor = kAda) {
    const auto view = bench.dispatcher->Act(id, IncidentAction{action, std::move(text), {}}, actor);
    bench.Run();
    return view ? Status() : Status(view.error());
  }
  std::vector<std::string> Timeline(const IncidentId& id) {
    std::vector<std::string> out;
    const auto events = bench.ledger->Events(id.value, 0, 1000);
    for (const auto& event : *events) out.push_back(event.kind);
    return out;
  }
  std::vector<std::string> Pages() {
    auto out = bench.SentTo("page");
    std::erase(out, "team");
    return out;
  }
  void Calls(const std::vector<std::pair<std::string, std::string>>& calls) {
    signal::Batch batch;
    for (const auto& [caller, callee] : calls) {
      signal::Span span;
      span.span_id = caller + callee;
      span.service = caller;
      span.kind = "client";
      span.attributes_json = json({{"peer.service", callee}}).dump();
      batch.spans.push_back(span);
    }
    bench.dispatcher->calls().Observe(batch);
    bench.Run();
  }
  Time now() const { return bench.clock.now; }

  DispatchBench bench;
};

TEST_F(Dispatching, AWallOfAlertsIsOneIncidentThatNamesTheSourceAndPagesOnce) {
  std::vector<AlertNotification> wall;
  std::vector<std::pair<std::string, std::string>> calls;
  for (int i = 0; i < 40; ++i) {
    const std::string service = "web-" + std::to_string(i);
    calls.emplace_back(service, "postgres");
    wall.push_back(Told("latency|" + service, {AlertOf(service, "HighLatency", now(), "warning")}, now()));
  }
  auto database = AlertOf("postgres", "DatabaseDown", now() - Duration::Seconds(5));
  database.annotations.emplace_back("runbook_url", "https://wiki.example.org/db");
  wall.push_back(Told("db", {database}, now()));
  Calls(calls);
  Record(wall);
  const auto incidents = Incidents();
  ASSERT_EQ(incidents.size(), 1u);
  EXPECT_EQ(incidents[0].service, "postgres");
  EXPECT_EQ(incidents[0].severity, "sev1");
  EXPECT_EQ(incidents[0].kind, "alerts");
  EXPECT_THAT(incidents[0].title, HasSubstr("DatabaseDown on postgres"));
  EXPECT_THAT(incidents[0].title, HasSubstr("40 services fail with it"));
  const json document = json::parse(incidents[0].document_json);
  EXPECT_EQ(document["sources"][0]["service"], "postgres");
  EXPECT_EQ(document["firing"], 41);
  EXPECT_THAT(Pages(), ElementsAre("ada/phone"));
  EXPECT_THAT(bench.SentTo("page"), Contains("team"));
  const auto& page = bench.notifier->sent.front().message;
  ASSERT_EQ(page.links.size(), 1u);
  EXPECT_EQ(page.links[0].url, "https://wiki.example.org/db");
  EXPECT_THAT(page.lines, Contains(HasSubstr("Probable source: postgres: 40 of 40")));
}

TEST_F(Dispatching, TheNextPersonIsWokenUntilThePolicyHasEnded) {
  Record({Told("db", {AlertOf("db", "Down", now())}, now())});
  bench.After(Duration::Minutes(4));
  EXPECT_THAT(Pages(), ElementsAre("ada/phone"));
  bench.After(Duration::Minutes(1));
  EXPECT_THAT(Pages(), ElementsAre("ada/phone", "bob/phone"));
  bench.After(Duration::Minutes(10));
  bench.After(Duration::Minutes(15));
  EXPECT_THAT(Pages(), ElementsAre("ada/phone", "bob/phone", "cto/phone", "ada/phone"));
  for (int i = 0; i < 8; ++i) bench.After(Duration::Minutes(10));
  EXPECT_EQ(Pages().size(), 6u);
  EXPECT_THAT(Timeline(Incidents()[0].id), Contains("escalation.ended"));
  // The alert still fires hours later: what nobody took begins anew.
  Record({Told("db", {AlertOf("db", "Down", now())}, now(), "repeat")});
  EXPECT_EQ(Pages().size(), 7u);
}

TEST_F(Dispatching, AClockThatIsPutBackMakesNoWaitLonger) {
  Record({Told("db", {AlertOf("db", "Down", now())}, now())});
  bench.After(Duration::Minutes(3));
  bench.clock.behind = Duration::Minutes(30);
  bench.After(Duration::Minutes(-30));
  EXPECT_THAT(Pages(), ElementsAre("ada/phone"));
  bench.After(Duration::Minutes(2));
  EXPECT_THAT(Pages(), ElementsAre("ada/phone", "bob/phone"));
  EXPECT_THAT(Timeline(Incidents()[0].id), Contains("escalation.clock_back"));
  // Put back while the process is down: what it wrote a minute ago at most tells.
  ASSERT_TRUE(bench.Restart().ok());
  bench.clock.behind = Duration::Minutes(60);
  bench.After(Duration::Minutes(-30));
  bench.After(Duration::Minutes(11));
  EXPECT_EQ(Pages().size(), 3u);
}

TEST_F(Dispatching, OnlyAPersonOnThePolicyAcknowledges) {
  Record({Told("db", {AlertOf("db", "Down", now())}, now())});
  const auto id = Incidents()[0].id;
  EXPECT_EQ(Act(id, "acknowledge", {}, {"dan", true}).code(), Code::kPermissionDenied);
  EXPECT_EQ(Act(id, "acknowledge", {}, {"ada", false}).code(), Code::kPermissionDenied);
  EXPECT_THAT(Timeline(id), Contains("incident.refused"));
  EXPECT_EQ(Incidents()[0].state, "open");
  bench.After(Duration::Minutes(5));
  EXPECT_EQ(Pages().size(), 2u) << "a refused acknowledgement must not stop the paging";
  const auto paging = ReadPaging(*bench.ledger, id);
  ASSERT_TRUE(paging);
  EXPECT_THAT(RenderPaging(*paging), HasSubstr("  ada, bob (policy default): nobody has it yet; goes on at"));
  EXPECT_TRUE(Act(id, "acknowledge").ok());
  EXPECT_EQ(RenderPaging(*ReadPaging(*bench.ledger, id)),
            "WHO IS PAGED\n  ada, bob (policy default): ada has it\n");
  EXPECT_TRUE(Act(id, "acknowledge").ok()) << "twice is no error";
  EXPECT_EQ(Act(id, "acknowledge", {}, {"bob", true}).code(), Code::kFailedPrecondition);
  bench.After(Duration::Hours(5));
  EXPECT_EQ(Pages().size(), 2u);
}

TEST_F(Dispatching, WorkingOnItAcknowledgesToo) {
  Record({Told("db", {AlertOf("db", "Down", now())}, now())});
  EXPECT_TRUE(Act(Incidents()[0].id, "mitigate").ok());
  bench.After(Duration::Hours(1));
  EXPECT_THAT(Pages(), ElementsAre("ada/phone"));
  EXPECT_EQ(ReadView(*bench.ledger, Incidents()[0])->acknowledged_by, "ada");
}

TEST_F(Dispatching, AnAcknowledgementCanBeGivenBackAndPutOff) {
  Record({Told("db", {AlertOf("db", "Down", now())}, now())});
  const auto id = Incidents()[0].id;
  EXPECT_TRUE(Act(id, "acknowledge").ok());
  EXPECT_TRUE(Act(id, "unacknowledge").ok());
  EXPECT_EQ(Pages().size(), 2u) << "paging begins anew at once";
  EXPECT_TRUE(Act(id, "snooze", {{"for", "30m"}}).ok());
  bench.After(Duration::Minutes(29));
  EXPECT_EQ(Pages().size(), 2u);
  bench.After(Duration::Minutes(2));
  EXPECT_EQ(Pages().size(), 3u);
  EXPECT_EQ(ReadView(*bench.ledger, Incidents()[0])->acknowledged_by, "") << "nobody has it any more";
  EXPECT_TRUE(Act(id, "escalate", {{"policy", "data"}}).ok());
  EXPECT_THAT(Pages(), Contains("dan/phone"));
  EXPECT_EQ(Act(id, "escalate", {{"policy", "nope"}}).code(), Code::kNotFound);
}

TEST_F(Dispatching, WhenEveryAlertIsOverPagingEndsAndWhatComesBackPagesAgain) {
  const auto alert = AlertOf("db", "Down", now());
  Record({Told("db", {alert}, now())});
  bench.After(Duration::Minutes(1));
  Record({Told("db", {}, now(), "resolved")});
  EXPECT_EQ(Incidents()[0].state, "monitoring");
  EXPECT_THAT(bench.SentTo("resolved"), UnorderedElementsAre("ada/phone", "team"));
  bench.After(Duration::Hours(1));
  EXPECT_EQ(Pages().size(), 1u);
  EXPECT_EQ(Incidents()[0].state, "monitoring");
  Record({Told("db", {alert}, now())});
  ASSERT_EQ(Incidents().size(), 1u);
  EXPECT_EQ(Incidents()[0].state, "mitigating");
  EXPECT_EQ(Pages().size(), 2u);
}

TEST_F(Dispatching, WhoeverHadItBeforeItCameBackTakesItAnewAndItIsOnTheTimeline) {
  const auto alert = AlertOf("db", "Down", now());
  Record({Told("db", {alert}, now())});
  const auto id = Incidents()[0].id;
  EXPECT_TRUE(Act(id, "acknowledge").ok());
  bench.After(Duration::Minutes(1));
  Record({Told("db", {}, now(), "resolved")});
  bench.After(Duration::Minutes(1));
  Record({Told("db", {alert}, now())});
  EXPECT_EQ(ReadView(*bench.ledger, Incidents()[0])->acknowledged_by, "");
  EXPECT_TRUE(Act(id, "acknowledge").ok());
  const auto timeline = Timeline(id);
  EXPECT_EQ(std::count(timeline.begin(), timeline.end(), "incident.acknowledged"), 2);
}

TEST_F(Dispatching, AnAlertThatGoesOnAfterAPersonClosedItIsANewIncident) {
  const auto alert = AlertOf("db", "Down", now());
  Record({Told("db", {alert}, now())});
  EXPECT_TRUE(Act(Incidents()[0].id, "close", {{"reason", "nothing"}}).ok());
  EXPECT_THAT(bench.SentTo("resolved"), UnorderedElementsAre("ada/phone", "team"));
  bench.After(Duration::Hours(4));
  Record({Told("db", {alert}, now(), "repeat")});
  EXPECT_EQ(Incidents().size(), 2u);
  EXPECT_EQ(Incidents("active").size(), 1u);
  EXPECT_EQ(Pages().size(), 2u);
}

TEST_F(Dispatching, WhatWasToldIsNotToldAgainAfterACrash) {
  const auto first = Told("db", {AlertOf("db", "Down", now())}, now());
  Record({first});
  ASSERT_TRUE(bench.Restart().ok());
  Record({first});
  EXPECT_EQ(Incidents().size(), 1u);
  EXPECT_THAT(Pages(), ElementsAre("ada/phone"));
  // Another alert of the same service is the same failure for the process that comes after.
  Record({Told("disk", {AlertOf("db", "DiskFull", now())}, now())});
  EXPECT_EQ(Incidents().size(), 1u);
  // And the end of the first is found although it came in the life before.
  Record({Told("db", {}, now(), "resolved"), Told("disk", {}, now(), "resolved")});
  EXPECT_EQ(Incidents()[0].state, "monitoring");
}

TEST_F(Dispatching, IncidentsOfMonitorsAndPeoplePageByTheirOwnPolicy) {
  IncidentId id;
  ASSERT_TRUE(bench.ledger
                  ->Transact([&](store::LedgerTransaction& transaction) -> Status {
                    Declaration declaration;
                    declaration.title = "answers are wrong";
                    declaration.kind = "behavior";
                    declaration.severity = "sev2";
                    TOCSIN_ASSIGN_OR_RETURN(
                        const auto made, DeclareIncident(transaction, declaration, {"tocsin", false}, now()));
                    id = made.id;
                    declaration.title = "a mix that moved";
                    declaration.page = false;
                    const auto quiet = DeclareIncident(transaction, declaration, {"tocsin", false}, now());
                    return quiet ? Status() : Status(quiet.error());
                  })
                  .ok());
  bench.Run();
  EXPECT_THAT(Pages(), ElementsAre("ada/phone"));
  EXPECT_TRUE(Act(id, "false_alarm", {{"reason", "a test"}}).ok());
  bench.After(Duration::Hours(1));
  EXPECT_EQ(Pages().size(), 1u);
  EXPECT_TRUE(Act(id, "reopen", {{"reason", "it was not"}}).ok());
  EXPECT_EQ(Pages().size(), 2u);
}

TEST_F(Dispatching, TwoTeamsAreBothPagedAndEachTakesItsOwn) {
  const auto alert = AlertOf("db", "Down", now());
  Record({Told("db", {alert}, now()), Told("db", {alert}, now(), "new", "data")});
  ASSERT_EQ(Incidents().size(), 1u);
  EXPECT_THAT(Pages(), UnorderedElementsAre("ada/phone", "dan/phone"));
  EXPECT_TRUE(Act(Incidents()[0].id, "acknowledge", {}, {"dan", true}).ok());
  bench.After(Duration::Minutes(5));
  EXPECT_THAT(Pages(), UnorderedElementsAre("ada/phone", "dan/phone", "bob/phone"));
}

TEST_F(Dispatching, AReceiverThatDoesNothingOpensNothing) {
  Record({Told("dog", {AlertOf("x", "Watchdog", now())}, now(), "new", "nobody")});
  EXPECT_THAT(Incidents(), IsEmpty());
}

TEST_F(Dispatching, AFailedChannelFallsThroughAndAPersonWhoCannotBeToldIsNotWaitedFor) {
  bench.notifier->answer = [](const std::string& destination) {
    SendOutcome outcome;
    if (destination.starts_with("ada/")) outcome.status = {Code::kPermissionDenied, "403"};
    return outcome;
  };
  Record({Told("db", {AlertOf("db", "Down", now())}, now())});
  bench.Run();
  EXPECT_THAT(Pages(), ElementsAre("bob/phone")) << "ada has two channels, and both refuse";
  const auto timeline = Timeline(Incidents()[0].id);
  EXPECT_EQ(std::count(timeline.begin(), timeline.end(), "notification.failed"), 2);
  EXPECT_THAT(timeline, Contains("incident.page_failed"));
}

TEST_F(Dispatching, WhatGetsWorseLeavesQuietHours) {
  auto config = testing::BenchConfig();
  config->preferences["ada"].quiet = {{20 * 60, 7 * 60, 0x7f, {"low"}}};  // it is 20:26
  bench.config = config;
  ASSERT_TRUE(bench.Restart().ok());
  Record({Told("db", {AlertOf("db", "Slow", now(), "warning")}, now())});
  EXPECT_THAT(Pages(), IsEmpty());
  Record({Told("db2", {AlertOf("db", "Down", now(), "critical")}, now())});
  EXPECT_EQ(Incidents().size(), 1u);
  EXPECT_THAT(Pages(), ElementsAre("ada/phone"));
}

TEST_F(Dispatching, PeopleSplitAndMergeAndTheRecordLearns) {
  Calls({{"web", "db"}, {"shop", "db"}});
  const auto web = AlertOf("web", "Slow", now()), shop = AlertOf("shop", "Slow", now());
  Record(
      {Told("w", {web}, now()), Told("d", {AlertOf("db", "Down", now())}, now()), Told("s", {shop}, now())});
  ASSERT_EQ(Incidents().size(), 1u);
  const auto id = Incidents()[0].id;
  EXPECT_EQ(Act(id, "split", {{"services", "nope"}}).code(), Code::kInvalidArgument);
  ASSERT_TRUE(Act(id, "split", {{"services", "shop"}}).ok());
  ASSERT_EQ(Incidents().size(), 2u);
  const auto made = Incidents()[0].id == id ? Incidents()[1] : Incidents()[0];
  EXPECT_EQ(made.service, "shop");
  EXPECT_EQ(ReadView(*bench.ledger, made)->acknowledged_by, "ada");
  // The groups sort themselves out: the end of shop's ends the new incident only, even after a restart.
  ASSERT_TRUE(bench.Restart().ok());
  Record({Told("s", {}, now(), "resolved")});
  EXPECT_EQ((*bench.ledger->FindIncident(made.id))->state, "monitoring");
  EXPECT_EQ((*bench.ledger->FindIncident(id))->state, "open");
  ASSERT_TRUE(Act(made.id, "merge", {{"into", id.value}}).ok());
  Record({Told("s", {shop}, now())});
  EXPECT_EQ(Incidents("active").size(), 1u);
}

TEST_F(Dispatching, AnAlertThatLinksTwoFailuresMakesThemOne) {
  Calls({{"a", "bus"}, {"b", "bus"}, {"c", "bus"}, {"d", "bus"}, {"e", "bus"}});
  Record({Told("a", {AlertOf("a", "Slow", now())}, now())});
  Record({Told("b", {AlertOf("b", "Slow", now())}, now())});
  const auto before = Incidents("active").size();
  Record({Told("bus", {AlertOf("bus", "Down", now())}, now())});
  EXPECT_EQ(before, 2u);
  EXPECT_EQ(Incidents("active").size(), 1u);
  EXPECT_EQ(Incidents("active")[0].service, "bus");
  bench.After(Duration::Minutes(5));
  EXPECT_THAT(Pages(), ElementsAre("ada/phone", "ada/phone", "bob/phone")) << "one escalation goes on";
}

TEST_F(Dispatching, OpenIncidentsPageOnceThereIsSomebodyToPage) {
  bench.config = std::make_shared<DispatchConfig>();
  ASSERT_TRUE(bench.Restart().ok());
  Record({Told("db", {AlertOf("db", "Down", now())}, now())});
  EXPECT_EQ(Incidents().size(), 1u);
  EXPECT_THAT(Pages(), IsEmpty());
  ASSERT_TRUE(bench.dispatcher->Configure(testing::BenchConfig()).ok());
  bench.Run();
  EXPECT_THAT(Pages(), IsEmpty()) << "it was opened as one that pages nobody";
}

}  // namespace
}  // namespace tocsin::respond
