// The HTTP channels against a real peer on a loopback socket.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "respond/notify/ntfy.h"
#include "respond/notify/pagerduty_events.h"
#include "respond/notify/signed_webhook.h"
#include "respond/notify/slack_webhook.h"
#include "respond/notify/testing/http_recorder.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;
using testing::Behaviour;
using testing::HttpRecorder;

class FixedClock : public ports::Clock {
 public:
  Time Now() const override { return {1'700'000'000'000'000'000}; }
  Time Monotonic() const override { return Now(); }
};

NotificationMessage Page() {
  return {.kind = "page",
          .incident_id = "INC-2K7Q",
          .title = "Answers invent order numbers <!channel> & more",
          .severity = "sev1",
          .source = "checkout-assistant",
          .lines = {"12 % of answers since 02:10", "caf\xc3\xa9"},
          .links = {{"Open the incident", "https://tocsin.example/incidents/INC-2K7Q"},
                    {"bad", "javascript:alert(1)"}},
          .idempotency_key = "INC-2K7Q/step/1/ada/0",
          .at = {1'700'000'000'000'000'000}};
}

TEST(Slack, SendsEscapedBlocksWithAnAcknowledgeButton) {
  HttpRecorder peer;
  SlackWebhookNotifier slack;
  const auto outcome =
      slack.Send(Page(), {.name = "s", .channel = "slack", .address = peer.Url("/services/T/B/secret")});
  ASSERT_TRUE(outcome.ok()) << outcome.status.ToString();
  const auto requests = peer.Requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].request_line, "POST /services/T/B/secret HTTP/1.1");
  const json payload = json::parse(requests[0].body);
  EXPECT_EQ(payload["text"], "[SEV1] Answers invent order numbers &lt;!channel&gt; &amp; more (INC-2K7Q)");
  EXPECT_EQ(payload["blocks"][0]["type"], "header");
  const std::string section = payload["blocks"][1]["text"]["text"];
  EXPECT_EQ(section.find("<!channel>"), std::string::npos);
  EXPECT_NE(section.find("12 % of answers"), std::string::npos);
  const json& buttons = payload["blocks"].back()["elements"];
  ASSERT_EQ(buttons.size(), 2U);  // acknowledge and the one link that is a web address
  EXPECT_EQ(buttons[0]["action_id"], kSlackAcknowledgeAction);
  EXPECT_EQ(buttons[0]["value"], "INC-2K7Q");
}

TEST(Slack, HoldsItsBoundsForAnyText) {
  NotificationMessage message = Page();
  message.title = std::string(5000, '<') + "\xff\xfe";
  message.lines.assign(5000, std::string(4000, '&') + "\xf0\x9f\x94\xa5");
  const json payload = json::parse(SlackPayload(message, MessageTemplates::Default()));
  EXPECT_LE(payload["blocks"].size(), 50U);
  EXPECT_GE(payload["blocks"].size(), 10U);
  for (const json& block : payload["blocks"]) {
    if (block["type"] == "section") {
      EXPECT_LE(block["text"]["text"].get<std::string>().size(), 3000U);
    }
    if (block["type"] == "header") {
      EXPECT_LE(block["text"]["text"].get<std::string>().size(), 600U);
    }
  }
}

TEST(Pagerduty, TriggersAcknowledgesAndResolvesOneAlert) {
  HttpRecorder peer;
  peer.Otherwise({.status = 202, .body = R"({"status":"success","message":"ok","dedup_key":"INC-2K7Q"})"});
  PagerdutyNotifier pagerduty;
  const Destination to = {
      .name = "pd", .channel = "pagerduty", .address = peer.Url("/v2/enqueue"), .secret = "R0UT1NG"};
  for (const std::string kind : {"page", "acknowledged", "resolved"}) {
    NotificationMessage message = Page();
    message.kind = kind;
    const auto outcome = pagerduty.Send(message, to);
    ASSERT_TRUE(outcome.ok()) << outcome.status.ToString();
    EXPECT_EQ(outcome.receipt, "INC-2K7Q");
  }
  const auto requests = peer.Requests();
  ASSERT_EQ(requests.size(), 3U);
  const json trigger = json::parse(requests[0].body);
  EXPECT_EQ(trigger["routing_key"], "R0UT1NG");
  EXPECT_EQ(trigger["event_action"], "trigger");
  EXPECT_EQ(trigger["payload"]["severity"], "critical");
  EXPECT_EQ(trigger["payload"]["source"], "checkout-assistant");
  EXPECT_EQ(trigger["payload"]["timestamp"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(trigger["links"].size(), 1U);
  EXPECT_EQ(json::parse(requests[1].body)["event_action"], "acknowledge");
  EXPECT_EQ(json::parse(requests[2].body)["event_action"], "resolve");
  for (const auto& request : requests) EXPECT_EQ(json::parse(request.body)["dedup_key"], "INC-2K7Q");
}

TEST(Pagerduty, BusyIsRetriedWhenItSaysAndRefusedIsFinal) {
  HttpRecorder peer;
  peer.Next({.status = 429, .headers = "Retry-After: 17\r\n", .body = "slow down"});
  peer.Next({.status = 400, .body = R"({"status":"invalid event"})"});
  PagerdutyNotifier pagerduty;
  const Destination to = {
      .name = "pd", .channel = "pagerduty", .address = peer.Url("/v2/enqueue"), .secret = "k"};
  const auto busy = pagerduty.Send(Page(), to);
  EXPECT_TRUE(busy.retryable);
  EXPECT_EQ(busy.retry_after, Duration::Seconds(17));
  EXPECT_FALSE(busy.possibly_delivered);
  const auto refused = pagerduty.Send(Page(), to);
  EXPECT_FALSE(refused.ok());
  EXPECT_FALSE(refused.retryable);
  EXPECT_NE(refused.status.message().find("invalid event"), std::string::npos);
}

TEST(SignedWebhook, SignatureIsWhatTheOpensslCommandComputes) {
  HttpRecorder peer;
  const FixedClock clock;
  SignedWebhookNotifier webhook(clock);
  const auto outcome = webhook.Send(
      Page(), {.name = "w", .channel = "webhook", .address = peer.Url("/hook"), .secret = "shared"});
  ASSERT_TRUE(outcome.ok()) << outcome.status.ToString();
  const auto request = peer.Requests().at(0);
  EXPECT_EQ(request.headers.at("idempotency-key"), "INC-2K7Q/step/1/ada/0");
  const std::string file = ::testing::TempDir() + "/signed-webhook-body";
  std::ofstream(file, std::ios::binary) << "1700000000." << request.body;
  const std::string command = "openssl dgst -sha256 -hmac shared '" + file + "'";
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::array<char, 512> line{};
  ASSERT_NE(std::fgets(line.data(), line.size(), pipe.get()), nullptr);
  const std::string text = line.data();
  EXPECT_EQ(request.headers.at("x-tocsin-signature"),
            "t=1700000000,v1=" + text.substr(text.rfind("= ") + 2, 64));
  EXPECT_EQ(json::parse(request.body)["incident_id"], "INC-2K7Q");
}

TEST(SignedWebhook, NeedsASecretAndKeepsHeadersOneLine) {
  HttpRecorder peer;
  const FixedClock clock;
  SignedWebhookNotifier webhook(clock);
  const auto unsigned_one = webhook.Send(Page(), {.name = "w", .address = peer.Url("/hook")});
  EXPECT_EQ(unsigned_one.status.code(), Code::kFailedPrecondition);
  EXPECT_FALSE(unsigned_one.retryable);
  NotificationMessage hostile = Page();
  hostile.idempotency_key = "a\r\nX-Injected: 1";
  ASSERT_TRUE(webhook.Send(hostile, {.name = "w", .address = peer.Url("/hook"), .secret = "s"}).ok());
  const auto request = peer.Requests().at(0);
  EXPECT_EQ(request.headers.at("idempotency-key"), "a%0D%0AX-Injected:%201");
  EXPECT_FALSE(request.headers.contains("x-injected"));
}

TEST(Ntfy, PublishesToTheTopicWithPriorityTagsAndClick) {
  HttpRecorder peer;
  peer.Otherwise({.body = R"({"id":"hwQ2YpKdmg","event":"message"})"});
  NtfyNotifier ntfy;
  const auto outcome = ntfy.Send(
      Page(), {.name = "n", .channel = "ntfy", .address = peer.Url("/ada-phone"), .secret = "tk_1"});
  ASSERT_TRUE(outcome.ok()) << outcome.status.ToString();
  EXPECT_EQ(outcome.receipt, "hwQ2YpKdmg");
  const auto request = peer.Requests().at(0);
  EXPECT_EQ(request.request_line, "POST / HTTP/1.1");
  EXPECT_EQ(request.headers.at("authorization"), "Bearer tk_1");
  const json body = json::parse(request.body);
  EXPECT_EQ(body["topic"], "ada-phone");
  EXPECT_EQ(body["priority"], 5);
  EXPECT_EQ(body["tags"][0], "rotating_light");
  EXPECT_EQ(body["click"], "https://tocsin.example/incidents/INC-2K7Q");
  EXPECT_NE(body["message"].get<std::string>().find("caf\xc3\xa9"), std::string::npos);
  EXPECT_FALSE(ntfy.Send(Page(), {.name = "n", .address = peer.Url("/"), .secret = ""}).ok());
}

TEST(HttpChannels, TellWhatMayHaveArrivedFromWhatCannotHave) {
  HttpRecorder peer;
  SlackWebhookNotifier slack({.connect_timeout_ms = 500, .timeout_ms = 300});
  const Destination to = {.name = "s", .channel = "slack", .address = peer.Url("/services/secret-path")};
  for (const auto kind : {Behaviour::Kind::kHang, Behaviour::Kind::kCloseAfterReading}) {
    peer.Next({.kind = kind});
    const auto outcome = slack.Send(Page(), to);
    EXPECT_FALSE(outcome.ok());
    EXPECT_TRUE(outcome.retryable);
    EXPECT_TRUE(outcome.possibly_delivered);
    EXPECT_EQ(outcome.status.message().find("secret-path"), std::string::npos) << outcome.status.message();
  }
  peer.Next({.status = 500});
  const auto failed = slack.Send(Page(), to);
  EXPECT_TRUE(failed.retryable);
  EXPECT_FALSE(failed.possibly_delivered);
  peer.Next({.status = 504});
  EXPECT_TRUE(slack.Send(Page(), to).possibly_delivered);

  std::string closed_port;
  {
    closed_port = HttpRecorder().Url("/services/secret-path");
  }
  const auto unreachable = slack.Send(Page(), {.name = "s", .channel = "slack", .address = closed_port});
  EXPECT_TRUE(unreachable.retryable);
  EXPECT_FALSE(unreachable.possibly_delivered);
  EXPECT_EQ(unreachable.status.message().find("secret-path"), std::string::npos);
  EXPECT_FALSE(slack.Send(Page(), {.name = "s", .address = "ftp://x/secret-path"}).retryable);
}

}  // namespace
}  // namespace tocsin::respond
