#include "respond/dispatch/call_tracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::respond {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

signal::Span SpanOf(const std::string& id, const std::string& parent, const std::string& service) {
  signal::Span span;
  span.trace_id = "t";
  span.span_id = id;
  span.parent_span_id = parent;
  span.service = service;
  return span;
}

signal::Batch Of(std::vector<signal::Span> spans) {
  signal::Batch batch;
  batch.spans = std::move(spans);
  return batch;
}

TEST(CallTracker, FindsCallsWhicheverSpanComesFirst) {
  CallTracker tracker;
  tracker.Observe(Of({SpanOf("2", "1", "db")}));
  EXPECT_THAT(tracker.Take(), IsEmpty());
  tracker.Observe(Of({SpanOf("1", "", "web"), SpanOf("3", "1", "web"), SpanOf("4", "1", "auth")}));
  EXPECT_THAT(tracker.Take(), ElementsAre(Pair("web", "db"), Pair("web", "auth")));
  tracker.Observe(Of({SpanOf("5", "1", "db")}));
  EXPECT_THAT(tracker.Take(), IsEmpty()) << "known already";
}

TEST(CallTracker, AClientSpanNamesItsPeer) {
  CallTracker tracker;
  auto database = SpanOf("1", "", "web");
  database.kind = "client";
  database.attributes_json = R"({"db.system":"postgresql","server.address":"pg-main"})";
  auto peer = SpanOf("2", "", "web");
  peer.kind = "client";
  peer.attributes_json = R"({"peer.service":"mail"})";
  auto hostile = SpanOf("3", "", "web");
  hostile.kind = "client";
  hostile.attributes_json = R"({"peer.service":["mail"], "db.system": {)";
  tracker.Observe(Of({database, peer, hostile}));
  EXPECT_THAT(tracker.Take(), ElementsAre(Pair("web", "pg-main"), Pair("web", "mail")));
}

TEST(CallTracker, AFloodOfSpansKeepsTheBounds) {
  CallTracker tracker;
  signal::Batch batch;
  for (int i = 0; i < 1000; ++i) batch.spans.push_back({});
  for (int round = 0; round < 300; ++round) {
    for (size_t i = 0; i < batch.spans.size(); ++i) {
      const std::string id = std::to_string(round * 1000 + static_cast<int>(i));
      batch.spans[i] = SpanOf(id, "p" + id, "s" + id);
    }
    tracker.Observe(batch);
  }
  tracker.Observe(Of({SpanOf("p0", "", "early"), SpanOf("p299999", "", "late")}));
  EXPECT_THAT(tracker.Take(), ElementsAre(Pair("late", "s299999")));
}

}  // namespace
}  // namespace tocsin::respond
