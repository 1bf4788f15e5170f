#include "ingest/alert_event_decoder.h"

#include <gtest/gtest.h>

#include "ingest/alert_mapping.h"

namespace tocsin::ingest {
namespace {

AlertOptions Options() {
  AlertOptions options;
  options.decode.received = ParseTime("2026-11-24T02:10:05Z").value();
  return options;
}

std::string Label(const signal::Alert& alert, std::string_view name) {
  return std::string(signal::LabelValue(signal::LabelViews(alert.labels), name));
}

TEST(AlertEvents, BothEndsOfAnAlertHaveOneName) {
  const HeaderList batch = {{"Content-Type", "application/cloudevents-batch+json"}};
  const auto outcome = DecodeAlertEvents(
      R"([{"specversion":"1.0","id":"1","source":"/mon","type":"com.acme.alert.firing","subject":"db-1",
           "time":"2026-11-24T02:00:00Z","data":{"severity":"critical","summary":"disk full","service":"db"}},
          {"specversion":"1.0","id":"2","source":"/mon","type":"com.acme.alert.resolved","subject":"db-1",
           "time":"2026-11-24T02:09:00Z","data":{"severity":"critical","service":"db"}},
          {"specversion":"1.0","id":"3","source":"/ci","type":"com.acme.deploy"},
          {"specversion":"1.0","id":"4","source":"/mon","type":"com.acme.alert",
           "data":{"labels":{"alertname":"A","n":5},"status":"resolved","annotations":{"x":"y"}}}])",
      batch, Options());
  ASSERT_TRUE(outcome.has_value()) << outcome.error().ToString();
  ASSERT_EQ(outcome->alerts.size(), 3u);
  EXPECT_EQ(outcome->alerts[0].fingerprint, outcome->alerts[1].fingerprint);
  EXPECT_EQ(Label(outcome->alerts[0], "alertname"), "com.acme.alert");
  EXPECT_EQ(outcome->alerts[0].ends_at, signal::kOpenEnded);
  EXPECT_EQ(FormatTime(outcome->alerts[1].ends_at), "2026-11-24T02:09:00Z");
  EXPECT_EQ(Label(outcome->alerts[2], "n"), "5");
  EXPECT_TRUE(outcome->alerts[2].ResolvedAt(Options().decode.received));
  ASSERT_EQ(outcome->rejected_count, 1u);
  EXPECT_EQ(outcome->rejected[0].index, 2u);
  EXPECT_EQ(outcome->rejected[0].reason, "events[2].type: is not of an alert");
}

TEST(AlertEvents, BinaryModeReadsHeaders) {
  const HeaderList headers = {{"ce-specversion", "1.0"}, {"ce-id", "1"},
                              {"ce-source", "/mon"},     {"ce-type", "alarm"},
                              {"ce-subject", "a%20b"},   {"Content-Type", "text/plain"}};
  const auto outcome = DecodeAlertEvents("it burns", headers, Options());
  ASSERT_TRUE(outcome.has_value());
  ASSERT_EQ(outcome->alerts.size(), 1u);
  EXPECT_EQ(Label(outcome->alerts[0], "subject"), "a b");
  EXPECT_EQ(outcome->alerts[0].annotations, (signal::LabelSet{{"summary", "it burns"}}));
}

AlertMapping Grafanaish() {
  AlertMapping mapping;
  mapping.items = "/events";
  mapping.labels = {{"alertname", "/rule/name"}, {"service", "/tags/0"}, {"severity", "/level"}};
  mapping.fixed_labels = {{"origin", "legacy"}};
  mapping.annotations = {{"summary", "/text"}, {"value", "/value"}};
  mapping.starts_at = "/since";
  mapping.status = "/state";
  mapping.resolved_values = {"GREEN"};
  mapping.identity = {"alertname", "service"};
  return mapping;
}

TEST(AlertMapping, TakesWhatPointersName) {
  const auto outcome = DecodeMappedAlerts(
      R"({"events":[{"rule":{"name":"Slow"},"tags":["web"],"level":"high","text":"slow","value":2.5,
                     "since":1795485600,"state":"red"},
                    {"rule":{"name":"Slow"},"tags":["web"],"level":"low","state":"green"},
                    {"rule":{"name":"Bad"},"since":"tomorrow"},5]})",
      Grafanaish(), Options());
  ASSERT_TRUE(outcome.has_value()) << outcome.error().ToString();
  ASSERT_EQ(outcome->alerts.size(), 3u);
  const signal::Alert& first = outcome->alerts[0];
  EXPECT_EQ(first.labels,
            (signal::LabelSet{
                {"alertname", "Slow"}, {"origin", "legacy"}, {"service", "web"}, {"severity", "high"}}));
  EXPECT_EQ(first.annotations, (signal::LabelSet{{"summary", "slow"}, {"value", "2.5"}}));
  EXPECT_EQ(FormatTime(first.starts_at), "2026-11-24T02:00:00Z");
  EXPECT_EQ(outcome->alerts[1].fingerprint, first.fingerprint);
  EXPECT_TRUE(outcome->alerts[1].ResolvedAt(Options().decode.received));
  ASSERT_EQ(outcome->rejected_count, 1u);
  EXPECT_EQ(outcome->rejected[0].reason,
            "items[2]: /since: time: must be an RFC 3339 time such as 2026-11-24T02:10:05Z");
}

TEST(AlertMapping, MistakesAreNamed) {
  const auto message = [](auto change) {
    AlertMapping mapping = Grafanaish();
    change(mapping);
    return CheckAlertMapping(mapping).message();
  };
  EXPECT_EQ(message([](AlertMapping&) {}), "");
  EXPECT_EQ(message([](AlertMapping& m) { m.labels[0].second = "rule"; }),
            "labels.alertname: 'rule' is not a JSON pointer such as /host/name");
  EXPECT_EQ(message([](AlertMapping& m) { m.identity = {"host"}; }),
            "identity: 'host' is no label of this mapping");
  EXPECT_EQ(message([](AlertMapping& m) { m.labels.clear(), m.fixed_labels.clear(); }),
            "labels: at least one is required");
  EXPECT_EQ(DecodeMappedAlerts("{}", Grafanaish(), Options()).error().message(), "/events: is required");
}

}  // namespace
}  // namespace tocsin::ingest
