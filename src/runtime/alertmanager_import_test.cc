// What an Alertmanager configuration becomes: the same routing, the same places, a word on everything else.
// Where Debian's amtool is installed, it says where label sets go by the file that was imported.
#include "runtime/alertmanager_import.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "respond/alerts/routing.h"
#include "runtime/settings.h"
#include "store/testing/scratch_directory.h"

namespace tocsin::runtime {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A shop of three teams, the way such files grow over the years.
constexpr std::string_view kShop = R"(global:
  resolve_timeout: 10m
  smtp_smarthost: 'mail.shop.example:587'
  smtp_from: 'Alerts <alerts@shop.example>'
  smtp_auth_username: alerts
  smtp_auth_password: "pa\"ss: #word"
  slack_api_url: https://hooks.slack.example/services/T0/B0/default
  http_config: {follow_redirects: false}
templates: ['/etc/alertmanager/*.tmpl']
route:
  receiver: catch-all
  group_by: ['alertname', 'cluster']
  group_wait: 20s
  group_interval: 3m
  repeat_interval: 12h
  routes:
  - matchers: [severity="none"]
    receiver: "null"
  - match: {team: payments}
    receiver: payments
    continue: true
    routes:
    - match_re: {service: ^(card|giro).*$}
      receiver: payments-page
      mute_time_intervals: [nights]
      group_by: ['...']
  - matchers: ['team=~"search|ml"', environment!="test"]
    receiver: ml team
    active_time_intervals: [office hours]
    routes:
    - matchers: [severity=critical]
      receiver: payments-page
      continue: true
    - matchers: [severity=~"critical|warning"]
  - match: {severity: critical}
    receiver: payments-page
inhibit_rules:
- source_matchers: [severity="critical"]
  target_match_re: {severity: warning|info}
  equal: [alertname, cluster]
time_intervals:
- name: office hours
  time_intervals:
  - weekdays: ['monday:friday']
    times: [{start_time: '08:00', end_time: '18:00'}]
    location: Europe/Vienna
mute_time_intervals:
- name: nights
  time_intervals:
  - times:
    - {start_time: '22:00', end_time: '24:00'}
    - start_time: '00:00'
      end_time: '06:00'
    days_of_month: ['1:15', '-3:-1']
    months: ['1:3', december]
    years: [2026, '2027:2030']
receivers:
- name: catch-all
  email_configs:
  - to: 'ops@shop.example, Second <second@shop.example>'
    send_resolved: true
    headers: {Subject: 'Alert {{ .GroupLabels.alertname }}'}
- name: "null"
- name: payments
  slack_configs:
  - channel: '#payments'
    title: '{{ template "title" . }}'
  - {api_url_file: payments-hook, channel: '#audit'}
  - api_url: https://slack.com/api/chat.postMessage
  webhook_configs:
  - {url: 'https://bridge.shop.example/in?x=1', max_alerts: 5}
- name: payments-page
  pagerduty_configs:
  - routing_key: R0UT1NGK3Y
    severity: critical
  - service_key: 0LDK3Y
- name: ml team
  opsgenie_configs: [{api_key: 0psg3n1e}]
  pagerduty_configs: [{routing_key_file: /run/secrets/ml-pd, url: 'https://events.eu.pagerduty.com/v2/enqueue'}]
)";

class AlertmanagerImportTest : public ::testing::Test {
 protected:
  std::string At(const std::string& name) const { return scratch_.path() + "/" + name; }
  Settings Check(const std::string& yaml) {
    const CheckedSettings checked = CheckSettings(yaml, At("tocsin.yaml"));
    for (const auto& problem : checked.problems) ADD_FAILURE() << problem.message() << "\n" << yaml;
    return checked.settings.value_or(Settings());
  }
  store::testing::ScratchDirectory scratch_;
};

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

TEST_F(AlertmanagerImportTest, PlacesAndRulesGoOver) {
  std::ofstream(At("payments-hook")) << "https://hooks.slack.example/services/T0/B0/audit\n";
  std::ofstream(At("ml-pd")) << "MLK3Y\n";
  const std::string shop = Replaced(std::string(kShop), "/run/secrets/ml-pd", At("ml-pd"));
  const auto imported = ImportAlertmanager(shop, At("alertmanager.yml"));
  ASSERT_TRUE(imported) << imported.error().message();
  const Settings settings = Check(imported->yaml);
  const auto& dispatch = settings.dispatch;
  std::map<std::string, std::string> places;
  for (const auto& one : dispatch.destinations)
    places[one.name] = one.channel + " " + one.address + " " + one.secret;
  EXPECT_EQ(places,
            (std::map<std::string, std::string>{
                {"catch-all-email", "email ops@shop.example "},
                {"catch-all-email-2", "email second@shop.example "},
                {"payments-slack", "slack https://hooks.slack.example/services/T0/B0/default "},
                {"payments-slack-2", "slack https://hooks.slack.example/services/T0/B0/audit "},
                {"payments-webhook", "webhook https://bridge.shop.example/in?x=1 "},
                {"payments-page-pagerduty", "pagerduty  R0UT1NGK3Y"},
                {"ml-team-pagerduty", "pagerduty https://events.eu.pagerduty.com/v2/enqueue MLK3Y"}}));
  EXPECT_THAT(dispatch.receivers.at("catch-all").tell, ElementsAre("catch-all-email", "catch-all-email-2"));
  EXPECT_TRUE(dispatch.receivers.at("null").discards);
  EXPECT_EQ(dispatch.mail->server.url, "smtp://mail.shop.example:587");
  EXPECT_EQ(dispatch.mail->server.password, "pa\"ss: #word");
  EXPECT_EQ(dispatch.mail->server.starttls, "required");
  EXPECT_EQ(dispatch.mail->from, "alerts@shop.example");
  EXPECT_EQ(settings.alerts.inhibit.size(), 1u);
  ASSERT_EQ(settings.alerts.time_intervals.size(), 2u);
  EXPECT_EQ(settings.alerts.time_intervals[1].intervals[0].years.size(), 2u);
  EXPECT_EQ(settings.alerts.route.repeat_interval, Duration::Hours(12));
}

TEST_F(AlertmanagerImportTest, EverythingElseIsNamedAndNoSecretIs) {
  const auto imported = ImportAlertmanager(kShop, At("alertmanager.yml"));
  ASSERT_TRUE(imported);
  for (const char* expected :
       {"templates: Alertmanager's are in another language", "global.http_config",
        "global.resolve_timeout: it is 5m", "receiver 'catch-all': email_configs[0]: headers",
        "receiver 'payments': slack_configs[0]: channel, title",
        "receiver 'payments': slack_configs[2]: not a Slack webhook (api_url)",
        "receiver 'payments': webhook_configs[0]: max_alerts",
        "receiver 'payments-page': pagerduty_configs[0]: severity",
        "receiver 'payments-page': pagerduty_configs[1]: no routing_key of PagerDuty's Events API v2",
        "receiver 'ml team': opsgenie_configs[0]"}) {
    EXPECT_THAT(imported->left_out, Contains(expected));
    EXPECT_THAT(imported->yaml, HasSubstr(std::string("# Not carried over: ") + expected + "\n"));
  }
  for (const auto& note : imported->left_out) {
    EXPECT_THAT(note, Not(HasSubstr("0psg3n1e")));
    EXPECT_THAT(note, Not(HasSubstr("0LDK3Y")));
  }
}

TEST_F(AlertmanagerImportTest, WhatIsNoSuchFileIsRefused) {
  EXPECT_FALSE(ImportAlertmanager("", "a.yml"));
  EXPECT_FALSE(ImportAlertmanager("receivers: []", "a.yml"));
  EXPECT_FALSE(ImportAlertmanager("[1]", "a.yml"));
  EXPECT_FALSE(ImportAlertmanager("route: {a: &x b, c: *x}", "a.yml"));
  // A name cannot leave its comment or its quotes.
  const auto hostile = ImportAlertmanager(
      "route: {receiver: \"a\\n\\\"b\", x: 1}\nreceivers: [{name: \"a\\n\\\"b\", \"x\\ny_configs\": [{}]}]\n",
      "a.yml");
  ASSERT_TRUE(hostile);
  EXPECT_EQ(Check(hostile->yaml).dispatch.receivers.count("a\n\"b"), 1u);
}

// Damaged files are imported or refused; what is imported is YAML.
TEST_F(AlertmanagerImportTest, DamagedFilesAreImportedOrRefused) {
  const std::string shop(kShop);
  for (size_t i = 0; i < shop.size(); i += 3) {
    std::string damaged = shop;
    damaged[i] = "-:{[&*!\n"[i % 8];
    const auto imported = ImportAlertmanager(damaged, "a.yml");
    if (!imported) continue;
    ASSERT_TRUE(ports::YamlValue::Parse(imported->yaml, "t.yaml")) << imported->yaml;
  }
}

std::string Output(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string out;
  std::array<char, 256> part{};
  while (pipe && std::fgets(part.data(), part.size(), pipe.get()) != nullptr) out += part.data();
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

TEST_F(AlertmanagerImportTest, AmtoolSendsTheSameLabelSetsToTheSameReceivers) {
  if (std::system("command -v amtool >/dev/null 2>&1") != 0) GTEST_SKIP() << "amtool is not installed";
  std::ofstream(At("payments-hook")) << "https://hooks.slack.example/x\n";
  std::ofstream(At("ml-pd")) << "MLK3Y\n";
  // An older Alertmanager does not know routing_key_file; routing does not depend on it.
  const std::string shop =
      Replaced(std::string(kShop), "routing_key_file: /run/secrets/ml-pd", "routing_key: K3Y");
  std::ofstream(At("alertmanager.yml")) << shop;
  const auto imported = ImportAlertmanager(shop, At("alertmanager.yml"));
  ASSERT_TRUE(imported);
  const auto tree = respond::RoutingTree::Make(Check(imported->yaml).alerts.route);
  ASSERT_TRUE(tree);
  int compared = 0;
  for (const char* team : {"", "payments", "search", "ml", "mlops"}) {
    for (const char* severity : {"", "none", "warning", "critical"}) {
      for (const auto& [name, value] : {std::pair<const char*, const char*>{"service", "card-api"},
                                        {"service", "discard"},
                                        {"environment", "test"}}) {
        signal::LabelSet labels{{name, value}};
        if (*team != '\0') labels.emplace_back("team", team);
        if (*severity != '\0') labels.emplace_back("severity", severity);
        signal::NormalizeLabels(labels);
        std::string arguments, ours;
        for (const auto& [label, text] : labels) arguments += fmt::format(" {}={}", label, text);
        for (const auto* route : tree->Match(signal::LabelViews(labels)))
          ours += (ours.empty() ? "" : ",") + route->receiver;
        const std::string theirs = Output(
            "amtool config routes test --config.file=" + At("alertmanager.yml") + arguments + " 2>/dev/null");
        EXPECT_EQ(ours, theirs) << arguments;
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, 60);
}

}  // namespace
}  // namespace tocsin::runtime
