// Acting over the wire: an agent proposes, people answer by API, page and Slack, effects are real (a flag
// file as flagd reads it), everything can be undone, stopped, and goes on after a restart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "act/access.h"
#include "ports/hmac.h"
#include "ports/http_client.h"
#include "respond/notify/testing/http_recorder.h"
#include "store/testing/scratch_directory.h"
#include "tests/e2e/server_process.h"

namespace tocsin::e2e {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kFlags =
    R"({"flags": {"assistant": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}}})";
constexpr const char* kRunbook = R"(runbook: stop-assistant
title: Switch the assistant off
owner: team
last_validated: 2026-11-20
validate_every: 3650d
inputs:
  flag: {inventory: flag}
steps:
  - id: stop
    title: Switch it off
    action: flag.set
    with: {flag: "{{ inputs.flag }}", variant: "off"}
    tier: approve
    targets: ["flag/{{ inputs.flag }}"]
    reach: {traffic: 0.1}
    inverse:
      action: flag.set
      with: {flag: "{{ inputs.flag }}", variant: "{{ undo.variant }}"}
)";

class ActingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(scratch_.path() + "/runbooks");
    std::ofstream(scratch_.path() + "/runbooks/stop.yaml") << kRunbook;
    std::ofstream(scratch_.path() + "/runbooks/broken.yaml") << "runbok: broken\n";
    std::ofstream(flags_) << kFlags;
    const auto hash = [](const std::string& token) { return act::TokenHash(token); };
    std::ofstream(scratch_.path() + "/tocsin.yaml")
        << "people:\n  ada: {slack_user: U1}\n  bob: {slack_user: U2}\n"
        << "destinations: [{name: ml, kind: slack, url: \"" << slack_.Url("/hook") << "\"}]\n"
        << "incidents: {tell: [ml]}\nslack: {signing_secret: s3cret}\n"
        << "act:\n  runbooks: runbooks\n  access:\n    people:\n      ada: {token_sha256: " << hash(ada_)
        << "}\n      bob: {token_sha256: " << hash(bob_)
        << "}\n    agents:\n      copilot: {token_sha256: " << hash(copilot_) << ", actions: [flag.set]}\n"
        << "  inventory: {flag: {assistant: {traffic: 0.1}}}\n  limits: {cooldown: 1ms}\n"
        << "  executors: {flags: {app: {file: " << flags_ << ", flags: [assistant]}}}\n";
    Start();
  }
  void Start() {
    server_ = std::make_unique<ServerProcess>(
        scratch_.path() + "/data", std::vector<std::string>{"--config", scratch_.path() + "/tocsin.yaml"});
  }

  ports::HttpResponse Ask(const std::string& method, const std::string& path, const json& body = nullptr,
                          const std::string& token = "") {
    const std::string text = body.is_null() ? "" : body.dump();
    ports::HttpRequest request{method, server_->url() + path, {}, text};
    if (!text.empty()) request.headers.emplace_back("Content-Type", "application/json");
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
    const auto response = client_.Send(request);
    EXPECT_TRUE(response) << response.error().message();
    return response.value_or(ports::HttpResponse{});
  }
  json Get(const std::string& path) { return json::parse(Ask("GET", path).body, nullptr, false); }
  std::string Propose(const std::string& token, const json& inputs = {{"flag", "assistant"}}) {
    const auto answer = Ask("POST", "/api/v1/runs",
                            {{"runbook", "stop-assistant"}, {"inputs", inputs}, {"why", "it lies"}}, token);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return json::parse(answer.body, nullptr, false).value("id", "");
  }
  json Becomes(const std::string& run, const std::string& state) {
    json view;
    for (int i = 0; i < 300; ++i) {
      view = Get("/api/v1/runs/" + run);
      if (view.value("state", "") == state) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_EQ(view.value("state", ""), state) << view.dump(1);
    return view;
  }
  std::string Variant() {
    std::ifstream in(flags_);
    const json flags = json::parse(in, nullptr, false);
    return flags["flags"]["assistant"].value("defaultVariant", "?");
  }
  ports::HttpResponse Form(const std::string& path, const std::string& body) {
    const auto response = client_.Send(
        {"POST", server_->url() + path, {{"Content-Type", "application/x-www-form-urlencoded"}}, body});
    EXPECT_TRUE(response);
    return response.value_or(ports::HttpResponse{});
  }
  std::string Click(const std::string& user, const std::string& action, const std::string& value) {
    const json payload = {{"type", "block_actions"},
                          {"user", {{"id", user}}},
                          {"actions", json::array({{{"action_id", action}, {"value", value}}})}};
    std::string body = "payload=";
    for (const char c : payload.dump()) body += fmt_hex(c);
    const std::string time = std::to_string(std::time(nullptr));
    const auto answer = client_.Send(
        {"POST",
         server_->url() + "/api/v1/slack/interactions",
         {{"Content-Type", "application/x-www-form-urlencoded"},
          {"X-Slack-Request-Timestamp", time},
          {"X-Slack-Signature", "v0=" + ports::HmacSha256Hex("s3cret", "v0:" + time + ":" + body)}},
         body});
    EXPECT_TRUE(answer);
    return answer ? json::parse(answer->body, nullptr, false).value("text", "") : "";
  }
  static std::string fmt_hex(char c) {
    constexpr const char* kDigits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    return {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }

  store::testing::ScratchDirectory scratch_;
  const std::string flags_ = scratch_.path() + "/flags.json";
  const std::string ada_ = act::NewToken(), bob_ = act::NewToken(), copilot_ = act::NewToken();
  respond::testing::HttpRecorder slack_;
  std::unique_ptr<ServerProcess> server_;
  ports::HttpClient client_;
};

TEST_F(ActingTest, AnAgentProposesAPersonApprovesAndEverythingCanBeUndone) {
  EXPECT_EQ(Ask("POST", "/api/v1/runs", {{"runbook", "stop-assistant"}}).status, 401);
  // Perhaps it is one of those that could not be read: the answer says which.
  const auto nothing = Ask("POST", "/api/v1/runs", {{"runbook", "nothing"}}, copilot_);
  EXPECT_EQ(nothing.status, 404);
  EXPECT_THAT(nothing.body, HasSubstr("broken.yaml:1"));
  EXPECT_EQ(Ask("POST", "/api/v1/runs", {{"runbook", "stop-assistant"}, {"command", "rm"}}, copilot_).status,
            400);
  const auto plan = Ask("POST", "/api/v1/plans",
                        {{"runbook", "stop-assistant"}, {"inputs", {{"flag", "assistant"}}}}, copilot_);
  EXPECT_EQ(plan.status, 200);
  EXPECT_EQ(json::parse(plan.body)["steps"][0]["decision"], "ask") << plan.body;

  const std::string run = Propose(copilot_);
  const std::string approval = Becomes(run, "waiting")["steps"][0]["approval"];
  EXPECT_EQ(Variant(), "on");
  const json card = Get("/api/v1/approvals/" + approval);
  EXPECT_THAT(card.value("inverse", ""), HasSubstr("variant=on"));
  // Who proposed it, what nobody showed, a page without a token: none of them approves.
  const json yes = {{"approve", true}, {"seen", card["call_hash"]}};
  EXPECT_EQ(Ask("POST", "/api/v1/approvals/" + approval, yes, copilot_).status, 403);
  EXPECT_EQ(Ask("POST", "/api/v1/approvals/" + approval, {{"approve", true}}, ada_).status, 409);
  EXPECT_EQ(
      Form("/approvals/" + approval, "answer=approve&seen=" + card["call_hash"].get<std::string>()).status,
      401);
  EXPECT_THAT(Ask("GET", "/approvals/" + approval).body, HasSubstr("flag.set flag=assistant variant=off"));
  EXPECT_THAT(Ask("GET", "/").body, HasSubstr(approval));
  EXPECT_EQ(Variant(), "on");
  // What waits goes on in the next process.
  server_->Kill();
  Start();
  const auto page =
      Form("/approvals/" + approval, "answer=approve&seen=" + card["call_hash"].get<std::string>() +
                                         "&token=" + ada_ + "&reason=holds");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("Approved by ada"));
  Becomes(run, "done");
  EXPECT_EQ(Variant(), "off");
  EXPECT_THAT(Ask("GET", "/runs/" + run).body, Not(HasSubstr("answer"))) << "nothing is asked any more";

  EXPECT_EQ(Ask("POST", "/api/v1/runs/" + run + "/actions", {{"action", "undo"}}, copilot_).status, 403);
  EXPECT_EQ(
      Ask("POST", "/api/v1/runs/" + run + "/actions", {{"action", "undo"}, {"reason", "worse"}}, bob_).status,
      200);
  Becomes(run, "undone");
  EXPECT_EQ(Variant(), "on");
  EXPECT_THAT(Ask("GET", "/runs/" + run).body, HasSubstr("undone by bob: worse"));
}

TEST_F(ActingTest, WhatIsNotInTheInventoryIsRefusedAndOnTheChain) {
  const json view = Becomes(Propose(copilot_, {{"flag", "every flag; drop table"}}), "refused");
  EXPECT_THAT(view["steps"][0].value("what", ""), HasSubstr("not in the inventory"));
  EXPECT_TRUE(Get("/api/v1/approvals")["approvals"].empty());
  server_->Stop();
  const auto audit = RunCommand({TOCSIN_BINARY, "audit", "verify", "--data", scratch_.path() + "/data"});
  EXPECT_EQ(audit.exit_code, 0) << audit.out << audit.err;
}

TEST_F(ActingTest, SlackShowsTheCardAndItsClicksCount) {
  const std::string run = Propose(copilot_);
  const json view = Becomes(run, "waiting");
  const std::string approval = view["steps"][0]["approval"];
  json sent;
  for (int i = 0; i < 100 && sent.is_null(); ++i) {
    for (const auto& request : slack_.Requests()) {
      if (request.body.find(approval) != std::string::npos) sent = json::parse(request.body);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  ASSERT_FALSE(sent.is_null());
  std::string value;
  for (const json& block : sent["blocks"]) {
    for (const json& element : block.value("elements", json::array())) {
      if (element.value("action_id", "") == "tocsin_approve") value = element["value"];
    }
  }
  EXPECT_THAT(sent.dump(), HasSubstr("variant=off"));
  EXPECT_THAT(Click("U9", "tocsin_approve", value), HasSubstr("does not know the Slack user"));
  EXPECT_THAT(Click("U1", "tocsin_approve", approval + " 0000"),
              HasSubstr("another call than the one that was seen"));
  EXPECT_EQ(Variant(), "on");
  EXPECT_THAT(Click("U1", "tocsin_approve", value), HasSubstr("is approved by"));
  Becomes(run, "done");
  EXPECT_THAT(Click("U2", "tocsin_kill", "agents"), HasSubstr("Stopped: agents"));
  EXPECT_EQ(Ask("POST", "/api/v1/runs", {{"runbook", "stop-assistant"}, {"inputs", {{"flag", "assistant"}}}},
                copilot_)
                .status,
            409);
}

TEST_F(ActingTest, AnybodyStopsAPersonReleasesAndTheFileWorksAlone) {
  EXPECT_EQ(Ask("POST", "/api/v1/kill", {{"scope", "agents"}, {"by", "kim"}}).status, 200);
  EXPECT_EQ(Ask("POST", "/api/v1/kill", {{"scope", "everything"}}).status, 400);
  EXPECT_EQ(Ask("POST", "/api/v1/kill/release", {{"scope", "agents"}, {"reason", "x"}}).status, 401);
  EXPECT_EQ(Ask("POST", "/api/v1/kill/release", {{"scope", "agents"}, {"reason", "x"}}, copilot_).status,
            403);
  EXPECT_EQ(Ask("POST", "/api/v1/kill/release", {{"scope", "agents"}}, ada_).status, 400);
  EXPECT_THAT(Ask("GET", "/kill").body, HasSubstr("somebody who says kim"));
  EXPECT_EQ(Ask("POST", "/api/v1/kill/release", {{"scope", "agents"}, {"reason", "fixed"}}, ada_).status,
            200);
  std::ofstream(scratch_.path() + "/data/KILL").close();
  Becomes(Propose(ada_), "stopped");
  EXPECT_EQ(Variant(), "on");
  std::filesystem::remove(scratch_.path() + "/data/KILL");
  for (int i = 0; i < 50 && !Get("/api/v1/kill")["engaged"].empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  Becomes(Propose(ada_), "done");
  EXPECT_EQ(Variant(), "off");
  const auto drill = Ask("POST", "/api/v1/kill/drill", {{"steps", 50}}, ada_);
  ASSERT_EQ(drill.status, 200) << drill.body;
  EXPECT_EQ(json::parse(drill.body)["cut"], 50);
  EXPECT_EQ(Get("/api/v1/kill")["drills"].size(), 1u);
}

// One request of 2026-07-28 whose client can show people a question.
json OverMcp(ports::HttpClient& client, const std::string& url, const std::string& token,
             const std::string& tool, const json& arguments, const json& more = json::object()) {
  json params{{"name", tool},
              {"arguments", arguments},
              {"_meta",
               {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
                {"io.modelcontextprotocol/clientCapabilities", {{"elicitation", json::object()}}}}}};
  params.update(more);
  const std::string body =
      json{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "tools/call"}, {"params", params}}.dump();
  const auto response = client.Send({"POST",
                                     url + "/mcp",
                                     {{"Content-Type", "application/json"},
                                      {"Accept", "application/json, text/event-stream"},
                                      {"Authorization", "Bearer " + token},
                                      {"MCP-Protocol-Version", "2026-07-28"},
                                      {"Mcp-Method", "tools/call"},
                                      {"Mcp-Name", tool}},
                                     body});
  EXPECT_TRUE(response);
  const json answer = response ? json::parse(response->body, nullptr, false) : json();
  return answer.is_object() ? answer.value("result", answer) : answer;
}

TEST_F(ActingTest, OverMcpAnAgentProposesAndItsPeoplesAnswerThereApprovesNothing) {
  const auto call = [&](const std::string& tool, const json& arguments, const json& more = json::object()) {
    return OverMcp(client_, server_->url(), copilot_, tool, arguments, more);
  };
  const json proposal{{"runbook", "stop-assistant"}, {"inputs", {{"flag", "assistant"}}}, {"why", "it lies"}};
  EXPECT_EQ(OverMcp(client_, server_->url(), ada_, "propose_run", proposal).value("status", 0), 403);
  const json plan = call("plan_runbook", proposal);
  EXPECT_EQ(plan["structuredContent"]["data"]["steps"][0]["decision"], "ask") << plan.dump(1);
  const json asked = call("propose_run", proposal);
  ASSERT_EQ(asked.value("resultType", ""), "input_required") << asked.dump(1);
  const std::string run = asked["requestState"];
  const json accepted{{"requestState", run},
                      {"inputResponses",
                       {{"decided_in_tocsin",
                         {{"action", "accept"}, {"content", {{"approve", true}, {"look_again", true}}}}}}}};
  EXPECT_EQ(call("propose_run", proposal, accepted).value("resultType", ""), "input_required");
  EXPECT_EQ(Variant(), "on");
  EXPECT_EQ(call("list_runs", json::object())["structuredContent"]["data"]["runs"].size(), 1u);
  const json open = call("list_approvals", json::object());
  const json approval = open["structuredContent"]["data"]["approvals"][0];
  EXPECT_FALSE(approval.contains("call_hash"));
  const std::string id = approval["id"];
  const json card = Get("/api/v1/approvals/" + id);
  EXPECT_EQ(Ask("POST", "/api/v1/approvals/" + id,
                {{"approve", true}, {"seen", card["call_hash"]}, {"reason", "holds"}}, ada_)
                .status,
            200);
  Becomes(run, "done");
  EXPECT_EQ(Variant(), "off");
  const json done = call("propose_run", proposal, accepted);
  EXPECT_EQ(done.value("resultType", ""), "complete");
  EXPECT_EQ(done["structuredContent"]["data"]["state"], "done") << done.dump(1);
  EXPECT_EQ(call("kill", {{"scope", "agents"}, {"reason", "enough"}}).value("isError", true), false);
  EXPECT_EQ(Get("/api/v1/kill")["engaged"].size(), 1u);
}

}  // namespace
}  // namespace tocsin::e2e
