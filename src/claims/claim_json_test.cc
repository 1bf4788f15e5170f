#include "claims/claim_json.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "claims/claim_fields.h"
#include "claims/claim_text.h"

namespace tocsin::claims {
namespace {

using nlohmann::json;

const char* kAll = R"([
 {"kind":"metric_level","measure":{"of":"spans","value":"error","statistic":"share","service":"checkout","where":[{"field":"name","is":"POST /pay"}]},"window":{"from":"2026-11-24T02:00:00Z","to":"2026-11-24T02:15:00Z"},"expect":{"at_least":0.03}},
 {"kind":"metric_change","measure":{"of":"metrics","value":"http.server.duration","statistic":"mean"},"window":{"from":"2026-11-24T02:00:00Z","to":"2026-11-24T02:15:00Z"},"baseline":{"from":"2026-11-23T02:00:00Z","to":"2026-11-23T02:15:00Z"},"direction":"up","factor":{"at_least":3}},
 {"kind":"behavior_shift","measure":{"of":"generations","value":"grounding.unsupported","statistic":"share","service":"bot"},"window":{"from":"2026-11-24T02:00:00Z","to":"2026-11-24T02:15:00Z"},"baseline":{"from":"2026-11-24T01:00:00Z","to":"2026-11-24T02:00:00Z"},"direction":"up","against":[{"field":"region","is_not":"eu"}]},
 {"kind":"onset","measure":{"of":"logs","value":"error","statistic":"per_minute"},"window":{"from":"2026-11-24T01:00:00Z","to":"2026-11-24T03:00:00Z"},"at":"2026-11-24T02:10:00Z","tolerance":"5m"},
 {"kind":"change_precedes","change":"deploy-7","incident":"INC-2K7Q","max_lag":"1h"},
 {"kind":"log_template","service":"db","text":"deadlock","state":"new","window":{"from":"2026-11-24T02:00:00Z","to":"2026-11-24T02:15:00Z"},"baseline":{"from":"2026-11-24T01:00:00Z","to":"2026-11-24T02:00:00Z"}},
 {"kind":"trace_path","path":["web","checkout","db"],"window":{"from":"2026-11-24T02:00:00Z","to":"2026-11-24T02:15:00Z"},"failed":true,"expect":{"at_least":10}},
 {"kind":"error_propagation","service":"checkout","callee":"db","window":{"from":"2026-11-24T02:00:00Z","to":"2026-11-24T02:15:00Z"},"expect":{"at_least":0.9}},
 {"kind":"identifier_unsupported","identifier":"ACC-4417","trace_id":"00000000000000000000000000000001"},
 {"kind":"prevalence","service":"bot","match":[{"field":"output","contains":"refund"}],"window":{"from":"2026-11-24T02:00:00Z","to":"2026-11-24T02:15:00Z"},"expect":{"at_most":0.01}},
 {"kind":"equivalence","measure":{"of":"generations","value":"stance.refusal","statistic":"share"},"window":{"from":"2026-11-24T02:00:00Z","to":"2026-11-24T02:15:00Z"},"baseline":{"from":"2026-11-24T01:00:00Z","to":"2026-11-24T02:00:00Z"},"delta":0.02},
 {"kind":"alert_firing","labels":[{"field":"alertname","is":"DiskFull"}],"window":{"from":"2026-11-24T02:00:00Z","to":"2026-11-24T02:15:00Z"},"firing":true},
 {"kind":"count","of":"changes","where":[{"field":"kind","is":"deploy"}],"window":{"from":"2026-11-24T02:00:00Z","to":"2026-11-24T02:15:00Z"},"expect":{"at_least":1,"at_most":1}},
 {"kind":"exists","of":"logs","service":"db","where":[{"field":"body","contains":"oom"}],"window":{"from":"2026-11-24T02:00:00Z","to":"2026-11-24T02:15:00Z"},"exists":false},
 {"kind":"concentration","of":"generations","bad":[{"field":"error_type","is_not":""}],"have":[{"field":"attributes.zone","is":"b"}],"window":{"from":"2026-11-24T02:00:00Z","to":"2026-11-24T02:15:00Z"},"expect":{"at_least":0.8}}
])";

TEST(ClaimJson, EveryKindReadsAndWritesTheSame) {
  const auto claims = ReadClaimText(kAll, "all.json");
  ASSERT_TRUE(claims) << claims.error().ToString();
  size_t kinds = 0;
  VisitKinds([&](auto) { ++kinds; });
  ASSERT_EQ(claims->size(), kinds);
  std::set<std::string> lines;
  for (const auto& claim : *claims) {
    const auto written = WriteClaim(claim);
    const auto again = ReadClaim(json::parse(written.dump()));
    ASSERT_TRUE(again) << written.dump() << again.error().ToString();
    EXPECT_EQ(WriteClaim(*again).dump(), written.dump());
    EXPECT_EQ(ClaimIdOf(*again), ClaimIdOf(claim));
    lines.insert(RenderClaim(claim));
  }
  EXPECT_EQ(lines.size(), kinds);
}

TEST(ClaimJson, OneLineForPeople) {
  const auto claims = ReadClaimText(kAll, "all.json");
  ASSERT_TRUE(claims);
  EXPECT_EQ(RenderClaim((*claims)[0]),
            "share of error among spans of checkout (name = \"POST /pay\") was at least 3 % in 2026-11-24 "
            "02:00–02:15 UTC");
  EXPECT_EQ(RenderClaim((*claims)[6]),
            "at least 10 traces go web → checkout → db and fail there in 2026-11-24 02:00–02:15 UTC");
}

TEST(ClaimJson, YamlSaysTheSame) {
  const auto yaml = ReadClaimText(R"(claims:
  - kind: metric_level
    measure: {of: spans, value: error, statistic: share, service: checkout, where: [{field: name, is: POST /pay}]}
    window: {from: "2026-11-24T02:00:00Z", to: "2026-11-24T02:15:00Z"}
    expect: {at_least: 0.03}
)",
                                  "c.yaml");
  ASSERT_TRUE(yaml) << yaml.error().ToString();
  EXPECT_EQ(ClaimIdOf(yaml->at(0)), ClaimIdOf(ReadClaimText(kAll, "all.json")->at(0)));
}

std::string ErrorOf(const std::string& text) {
  const auto read = ReadClaimText(text, "f");
  return read ? "" : read.error().message();
}

// Replaces once in the first claim.
std::string With(const std::string& from, const std::string& to) {
  json all = json::parse(kAll);
  std::string text = json::array({all[0]}).dump();
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ClaimJson, BadInputSaysWhere) {
  EXPECT_EQ(ErrorOf(With("\"share\"", "\"shared\"")),
            "f: claims[0].measure.statistic: is 'shared'; did you mean 'share'?");
  EXPECT_EQ(ErrorOf(With("\"error\"", "\"eror\"")), "f: claims[0].measure.value: did you mean 'error'?");
  EXPECT_EQ(ErrorOf(With("\"name\"", "\"nmae\"")),
            "f: claims[0].measure.where[0].field: spans have no field 'nmae'; did you mean 'name'?");
  EXPECT_EQ(ErrorOf(With("\"service\":", "\"servce\":")),
            "f: claims[0].measure: does not take the key 'servce'");
  EXPECT_EQ(ErrorOf(With("2026-11-24T02:15:00Z", "2026-11-24T01:15:00Z")),
            "f: claims[0].window: ends before it begins");
  EXPECT_EQ(ErrorOf(With("metric_level", "metric_levl")), "f: claims[0].kind: did you mean 'metric_level'?");
  EXPECT_NE(ErrorOf(With("\"share\"", "\"p99\"")).find("yes or no"), std::string::npos);
  EXPECT_NE(ErrorOf("[").find("is no JSON"), std::string::npos);
  EXPECT_NE(
      ErrorOf(
          R"({"kind":"exists","of":"logs","where":[],"window":{"from":"2026-11-24T02:00:00Z","to":"2026-11-24T02:15:00Z"}})")
          .find("says nothing"),
      std::string::npos);
  EXPECT_NE(ErrorOf(std::string(kMaxClaimFileBytes + 1, ' ')).find("longer than"), std::string::npos);
  EXPECT_NE(ErrorOf(std::string(100'000, '[')).find("is no JSON"), std::string::npos);
}

TEST(ClaimJson, SchemaNamesEveryFieldThatIsRead) {
  const auto schema = ClaimSchema();
  const auto claims = ReadClaimText(kAll, "all.json");
  ASSERT_TRUE(claims);
  for (const auto& claim : *claims) {
    const auto& shape = schema.at("$defs").at(std::string(KindOf(claim)));
    const auto written = WriteClaim(claim);
    for (const auto& [key, value] : written.items()) EXPECT_TRUE(shape.at("properties").contains(key)) << key;
  }
}

TEST(ClaimJson, ThePublishedSchemaIsTheOneThatIsMade) {
  const char* source = std::getenv("TOCSIN_SOURCE_DIR");
  std::ifstream in(std::string(source != nullptr ? source : ".") + "/docs/formats/claim.schema.json");
  ASSERT_TRUE(in) << "docs/formats/claim.schema.json is missing";
  EXPECT_EQ(json::parse(in), json(ClaimSchema())) << "tocsin claim schema > docs/formats/claim.schema.json";
}

TEST(ClaimText, HostileTextsStayOnOneLine) {
  const std::string shown = Printable("a\n\x1b[31m\"b\"" + std::string(500, 'x'), 40);
  EXPECT_EQ(shown.find('\n'), std::string::npos);
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
  EXPECT_EQ(shown.find('"'), std::string::npos);
  EXPECT_LE(shown.size(), 44u);
}

}  // namespace
}  // namespace tocsin::claims
