// AlertDesk: what was acknowledged is there after a restart, and each telling is handed on until it is told.
#include "respond/alerts/alert_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "store/testing/scratch_directory.h"

namespace tocsin::respond {
namespace {

constexpr Time kNow{1'772'000'000'000'000'000};

signal::Alert MakeAlert(signal::LabelSet labels, Time starts = kNow, Time ends = kNow + Duration::Hours(1)) {
  signal::Alert alert;
  alert.labels = std::move(labels);
  signal::NormalizeLabels(alert.labels);
  alert.starts_at = starts;
  alert.ends_at = ends;
  alert.updated_at = starts;
  alert.source = "prometheus";
  alert.fingerprint = signal::FingerprintOf(alert.labels);
  return alert;
}

class AlertDeskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.directory = scratch_.path() + "/alerts";
    options_.rules.route.receiver = "team";
    options_.rules.route.group_by = std::vector<std::string>{"service"};
    options_.rules.route.group_wait = Duration::Seconds(10);
    InhibitRule rule;
    rule.source_matchers = *ParseMatchers("severity=critical");
    rule.target_matchers = *ParseMatchers("severity=warning");
    rule.equal = {"service"};
    options_.rules.inhibit = {rule};
    Reopen();
  }
  void Reopen() {
    desk_.reset();
    auto desk = AlertDesk::Open(options_);
    ASSERT_TRUE(desk) << desk.error().ToString();
    desk_ = std::move(*desk);
  }
  Status Receive(std::vector<signal::Alert> alerts, Time now = kNow) {
    std::promise<Status> promise;
    desk_->Receive(std::move(alerts), now, [&](Status status) { promise.set_value(std::move(status)); });
    return promise.get_future().get();
  }
  std::map<std::string, std::string> States(Time now = kNow) {
    std::map<std::string, std::string> states;
    desk_->Show(desk_->Find({}), {}, now, [&](const ShownAlert& shown) {
      states[std::string(signal::LabelValue(shown.alert->labels, "alertname"))] = shown.state();
    });
    return states;
  }
  store::testing::ScratchDirectory scratch_;
  AlertDeskOptions options_;
  std::unique_ptr<AlertDesk> desk_;
};

TEST_F(AlertDeskTest, AlertsSilencesAndTellingsSurviveARestart) {
  ASSERT_TRUE(Receive({MakeAlert({{"alertname", "Down"}, {"service", "db"}, {"severity", "critical"}}),
                       MakeAlert({{"alertname", "Slow"}, {"service", "db"}, {"severity", "warning"}}),
                       MakeAlert({{"alertname", "Disk"}, {"service", "web"}, {"severity", "warning"}})})
                  .ok());
  Silence silence;
  silence.matchers = *ParseMatchers("alertname=Disk");
  silence.starts_at = kNow;
  silence.ends_at = kNow + Duration::Hours(1);
  silence.created_by = "kim";
  silence.comment = "known";
  const auto id = desk_->SetSilence(silence, kNow);
  ASSERT_TRUE(id) << id.error().ToString();
  const std::map<std::string, std::string> expected{
      {"Down", "active"}, {"Slow", "suppressed"}, {"Disk", "suppressed"}};
  EXPECT_EQ(States(), expected);
  Reopen();
  EXPECT_EQ(States(), expected);
  ASSERT_TRUE(desk_->FindSilence(*id));
  ASSERT_TRUE(desk_->Step(kNow + Duration::Seconds(11)).ok());
  Reopen();
  const auto due = desk_->Take(10);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].receiver, "team");
  EXPECT_EQ(due[0].reason, "new");
  ASSERT_EQ(due[0].firing.size(), 1U);
  EXPECT_EQ(desk_->Take(10)[0].key, due[0].key);  // until it is told
  ASSERT_TRUE(desk_->Told({due[0].key}, kNow).ok());
  EXPECT_TRUE(desk_->Take(10).empty());
  Reopen();
  EXPECT_TRUE(desk_->Take(10).empty());
  ASSERT_TRUE(desk_->Step(kNow + Duration::Minutes(1)).ok());
  EXPECT_TRUE(desk_->Take(10).empty());  // nothing new
}

TEST_F(AlertDeskTest, AResolvedAlertIsToldAndForgotten) {
  const auto alert = MakeAlert({{"alertname", "Down"}, {"service", "db"}});
  ASSERT_TRUE(Receive({alert}).ok());
  ASSERT_TRUE(desk_->Step(kNow + Duration::Seconds(11)).ok());
  ASSERT_TRUE(desk_->Told({desk_->Take(1).at(0).key}, kNow).ok());
  const Time later = kNow + Duration::Minutes(2);
  ASSERT_TRUE(desk_->Resolve(alert.fingerprint, later).ok());
  EXPECT_TRUE(States(later).empty());
  EXPECT_EQ(desk_->Resolve(123, later).code(), Code::kNotFound);
  ASSERT_TRUE(desk_->Step(later + Duration::Minutes(5)).ok());
  const auto due = desk_->Take(10);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].reason, "resolved");
  EXPECT_EQ(due[0].resolved_count, 1U);
  ASSERT_TRUE(desk_->Step(later + Duration::Hours(1)).ok());
  EXPECT_EQ(desk_->Counts().alerts, 0U);
}

// By rules read anew: a route that is gone loses no alert, one that stays tells nothing twice, a wrong
// configuration changes nothing.
TEST_F(AlertDeskTest, NewRulesLoseNoFiringAlert) {
  const auto rules = [&](const std::string& db_receiver, const std::string& db) {
    AlertRules out = options_.rules;
    for (const auto& [matchers, receiver] : {std::pair<std::string, std::string>{"service=web", "web"},
                                             std::pair<std::string, std::string>{db, db_receiver}}) {
      RouteSpec route;
      route.receiver = receiver;
      route.matchers = *ParseMatchers(matchers);
      out.route.routes.push_back(route);
    }
    return out;
  };
  ASSERT_TRUE(desk_->Configure(rules("db", "service=db"), kNow).ok());
  std::vector<signal::Alert> alerts;
  for (int i = 0; i < 300; ++i) {
    const std::string service = i % 3 == 0 ? "web" : i % 3 == 1 ? "db" : "queue";
    alerts.push_back(MakeAlert({{"alertname", "A" + std::to_string(i)}, {"service", service}}));
  }
  ASSERT_TRUE(Receive(alerts).ok());
  ASSERT_TRUE(desk_->Step(kNow + Duration::Seconds(11)).ok());
  std::vector<std::string> told;
  for (const auto& due : desk_->Take(10)) told.push_back(due.key);
  ASSERT_EQ(told.size(), 3U);
  ASSERT_TRUE(desk_->Told(told, kNow).ok());

  const Time later = kNow + Duration::Minutes(1);
  ASSERT_TRUE(desk_->Configure(rules("storage", "service=~\"d.\""), later).ok());
  EXPECT_THAT(desk_->Receivers(), ::testing::ElementsAre("storage", "team", "web"));
  std::map<std::string, size_t> grouped;
  for (const auto& group : desk_->Groups({}, later)) grouped[group.receiver] += group.alerts.size();
  EXPECT_EQ(grouped, (std::map<std::string, size_t>{{"storage", 100}, {"team", 100}, {"web", 100}}));
  // Only the receiver that is new is told.
  ASSERT_TRUE(desk_->Step(later + Duration::Minutes(6)).ok());
  const auto due = desk_->Take(10);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].receiver, "storage");
  EXPECT_EQ(due[0].firing_count, 100U);

  AlertRules wrong = rules("x", "service=db");
  wrong.route.group_interval = Duration{};
  EXPECT_EQ(desk_->Configure(wrong, later).code(), Code::kInvalidArgument);
  EXPECT_THAT(desk_->Receivers(), ::testing::ElementsAre("storage", "team", "web"));
}

TEST_F(AlertDeskTest, ARestartWithOtherRulesLosesNoFiringAlert) {
  RouteSpec route;
  route.receiver = "db";
  route.matchers = *ParseMatchers("service=db");
  options_.rules.route.routes = {route};
  ASSERT_TRUE(desk_->Configure(options_.rules, kNow).ok());
  ASSERT_TRUE(Receive({MakeAlert({{"alertname", "Down"}, {"service", "db"}})}).ok());
  ASSERT_TRUE(desk_->Step(kNow + Duration::Seconds(11)).ok());
  ASSERT_TRUE(desk_->Told({desk_->Take(1).at(0).key}, kNow).ok());
  options_.rules.route.routes.clear();
  Reopen();
  ASSERT_TRUE(desk_->Step(kNow + Duration::Minutes(1)).ok());
  const auto due = desk_->Take(10);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].receiver, "team");
}

TEST_F(AlertDeskTest, NewRulesInhibitWhatAlreadyFires) {
  ASSERT_TRUE(Receive({MakeAlert({{"alertname", "Down"}, {"service", "db"}, {"severity", "critical"}}),
                       MakeAlert({{"alertname", "Slow"}, {"service", "db"}, {"severity", "warning"}})})
                  .ok());
  AlertRules rules = options_.rules;
  rules.inhibit.clear();
  ASSERT_TRUE(desk_->Configure(rules, kNow).ok());
  EXPECT_EQ(States()["Slow"], "active");
  ASSERT_TRUE(desk_->Configure(options_.rules, kNow).ok());
  EXPECT_EQ(States()["Slow"], "suppressed");
}

TEST_F(AlertDeskTest, WrongSilencesAreRefusedAndLeaveNothing) {
  Silence silence;
  silence.matchers = *ParseMatchers("a=b");
  silence.starts_at = kNow;
  silence.ends_at = kNow - Duration::Hours(1);
  silence.created_by = "kim";
  EXPECT_EQ(desk_->SetSilence(silence, kNow).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(desk_->ExpireSilence("nonsense", kNow).code(), Code::kNotFound);
  Reopen();  // a refused record does not keep the log from being read
  EXPECT_TRUE(desk_->FindSilences({}).empty());
}

}  // namespace
}  // namespace tocsin::respond
