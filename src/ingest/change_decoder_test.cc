#include "ingest/change_decoder.h"

#include <gmock/gmock.h>

namespace tocsin::ingest {
namespace {

using std::string;
using testing::HasSubstr;

const HeaderList kStructured = {{"content-type", "application/cloudevents+json; charset=utf-8"}};

TEST(Changes, StructuredEvent) {
  const auto changes = DecodeCloudEvent(
      R"({"specversion":"1.0","id":"42","source":"/ci/support","type":"com.acme.prompt.updated","subject":"support-prompt",
          "time":"2025-11-24T02:10:05Z","acmeteam":"chat","data":{"service":"support","summary":"shorter","before":"Long.","after":{"text":"Short."},"link":"https://ci/42","ticket":7}})",
      kStructured, {});
  ASSERT_TRUE(changes.has_value()) << changes.error().message();
  const signal::Change& c = changes->at(0);
  EXPECT_EQ(c.id, "/ci/support#42");
  EXPECT_EQ(c.kind, "prompt");
  EXPECT_EQ(c.subject, "support-prompt");
  EXPECT_EQ(c.service, "support");
  EXPECT_EQ(c.summary, "shorter");
  EXPECT_EQ(c.before, "Long.");
  EXPECT_EQ(c.after, R"({"text":"Short."})");
  EXPECT_EQ(c.link, "https://ci/42");
  EXPECT_EQ(FormatTime(c.time), "2025-11-24T02:10:05Z");
  EXPECT_EQ(c.attributes.at("ticket"), "7");
  EXPECT_EQ(c.attributes.at("acmeteam"), "chat");
  EXPECT_EQ(c.attributes.at("type"), "com.acme.prompt.updated");
}

TEST(Changes, BinaryEvent) {
  DecodeOptions options;
  options.received = {1'764'000'000'000'000'000};
  const auto changes = DecodeCloudEvent(R"({"kind":"model","subject":"m-2"})",
                                        {{"CE-SpecVersion", "1.0"},
                                         {"ce-id", "a%20b"},
                                         {"ce-source", "registry"},
                                         {"ce-type", "notice"},
                                         {"Content-Type", "application/json"}},
                                        options);
  ASSERT_TRUE(changes.has_value()) << changes.error().message();
  EXPECT_EQ(changes->at(0).id, "registry#a b");
  EXPECT_EQ(changes->at(0).kind, "model");
  EXPECT_EQ(changes->at(0).subject, "m-2");
  EXPECT_EQ(changes->at(0).time, options.received);
  const auto text = DecodeCloudEvent("Deployed build 7",
                                     {{"ce-specversion", "1.0"},
                                      {"ce-id", "1"},
                                      {"ce-source", "s"},
                                      {"ce-type", "deployments"},
                                      {"content-type", "text/plain"}},
                                     {});
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->at(0).summary, "Deployed build 7");
  EXPECT_EQ(text->at(0).kind, "deploy");
}

TEST(Changes, ABatchIsTakenWholeOrNotAtAll) {
  const HeaderList headers = {{"Content-Type", "application/cloudevents-batch+json"}};
  const string good = R"({"specversion":"1.0","id":"1","source":"s","type":"index.built"})";
  const auto both = DecodeCloudEvent("[" + good + "," + good + "]", headers, {});
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->size(), 2u);
  EXPECT_EQ(both->at(0).kind, "index");
  const auto bad = DecodeCloudEvent(
      "[" + good + R"(,{"specversion":"0.3","id":"1","source":"s","type":"t"}])", headers, {});
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().message(), "events[1].specversion: must be \"1.0\", got \"0.3\"");
}

TEST(Changes, ErrorsNameTheField) {
  const string frame = R"({"specversion":"1.0","id":"1","source":"s","type":"t")";
  for (const auto& [body, why] : std::vector<std::pair<string, string>>{
           {"{", "body is not JSON, near byte"},
           {"[]", "body: must be an object"},
           {R"({"specversion":"1.0","source":"s","type":"t"})", "id: is required"},
           {frame + R"(,"time":"yesterday"})", "time: must be an RFC 3339"},
           {frame + R"(,"subject":5})", "subject: must be a string"},
           {frame + R"(,"data":{"kind":"magic"}})", "data.kind: must be deploy"}}) {
    const auto refused = DecodeCloudEvent(body, kStructured, {});
    ASSERT_FALSE(refused.has_value()) << body;
    EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(refused.error().message(), HasSubstr(why));
  }
  const auto deep = DecodeCloudEvent(string(100'000, '['), kStructured, {});
  ASSERT_FALSE(deep.has_value());
}

TEST(Changes, PagerDutyChangeEvent) {
  const auto change = DecodePagerDutyChange(
      R"({"routing_key":"R0UT1NGKEY","payload":{"summary":"Deploy of support 1.9","timestamp":"2025-11-24T02:10:05.5Z","source":"ci",
          "custom_details":{"service":"support","after":"1.9","build":7}},"links":[{"href":"https://ci/7","text":"build"}]})",
      {});
  ASSERT_TRUE(change.has_value()) << change.error().message();
  EXPECT_EQ(change->kind, "deploy");
  EXPECT_EQ(change->summary, "Deploy of support 1.9");
  EXPECT_EQ(change->service, "support");
  EXPECT_EQ(change->after, "1.9");
  EXPECT_EQ(change->link, "https://ci/7");
  EXPECT_EQ(change->attributes.at("build"), "7");
  EXPECT_THAT(change->attributes, testing::Not(testing::Contains(testing::Key("routing_key"))));
  EXPECT_THAT(DecodePagerDutyChange("{}", {}).error().message(), HasSubstr("payload: is required"));
  EXPECT_THAT(DecodePagerDutyChange(R"({"payload":{}})", {}).error().message(),
              HasSubstr("payload.summary: is required"));
}

}  // namespace
}  // namespace tocsin::ingest
