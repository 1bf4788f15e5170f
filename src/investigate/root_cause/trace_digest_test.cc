#include "investigate/root_cause/trace_digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace tocsin::investigate {
namespace {

constexpr int64_t kMs = 1'000'000;

RootCauseInput Window() {
  RootCauseInput input;
  input.start_ns = 0;
  input.bucket_ns = 1000 * kMs;
  input.buckets = 2;
  return input;
}

const FlowState* StateFrom(const RootCauseInput& input, std::string_view from) {
  const auto found = std::find_if(input.flows.begin(), input.flows.end(),
                                  [&](const FlowState& f) { return f.from == from; });
  return found == input.flows.end() ? nullptr : &*found;
}

void AddCall(TraceDigest& digest, const char* trace, int64_t at, bool reference) {
  digest.AddSpan({.trace_id = trace,
                  .span_id = "1",
                  .parent_id = "root",
                  .service = "web",
                  .operation = "page",
                  .start_ns = at,
                  .end_ns = at + 100 * kMs,
                  .error = false},
                 reference);
  digest.AddSpan({.trace_id = trace,
                  .span_id = "2",
                  .parent_id = "1",
                  .service = "web",
                  .operation = "GET",
                  .start_ns = at + 10 * kMs,
                  .end_ns = at + 60 * kMs,
                  .error = false},
                 reference);
  digest.AddSpan({.trace_id = trace,
                  .span_id = "3",
                  .parent_id = "2",
                  .service = "db",
                  .operation = "query",
                  .start_ns = at + 20 * kMs,
                  .end_ns = at + 50 * kMs,
                  .error = false},
                 reference);
  digest.AddLine(
      {.trace_id = trace, .span_id = "1", .service = "web", .text = "start", .at_ns = at, .error = false},
      reference);
}

TEST(TraceDigest, CallsAreNamedByTheCalleeAndOwnTimeLeavesChildrenOut) {
  TraceDigest digest;
  AddCall(digest, "t", 0, false);
  AddCall(digest, "t", 0, false);  // seen twice, counts once
  RootCauseInput input = Window();
  digest.Finish(input);
  const FlowState* calls = StateFrom(input, "page calls");
  ASSERT_NE(calls, nullptr);
  EXPECT_EQ(calls->outcomes.at(0).to, "call db query");
  EXPECT_EQ(calls->traces.buckets.at(0), 1U);
  ASSERT_EQ(input.edges.size(), 1U);
  EXPECT_EQ(input.edges[0].caller, "web");
  EXPECT_EQ(input.edges[0].callee, "db");
  for (const SpanTimes& s : input.spans) {
    const double own = std::expm1(s.buckets.at(0).sum) / 1000.0;  // milliseconds
    if (s.operation == "page") {
      EXPECT_NEAR(own, 50.0, 0.1);
    }
    if (s.operation == "GET") {
      EXPECT_EQ(s.peer, "db");
      EXPECT_NEAR(own, 20.0, 0.1);
    }
  }
}

TEST(TraceDigest, LinesAndCallsAreTwoChains) {
  TraceDigest digest;
  AddCall(digest, "t", 0, false);
  RootCauseInput input = Window();
  digest.Finish(input);
  const FlowState* lines = StateFrom(input, "page start");
  ASSERT_NE(lines, nullptr);
  EXPECT_EQ(lines->outcomes.at(0).to, "log start");
  const FlowState* after = StateFrom(input, "log start");
  ASSERT_NE(after, nullptr);
  EXPECT_TRUE(after->outcomes.at(0).end);
}

TEST(TraceDigest, ReferenceAndWindowAreCountedApartAndTheRestDropped) {
  TraceDigest digest;
  AddCall(digest, "r", 5'000'000 * kMs, true);
  AddCall(digest, "w", 1500 * kMs, false);
  AddCall(digest, "late", 9'000 * kMs, false);
  AddCall(digest, "early", -9'000 * kMs, false);
  RootCauseInput input = Window();
  digest.Finish(input);
  const FlowState* calls = StateFrom(input, "page calls");
  ASSERT_NE(calls, nullptr);
  EXPECT_EQ(calls->traces.reference, 1U);
  EXPECT_EQ(calls->traces.buckets, (std::vector<uint32_t>{0, 1}));
}

TEST(TraceDigest, CyclesAndSelfParentsEnd) {
  TraceDigest digest;
  for (const auto& [id, parent] : {std::pair{"1", "2"}, std::pair{"2", "1"}, std::pair{"3", "3"}}) {
    digest.AddSpan({.trace_id = "t",
                    .span_id = id,
                    .parent_id = parent,
                    .service = "s",
                    .operation = id,
                    .start_ns = 0,
                    .end_ns = kMs,
                    .error = false},
                   false);
  }
  RootCauseInput input = Window();
  digest.Finish(input);
  EXPECT_EQ(input.spans.size(), 3U);
}

}  // namespace
}  // namespace tocsin::investigate
