// Both protocols, streamed and not, over a real socket, against a model that does as it is told.
#include "ports/model/model_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "ports/testing/scripted_model.h"

namespace tocsin::ports {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ScriptedModel;
using testing::ScriptedTurn;
using Kind = ScriptedTurn::Kind;

struct Way {
  ModelProtocol protocol;
  bool stream;
};

class ModelClientTest : public ::testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    setenv("TOCSIN_TEST_MODEL_KEY", " sk-very-secret-key\n", 1);
    settings_.protocol = GetParam().protocol;
    settings_.stream = GetParam().stream;
    settings_.base_url = model_.Url();
    settings_.model = "scripted";
    settings_.api_key_env = "TOCSIN_TEST_MODEL_KEY";
    settings_.first_wait_ms = 10;
    settings_.max_wait_ms = 2'000;
    settings_.idle_timeout_ms = 300;
    settings_.timeout_ms = 600;
    settings_.prices = {3.0, 0.3, 15.0};
    request_.system = "You find causes.";
    request_.messages = {ModelMessage::User("What broke? żółć")};
    request_.max_tokens = 500;
  }
  bool anthropic() const { return GetParam().protocol == ModelProtocol::kAnthropic; }
  Result<ModelReply> Ask(const ModelCall& call = {}) {
    auto client = MakeModelClient(settings_);
    EXPECT_TRUE(client) << client.error().ToString();
    return (*client)->Ask(request_, budget_, call);
  }
  json Body(size_t n = 0) const { return model_.Requests().at(n).body; }

  ScriptedModel model_;
  ModelSettings settings_;
  ModelRequest request_;
  ModelBudget budget_{ModelBudgetLimits{}};
};

INSTANTIATE_TEST_SUITE_P(
    Ways, ModelClientTest,
    ::testing::Values(Way{ModelProtocol::kOpenAi, true}, Way{ModelProtocol::kOpenAi, false},
                      Way{ModelProtocol::kAnthropic, true}, Way{ModelProtocol::kAnthropic, false}),
    [](const auto& test) {
      const std::string protocol = test.param.protocol == ModelProtocol::kOpenAi ? "OpenAi" : "Anthropic";
      return protocol + (test.param.stream ? "Streamed" : "Whole");
    });

TEST_P(ModelClientTest, APlainAnswer) {
  model_.Next(ScriptedTurn::Answer("The disk is full: żółć 日本語 \"quoted\"\nsecond line"));
  std::string heard;
  ModelCall call;
  call.on_text = [&](std::string_view text) { heard += text; };
  const auto reply = Ask(call);
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(reply->message.text, "The disk is full: żółć 日本語 \"quoted\"\nsecond line");
  EXPECT_EQ(heard, GetParam().stream ? reply->message.text : "");
  EXPECT_EQ(reply->finish, ModelFinish::kStop);
  EXPECT_FALSE(reply->truncated());
  EXPECT_EQ(reply->model, "scripted-2026");
  EXPECT_TRUE(reply->usage.reported);
  EXPECT_EQ(reply->usage.input_tokens, 100);
  EXPECT_EQ(reply->usage.cached_tokens, 10);
  EXPECT_EQ(reply->usage.output_tokens, 20);
  EXPECT_NEAR(reply->cost_usd, (90 * 3.0 + 10 * 0.3 + 20 * 15.0) / 1e6, 1e-12);
  EXPECT_NEAR(budget_.Spent().usd, reply->cost_usd, 1e-12);
  EXPECT_EQ(budget_.Spent().output_tokens, 20);
}

TEST_P(ModelClientTest, WhatIsSent) {
  request_.tools = {{"query", "Runs a query", R"({"type":"object","properties":{"sql":{"type":"string"}}})"}};
  request_.tool_choice = ModelToolChoice::kRequired;
  request_.answer_schema_json = R"({"type":"object","additionalProperties":false})";
  request_.temperature = 0.25;
  ASSERT_TRUE(Ask());
  const auto http = model_.Requests().at(0);
  const json& body = http.body;
  EXPECT_EQ(body["model"], "scripted");
  EXPECT_EQ(body.value("stream", false), GetParam().stream);
  if (anthropic()) {
    EXPECT_EQ(http.headers.at("x-api-key"), "sk-very-secret-key");
    EXPECT_EQ(http.headers.at("anthropic-version"), "2026-10-21");
    EXPECT_EQ(body["system"], "You find causes.");
    EXPECT_EQ(body["max_tokens"], 500);
    EXPECT_EQ(body["tools"][0]["input_schema"]["type"], "object");
    EXPECT_EQ(body["tool_choice"]["type"], "any");
    EXPECT_EQ(body["output_config"]["format"]["type"], "json_schema");
    EXPECT_EQ(body["messages"][0]["content"][0]["text"], "What broke? żółć");
    EXPECT_FALSE(body.contains("temperature")) << "this version of the API has none";
  } else {
    EXPECT_EQ(http.headers.at("authorization"), "Bearer sk-very-secret-key");
    EXPECT_EQ(body["messages"][0], json({{"role", "system"}, {"content", "You find causes."}}));
    EXPECT_EQ(body["max_completion_tokens"], 500);
    EXPECT_EQ(body["tools"][0]["function"]["name"], "query");
    EXPECT_EQ(body["tool_choice"], "required");
    EXPECT_EQ(body["response_format"]["json_schema"]["name"], "answer");
    EXPECT_EQ(body["temperature"], 0.25);
    EXPECT_EQ(body.contains("stream_options"), GetParam().stream);
  }
}

TEST_P(ModelClientTest, AConversationWithTools) {
  ScriptedTurn turn = ScriptedTurn::ToolCalls(
      {{"query", R"({"sql":"SELECT 1"})"}, {"now", ""}, {"query", "{broken"}}, "Let me look.");
  turn.thinking = true;
  model_.Next(turn).Next(ScriptedTurn::Answer("done"));
  request_.tools = {{"query", "Runs a query"}, {"now", "The time"}};
  const auto reply = Ask();
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(reply->finish, ModelFinish::kToolCalls);
  EXPECT_EQ(reply->message.text, "Let me look.");
  ASSERT_EQ(reply->message.tool_calls.size(), 3u);
  EXPECT_EQ(json::parse(reply->message.tool_calls[0].arguments_json)["sql"], "SELECT 1");
  EXPECT_EQ(reply->message.tool_calls[0].id, "call_1");
  EXPECT_FALSE(reply->message.tool_calls[1].malformed);
  EXPECT_TRUE(reply->message.tool_calls[2].malformed);
  EXPECT_THAT(reply->message.tool_calls[2].raw, HasSubstr("{broken"));

  request_.messages.push_back(reply->message);
  request_.messages.push_back(ModelMessage::ToolResult("call_1", "1"));
  request_.messages.push_back(ModelMessage::ToolResult("call_2", "noon"));
  request_.messages.push_back(ModelMessage::ToolResult("call_3", "no JSON", true));
  request_.messages.push_back(ModelMessage::User("Go on."));
  ASSERT_TRUE(Ask());
  const json messages = Body(1)["messages"];
  if (anthropic()) {
    ASSERT_EQ(messages.size(), 3u) << "turns alternate";
    EXPECT_EQ(messages[1]["content"][0],
              json({{"type", "thinking"}, {"thinking", "hm"}, {"signature", "c2ln"}}))
        << "reasoning goes back unchanged";
    EXPECT_EQ(messages[1]["content"][2]["input"]["sql"], "SELECT 1");
    EXPECT_TRUE(messages[1]["content"][4]["input"].is_object());
    ASSERT_EQ(messages[2]["content"].size(), 4u);
    EXPECT_EQ(messages[2]["content"][2]["is_error"], true);
    EXPECT_EQ(messages[2]["content"][3]["text"], "Go on.");
  } else {
    ASSERT_EQ(messages.size(), 7u);
    EXPECT_EQ(messages[2]["tool_calls"][0]["function"]["arguments"], R"({"sql":"SELECT 1"})");
    EXPECT_EQ(messages[3]["tool_call_id"], "call_1");
    EXPECT_EQ(messages[5]["content"], "ERROR: no JSON");
  }
}

TEST_P(ModelClientTest, EveryWayToFinish) {
  struct Case {
    ModelFinish told, openai, anthropic;
  };
  for (const Case& c :
       std::vector<Case>{{ModelFinish::kLength, ModelFinish::kLength, ModelFinish::kLength},
                         {ModelFinish::kContextWindow, ModelFinish::kLength, ModelFinish::kContextWindow},
                         {ModelFinish::kRefusal, ModelFinish::kRefusal, ModelFinish::kRefusal},
                         {ModelFinish::kPaused, ModelFinish::kStop, ModelFinish::kPaused},
                         {ModelFinish::kOther, ModelFinish::kOther, ModelFinish::kOther}}) {
    model_.Next(ScriptedTurn::Finished(c.told, "I cannot"));
    const auto reply = Ask();
    ASSERT_TRUE(reply) << reply.error().ToString();
    EXPECT_EQ(reply->finish, anthropic() ? c.anthropic : c.openai);
    EXPECT_EQ(reply->truncated(), c.told == ModelFinish::kLength || c.told == ModelFinish::kContextWindow);
    EXPECT_EQ(reply->refusal, c.told == ModelFinish::kRefusal ? "I cannot" : "");
  }
}

TEST_P(ModelClientTest, WithoutUsageTheBudgetCountsItsEstimate) {
  ScriptedTurn turn = ScriptedTurn::Answer("yes");
  turn.usage = false;
  model_.Next(turn);
  const auto reply = Ask();
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_FALSE(reply->usage.reported);
  EXPECT_EQ(budget_.Spent().output_tokens, 500);
  EXPECT_GT(budget_.Spent().input_tokens, 20);
}

TEST_P(ModelClientTest, TransientFailuresAreTriedAgain) {
  for (const ScriptedTurn& failure :
       {ScriptedTurn::Status(500), ScriptedTurn::Status(529), ScriptedTurn::Status(429),
        ScriptedTurn::Status(503), ScriptedTurn::Of(Kind::kMalformedJson),
        ScriptedTurn::Of(Kind::kMalformedStream), ScriptedTurn::Of(Kind::kWrongType),
        ScriptedTurn::Of(Kind::kCut, "half an ans")}) {
    model_.Next(failure).Next(ScriptedTurn::Answer("at last"));
    int restarts = 0;
    ModelCall call;
    call.on_restart = [&] { ++restarts; };
    const auto reply = Ask(call);
    ASSERT_TRUE(reply) << reply.error().ToString();
    EXPECT_EQ(reply->message.text, "at last");
    EXPECT_EQ(reply->tries, 2);
    EXPECT_EQ(restarts, 1);
  }
}

TEST_P(ModelClientTest, RetryAfterIsWaitedForUnlessItIsTooLong) {
  model_.Next(ScriptedTurn::Status(429, 1)).Next(ScriptedTurn::Answer("ok"));
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(Ask());
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(990));
  model_.Next(ScriptedTurn::Status(429, 3600));
  const auto reply = Ask();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kResourceExhausted);
  EXPECT_THAT(reply.error().message(), HasSubstr("3600 s"));
}

TEST_P(ModelClientTest, WhatStaysWrongIsNamed) {
  struct Case {
    ScriptedTurn turn;
    Code code;
    size_t requests;
  };
  settings_.max_tries = 2;
  size_t before = 0;
  for (const Case& c : std::vector<Case>{{ScriptedTurn::Status(401), Code::kUnauthenticated, 1},
                                         {ScriptedTurn::Status(403), Code::kPermissionDenied, 1},
                                         {ScriptedTurn::Status(404), Code::kNotFound, 1},
                                         {ScriptedTurn::Status(400), Code::kInvalidArgument, 1},
                                         {ScriptedTurn::Status(413), Code::kOutOfRange, 1},
                                         {ScriptedTurn::Status(302), Code::kInvalidArgument, 1},
                                         {ScriptedTurn::Status(500), Code::kUnavailable, 2},
                                         {ScriptedTurn::Of(Kind::kMalformedJson), Code::kDataLoss, 2},
                                         {ScriptedTurn::Of(Kind::kMalformedStream), Code::kDataLoss, 2},
                                         {ScriptedTurn::Of(Kind::kWrongType), Code::kDataLoss, 2},
                                         {ScriptedTurn::Of(Kind::kCut, "half"), Code::kUnavailable, 2}}) {
    for (size_t i = 0; i < c.requests; ++i) model_.Next(c.turn);
    const auto reply = Ask();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), c.code) << reply.error().ToString();
    const size_t requests = model_.Requests().size();
    EXPECT_EQ(requests - before, c.requests) << reply.error().ToString();
    before = requests;
  }
}

TEST_P(ModelClientTest, AHugeAnswerIsCutOff) {
  settings_.max_response_bytes = 1u << 20;
  settings_.timeout_ms = 10'000;
  model_.Next(ScriptedTurn::Huge(64u << 20));
  const auto reply = Ask();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kOutOfRange) << reply.error().ToString();
  EXPECT_EQ(model_.Requests().size(), 1u);
}

TEST_P(ModelClientTest, AStallEndsAfterTheIdleTimeAndCountsAsSpent) {
  settings_.max_tries = 1;
  model_.Next(ScriptedTurn::Of(Kind::kStall, "I was about to"));
  const auto start = std::chrono::steady_clock::now();
  const auto reply = Ask();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kDeadlineExceeded) << reply.error().ToString();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
  EXPECT_EQ(budget_.Spent().output_tokens, 500) << "the provider may bill it";
}

TEST_P(ModelClientTest, StoppedFromAnotherThreadItReturnsAtOnce) {
  settings_.idle_timeout_ms = settings_.timeout_ms = 60'000;
  model_.Next(ScriptedTurn::Of(Kind::kStall, "well"));
  std::stop_source stop;
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    stop.request_stop();
  });
  ModelCall call;
  call.stop = stop.get_token();
  const auto start = std::chrono::steady_clock::now();
  const auto reply = Ask(call);
  stopper.join();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kCancelled) << reply.error().ToString();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST_P(ModelClientTest, StoppedWhileItWaitsToTryAgain) {
  settings_.first_wait_ms = settings_.max_wait_ms = 60'000;
  model_.Next(ScriptedTurn::Status(503));
  std::stop_source stop;
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    stop.request_stop();
  });
  ModelCall call;
  call.stop = stop.get_token();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Ask(call).error().code(), Code::kCancelled);
  stopper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST_P(ModelClientTest, TheBudgetRefusesBeforeAnythingIsSent) {
  ModelBudget small({.max_tokens = 300});
  auto client = MakeModelClient(settings_);
  ASSERT_TRUE(client);
  const auto reply = (*client)->Ask(request_, small);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kFailedPrecondition);
  EXPECT_TRUE(model_.Requests().empty());
  ModelBudget late({.max_time = Duration::Millis(400)});
  model_.Next(ScriptedTurn::Of(Kind::kStall, "x"));
  settings_.idle_timeout_ms = settings_.timeout_ms = 60'000;
  client = MakeModelClient(settings_);
  EXPECT_EQ((*client)->Ask(request_, late).error().code(), Code::kDeadlineExceeded)
      << "the budget's time ends a call";
}

TEST_P(ModelClientTest, TheKeyIsInNoMessage) {
  settings_.max_tries = 1;
  model_.Next(ScriptedTurn::Status(401, 0, "Incorrect API key provided: sk-very-secret-key."));
  const auto reply = Ask();
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message(), Not(HasSubstr("very-secret")));
  EXPECT_THAT(reply.error().message(), HasSubstr("Incorrect API key"));
}

TEST_P(ModelClientTest, NobodyListens) {
  settings_.base_url = "http://127.0.0.1:1/";
  settings_.max_tries = 2;
  const auto reply = Ask();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kUnavailable);
  EXPECT_EQ(budget_.Spent().output_tokens, 0) << "nothing was served";
}

TEST_P(ModelClientTest, AnErrorInsideTheStreamIsTriedAgain) {
  if (!GetParam().stream) GTEST_SKIP() << "only streams have it";
  model_.Next(ScriptedTurn::Of(Kind::kStreamError, "well, ")).Next(ScriptedTurn::Answer("ok"));
  const auto reply = Ask();
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(reply->message.text, "ok");
}

TEST(MakeModelClient, ChecksWhatItIsGiven) {
  ModelSettings good;
  good.base_url = "http://127.0.0.1:8080/v1";
  good.model = "local";
  EXPECT_TRUE(MakeModelClient(good));
  const auto code = [&](auto change) {
    ModelSettings settings = good;
    change(settings);
    const auto client = MakeModelClient(settings);
    return client ? Code::kOk : client.error().code();
  };
  EXPECT_EQ(code([](auto& s) { s.base_url = "ftp://x"; }), Code::kInvalidArgument);
  EXPECT_EQ(code([](auto& s) { s.model = ""; }), Code::kInvalidArgument);
  EXPECT_EQ(code([](auto& s) { s.max_tries = 0; }), Code::kInvalidArgument);
  EXPECT_EQ(code([](auto& s) { s.api_key_env = "TOCSIN_NO_SUCH_VARIABLE"; }), Code::kNotFound);
  EXPECT_EQ(code([](auto& s) { s.api_key_file = "/no/such/file"; }), Code::kNotFound);
  EXPECT_EQ(code([](auto& s) { s.api_key_file = "/dev/zero"; }), Code::kNotFound);
  setenv("TOCSIN_TEST_BAD_KEY", "two words\r\nX: y", 1);
  EXPECT_EQ(code([](auto& s) { s.api_key_env = "TOCSIN_TEST_BAD_KEY"; }), Code::kInvalidArgument);
}

TEST(MakeModelClient, AFileHoldsTheKey) {
  const std::string path = ::testing::TempDir() + "/tocsin-model-key";
  std::ofstream(path) << "sk-from-a-file\n";
  ScriptedModel model;
  ModelSettings settings;
  settings.base_url = model.Url() + "/v1/";
  settings.model = "m";
  settings.api_key_file = path;
  settings.legacy_max_tokens = true;
  ModelBudget budget{ModelBudgetLimits{}};
  ModelRequest request;
  request.messages = {ModelMessage::User("hi")};
  const auto reply = (*MakeModelClient(settings))->Ask(request, budget);
  unlink(path.c_str());
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(model.Requests()[0].headers.at("authorization"), "Bearer sk-from-a-file");
  EXPECT_EQ(model.Requests()[0].body["max_tokens"], 4096);
}

}  // namespace
}  // namespace tocsin::ports
