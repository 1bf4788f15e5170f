#include "respond/oncall/oncall_config.h"

#include <gtest/gtest.h>

namespace tocsin::respond {
namespace {

constexpr std::string_view kGood = R"(people:
  ada: {name: Ada Lovelace, zone: Europe/London}
  bob: {}
  cyd: {zone: America/New_York}
teams:
  ml: [bob, cyd]
schedules:
  primary:
    zone: Europe/Berlin
    layers:
      - name: days
        participants: [ada, bob]
        every: daily
        start: 2026-03-27
        handover: "09:00"
      - participants: [cyd]
        every: 12h
        start: 2026-03-27
        handover: "00:00"
        restrictions:
          - {days: [fri-mon, wed], from: "22:00", to: "06:00"}
    holidays:
      - {date: 2026-03-29, person: bob}
    overrides:
      - {person: ada, from: "2026-03-29T12:00:00+02:00", to: "2026-03-29T13:00:00+02:00"}
policies:
  default:
    steps:
      - targets: [{schedule: primary}]
      - {after: 10m, targets: [{team: ml}, {person: bob}]}
    repeat: 2
    repeat_after: 15m
    ack_timeout: 4h
    until_acknowledged: true
)";

std::string Wrong(std::string from, const std::string& what, const std::string& with) {
  const size_t at = from.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  from.replace(at, what.size(), with);
  const auto read = ParseOnCall(from, "tocsin.yaml");
  if (read) return "accepted";
  EXPECT_EQ(read.error().code(), Code::kInvalidArgument);
  return read.error().message();
}
std::string Wrong(const std::string& what, const std::string& with) {
  return Wrong(std::string(kGood), what, with);
}

Time At(std::string_view text) { return *ParseTime(text); }

TEST(OnCallConfig, ReadsPeopleSchedulesAndPolicies) {
  const auto read = ParseOnCall(kGood, "tocsin.yaml");
  ASSERT_TRUE(read.has_value()) << read.error().ToString();
  EXPECT_EQ(read->people.at("ada").name, "Ada Lovelace");
  EXPECT_EQ(read->people.at("bob").name, "bob");
  EXPECT_EQ(read->people.at("cyd").zone.name(), "America/New_York");
  const Schedule& schedule = read->schedules.at("primary");
  EXPECT_EQ(schedule.layers.at(0).every_hours, 24);
  EXPECT_EQ(schedule.layers.at(1).restrictions.at(0).weekdays, 0b1110101);
  const EscalationPolicy& policy = read->policies.at("default");
  EXPECT_EQ(policy.steps.at(1).after, Duration::Minutes(10));
  EXPECT_EQ(policy.steps.at(1).targets,
            (std::vector<EscalationTarget>{{"person", "bob"}, {"person", "cyd"}}));
  EXPECT_EQ(policy.repeat, 2);
  EXPECT_EQ(policy.ack_timeout, Duration::Hours(4));
  EXPECT_TRUE(policy.until_acknowledged);
  EXPECT_EQ(policy.repeat_after, Duration::Minutes(15));
}

TEST(OnCallConfig, AHolidayIsALocalDayAndWeakerThanAnOverride) {
  const auto read = *ParseOnCall(kGood, "tocsin.yaml");
  const Schedule& schedule = read.schedules.at("primary");
  EXPECT_EQ(OnCallAt(schedule, At("2026-03-28T22:59:59Z")), "cyd");  // Saturday night in Berlin
  EXPECT_EQ(OnCallAt(schedule, At("2026-03-28T23:00:00Z")), "bob");  // the holiday has 23 hours
  EXPECT_EQ(OnCallAt(schedule, At("2026-03-29T10:00:00Z")), "ada");  // overridden
  EXPECT_EQ(OnCallAt(schedule, At("2026-03-29T21:59:59Z")), "bob");
  EXPECT_EQ(OnCallAt(schedule, At("2026-03-29T22:00:00Z")), "cyd");
}

TEST(OnCallConfig, TheResolverKnowsWhoIsBehindASchedule) {
  const auto read = *ParseOnCall(kGood, "tocsin.yaml");
  const auto resolver = ResolverOf(read);
  EXPECT_EQ(resolver.on_call("primary", At("2026-03-27T12:00:00Z")), std::vector<std::string>{"ada"});
  EXPECT_TRUE(resolver.on_call("primary", At("2026-03-01T12:00:00Z")).empty());
  EXPECT_TRUE(resolver.on_call("other", At("2026-03-27T12:00:00Z")).empty());
  EXPECT_EQ(resolver.members("primary"), (std::vector<std::string>{"ada", "bob", "cyd"}));
}

TEST(OnCallConfig, ErrorsSayWhere) {
  EXPECT_EQ(Wrong("zone: Europe/Berlin", "zone: Europe/Berln"),
            "tocsin.yaml:9: schedules.primary.zone: unknown time zone 'Europe/Berln'");
  EXPECT_EQ(Wrong("[ada, bob]", "[ada, eve]"),
            "tocsin.yaml:12: schedules.primary.layers[0].participants[1]: unknown person 'eve'");
  EXPECT_EQ(Wrong("[ada, bob]", "[]"), "tocsin.yaml:12: schedules.primary.layers[0].participants: is empty");
  EXPECT_EQ(
      Wrong("every: daily", "every: 90m"),
      "tocsin.yaml:13: schedules.primary.layers[0].every: '90m' is not daily, weekly or whole hours from "
      "1h to 366d");
  EXPECT_EQ(Wrong("\"09:00\"", "\"9:00\""),
            "tocsin.yaml:15: schedules.primary.layers[0].handover: '9:00' is not a time such as 09:00");
  EXPECT_EQ(Wrong("handover: \"09:00\"", "hand_over: \"09:00\""),
            "tocsin.yaml:15: schedules.primary.layers[0]: unknown key 'hand_over'; is it 'handover'?");
  EXPECT_EQ(Wrong("fri-mon", "fry"),
            "tocsin.yaml:21: schedules.primary.layers[1].restrictions[0].days[0]: 'fry' is not a day such as "
            "mon, or days such as mon-fri");
  EXPECT_EQ(Wrong("13:00:00+02", "11:00:00+02"),
            "tocsin.yaml:25: schedules.primary.overrides[0].to: is not after 'from'");
  EXPECT_EQ(Wrong("{schedule: primary}", "{schedule: secondary}"),
            "tocsin.yaml:29: policies.default.steps[0].targets[0].schedule: unknown schedule 'secondary'");
  EXPECT_EQ(Wrong("{person: bob}", "{person: bob, team: ml}"),
            "tocsin.yaml:30: policies.default.steps[1].targets[1]: must name one person, schedule or team");
  EXPECT_EQ(Wrong("repeat: 2", "repeat: 21"),
            "tocsin.yaml:31: policies.default.repeat: '21' is not a whole number from 0 to 20");
  EXPECT_EQ(Wrong("acknowledged: true", "acknowledged: yes"),
            "tocsin.yaml:34: policies.default.until_acknowledged: 'yes' is neither true nor false");
  EXPECT_EQ(Wrong("  bob: {}", "  ada: {}"), "tocsin.yaml:3: people: 'ada' comes twice");
  EXPECT_EQ(Wrong("[bob, cyd]", "[bob, bob]"), "tocsin.yaml:6: teams.ml[1]: 'bob' comes twice");
}

TEST(OnCallConfig, WhatIsNotADocumentOfThisKindIsRefused) {
  EXPECT_TRUE(ParseOnCall("", "f").has_value());
  EXPECT_EQ(ParseOnCall("[1]", "f").error().message(), "f:1: is not a mapping of keys to values");
  EXPECT_EQ(ParseOnCall("people: 3", "f").error().message(),
            "f:1: people: is not a mapping of names to values");
  EXPECT_EQ(ParseOnCall("persons: {}", "f").error().message(), "f:1: unknown key 'persons'");
  EXPECT_EQ(ParseOnCall("people: {ada: {}", "f").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(ParseOnCall(std::string(50, '['), "f").error().message(), "f:1: nested too deep");
  EXPECT_EQ(ParseOnCall(std::string(2u << 20, ' '), "f").error().message(), "f: larger than 1 MiB");
}

// Any cut and any changed byte is read or refused with a place, never more.
TEST(OnCallConfig, DamagedDocumentsAreReadOrRefused) {
  for (size_t i = 0; i < kGood.size(); ++i) {
    (void)ParseOnCall(kGood.substr(0, i), "f");
    std::string changed(kGood);
    changed[i] = "-:{[&*!\n"[i % 8];
    const auto read = ParseOnCall(changed, "f");
    if (read) continue;
    ASSERT_TRUE(read.error().message().starts_with("f:")) << read.error().message();
  }
}

}  // namespace
}  // namespace tocsin::respond
