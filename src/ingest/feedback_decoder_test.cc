#include "ingest/feedback_decoder.h"

#include <gmock/gmock.h>

namespace tocsin::ingest {
namespace {

using std::string;

TEST(Feedback, EveryWayToScore) {
  const auto f = DecodeFeedback(R"([{"response_id":"r1","score":-0.5,"comment":"meh","id":"x"},
      {"trace_id":"5B8EFFF798038103D269B633813FC60C","span_id":"EEE19B7EC3C1B174","thumbs":"up","time":1764000000},
      {"conversation_id":"c","csat":2,"service":"support","user_id":"u","time":"2025-11-24T02:10:05Z"}])",
                                {});
  ASSERT_TRUE(f.has_value()) << f.error().message();
  ASSERT_EQ(f->size(), 3u);
  EXPECT_EQ(f->at(0).score, -0.5);
  EXPECT_EQ(f->at(0).id, "x");
  EXPECT_EQ(f->at(1).trace_id, "5b8efff798038103d269b633813fc60c");
  EXPECT_EQ(f->at(1).score, 1);
  EXPECT_EQ(f->at(1).label, "thumbs_up");
  EXPECT_EQ(f->at(1).time.ns, 1'764'000'000'000'000'000);
  EXPECT_EQ(f->at(2).score, -0.5);
  EXPECT_EQ(f->at(2).label, "csat:2");
  EXPECT_EQ(f->at(2).user_id, "u");
}

TEST(Feedback, TheSameContentHasTheSameId) {
  const string body = R"({"response_id":"r1","thumbs":"down","time":1764000000})";
  EXPECT_EQ(DecodeFeedback(body, {})->at(0).id, DecodeFeedback(body, {})->at(0).id);
  EXPECT_NE(DecodeFeedback(body, {})->at(0).id,
            DecodeFeedback(R"({"response_id":"r2","thumbs":"down","time":1764000000})", {})->at(0).id);
}

TEST(Feedback, ErrorsNameTheField) {
  for (const auto& [body, why] : std::vector<std::pair<string, string>>{
           {R"([{"response_id":"r","score":1},{"response_id":"r","csat":9}])",
            "[1].csat: must be 1 to 5, got 9"},
           {R"({"response_id":"r","score":3})", "score: must be -1 to 1"},
           {R"({"response_id":"r","score":"good"})", "score: must be a number"},
           {R"({"response_id":"r","thumbs":"sideways"})", "thumbs: must be \"up\" or \"down\""},
           {R"({"response_id":"r","thumbs":"up","csat":1})", "score: give one of score, thumbs or csat"},
           {R"({"score":1})", "trace_id: say which answer is meant"},
           {R"({"response_id":"r"})", "score: one of score"},
           {R"({"trace_id":"xyz","score":1})", "trace_id: must be 32 hex digits"},
           {R"({"response_id":5,"score":1})", "response_id: must be a string"},
           {R"({"response_id":"r","score":1,"time":-5})", "time: must be an RFC 3339"},
           {R"("text")", "body: must be an object"},
           {"", "body is not JSON"}}) {
    const auto refused = DecodeFeedback(body, {});
    ASSERT_FALSE(refused.has_value()) << body;
    EXPECT_EQ(refused.error().code(), Code::kInvalidArgument) << body;
    EXPECT_THAT(refused.error().message(), testing::HasSubstr(why));
  }
}

}  // namespace
}  // namespace tocsin::ingest
