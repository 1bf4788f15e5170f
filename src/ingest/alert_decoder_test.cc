#include "ingest/alert_decoder.h"

#include <gtest/gtest.h>

#include "kernel/rng.h"

namespace tocsin::ingest {
namespace {

AlertOptions Options() {
  AlertOptions options;
  options.decode.received = ParseTime("2026-11-24T02:10:05Z").value();
  return options;
}

TEST(PostedAlerts, TakesWhatPrometheusSends) {
  const auto outcome = DecodePostedAlerts(
      R"([{"labels":{"severity":"critical","alertname":"HighErrors","empty":""},
           "annotations":{"summary":"5% of answers fail"},"startsAt":"2026-11-24T02:09:00.5Z",
           "endsAt":"2026-11-24T02:14:00Z","generatorURL":"http://prom/graph?g0.expr=x"}])",
      Options());
  ASSERT_TRUE(outcome.has_value()) << outcome.error().ToString();
  ASSERT_EQ(outcome->alerts.size(), 1u);
  const signal::Alert& alert = outcome->alerts[0];
  EXPECT_EQ(alert.labels, (signal::LabelSet{{"alertname", "HighErrors"}, {"severity", "critical"}}));
  EXPECT_EQ(FormatTime(alert.starts_at), "2026-11-24T02:09:00.500Z");
  EXPECT_EQ(FormatTime(alert.ends_at), "2026-11-24T02:14:00Z");
  EXPECT_FALSE(alert.assumed_end);
  EXPECT_EQ(alert.generator_url, "http://prom/graph?g0.expr=x");
  EXPECT_EQ(alert.fingerprint, signal::FingerprintOf(alert.labels));
  uint64_t back = 0;
  EXPECT_TRUE(signal::ParseFingerprint(signal::FormatFingerprint(alert.fingerprint), back));
  EXPECT_EQ(back, alert.fingerprint);
}

TEST(PostedAlerts, FillsInTimes) {
  const auto outcome = DecodePostedAlerts(
      R"([{"labels":{"a":"1"}},{"labels":{"a":"2"},"endsAt":"2026-11-24T01:00:00Z"},
          {"labels":{"a":"3"},"startsAt":"0001-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z"}])",
      Options());
  ASSERT_TRUE(outcome.has_value());
  ASSERT_EQ(outcome->alerts.size(), 3u);
  EXPECT_EQ(FormatTime(outcome->alerts[0].starts_at), "2026-11-24T02:10:05Z");
  EXPECT_EQ(FormatTime(outcome->alerts[0].ends_at), "2026-11-24T02:15:05Z");
  EXPECT_TRUE(outcome->alerts[0].assumed_end);
  EXPECT_EQ(FormatTime(outcome->alerts[1].starts_at), "2026-11-24T01:00:00Z");
  EXPECT_TRUE(outcome->alerts[1].ResolvedAt(Options().decode.received));
  EXPECT_TRUE(outcome->alerts[2].assumed_end);
}

TEST(PostedAlerts, OneBadAlertCostsNoNeighbour) {
  const auto outcome = DecodePostedAlerts(
      R"([{"labels":{"a":"1"}},{"labels":{}},{"labels":{"a":5}},{"labels":{"a":"4"},"startsAt":"yesterday"},7,
          {"labels":{"":"x"}},{"labels":{"a":"6"},"startsAt":"2026-11-24T02:00:00Z","endsAt":"2026-11-24T01:00:00Z"},
          {"labels":{"a":"7"}}])",
      Options());
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->alerts.size(), 2u);
  EXPECT_EQ(outcome->rejected_count, 6u);
  ASSERT_EQ(outcome->rejected.size(), 6u);
  EXPECT_EQ(outcome->rejected[0].index, 1u);
  EXPECT_EQ(outcome->rejected[0].reason, "alerts[1].labels: at least one with a value is required");
  EXPECT_EQ(outcome->rejected[1].reason, "alerts[2].labels.'a': must be a text");
  EXPECT_NE(outcome->rejected[2].reason.find("alerts[3].startsAt: 'yesterday'"), std::string::npos);
  EXPECT_EQ(outcome->rejected[3].reason, "alerts[4]: must be an object");
}

TEST(PostedAlerts, BoundsWhatIsHostile) {
  AlertOptions options = Options();
  EXPECT_EQ(DecodePostedAlerts("[[[", options).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(DecodePostedAlerts("{}", options).error().message(), "body: must be an array of alerts");
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  EXPECT_EQ(DecodePostedAlerts(deep, options).error().code(), Code::kOutOfRange);
  options.max_alerts = 1;
  EXPECT_EQ(DecodePostedAlerts(R"([{"labels":{"a":"1"}},{"labels":{"a":"2"}}])", options).error().code(),
            Code::kOutOfRange);
  options = Options();
  options.max_labels = 2;
  options.max_reasons = 1;
  const auto many = DecodePostedAlerts(
      R"([{"labels":{"a":"1","b":"2","c":"3"}},{"labels":{"a":"1","b":"2","c":"3"}},{"labels":{"a":"1"}}])",
      options);
  ASSERT_TRUE(many.has_value());
  EXPECT_EQ(many->rejected_count, 2u);
  EXPECT_EQ(many->rejected.size(), 1u);
  EXPECT_EQ(many->alerts.size(), 1u);
  options = Options();
  options.max_annotation_bytes = 64;
  const std::string longer =
      R"([{"labels":{"a":"1"},"annotations":{"d":")" + std::string(500, 'x') + R"("}}])";
  const auto cut = DecodePostedAlerts(longer, options);
  ASSERT_TRUE(cut.has_value());
  EXPECT_LT(cut->alerts.at(0).annotations.at(0).second.size(), 100u);
  options.max_value_bytes = 10;
  const auto refused = DecodePostedAlerts(R"([{"labels":{"a":"12345678901"}}])", options);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->rejected_count, 1u);
}

TEST(PostedAlerts, RepairsUtf8KeepsLastOfTwoAndTakesSecretsOut) {
  const auto outcome = DecodePostedAlerts(
      "[{\"labels\":{\"a\":\"x\xff\",\"b\":\"1\",\"b\":\"2\"},\"annotations\":{\"password\":\"hunter2\"}}]",
      Options());
  ASSERT_TRUE(outcome.has_value()) << outcome.error().ToString();
  const signal::Alert& alert = outcome->alerts.at(0);
  EXPECT_EQ(alert.labels, (signal::LabelSet{{"a", "x\xEF\xBF\xBD"}, {"b", "2"}}));
  EXPECT_EQ(alert.annotations.at(0).second, "[redacted:credential]");
}

TEST(PostedAlerts, NeverCrashesOnDamagedBodies) {
  const std::string good =
      R"([{"labels":{"alertname":"A","service":"s"},"annotations":{"x":"y"},"startsAt":"2026-11-24T02:09:00Z"}])";
  Rng rng(7);
  size_t taken = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string body = good;
    for (uint64_t edits = 1 + rng.Below(3); edits > 0; --edits) {
      body[rng.Below(body.size())] = static_cast<char>(rng.Below(256));
    }
    const auto outcome = DecodePostedAlerts(body, Options());
    if (outcome.has_value()) taken += outcome->alerts.size();
    (void)DecodeAlertmanagerWebhook(body, Options());
    (void)DecodePagerDutyEvent(body, Options());
  }
  EXPECT_GT(taken, 0u);
}

TEST(Webhook, FiringStaysOpenAndResolvedEnds) {
  const auto outcome = DecodeAlertmanagerWebhook(
      R"({"version":"4","groupKey":"{}","truncatedAlerts":3,"status":"firing","receiver":"tocsin","alerts":[
          {"status":"firing","labels":{"alertname":"A"},"annotations":{},"startsAt":"2026-11-24T02:00:00Z",
           "endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"ab"},
          {"status":"resolved","labels":{"alertname":"B"},"startsAt":"2026-11-24T02:00:00Z",
           "endsAt":"2026-11-24T02:05:00Z"},{"status":"odd","labels":{"alertname":"C"}}]})",
      Options());
  ASSERT_TRUE(outcome.has_value()) << outcome.error().ToString();
  EXPECT_EQ(outcome->truncated, 3u);
  ASSERT_EQ(outcome->alerts.size(), 2u);
  EXPECT_EQ(outcome->alerts[0].ends_at, signal::kOpenEnded);
  EXPECT_EQ(FormatTime(outcome->alerts[1].ends_at), "2026-11-24T02:05:00Z");
  ASSERT_EQ(outcome->rejected_count, 1u);
  EXPECT_EQ(outcome->rejected[0].reason, "alerts[2].status: must be firing or resolved");
  EXPECT_EQ(DecodeAlertmanagerWebhook(R"({"version":"3","alerts":[]})", Options()).error().message(),
            "version: must be \"4\"");
}

TEST(PagerDuty, TriggerThenResolveNameTheSameAlert) {
  const auto trigger = DecodePagerDutyEvent(
      R"({"routing_key":"k1","event_action":"trigger","dedup_key":"db-1","client":"ci","client_url":"https://ci/1",
          "links":[{"href":"https://wiki/db","text":"runbook"}],
          "payload":{"summary":"disk full","source":"db-1","severity":"critical","component":"postgres",
                     "timestamp":"2026-11-24T02:09:00Z","class":"DiskFull","custom_details":{"free":0.5,"token":"x"}}})",
      Options());
  ASSERT_TRUE(trigger.has_value()) << trigger.error().ToString();
  ASSERT_TRUE(trigger->alert.has_value());
  const signal::LabelViews labels(trigger->alert->labels);
  EXPECT_EQ(signal::LabelValue(labels, "alertname"), "DiskFull");
  EXPECT_EQ(signal::LabelValue(labels, "severity"), "critical");
  EXPECT_EQ(signal::LabelValue(labels, "dedup_key"), "db-1");
  EXPECT_EQ(trigger->alert->ends_at, signal::kOpenEnded);
  EXPECT_EQ(FormatTime(trigger->alert->starts_at), "2026-11-24T02:09:00Z");
  EXPECT_EQ(EncodePagerDutyReply(*trigger),
            R"({"status":"success","message":"Event processed","dedup_key":"db-1"})");
  const auto resolve =
      DecodePagerDutyEvent(R"({"routing_key":"k1","event_action":"resolve","dedup_key":"db-1"})", Options());
  ASSERT_TRUE(resolve.has_value());
  EXPECT_EQ(resolve->action, AlertAction::kResolve);
  EXPECT_EQ(resolve->fingerprint, trigger->alert->fingerprint);
  EXPECT_FALSE(resolve->alert.has_value());
}

TEST(PagerDuty, ErrorsNameTheField) {
  const auto message = [](const std::string& body) {
    const auto event = DecodePagerDutyEvent(body, Options());
    return event.has_value() ? std::string("ok") : event.error().message();
  };
  const auto with = [](const std::string& payload) {
    return R"({"routing_key":"k","event_action":"trigger","payload":)" + payload + "}";
  };
  EXPECT_EQ(message(R"({"event_action":"trigger"})"), "routing_key: is required");
  EXPECT_EQ(message(R"({"routing_key":"k","event_action":"wake"})"),
            "event_action: must be trigger, acknowledge or resolve");
  EXPECT_EQ(message(R"({"routing_key":"k","event_action":"acknowledge"})"),
            "dedup_key: is required to acknowledge or resolve");
  EXPECT_EQ(message(with(R"({"summary":"s","source":"x","severity":"bad"})")),
            "payload.severity: must be critical, error, warning or info");
  EXPECT_EQ(
      message(with(R"({"summary":")" + std::string(1025, 's') + R"(","source":"x","severity":"info"})")),
      "payload.summary: longer than 1024 characters");
  EXPECT_EQ(
      message(R"({"routing_key":"k","event_action":"resolve","dedup_key":")" + std::string(256, 'd') + "\"}"),
      "dedup_key: longer than 255 characters");
  const auto made =
      DecodePagerDutyEvent(with(R"({"summary":"s","source":"x","severity":"info"})"), Options());
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->dedup_key.size(), 13u);
}

}  // namespace
}  // namespace tocsin::ingest
