#include "investigate/brief/brief.h"

#include <gtest/gtest.h>

#include "claims/claim_json.h"
#include "investigate/testing/world_case.h"

namespace tocsin::investigate {
namespace {

using nlohmann::json;

TEST(Brief, ReadsBackAsItWasWritten) {
  const testing::WorldCase world(611);
  const Brief brief = world.Deterministic();
  ASSERT_GT(brief.lines.size(), 5u);
  const auto again = BriefFromJson(json::parse(BriefToJson(brief).dump()));
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(BriefToJson(*again).dump(), BriefToJson(brief).dump());
  EXPECT_EQ(RenderBrief(*again), RenderBrief(brief));
}

TEST(Brief, ALineThatCannotBeRunAgainTakesNothingFromTheOthers) {
  const testing::WorldCase world(612);
  const Brief brief = world.Deterministic();
  json written = json::parse(BriefToJson(brief).dump());
  size_t broken = written["lines"].size();
  for (size_t i = 0; i < written["lines"].size() && broken == written["lines"].size(); ++i) {
    if (written["lines"][i]["part"] == "proven") broken = i;
  }
  ASSERT_LT(broken, written["lines"].size());
  written["lines"][broken]["claim"]["kind"] = "of_another_version";
  const auto again = BriefFromJson(written);
  ASSERT_TRUE(again) << again.error().ToString();
  ASSERT_EQ(again->lines.size(), brief.lines.size());
  EXPECT_EQ(again->lines[broken].part, BriefPart::kUnchecked);
  for (size_t i = 0; i < brief.lines.size(); ++i) {
    if (i != broken) {
      EXPECT_EQ(again->lines[i].part, brief.lines[i].part);
    }
  }
}

// A claim that no file could hold is not run, so that every proven line can be read and run by anybody.
TEST(Brief, AClaimThatBreaksTheRulesIsNotVerified) {
  const testing::WorldCase world(613);
  auto verifier = world.Verifier();
  claims::BehaviorShift claim;
  claim.measure = {"generations", "length.chars", "median", "bot", {}};
  claim.window = world.pack.windows.window;
  claim.baseline = world.pack.windows.baseline;
  claim.direction = "down";
  const BriefLine line = CheckLine(verifier, "behavior", claim, "tocsin");
  EXPECT_EQ(line.part, BriefPart::kUnchecked);
  EXPECT_FALSE(claims::ReadClaim(json(claims::WriteClaim(claim))));
}

}  // namespace
}  // namespace tocsin::investigate
