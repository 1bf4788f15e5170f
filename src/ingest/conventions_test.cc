// What each convention's spans and events become.
#include <gmock/gmock.h>

#include "ingest/internal/request_for_tests.h"

namespace tocsin::ingest {
namespace {

using signal::Generation;
using std::string;
using testing::HasSubstr;
using testing::Not;

const string kInput = R"([{"role":"system","parts":[{"type":"text","content":"Be brief."}]},
 {"role":"user","parts":[{"type":"text","content":"Hello?"}]},
 {"role":"assistant","parts":[{"type":"text","content":"Hi."}]},
 {"role":"user","parts":[{"type":"text","content":"Where is parcel 7?"}]},
 {"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"track","arguments":{"parcel":7}}]},
 {"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":{"at":"Kiel"}}]}])";
const string kOutput =
    R"([{"role":"assistant","parts":[{"type":"reasoning","content":"look up"},{"type":"text","content":"In Kiel."}],"finish_reason":"stop"}])";

void ExpectParcelAnswer(const Generation& g) {
  EXPECT_EQ(g.system, "Be brief.");
  EXPECT_EQ(g.input, "Where is parcel 7?");
  EXPECT_THAT(g.history, HasSubstr("user: Hello?\nassistant: Hi."));
  EXPECT_THAT(g.history, Not(HasSubstr("Where is parcel")));
  EXPECT_EQ(g.output, "In Kiel.");
  ASSERT_EQ(g.tool_calls.size(), 1u);
  EXPECT_EQ(g.tool_calls[0].name, "track");
  EXPECT_EQ(g.tool_calls[0].arguments, R"({"parcel":7})");
  EXPECT_EQ(g.tool_calls[0].result, R"({"at":"Kiel"})");
  EXPECT_TRUE(g.tool_calls[0].executed);
}

TEST(Conventions, OtelGenAiWithJsonTexts) {
  TraceRequest request;
  request.Add({{"gen_ai.operation.name", string("chat")},
               {"gen_ai.provider.name", string("acme")},
               {"gen_ai.request.model", string("m-1")},
               {"gen_ai.response.model", string("m-1-0601")},
               {"gen_ai.response.id", string("resp-9")},
               {"gen_ai.conversation.id", string("conv-3")},
               {"gen_ai.usage.input_tokens", int64_t{31}},
               {"gen_ai.usage.output_tokens", int64_t{5}},
               {"gen_ai.request.temperature", 0.25},
               {"gen_ai.usage.cost", 0.002},
               {"tocsin.tenant", string("north")},
               {"gen_ai.input.messages", kInput},
               {"gen_ai.output.messages", kOutput},
               {"other", string("kept")}});
  const auto outcome = DecodeBoth(request);
  ASSERT_EQ(outcome.batch.generations.size(), 1u);
  const Generation& g = outcome.batch.generations[0];
  ExpectParcelAnswer(g);
  EXPECT_EQ(g.reasoning, "look up");
  EXPECT_EQ(g.finish_reason, "stop");
  EXPECT_EQ(g.provider, "acme");
  EXPECT_EQ(g.request_model, "m-1");
  EXPECT_EQ(g.response_model, "m-1-0601");
  EXPECT_EQ(g.response_id, "resp-9");
  EXPECT_EQ(g.conversation_id, "conv-3");
  EXPECT_EQ(g.input_tokens, 31);
  EXPECT_EQ(g.temperature, 0.25);
  EXPECT_EQ(g.cost_usd, 0.002);
  EXPECT_EQ(g.tenant, "north");
  EXPECT_EQ(g.service, "support");
  EXPECT_EQ(g.duration.ns, 2'000'000'000);
  EXPECT_THAT(g.prompt_version, testing::MatchesRegex("sha:[0-9a-f]+"));
  EXPECT_EQ(g.prompt_version.size(), 16u);
  // The texts live in the generation only.
  EXPECT_THAT(outcome.batch.spans[0].attributes_json, Not(HasSubstr("Kiel")));
  EXPECT_THAT(outcome.batch.spans[0].attributes_json, HasSubstr(R"("other":"kept")"));
}

otlp::AnyValue Structured(const string& text) {
  otlp::AnyValue message;
  auto* role = message.mutable_kvlist_value()->add_values();
  role->set_key("role");
  role->mutable_value()->set_string_value("user");
  auto* parts = message.mutable_kvlist_value()->add_values();
  parts->set_key("parts");
  auto* part = parts->mutable_value()->mutable_array_value()->add_values()->mutable_kvlist_value();
  for (const auto& [key, value] : {std::pair<string, string>{"type", "text"}, {"content", text}}) {
    auto* kv = part->add_values();
    kv->set_key(key);
    kv->mutable_value()->set_string_value(value);
  }
  otlp::AnyValue list;
  *list.mutable_array_value()->add_values() = message;
  return list;
}

TEST(Conventions, OtelGenAiStructured) {
  TraceRequest request;
  auto& span = request.Add({{"gen_ai.operation.name", string("chat")}});
  for (const char* key : {"gen_ai.input.messages", "gen_ai.output.messages"}) {
    auto* attribute = span.add_attributes();
    attribute->set_key(key);
    *attribute->mutable_value() = Structured(string("text of ") + key);
  }
  const auto outcome = DecodeBoth(request);
  ASSERT_EQ(outcome.batch.generations.size(), 1u);
  EXPECT_EQ(outcome.batch.generations[0].input, "text of gen_ai.input.messages");
  EXPECT_EQ(outcome.batch.generations[0].output, "text of gen_ai.output.messages");
}

TEST(Conventions, ContentInASpanEvent) {
  TraceRequest request;
  auto& span = request.Add({{"gen_ai.operation.name", string("chat")}});
  auto* event = span.add_events();
  event->set_name("gen_ai.client.inference.operation.details");
  AddAll(*event, {{"gen_ai.input.messages", kInput}, {"gen_ai.output.messages", kOutput}, {"x", int64_t{1}}});
  const auto outcome = DecodeBoth(request);
  ASSERT_EQ(outcome.batch.generations.size(), 1u);
  ExpectParcelAnswer(outcome.batch.generations[0]);
  EXPECT_THAT(outcome.batch.spans[0].events_json, Not(HasSubstr("Kiel")));
  EXPECT_THAT(outcome.batch.spans[0].events_json, HasSubstr(R"("x":1)"));
}

TEST(Conventions, OlderMessageEventsOnASpan) {
  TraceRequest request;
  auto& span = request.Add({{"gen_ai.system", string("acme")}, {"gen_ai.request.model", string("m")}});
  const auto add = [&](const char* name, const Attributes& attributes) {
    auto* event = span.add_events();
    event->set_name(name);
    AddAll(*event, attributes);
  };
  add("gen_ai.system.message", {{"content", string("Be kind.")}});
  add("gen_ai.user.message", {{"gen_ai.event.content", string(R"({"content":"Hi there","role":"user"})")}});
  add("gen_ai.choice", {{"index", int64_t{0}},
                        {"finish_reason", string("length")},
                        {"message", string(R"({"content":"Hello"})")}});
  const auto outcome = DecodeBoth(request);
  ASSERT_EQ(outcome.batch.generations.size(), 1u);
  const Generation& g = outcome.batch.generations[0];
  EXPECT_EQ(g.system, "Be kind.");
  EXPECT_EQ(g.input, "Hi there");
  EXPECT_EQ(g.output, "Hello");
  EXPECT_EQ(g.finish_reason, "length");
  EXPECT_THAT(outcome.batch.spans[0].events_json, Not(HasSubstr("Hello")));
}

otlp::LogRecord* AddLog(otlp::ScopeLogs* scope, const string& event) {
  auto* log = scope->add_log_records();
  log->set_time_unix_nano(kNoon);
  log->set_event_name(event);
  log->set_trace_id(string(16, '\x11'));
  log->set_span_id(string(8, '\x22'));
  return log;
}

TEST(Conventions, EventsAsLogRecords) {
  otlp::ExportLogsRequest request;
  auto* scope = request.add_resource_logs()->add_scope_logs();
  auto* details = AddLog(scope, "gen_ai.client.inference.operation.details");
  AddAll(*details, {{"gen_ai.input.messages", kInput},
                    {"gen_ai.output.messages", kOutput},
                    {"gen_ai.request.model", string("m")}});
  auto* user = AddLog(scope, "gen_ai.user.message");
  user->set_span_id(string(8, '\x33'));
  auto* content = user->mutable_body()->mutable_kvlist_value()->add_values();
  content->set_key("content");
  content->mutable_value()->set_string_value("Ping");
  auto* choice = AddLog(scope, "gen_ai.choice");
  choice->set_span_id(string(8, '\x33'));
  AddAll(*choice, {{"gen_ai.system", string("acme")}});
  auto* message = choice->mutable_body()->mutable_kvlist_value()->add_values();
  message->set_key("message");
  content = message->mutable_value()->mutable_kvlist_value()->add_values();
  content->set_key("content");
  content->mutable_value()->set_string_value("Pong");
  auto* verdict = AddLog(scope, "gen_ai.evaluation.result");
  AddAll(*verdict, {{"gen_ai.evaluation.name", string("relevance")}, {"gen_ai.evaluation.score.value", 0.5}});

  const auto outcome = DecodeBoth(SignalKind::kLogs, request);
  ASSERT_EQ(outcome.batch.logs.size(), 4u);
  ASSERT_EQ(outcome.batch.generations.size(), 2u);
  ExpectParcelAnswer(outcome.batch.generations[0]);
  EXPECT_EQ(outcome.batch.generations[0].span_id, "2222222222222222");
  EXPECT_THAT(outcome.batch.logs[0].attributes_json, Not(HasSubstr("Kiel")));
  EXPECT_EQ(outcome.batch.generations[1].input, "Ping");
  EXPECT_EQ(outcome.batch.generations[1].output, "Pong");
  EXPECT_EQ(outcome.batch.generations[1].provider, "acme");
  ASSERT_EQ(outcome.batch.evaluations.size(), 1u);
  EXPECT_EQ(outcome.batch.evaluations[0].score, 0.5);
}

TEST(Conventions, OpenInferenceFlattened) {
  TraceRequest request;
  request.Add(
      {{"openinference.span.kind", string("LLM")},
       {"llm.model_name", string("m-2")},
       {"llm.provider", string("acme")},
       {"llm.invocation_parameters", string(R"({"temperature":0.5,"max_tokens":99})")},
       {"llm.input_messages.1.message.role", string("user")},
       {"llm.input_messages.1.message.contents.0.message_content.type", string("text")},
       {"llm.input_messages.1.message.contents.0.message_content.text", string("Refund order 5")},
       {"llm.input_messages.0.message.role", string("system")},
       {"llm.input_messages.0.message.content", string("You help.")},
       {"llm.output_messages.0.message.role", string("assistant")},
       {"llm.output_messages.0.message.content", string("Done.")},
       {"llm.output_messages.0.message.tool_calls.0.tool_call.id", string("t1")},
       {"llm.output_messages.0.message.tool_calls.0.tool_call.function.name", string("refund")},
       {"llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments", string(R"({"order":5})")},
       {"llm.prompt_template.version", string("v7")},
       {"llm.token_count.prompt", int64_t{12}},
       {"session.id", string("s-1")},
       {"user.id", string("u-1")},
       {"metadata", string(R"({"plan":"gold","n":3})")},
       {"input.value", string("Refund order 5")}});
  const auto outcome = DecodeBoth(request);
  ASSERT_EQ(outcome.batch.generations.size(), 1u);
  const Generation& g = outcome.batch.generations[0];
  EXPECT_EQ(g.system, "You help.");
  EXPECT_EQ(g.input, "Refund order 5");
  EXPECT_EQ(g.output, "Done.");
  ASSERT_EQ(g.tool_calls.size(), 1u);
  EXPECT_EQ(g.tool_calls[0].id, "t1");
  EXPECT_EQ(g.tool_calls[0].name, "refund");
  EXPECT_EQ(g.tool_calls[0].arguments, R"({"order":5})");
  EXPECT_FALSE(g.tool_calls[0].executed);
  EXPECT_EQ(g.prompt_version, "v7");
  EXPECT_EQ(g.temperature, 0.5);
  EXPECT_EQ(g.max_tokens, 99);
  EXPECT_EQ(g.input_tokens, 12);
  EXPECT_EQ(g.conversation_id, "s-1");
  EXPECT_EQ(g.user_id, "u-1");
  EXPECT_EQ(g.attributes.at("plan"), "gold");
  EXPECT_EQ(g.attributes.at("n"), "3");
  EXPECT_THAT(outcome.batch.spans[0].attributes_json, Not(HasSubstr("Refund order")));
}

TEST(Conventions, OpenLlmetryLegacy) {
  TraceRequest request;
  request.Add({{"gen_ai.system", string("acme")},
               {"llm.request.type", string("chat")},
               {"gen_ai.request.model", string("m")},
               {"gen_ai.prompt.0.role", string("system")},
               {"gen_ai.prompt.0.content", string("Rules")},
               {"gen_ai.prompt.1.role", string("user")},
               {"gen_ai.prompt.1.content", string("Question")},
               {"gen_ai.completion.0.role", string("assistant")},
               {"gen_ai.completion.0.content", string("Answer")},
               {"gen_ai.completion.0.finish_reason", string("stop")},
               {"gen_ai.usage.prompt_tokens", int64_t{8}},
               {"traceloop.association.properties.region", string("eu")}});
  const auto outcome = DecodeBoth(request);
  ASSERT_EQ(outcome.batch.generations.size(), 1u);
  const Generation& g = outcome.batch.generations[0];
  EXPECT_EQ(g.system, "Rules");
  EXPECT_EQ(g.input, "Question");
  EXPECT_EQ(g.output, "Answer");
  EXPECT_EQ(g.finish_reason, "stop");
  EXPECT_EQ(g.input_tokens, 8);
  EXPECT_EQ(g.attributes.at("region"), "eu");
}

TEST(Conventions, RetrievalsInEachShape) {
  TraceRequest request;
  request.Add(
      {{"gen_ai.operation.name", string("retrieval")},
       {"gen_ai.retrieval.query.text", string("opening hours")},
       {"tocsin.retrieval.query_embedding_model", string("e-2")},
       {"tocsin.retrieval.index_embedding_model", string("e-1")},
       {"gen_ai.retrieval.documents",
        string(R"([{"id":"d1","content":"Nine to five","score":0.8},{"id":"d2","text":"Closed"}])")}});
  request.Add({{"openinference.span.kind", string("RETRIEVER")},
               {"input.value", string("hours")},
               {"retrieval.documents.0.document.id", string("a")},
               {"retrieval.documents.0.document.content", string("Text A")},
               {"retrieval.documents.0.document.score", 0.75},
               {"retrieval.documents.1.document.content", string("Text B")}});
  const auto outcome = DecodeBoth(request);
  ASSERT_EQ(outcome.batch.retrievals.size(), 2u);
  EXPECT_TRUE(outcome.batch.generations.empty());
  const auto& r = outcome.batch.retrievals;
  EXPECT_EQ(r[0].query, "opening hours");
  EXPECT_EQ(r[0].query_embedding_model, "e-2");
  EXPECT_EQ(r[0].index_embedding_model, "e-1");
  EXPECT_THAT(r[0].documents, testing::ElementsAre(signal::Document{"d1", "Nine to five", 0.8},
                                                   signal::Document{"d2", "Closed", {}}));
  EXPECT_EQ(r[1].query, "hours");
  EXPECT_THAT(r[1].documents, testing::ElementsAre(signal::Document{"a", "Text A", 0.75},
                                                   signal::Document{"", "Text B", {}}));
}

TEST(Conventions, ToolsInEachShape) {
  TraceRequest request;
  request.Add({{"gen_ai.operation.name", string("execute_tool")},
               {"gen_ai.tool.name", string("refund")},
               {"gen_ai.tool.call.id", string("c9")},
               {"gen_ai.tool.call.arguments", string(R"({"order":5})")},
               {"gen_ai.tool.call.result", string("ok")}});
  request
      .Add({{"openinference.span.kind", string("TOOL")},
            {"tool.name", string("track")},
            {"input.value", string("{}")},
            {"output.value", string("[]")}})
      .mutable_status()
      ->set_code(2);
  const auto outcome = DecodeBoth(request);
  ASSERT_EQ(outcome.batch.tool_executions.size(), 2u);
  const auto& t = outcome.batch.tool_executions;
  EXPECT_EQ(t[0].call_id, "c9");
  EXPECT_EQ(t[0].arguments, R"({"order":5})");
  EXPECT_EQ(t[0].result, "ok");
  EXPECT_FALSE(t[0].failed);
  EXPECT_EQ(t[1].name, "track");
  EXPECT_EQ(t[1].result, "[]");
  EXPECT_TRUE(t[1].failed);
  EXPECT_THAT(outcome.batch.spans[0].attributes_json, Not(HasSubstr("order")));
}

TEST(Conventions, AWrapperIsNotASecondAnswer) {
  TraceRequest request;
  request.Add({{"gen_ai.operation.name", string("invoke_agent")}, {"gen_ai.output.messages", kOutput}});
  request.Add({{"openinference.span.kind", string("CHAIN")}, {"output.value", string("In Kiel.")}});
  request.Add({{"gen_ai.operation.name", string("embeddings")}, {"gen_ai.request.model", string("e")}});
  request.Add({{"gen_ai.operation.name", string("invoke_agent")},
               {"tocsin.generation", true},
               {"gen_ai.output.messages", kOutput}});
  request.Add({{"gen_ai.operation.name", string("chat")}, {"tocsin.generation", false}});
  const auto outcome = DecodeBoth(request);
  EXPECT_EQ(outcome.batch.spans.size(), 5u);
  ASSERT_EQ(outcome.batch.generations.size(), 1u);
  EXPECT_EQ(outcome.batch.generations[0].operation, "invoke_agent");
  // Text that became no generation stays readable on its span.
  EXPECT_THAT(outcome.batch.spans[0].attributes_json, HasSubstr("Kiel"));
  EXPECT_THAT(outcome.batch.spans[1].attributes_json, HasSubstr("Kiel"));
}

TEST(Conventions, ARefusalOfTheProviderIsAGeneration) {
  TraceRequest request;
  request.Add({{"gen_ai.operation.name", string("chat")},
               {"gen_ai.request.model", string("retired")},
               {"error.type", string("404")}});
  request.Add({{"gen_ai.operation.name", string("chat")}, {"http.response.status_code", int64_t{429}}})
      .mutable_status()
      ->set_code(2);
  const auto outcome = DecodeBoth(request);
  ASSERT_EQ(outcome.batch.generations.size(), 2u);
  EXPECT_EQ(outcome.batch.generations[0].http_status, 404);
  EXPECT_EQ(outcome.batch.generations[0].output, "");
  EXPECT_EQ(outcome.batch.generations[1].http_status, 429);
  EXPECT_EQ(outcome.batch.generations[1].error_type, "429");
}

TEST(Conventions, EvaluationEventsAndUserFeedback) {
  TraceRequest request;
  auto& span = request.Add({{"gen_ai.operation.name", string("chat")}});
  for (const char* name : {"toxicity", "user_feedback"}) {
    auto* event = span.add_events();
    event->set_name("gen_ai.evaluation.result");
    AddAll(*event, {{"gen_ai.evaluation.name", string(name)},
                    {"gen_ai.evaluation.score.label", string("thumbs_down")},
                    {"gen_ai.evaluation.explanation", string("wrong")}});
  }
  const auto outcome = DecodeBoth(request);
  ASSERT_EQ(outcome.batch.evaluations.size(), 2u);
  EXPECT_EQ(outcome.batch.evaluations[0].span_id, outcome.batch.spans[0].span_id);
  ASSERT_EQ(outcome.batch.feedbacks.size(), 1u);
  EXPECT_EQ(outcome.batch.feedbacks[0].score, -1);
  EXPECT_EQ(outcome.batch.feedbacks[0].comment, "wrong");
  EXPECT_EQ(outcome.batch.feedbacks[0].trace_id, outcome.batch.spans[0].trace_id);
}

TEST(Conventions, ChatApiShapesInsideInputValue) {
  TraceRequest request;
  request.Add(
      {{"openinference.span.kind", string("LLM")},
       {"input.value",
        string(
            R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Look"},{"type":"image_url","image_url":{"url":"x"}}]}]})")},
       {"output.value",
        string(
            R"({"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"A cat"}}]})")}});
  request.Add({{"openinference.span.kind", string("LLM")},
               {"input.value", string("As JSON?")},
               {"output.value", string(R"({"answer":42})")}});
  const auto outcome = DecodeBoth(request);
  ASSERT_EQ(outcome.batch.generations.size(), 2u);
  EXPECT_EQ(outcome.batch.generations[0].input, "Look\n[image_url]");
  EXPECT_EQ(outcome.batch.generations[0].output, "A cat");
  EXPECT_EQ(outcome.batch.generations[1].output, R"({"answer":42})");
}

}  // namespace
}  // namespace tocsin::ingest
