// From an alert to people over real sockets: mail, Slack and PagerDuty as the configuration says, what each
// hears when it is acknowledged and over, and a configuration that changes while the server runs.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "respond/notify/testing/http_recorder.h"
#include "respond/notify/testing/smtp_peer.h"
#include "running_server.h"
#include "server_process.h"
#include "store/testing/scratch_directory.h"

namespace tocsin {
namespace {

using nlohmann::json;
using respond::testing::HttpRecorder;
using respond::testing::SmtpPeer;
using ::testing::HasSubstr;

std::string Configuration(const std::string& mail, const HttpRecorder& slack, const HttpRecorder& pagerduty) {
  return fmt::format(R"(
url: http://tocsin.example.org
people:
  ada:
    channels:
      - {{kind: email, address: ada@example.org}}
  bob:
    channels:
      - {{kind: pagerduty, url: "{}", key: routing-key}}
policies:
  default:
    steps:
      - targets: [{{person: ada}}, {{person: bob}}]
destinations:
  - {{name: team, kind: slack, url: "{}"}}
mail: {{url: "{}", from: tocsin@example.org, tls: never}}
route: {{receiver: on-call, group_by: [alertname], group_wait: 100ms, group_interval: 1s}}
receivers:
  - {{name: on-call, policy: default, tell: [team]}}
)",
                     pagerduty.Url("/v2/enqueue"), slack.Url("/services/T/B/X"), mail);
}

json Body(const HttpRecorder& recorder, size_t at) {
  const auto requests = recorder.Requests();
  return at < requests.size() ? json::parse(requests[at].body, nullptr, false) : json();
}

std::string Header(const json& mail, const std::string& name) {
  for (const json& header : mail["headers"]) {
    if (header[0] == name) return header[1];
  }
  return "(absent)";
}

TEST(Paging, ByMailSlackAndPagerDutyFromTheAlertToItsEnd) {
  if (!SmtpPeer::Available()) GTEST_SKIP() << "./x setup installs python3-aiosmtpd";
  SmtpPeer mail({"plain"});
  HttpRecorder slack, pagerduty;
  const auto settings = runtime::ParseSettings(Configuration(mail.Url(), slack, pagerduty), "tocsin.yaml");
  ASSERT_TRUE(settings) << settings.error().ToString();
  e2e::RunningServer server(*settings);
  const std::string alert =
      R"([{"labels":{"alertname":"DatabaseDown","service":"db","severity":"critical"},
           "annotations":{"summary":"no connections left"}}])";
  ASSERT_EQ(server.Post("/api/v2/alerts", "application/json", alert).status, 200);

  const json page = json::parse(mail.Line());
  EXPECT_EQ(page["to"], json::array({"ada@example.org"}));
  EXPECT_THAT(Header(page, "Subject"), HasSubstr("[SEV1] DatabaseDown on db: no connections left"));
  ASSERT_TRUE(slack.WaitFor(1));
  EXPECT_THAT(slack.Requests()[0].body, HasSubstr("tocsin_acknowledge"));
  ASSERT_TRUE(pagerduty.WaitFor(1));
  const json trigger = Body(pagerduty, 0);
  EXPECT_EQ(trigger["event_action"], "trigger");
  EXPECT_EQ(trigger["routing_key"], "routing-key");
  EXPECT_EQ(trigger["payload"]["severity"], "critical");
  const std::string id = trigger["dedup_key"];
  EXPECT_THAT(page["body"].get<std::string>(), HasSubstr("http://tocsin.example.org/incidents/" + id));

  const std::string actions = "/api/v1/incidents/" + id + "/actions";
  EXPECT_EQ(server.Post(actions, "application/json", R"({"action":"acknowledge","actor":"mallory"})").status,
            403);
  EXPECT_EQ(server
                .Post(actions, "application/json",
                      R"({"action":"acknowledge","actor":{"name":"ada","kind":"bot"}})")
                .status,
            403);
  EXPECT_EQ(server.Post(actions, "application/json", R"({"action":"acknowledge","actor":"ada"})").status,
            200);
  ASSERT_TRUE(pagerduty.WaitFor(2));
  EXPECT_EQ(Body(pagerduty, 1)["event_action"], "acknowledge");

  std::string over = alert;
  over.insert(over.rfind('}'), R"(,"endsAt":"2026-01-01T00:00:00Z","startsAt":"2025-12-31T00:00:00Z")");
  ASSERT_EQ(server.Post("/api/v2/alerts", "application/json", over).status, 200);
  const json end = json::parse(mail.Line());
  EXPECT_THAT(Header(end, "Subject"), HasSubstr("Resolved"));
  EXPECT_EQ(Header(end, "References"), Header(page, "References"));
  ASSERT_TRUE(pagerduty.WaitFor(3));
  EXPECT_EQ(Body(pagerduty, 2)["event_action"], "resolve");
  EXPECT_EQ(Body(pagerduty, 2)["dedup_key"], id);
  const json incident = json::parse(server.Get("/api/v1/incidents/" + id).body);
  EXPECT_EQ(incident["state"], "monitoring");
  const std::string timeline = server.Get("/api/v1/incidents/" + id + "/timeline").body;
  EXPECT_THAT(timeline, HasSubstr("incident.refused"));
  EXPECT_THAT(timeline, HasSubstr("ada/email"));
}

TEST(Paging, AChannelThatFailsFallsThroughAndIsAnAlertItself) {
  HttpRecorder broken, works;
  broken.Otherwise({.status = 403});
  const auto settings = runtime::ParseSettings(fmt::format(R"(
people: {{ada: {{channels: [{{kind: slack, url: "{}"}}, {{kind: ntfy, url: "{}"}}]}}}}
policies: {{default: {{steps: [{{targets: [{{person: ada}}]}}]}}}}
route: {{receiver: on-call, group_by: [alertname], group_wait: 100ms}}
receivers: [{{name: on-call, policy: default}}]
)",
                                                           broken.Url("/services/x"), works.Url("/ada")),
                                               "tocsin.yaml");
  ASSERT_TRUE(settings) << settings.error().ToString();
  e2e::RunningServer server(*settings);
  ASSERT_EQ(
      server.Post("/api/v2/alerts", "application/json", R"([{"labels":{"alertname":"A","service":"a"}}])")
          .status,
      200);
  ASSERT_TRUE(works.WaitFor(2)) << "the alert, and the channel that fails";
  EXPECT_THAT(works.Requests()[0].body + works.Requests()[1].body,
              HasSubstr("ada/slack does not take messages"));
  const std::string alerts = server.Get("/api/v2/alerts?filter=alertname%3DNotificationChannelFailing").body;
  EXPECT_THAT(alerts, HasSubstr(R"("destination":"ada/slack")"));
}

TEST(Paging, ABadConfigurationIsRefusedAGoodOneTakenAndNoPageSentAgainAfterAKill) {
  const store::testing::ScratchDirectory directory;
  const std::string file = directory.path() + "/tocsin.yaml";
  HttpRecorder first, second;
  const auto write = [&](const std::string& url) {
    std::ofstream(file) << "people: {ada: {channels: [{kind: ntfy, url: \"" << url
                        << "\"}]}}\npolicies: {default: {steps: [{targets: [{person: ada}]}]}}\n"
                        << "route: {receiver: on-call, group_by: [alertname], group_wait: 100ms}\n"
                        << "receivers: [{name: on-call, policy: default}]\n";
  };
  write(first.Url("/ada"));
  ports::HttpClient client;
  const auto post = [&](const e2e::ServerProcess& server, const std::string& path, const std::string& body) {
    const auto answer =
        client.Send({"POST", server.url() + path, {{"Content-Type", "application/json"}}, body});
    return answer ? *answer : ports::HttpResponse{};
  };
  const std::string alert = R"([{"labels":{"alertname":"A","service":"a"}}])";
  {
    e2e::ServerProcess server(directory.path() + "/data", {"--config", file});
    ASSERT_EQ(post(server, "/api/v2/alerts", alert).status, 200);
    ASSERT_TRUE(first.WaitFor(1));
    std::ofstream(file, std::ios::app) << "polices: {}\n";
    const auto refused = post(server, "/-/reload", "");
    EXPECT_EQ(refused.status, 400);
    EXPECT_THAT(refused.body, HasSubstr("tocsin.yaml:5"));
    EXPECT_THAT(refused.body, HasSubstr("policies"));
    ASSERT_EQ(post(server, "/api/v2/alerts", R"([{"labels":{"alertname":"B","service":"b"}}])").status, 200);
    ASSERT_TRUE(first.WaitFor(2)) << "the old configuration stays";
    write(second.Url("/ada"));
    EXPECT_EQ(post(server, "/-/reload", "").status, 200);
    ASSERT_EQ(post(server, "/api/v2/alerts", R"([{"labels":{"alertname":"C","service":"c"}}])").status, 200);
    ASSERT_TRUE(second.WaitFor(1));
    server.Kill();
  }
  e2e::ServerProcess again(directory.path() + "/data", {"--config", file});
  ASSERT_EQ(post(again, "/api/v2/alerts", R"([{"labels":{"alertname":"D","service":"d"}}])").status, 200);
  ASSERT_TRUE(second.WaitFor(2));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_EQ(first.Requests().size(), 2U);
  EXPECT_EQ(second.Requests().size(), 2U) << "C was told before the kill";
}

}  // namespace
}  // namespace tocsin
