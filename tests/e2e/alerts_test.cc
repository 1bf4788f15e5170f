// Alerts through the API of the whole server, in Alertmanager's and PagerDuty's words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "raw_socket.h"
#include "running_server.h"

namespace tocsin {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class Alerts : public ::testing::Test {
 protected:
  ports::HttpResponse Post(const std::string& path, const std::string& body) {
    return server_.Post(path, "application/json", body);
  }
  json Get(const std::string& path) { return json::parse(server_.Get(path).body, nullptr, false); }
  e2e::RunningServer server_;
};

TEST_F(Alerts, PostedAlertsAreShownSilencedAndGrouped) {
  ASSERT_EQ(
      Post("/api/v2/alerts",
           R"([{"labels":{"alertname":"Down","service":"db"},"annotations":{"summary":"\u00fc \u0001 \"x\""}},
                     {"labels":{"alertname":"Slow","service":"web"}}])")
          .status,
      200);
  const json alerts = Get("/api/v2/alerts");
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_EQ(alerts[0]["status"]["state"], "active");
  EXPECT_EQ(alerts[0]["receivers"][0]["name"], "on-call");
  EXPECT_EQ(Get("/api/v2/alerts?filter=alertname%3DDown")[0]["annotations"]["summary"],
            "\u00fc \u0001 \"x\"");
  EXPECT_EQ(Get("/api/v2/alerts/groups").size(), 2U);
  const auto set = Post("/api/v2/silences",
                        R"({"matchers":[{"name":"service","value":"d.*","isRegex":true}],"createdBy":"kim",
      "startsAt":"2026-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z","comment":"known"})");
  ASSERT_EQ(set.status, 200) << set.body;
  const std::string id = json::parse(set.body)["silenceID"];
  const json down = Get("/api/v2/alerts?filter=alertname%3DDown");
  EXPECT_EQ(down[0]["status"]["state"], "suppressed");
  EXPECT_EQ(down[0]["status"]["silencedBy"][0], id);
  EXPECT_EQ(Get("/api/v2/alerts?silenced=false").size(), 1U);
  EXPECT_EQ(Get("/api/v2/silence/" + id)["comment"], "known");
  EXPECT_EQ(Get("/api/v2/silences")[0]["status"]["state"], "active");
  EXPECT_EQ(server_.Get("/-/healthy").body, "OK");
  EXPECT_THAT(Get("/api/v2/status")["versionInfo"]["version"].get<std::string>(), HasSubstr("tocsin"));
}

TEST_F(Alerts, CloudEventsAndASendersOwnJsonAreAlertsToo) {
  const auto event =
      server_.Post("/api/v1/alerts/cloudevents", "application/cloudevents+json",
                   R"({"specversion":"1.0","id":"1","source":"ci","type":"com.acme.alert.firing",
          "data":{"labels":{"alertname":"QueueFull","service":"queue"},"summary":"10,000 wait"}})");
  ASSERT_EQ(event.status, 200) << event.body;
  EXPECT_EQ(Get("/api/v2/alerts?filter=alertname%3DQueueFull")[0]["annotations"]["summary"], "10,000 wait");
  EXPECT_EQ(Post("/api/v1/alerts/webhook/unknown", "{}").status, 404);
  const auto settings = runtime::ParseSettings(R"(
alert_mappings:
  ci: {items: /events, labels: {alertname: /rule, service: /of}, status: /state, resolved_values: [green]}
)",
                                               "tocsin.yaml");
  ASSERT_TRUE(settings) << settings.error().ToString();
  e2e::RunningServer mapped(*settings);
  const auto posted = mapped.Post("/api/v1/alerts/webhook/ci", "application/json",
                                  R"({"events":[{"rule":"Slow","of":"web","state":"red"},{"rule":7}]})");
  EXPECT_EQ(posted.status, 200) << posted.body;
  EXPECT_THAT(mapped.Get("/api/v2/alerts").body, HasSubstr(R"("service":"web")"));
  (void)mapped.Post("/api/v1/alerts/webhook/ci", "application/json",
                    R"({"events":[{"rule":"Slow","of":"web","state":"green"}]})");
  EXPECT_THAT(mapped.Get("/api/v2/alerts").body, Not(HasSubstr(R"("service":"web")")));
}

TEST_F(Alerts, OneBadAlertCostsItsNeighboursNothing) {
  const auto answer = Post("/api/v2/alerts", R"([{"labels":{}},{"labels":{"alertname":"Good"}}])");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("[0]"));
  EXPECT_EQ(Get("/api/v2/alerts").size(), 1U);
  EXPECT_EQ(Post("/api/v2/alerts", "{nonsense").status, 400);
  EXPECT_EQ(server_.Get("/api/v2/alerts?active=maybe").status, 400);
  EXPECT_EQ(server_.Get("/api/v2/alerts?filter=%7B").status, 400);
  EXPECT_EQ(Post("/api/v2/silences", R"({"matchers":[]})").status, 400);
  EXPECT_EQ(server_.Get("/api/v2/silence/nothing").status, 404);
}

TEST_F(Alerts, PagerDutyTriggersAndResolves) {
  const auto sent = Post("/v2/enqueue",
                         R"({"routing_key":"R","event_action":"trigger","dedup_key":"k1",
      "payload":{"summary":"disk full","source":"db-1","severity":"critical"}})");
  ASSERT_EQ(sent.status, 202) << sent.body;
  EXPECT_EQ(json::parse(sent.body)["dedup_key"], "k1");
  EXPECT_EQ(Get("/api/v2/alerts").size(), 1U);
  const auto over = Post("/v2/enqueue", R"({"routing_key":"R","event_action":"resolve","dedup_key":"k1"})");
  EXPECT_EQ(over.status, 202);
  EXPECT_EQ(Get("/api/v2/alerts").size(), 0U);
  EXPECT_EQ(Post("/v2/enqueue", R"({"routing_key":"R","event_action":"explode"})").status, 400);
}

// More than are written in one piece: the answer has no length at its head.
TEST_F(Alerts, ALongListIsSentInPieces) {
  constexpr size_t kAlerts = 1000;
  std::string body = "[";
  for (size_t i = 0; i < kAlerts; ++i)
    body += (i > 0 ? "," : "") + json{{"labels", {{"alertname", "Down"}, {"n", std::to_string(i)}}}}.dump();
  ASSERT_EQ(Post("/api/v2/alerts", body + "]").status, 200);
  std::set<std::string> numbers;
  for (const json& alert : Get("/api/v2/alerts")) numbers.insert(alert["labels"]["n"]);
  EXPECT_EQ(numbers.size(), kAlerts);
  EXPECT_EQ(Get("/api/v2/alerts/groups")[0]["alerts"].size(), kAlerts);

  e2e::RawSocket old(server_.port());
  old.Send("GET /api/v2/alerts HTTP/1.0\r\n\r\n");
  const std::string plain = old.ReadAll();
  EXPECT_THAT(plain, Not(HasSubstr("chunked")));
  EXPECT_EQ(json::parse(plain.substr(plain.find("\r\n\r\n") + 4)).size(), kAlerts);

  e2e::RawSocket head(server_.port());
  head.Send("HEAD /api/v2/alerts HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string bare = head.ReadAll();
  EXPECT_EQ(e2e::StatusOf(bare), 200);
  EXPECT_TRUE(bare.ends_with("\r\n\r\n")) << bare;
  EXPECT_EQ(Get("/api/v2/alerts?filter=n%3Dnone").size(), 0U);
}

}  // namespace
}  // namespace tocsin
