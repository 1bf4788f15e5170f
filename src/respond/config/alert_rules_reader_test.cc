// Alertmanager's spelling of routes, inhibition and time intervals, its deprecated keys too.
#include "respond/config/alert_rules_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::respond {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Read {
  AlertRules rules;
  std::vector<std::string> problems;
};

Read ReadText(const std::string& text) {
  Read out;
  const auto root = ports::YamlValue::Parse(text, "t.yaml");
  EXPECT_TRUE(root) << root.error().message();
  if (!root) return out;
  ports::YamlSection section(*root);
  ReadAlertRules(section, {"a", "b", "team c"}, out.rules);
  section.Finish();
  for (const auto& problem : root->Problems()) out.problems.push_back(problem.message());
  return out;
}

std::vector<std::string> ReceiversOf(const AlertRules& rules, const signal::LabelSet& labels) {
  const auto tree = RoutingTree::Make(rules.route);
  EXPECT_TRUE(tree) << tree.error().message();
  std::vector<std::string> out;
  for (const Route* route : tree->Match(signal::LabelViews(labels))) out.push_back(route->receiver);
  return out;
}

TEST(AlertRulesReader, ReadsAnAlertmanagersTree) {
  const auto read = ReadText(R"(
route:
  receiver: a
  group_by: ['...']
  group_wait: 0s
  group_interval: 2m
  repeat_interval: 1d
  routes:
  - matchers: ['severity="critical",env!=test', team=~"db|web"]
    receiver: b
    continue: true
    mute_time_intervals: [nights]
    routes:
    - match: {service: pay}
      receiver: team c
  - match_re: {team: d.*}
    receiver: b
    group_by: [alertname]
    active_time_intervals: [nights, weekend]
inhibit_rules:
- source_match: {severity: critical}
  target_match_re: {severity: warning|info}
  equal: [service]
- name: named
  source_matchers: [alertname="Down"]
  target_matchers: [alertname!="Down"]
time_intervals:
- name: nights
  time_intervals:
  - times: [{start_time: "22:00", end_time: "24:00"}, {start_time: "00:00", end_time: "06:00"}]
    weekdays: ["monday:friday"]
    days_of_month: ["1:-1", 15]
    months: [january, "3:12"]
    years: ["2020:2100"]
    location: Europe/Berlin
mute_time_intervals:
- {name: weekend, time_intervals: [{weekdays: [saturday, sunday]}]}
)");
  ASSERT_THAT(read.problems, IsEmpty());
  EXPECT_THAT(ReceiversOf(read.rules, {{"alertname", "X"}}), ElementsAre("a"));
  EXPECT_THAT(ReceiversOf(read.rules, {{"severity", "critical"}, {"team", "db"}}), ElementsAre("b", "b"));
  EXPECT_THAT(ReceiversOf(read.rules, {{"env", "test"}, {"severity", "critical"}, {"team", "web"}}),
              ElementsAre("a"));
  EXPECT_THAT(ReceiversOf(read.rules, {{"service", "pay"}, {"severity", "critical"}, {"team", "web"}}),
              ElementsAre("team c"));
  EXPECT_EQ(read.rules.route.repeat_interval, Duration::Hours(24));
  EXPECT_EQ(read.rules.route.group_wait, Duration{});
  ASSERT_EQ(read.rules.inhibit.size(), 2u);
  EXPECT_EQ(FormatMatchers(read.rules.inhibit[0].target_matchers), R"({severity=~"warning|info"})");
  EXPECT_THAT(read.rules.inhibit[0].equal, ElementsAre("service"));
  ASSERT_EQ(read.rules.time_intervals.size(), 2u);
  const NamedInterval& nights = read.rules.time_intervals[0];
  EXPECT_TRUE(nights.Contains(*ParseTime("2026-11-23T21:30:00Z")));   // Monday 22:30 in Berlin
  EXPECT_FALSE(nights.Contains(*ParseTime("2026-11-23T20:30:00Z")));  // 21:30
  EXPECT_FALSE(nights.Contains(*ParseTime("2026-02-23T21:30:00Z")));  // February
  EXPECT_TRUE(read.rules.time_intervals[1].Contains(*ParseTime("2026-11-28T12:00:00Z")));
}

TEST(AlertRulesReader, WhatIsNotGivenStays) {
  Read read;
  read.rules.route.receiver = "a";
  const auto root = ports::YamlValue::Parse("inhibit_rules: []", "t.yaml");
  ports::YamlSection section(*root);
  ReadAlertRules(section, {"a"}, read.rules);
  EXPECT_EQ(read.rules.route.receiver, "a");
}

TEST(AlertRulesReader, EverythingWrongIsFoundWithItsPlace) {
  const auto read = ReadText(R"(route:
  matchers: [a="b"]
  continue: true
  group_by: [x, x]
  routes:
  - {receiver: nobody, matchers: ["a"]}
  - {match: {a: b}, match_re: {c: "("}, mute_time_intervals: [none]}
  - {group_interval: 0s, recevier: a}
  - 5
inhibit_rules:
  - {source_match: [a], equal: b}
time_intervals:
  - {name: t, time_intervals: [{times: [{start_time: "10:00", end_time: "09:00"}]}]}
  - {name: t}
  - {name: u, time_intervals: [{location: Mars/Base}]}
)");
  std::vector<std::string> places;
  for (const auto& problem : read.problems) places.push_back(problem.substr(0, problem.find(": ", 10)));
  EXPECT_THAT(places,
              ElementsAre("t.yaml:2: route", "t.yaml:2: route.matchers", "t.yaml:3: route.continue",
                          "t.yaml:4: route.group_by", "t.yaml:6: route.routes[0].receiver",
                          "t.yaml:6: route.routes[0].matchers[0]", "t.yaml:7: route.routes[1].match_re.c",
                          "t.yaml:7: route.routes[1].mute_time_intervals[0]", "t.yaml:8: route.routes[2]",
                          "t.yaml:8: route.routes[2].group_interval", "t.yaml:9: route.routes[3]",
                          "t.yaml:11: inhibit_rules[0].source_match", "t.yaml:11: inhibit_rules[0].equal",
                          "t.yaml:13: time_intervals[0].time_intervals[0].times[0]",
                          "t.yaml:14: time_intervals[1].name",
                          "t.yaml:15: time_intervals[2].time_intervals[0].location"));
}

}  // namespace
}  // namespace tocsin::respond
