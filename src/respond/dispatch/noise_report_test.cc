#include "respond/dispatch/noise_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "respond/dispatch/read_noise.h"
#include "respond/lifecycle/incident_action.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

// Monday 2026-03-02 00:00 UTC.
const Time kMonday = *ParseTime("2026-03-02T00:00:00Z");

Time At(int64_t day, int64_t hour, int64_t minute = 0) {
  return kMonday + Duration::Minutes((day * 24 + hour) * 60 + minute);
}

DispatchConfig Config() {
  DispatchConfig config;
  config.oncall = *ParseOnCall(R"(
people:
  ada: {name: Ada, zone: America/New_York}
  bob: {name: Bob, zone: Europe/Berlin}
schedules:
  primary:
    zone: UTC
    layers:
      - {name: week, participants: [ada, bob], every: daily, start: 2026-03-02, handover: "00:00"}
policies:
  default: {steps: [{targets: [{schedule: primary}]}]}
)",
                               "oncall.yaml");
  return config;
}

class NoiseTest : public ::testing::Test {
 protected:
  void Incident(const std::string& id, const std::string& kind, const std::string& rule, Time opened) {
    signal::Incident incident;
    incident.id = {id};
    incident.kind = kind;
    incident.opened = opened;
    incident.page = true;
    if (kind == "alerts") {
      incident.document_json = json{{"alerts", json::array({{{"name", rule}}})}}.dump();
    } else {
      incident.stream = rule;
      incident.alpha = 1e-3;
    }
    input_.incidents[id] = incident;
    Event(id, "incident.opened", opened);
  }
  void Event(const std::string& id, const std::string& kind, Time at, json body = json::object(),
             const std::string& actor = "tocsin") {
    signal::Event event;
    event.seq = input_.events.size() + 1;
    event.time = at;
    event.kind = kind;
    event.subject = id;
    event.actor = actor;
    event.body_json = body.dump();
    input_.events.push_back(event);
  }
  void Page(const std::string& id, const std::string& person, Time at) {
    Event(id, "incident.paged", at, {{"person", person}, {"step", 0}});
  }
  NoiseReport Make() { return MakeNoiseReport(config_, input_); }

  DispatchConfig config_ = Config();
  NoiseInput input_{kMonday, At(7, 0), {}, {}, 70'000, 1e-3};
};

TEST_F(NoiseTest, PagesAreCountedByShiftAndByThePersonsOwnClock) {
  Incident("INC-1", "alerts", "DiskFull", At(0, 12));
  Page("INC-1", "ada", At(0, 12));  // Monday 07:00 in New York: outside hours, not at night
  Page("INC-1", "ada", At(0, 15));  // 10:00: working hours
  Page("INC-1", "ada", At(0, 8));   // 03:00: night
  Page("INC-1", "bob", At(1, 9));   // 10:00 in Berlin
  Page("INC-1", "bob", At(0, 9));   // not on call on Monday
  Page("INC-1", "ada", At(-1, 9));  // before the range
  const NoiseReport report = Make();
  EXPECT_EQ(report.pages, 5U);
  EXPECT_EQ(report.outside_hours, 2U);
  EXPECT_EQ(report.night, 1U);
  ASSERT_EQ(report.shifts.size(), 3U);
  EXPECT_EQ(report.shifts[0].person, "ada");
  EXPECT_EQ(report.shifts[0].schedule, "primary");
  EXPECT_EQ(report.shifts[0].from, At(0, 0));
  EXPECT_EQ(report.shifts[0].to, At(1, 0));
  EXPECT_EQ(report.shifts[0].pages, 3U);
  EXPECT_EQ(report.shifts[0].incidents, 1U);
  EXPECT_TRUE(report.shifts[0].too_many);
  EXPECT_FALSE(report.shifts[1].too_many);
  ASSERT_EQ(report.people.size(), 2U);
  EXPECT_EQ(report.people[0].person, "ada");
  EXPECT_EQ(report.people[0].outside_hours, 2U);
  EXPECT_THAT(RenderNoise(report), HasSubstr("in no shift of theirs"));
}

TEST_F(NoiseTest, ActedUponMeansAcknowledgedAndThenWorkedOn) {
  const auto paged = [&](const std::string& id) {
    Incident(id, "alerts", "rule-" + id, At(1, 0));
    Page(id, "bob", At(1, 0));
  };
  for (const char* id :
       {"acted", "glanced", "false", "never", "before", "machine", "merged", "into", "fresh"})
    paged(id);
  Event("acted", "incident.acknowledged", At(1, 1), {}, "bob");
  Event("acted", "incident.state", At(1, 2), {{"from", "open"}, {"to", "mitigating"}}, "bob");
  Event("glanced", "incident.acknowledged", At(1, 1), {}, "bob");
  Event("glanced", "incident.state", At(1, 2), {{"to", "closed"}}, "tocsin");  // it went away by itself
  Event("false", "incident.acknowledged", At(1, 1), {}, "bob");
  Event("false", "incident.noted", At(1, 1), {}, "bob");
  Event("false", "incident.state", At(1, 2), {{"to", "false_alarm"}}, "bob");
  Event("before", "incident.noted", At(1, 1), {}, "agent");
  Event("before", "incident.acknowledged", At(1, 2), {}, "bob");
  Event("machine", "incident.acknowledged", At(1, 2), {}, "bob");
  Event("machine", "incident.noted", At(1, 3), {}, "tocsin");
  Event("merged", "incident.state", At(1, 2), {{"to", "merged"}, {"into", "into"}}, "bob");
  Event("into", "incident.acknowledged", At(1, 2), {}, "bob");
  Event("into", "incident.task_added", At(1, 3), {}, "bob");
  Page("fresh", "bob", At(6, 23, 30));
  const NoiseReport report = Make();
  EXPECT_EQ(report.paged, 9U);
  EXPECT_EQ(report.acted, 3U);  // acted, into, and what was merged into it
  EXPECT_EQ(report.acknowledged_only, 3U);
  EXPECT_EQ(report.false_alarms, 1U);
  EXPECT_EQ(report.untouched, 1U);
  EXPECT_EQ(report.undecided, 1U);
  EXPECT_DOUBLE_EQ(report.acted_share(), 3.0 / 8);
  const json out = NoiseToJson(report);
  EXPECT_EQ(out["incidents"]["untouched"], 1);
  std::set<std::string> deaf;
  for (const auto& rule : report.rules) deaf.insert(rule.rule);
  EXPECT_EQ(deaf, (std::set<std::string>{"rule-glanced", "rule-false", "rule-never", "rule-before",
                                         "rule-machine"}));
}

TEST_F(NoiseTest, RulesThatFlapAreFoundAlsoWhenTheyPageNobody) {
  for (int i = 0; i < 4; ++i) {
    const std::string n = std::to_string(i);
    Incident("A" + n, "alerts", "Flappy", At(i, 1));
    if (i < 2) Incident("B" + n, "alerts", "Calm", At(i, 1));
    Incident("C" + n, "behavior", "bot/support", At(i, 2));
    Page("C" + n, "bob", At(i, 2));
    Event("C" + n, "incident.acknowledged", At(i, 3), {}, "bob");
    Event("C" + n, "incident.linked", At(i, 3), {}, "bob");
  }
  const NoiseReport report = Make();
  ASSERT_EQ(report.rules.size(), 2U);
  EXPECT_EQ(report.rules[0].rule, "bot/support");
  EXPECT_EQ(report.rules[0].kind, "monitor");
  EXPECT_EQ(report.rules[0].acted, 4U);
  EXPECT_TRUE(report.rules[0].flaps);
  EXPECT_FALSE(report.rules[0].deaf);
  EXPECT_EQ(report.rules[1].rule, "Flappy");
  EXPECT_EQ(report.rules[1].paged, 0U);
  EXPECT_FALSE(report.rules[1].deaf);
  EXPECT_THAT(RenderNoise(report), Not(HasSubstr("Calm")));
}

TEST_F(NoiseTest, TheBudgetIsGenerationsTimesAlpha) {
  Incident("A", "behavior", "bot/chat", At(1, 1));
  Event("A", "incident.state", At(1, 2), {{"to", "false_alarm"}}, "bob");
  Incident("B", "behavior", "bot/support", At(2, 1));
  Incident("C", "alerts", "DiskFull", At(2, 1));
  Incident("old", "behavior", "bot/mail", At(-3, 1));
  input_.to = At(14, 0);
  const NoiseReport report = Make();
  EXPECT_DOUBLE_EQ(report.expected_false, 70.0);
  EXPECT_DOUBLE_EQ(report.expected_false_per_week, 35.0);
  EXPECT_EQ(report.behaviour_pages, 2U);
  EXPECT_EQ(report.behaviour_false, 1U);
  EXPECT_EQ(report.opened, 3U);
}

TEST_F(NoiseTest, DamagedAndForeignEventsChangeNothing) {
  Event("INC-9", "incident.paged", At(1, 1));
  input_.events.back().body_json = "not json";
  Event("INC-9", "incident.state", At(1, 1), {{"to", 7}});
  Event("INC-9", "config.loaded", At(1, 1));
  Incident("INC-8", "alerts", "x", At(1, 1));
  input_.incidents["INC-8"].document_json = R"({"alerts":[7,{"name":8}]})";
  const NoiseReport report = Make();
  EXPECT_EQ(report.pages, 0U);
  EXPECT_TRUE(report.rules.empty());
  EXPECT_DOUBLE_EQ(report.acted_share(), 1.0);
}

// From a real ledger: what was before the range is found for those paged in it, and nothing else is read.
TEST(ReadNoise, FindsTheRangeByBisectionAndTheWholeStoryOfWhoWasPaged) {
  auto ledger = std::move(*store::OpenSqlite({":memory:", false}));
  signal::Incident incident;
  Declaration declaration;
  declaration.title = "slow";
  declaration.service = "bot";
  ASSERT_TRUE(ledger
                  ->Transact([&](store::LedgerTransaction& t) -> Status {
                    TOCSIN_ASSIGN_OR_RETURN(incident, DeclareIncident(t, declaration, {"ada"}, At(-3, 0)));
                    return Status::Ok();
                  })
                  .ok());
  ASSERT_TRUE(ApplyAction(*ledger, incident.id, {"acknowledge", {}, {}}, {"ada"}, At(-2, 0)).has_value());
  ASSERT_TRUE(ledger
                  ->Transact([&](store::LedgerTransaction& t) -> Status {
                    for (int i = 0; i < 3000; ++i) {
                      signal::Event event;
                      event.time = At(-2, 0) + Duration::Minutes(i);
                      event.kind = i == 2990 ? "incident.paged" : "monitor.note";
                      event.subject = i == 2990 ? incident.id.value : "m";
                      event.actor = "tocsin";
                      event.body_json = R"({"person":"ada"})";
                      TOCSIN_ASSIGN_OR_RETURN(const auto seq, t.AppendEvent(event));
                      (void)seq;
                    }
                    return Status::Ok();
                  })
                  .ok());
  ASSERT_TRUE(
      ApplyAction(*ledger, incident.id, {"note", {{"text", "x"}}, {}}, {"ada"}, At(1, 0)).has_value());
  const auto input = ReadNoise(*ledger, At(0, 0), At(7, 0));
  ASSERT_TRUE(input);
  ASSERT_EQ(input->events.size(), 4U);
  EXPECT_EQ(input->events[0].kind, "incident.opened");
  EXPECT_EQ(input->events[1].kind, "incident.acknowledged");
  EXPECT_EQ(input->events[2].kind, "incident.paged");
  const NoiseReport report = MakeNoiseReport({}, *input);
  EXPECT_EQ(report.acted, 1U);
  EXPECT_EQ(report.opened, 0U);

  // Merged into one that was worked on before the range.
  signal::Incident target;
  ASSERT_TRUE(ledger
                  ->Transact([&](store::LedgerTransaction& t) -> Status {
                    TOCSIN_ASSIGN_OR_RETURN(target, DeclareIncident(t, declaration, {"ada"}, At(-3, 0)));
                    return Status::Ok();
                  })
                  .ok());
  ASSERT_TRUE(ApplyAction(*ledger, target.id, {"acknowledge", {}, {}}, {"ada"}, At(-2, 0)).has_value());
  ASSERT_TRUE(ApplyAction(*ledger, target.id, {"note", {{"text", "x"}}, {}}, {"ada"}, At(-2, 0)).has_value());
  ASSERT_TRUE(ApplyAction(*ledger, incident.id, {"merge", {{"into", target.id.value}}, {}}, {"ada"}, At(2, 0))
                  .has_value());
  const auto merged = ReadNoise(*ledger, At(1, 12), At(7, 0));
  ASSERT_TRUE(merged);
  EXPECT_TRUE(std::ranges::any_of(merged->events, [&](const signal::Event& event) {
    return event.subject == target.id.value && event.kind == "incident.acknowledged";
  }));

  EXPECT_EQ(ReadNoise(*ledger, At(7, 0), At(0, 0)).error().code(), Code::kInvalidArgument);
  EXPECT_TRUE(ReadNoise(*ledger, At(100, 0), At(107, 0))->events.empty());
  EXPECT_TRUE(ReadNoise(*ledger, At(-90, 0), At(-89, 0))->events.empty());
}

}  // namespace
}  // namespace tocsin::respond
