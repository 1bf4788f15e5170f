// Who is on call, noise, clicks in Slack and the access drill, against the whole server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ports/clock.h"
#include "ports/hmac.h"
#include "respond/notify/testing/http_recorder.h"
#include "running_server.h"
#include "runtime/drill_command.h"
#include "store/testing/scratch_directory.h"
#include "surface/cli/commands.h"

namespace tocsin {
namespace {

using nlohmann::json;
using respond::testing::HttpRecorder;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSecret = "8f742231b10e8888abcd99yyyzzz85a5";
constexpr const char* kPeople = R"(
people:
  ada: {name: Ada Lovelace, zone: Europe/London}
  bob: {name: Bob}
schedules:
  primary:
    zone: Europe/Berlin
    layers:
      - {participants: [ada, bob], every: daily, start: 2026-01-01, handover: "09:00"}
policies:
  default: {steps: [{targets: [{schedule: primary}, {person: ada}]}]}
)";

runtime::Settings MakeSettings(const std::string& slack_url) {
  runtime::Settings settings;
  auto& dispatch = settings.dispatch;
  dispatch.oncall = *respond::ParseOnCall(kPeople, "oncall.yaml");
  dispatch.destinations = {{"ml-slack", "slack", slack_url, "", {}}};
  dispatch.incidents.policy = "default";
  dispatch.slack_signing_secret = kSecret;
  dispatch.slack_people = {{"U1", "ada"}};
  return settings;
}

std::string FormEncode(const std::string& text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

class OnCall : public ::testing::Test {
 protected:
  json Get(const std::string& path) { return json::parse(server_.Get(path).body, nullptr, false); }

  std::string Declare() {
    const auto response = server_.Post("/api/v1/incidents", "application/json",
                                       R"({"title":"Bot invents policies","service":"bot","actor":"kim"})");
    return json::parse(response.body)["id"];
  }
  // As Slack posts a click of this user.
  ports::HttpResponse Click(const std::string& user, const std::string& incident, json extra = json::object(),
                            const std::string& action = "tocsin_acknowledge",
                            const std::string& secret = kSecret, Duration late = {}) {
    json payload = {{"type", "block_actions"},
                    {"user", {{"id", user}, {"name", "someone"}}},
                    {"actions", json::array({{{"action_id", action}, {"value", incident}}})}};
    if (extra.is_object()) payload.update(extra);
    const std::string body = "payload=" + FormEncode(payload.dump());
    const auto seconds = (ports::SystemClock().Now() - late).ns / 1'000'000'000;
    const std::string time = std::to_string(seconds);
    const std::string signature = "v0=" + ports::HmacSha256Hex(secret, "v0:" + time + ":" + body);
    ports::HttpRequest request;
    request.method = "POST";
    request.url = server_.url() + "/api/v1/slack/interactions";
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                       {"X-Slack-Request-Timestamp", time},
                       {"X-Slack-Signature", signature}};
    request.body = body;
    ports::HttpClient client;
    auto answer = client.Send(request);
    EXPECT_TRUE(answer) << answer.error().message();
    return answer ? *answer : ports::HttpResponse{};
  }
  std::string Text(const ports::HttpResponse& response) {
    return json::parse(response.body, nullptr, false).value("text", "");
  }
  std::string AcknowledgedBy(const std::string& incident) {
    return Get("/api/v1/incidents/" + incident)["work"].value("acknowledged_by", "?");
  }

  HttpRecorder slack_;
  e2e::RunningServer server_{MakeSettings(slack_.Url("/services/T0/B0/S3CRET"))};
};

TEST_F(OnCall, WhoIsOnNowThenAndAsACalendar) {
  // Berlin is UTC+1 then: the hand-over is at 08:00Z.
  const json then = Get("/api/v1/oncall?at=2026-01-01T12:00:00Z");
  ASSERT_EQ(then["schedules"].size(), 1U);
  EXPECT_EQ(then["schedules"][0]["schedule"], "primary");
  EXPECT_EQ(then["schedules"][0]["person"], "ada");
  EXPECT_EQ(then["schedules"][0]["name"], "Ada Lovelace");
  EXPECT_EQ(then["schedules"][0]["until"], "2026-01-02T08:00:00Z");
  EXPECT_EQ(then["schedules"][0]["next"], "bob");
  EXPECT_EQ(Get("/api/v1/oncall/primary?at=2026-01-02T08:00:00Z")["person"], "bob");
  const std::string text =
      server_.Get("/api/v1/oncall?at=2026-01-01T12:00:00Z&zone=Europe%2FBerlin", "text/plain").body;
  EXPECT_THAT(text, HasSubstr("Ada Lovelace (ada)"));
  EXPECT_THAT(text, HasSubstr("Fri 2 Jan 09:00"));

  const json shifts = Get("/api/v1/oncall/primary/shifts?from=2026-01-01T08:00:00Z&to=2026-01-04T08:00:00Z");
  ASSERT_EQ(shifts["shifts"].size(), 3U);
  EXPECT_EQ(shifts["shifts"][1]["person"], "bob");
  EXPECT_EQ(shifts["zone"], "Europe/Berlin");

  const auto calendar = server_.Get("/api/v1/oncall/primary.ics");
  EXPECT_EQ(calendar.status, 200);
  EXPECT_THAT(calendar.content_type, HasSubstr("text/calendar"));
  EXPECT_THAT(calendar.body, HasSubstr("BEGIN:VCALENDAR\r\n"));
  EXPECT_THAT(calendar.body, HasSubstr("Ada Lovelace"));

  const auto missing = server_.Get("/api/v1/oncall/secondary/shifts");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, HasSubstr("primary"));
  EXPECT_EQ(server_.Get("/api/v1/oncall/secondary.ics").status, 404);
  EXPECT_EQ(server_.Get("/api/v1/oncall?at=tomorrow").status, 400);
  EXPECT_EQ(server_.Get("/api/v1/oncall?zone=CET&format=text").status, 400);
  EXPECT_EQ(server_.Get("/api/v1/oncall/primary/shifts?to=2020-01-01T00:00:00Z").status, 400);
  EXPECT_EQ(
      server_.Get("/api/v1/oncall/primary/shifts?from=2026-01-01T00:00:00Z&to=2036-01-01T00:00:00Z").status,
      413);
}

class Commands : public OnCall {
 protected:
  int Run(const std::vector<std::string>& arguments) {
    std::ostringstream out, err;
    surface::CommandContext context{out, err};
    CLI::App app{"test"};
    surface::AddOnCallCommand(app, context);
    surface::AddNoiseCommand(app, context);
    CLI::App* drill = app.add_subcommand("drill", "Rehearsals")->require_subcommand(1);
    runtime::AddDrillAccess(*drill, context);
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
      app.parse(reversed);
    } catch (const CLI::ParseError&) {
      return 2;
    }
    out_ = out.str();
    err_ = err.str();
    return context.exit_code;
  }
  std::string out_, err_;
};

TEST_F(Commands, OnCallAndNoisePrintForPeople) {
  EXPECT_EQ(Run({"oncall", "--at", "2026-01-01T12:00:00Z", "--url", server_.url()}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("Ada Lovelace (ada)"));
  EXPECT_EQ(Run({"oncall", "primary", "--days", "3", "--at", "2026-01-01T08:00:00Z", "--url", server_.url()}),
            0)
      << err_;
  EXPECT_THAT(out_, HasSubstr("Thu 1 Jan 09:00  to  Fri 2 Jan 09:00  Ada Lovelace (ada)"));
  EXPECT_THAT(out_, HasSubstr("Times in Europe/Berlin."));
  EXPECT_EQ(Run({"oncall", "nowhere", "--url", server_.url()}), 1);
  EXPECT_EQ(Run({"oncall", "--at", "x", "--url", server_.url()}), 2);
  EXPECT_EQ(Run({"noise", "--since", "36h", "--url", server_.url()}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("0 pages"));
  EXPECT_EQ(Run({"noise", "--since", "3650d", "--url", server_.url()}), 2);
}

TEST_F(Commands, NoiseKnowsWhatWasOpened) {
  const std::string id = Declare();
  const auto closed = server_.Post("/api/v1/incidents/" + id + "/actions", "application/json",
                                   R"({"action":"false_alarm","reason":"a test","actor":"ada"})");
  ASSERT_EQ(closed.status, 200) << closed.body;
  const json noise = Get("/api/v1/noise?since=1h");
  EXPECT_EQ(noise["incidents"]["opened"], 1);
  EXPECT_EQ(noise["behaviour"]["pages"], 0);
  EXPECT_EQ(server_.Get("/api/v1/noise?since=soon").status, 400);
}

TEST_F(Commands, TheDrillFailsWhenNobodyCouldBeTold) {
  const store::testing::ScratchDirectory directory;
  const std::string file = directory.path() + "/tocsin.yaml";
  std::ofstream(file) << "data: " << directory.path() << "\n";
  EXPECT_EQ(Run({"drill", "access", "--config", file}), 1);
  EXPECT_THAT(out_, HasSubstr("MISSING  person   (anybody): nobody is on call at all"));
  EXPECT_THAT(out_, HasSubstr("MISSING  link     url: is not set"));
  EXPECT_EQ(Run({"drill", "access", "--json", "--config", file}), 1);
  EXPECT_EQ(json::parse(out_)["missing"], 3);
  EXPECT_EQ(Run({"drill", "access", "--config", file + ".not"}), 2);
  EXPECT_EQ(Run({"drill", "access", "--timeout", "0s", "--config", file}), 2);
}

TEST_F(Commands, TheDrillPassesOnceEveryChannelTookItsMessage) {
  const store::testing::ScratchDirectory directory;
  const std::string file = directory.path() + "/tocsin.yaml";
  std::ofstream(file) << "data: " << directory.path() << "\nurl: " << server_.url() << R"(
people:
  ada: {name: Ada, channels: [{kind: ntfy, url: ")"
                      << slack_.Url("/ada") << R"("}]}
schedules:
  primary:
    zone: UTC
    layers: [{participants: [ada], every: daily, start: 2026-01-01, handover: "09:00"}]
policies:
  default: {steps: [{targets: [{schedule: primary}]}]}
)";
  EXPECT_EQ(Run({"drill", "access", "--send", "--config", file}), 0) << out_ << err_;
  EXPECT_THAT(out_, HasSubstr("took a test message"));
  EXPECT_THAT(out_, HasSubstr("All 4 checks passed."));
  ASSERT_EQ(slack_.Requests().size(), 1U);
  EXPECT_THAT(slack_.Requests()[0].body, HasSubstr("nothing is wrong"));
  slack_.Otherwise({.status = 403});
  EXPECT_EQ(Run({"drill", "access", "--send", "--config", file}), 1);
  EXPECT_THAT(out_, HasSubstr("MISSING  channel"));
}

TEST_F(OnCall, AClickAcknowledgesInThePersonsName) {
  const std::string id = Declare();
  const auto answer = Click("U1", id, {{"response_url", slack_.Url("/actions/1")}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(Text(answer), id + " is acknowledged by Ada Lovelace.");
  EXPECT_EQ(json::parse(answer.body)["response_type"], "in_channel");
  EXPECT_EQ(AcknowledgedBy(id), "ada");
  ASSERT_TRUE(slack_.WaitFor(1));
  EXPECT_THAT(slack_.Requests()[0].request_line, HasSubstr("/actions/1"));
  EXPECT_THAT(slack_.Requests()[0].body, HasSubstr("acknowledged by Ada Lovelace"));
}

TEST_F(OnCall, BotsAndStrangersAreToldWhyNot) {
  const std::string id = Declare();
  auto answer = Click("U2", id);
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(json::parse(answer.body)["response_type"], "ephemeral");
  EXPECT_THAT(Text(answer), HasSubstr("does not know the Slack user U2"));
  answer = Click("U1", id, {{"user", {{"id", "U1"}, {"is_bot", true}}}});
  EXPECT_EQ(json::parse(answer.body)["response_type"], "ephemeral");
  EXPECT_THAT(Text(answer), HasSubstr("Not acknowledged"));
  answer = Click("U1", "INC-0000");
  EXPECT_THAT(Text(answer), HasSubstr("Not acknowledged"));
  EXPECT_EQ(AcknowledgedBy(id), "");
  EXPECT_THAT(server_.Get("/api/v1/incidents/" + id + "/timeline").body, HasSubstr("incident.refused"));
  answer = Click("U1", id, {}, "open_link");  // a link is a click too
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Text(answer), "");
  EXPECT_EQ(AcknowledgedBy(id), "");
}

TEST_F(OnCall, WhatSlackDidNotSignDoesNothing) {
  const std::string id = Declare();
  EXPECT_EQ(Click("U1", id, {}, "tocsin_acknowledge", "another secret").status, 401);
  EXPECT_EQ(Click("U1", id, {}, "tocsin_acknowledge", kSecret, Duration::Minutes(6)).status, 401);
  EXPECT_EQ(server_.Post("/api/v1/slack/interactions", "application/x-www-form-urlencoded", "payload=%7B%7D")
                .status,
            401);
  EXPECT_EQ(AcknowledgedBy(id), "");
  // Signed, but not a place of Slack's: acknowledged, and nothing is posted there.
  HttpRecorder elsewhere;
  EXPECT_EQ(Click("U1", id, {{"response_url", elsewhere.Url("/steal")}}).status, 200);
  EXPECT_EQ(AcknowledgedBy(id), "ada");
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_TRUE(elsewhere.Requests().empty());
}

}  // namespace
}  // namespace tocsin
