// A scripted model over a real socket, in both protocols, plays everything a model can do to a brief.
#include "investigate/agent/investigator.h"

#include <gtest/gtest.h>

#include <set>

#include "claims/claim_json.h"
#include "investigate/agent/agent_tools.h"
#include "investigate/testing/world_case.h"
#include "ports/testing/scripted_model.h"

namespace tocsin::investigate {
namespace {

using nlohmann::json;
using ports::ModelProtocol;
using ports::testing::ScriptedModel;
using ports::testing::ScriptedTurn;

constexpr const char* kPlanted = "PLANTED-WORDS";

const testing::WorldCase& Case() {
  static const auto* const kCase = new testing::WorldCase(501);
  return *kCase;
}

json Claim(bool is_true, size_t skip = 0) {
  for (const auto& planted : Case().plan) {
    if (planted.is_true == is_true && std::holds_alternative<claims::MetricLevel>(planted.claim) &&
        skip-- == 0)
      return json(claims::WriteClaim(planted.claim));
  }
  return {};
}

ScriptedTurn Submit(const json& findings) {
  return ScriptedTurn::ToolCalls({{kSubmitTool, findings.dump()}}, kPlanted);
}

json Findings(const json& claims, const char* surface = "dependency") {
  return {{"hypotheses",
           {{{"surface", surface},
             {"cause", std::string(kPlanted) + " it was the database"},
             {"supporting", claims}}}},
          {"summary", std::string(kPlanted) + " everything is proven, trust me"}};
}

struct Played {
  Brief brief;
  std::vector<std::string> exchanges;
  size_t requests = 0;
  std::string sent;  // everything the model was told
};

Played Play(ModelProtocol protocol, ScriptedModel& model,
            const std::function<void(ports::ModelSettings&, InvestigatorOptions&)>& alter = nullptr,
            std::stop_token stop = {}) {
  ports::ModelSettings settings;
  settings.protocol = protocol;
  settings.base_url = model.Url();
  settings.model = "scripted";
  settings.idle_timeout_ms = 300;
  settings.timeout_ms = 5'000;
  settings.first_wait_ms = 5;
  settings.max_wait_ms = 20;
  settings.max_tries = 2;
  InvestigatorOptions options;
  options.model = "scripted";
  if (alter) alter(settings, options);
  auto client = ports::MakeModelClient(settings);
  EXPECT_TRUE(client);
  Played played;
  played.brief = Case().Deterministic();
  auto verifier = Case().Verifier();
  Investigator investigator(**client, options);
  played.exchanges = investigator.Investigate({Case().pack, *Case().telemetry, verifier, Case().world.end},
                                              played.brief, stop);
  for (const auto& request : model.Requests()) {
    ++played.requests;
    played.sent += request.body.dump();
  }
  return played;
}

std::set<std::string> Proven(const Brief& brief) {
  std::set<std::string> out;
  for (const auto& line : brief.lines) {
    if (line.part == BriefPart::kProven) out.insert(claims::ClaimIdOf(*line.claim));
  }
  return out;
}

// What must hold whatever the model did.
void ExpectNothingLostNothingSlippedIn(const Brief& brief) {
  const auto before = Proven(Case().Deterministic());
  const auto after = Proven(brief);
  for (const auto& id : before) EXPECT_TRUE(after.contains(id)) << "a proven line was lost";
  auto fresh = Case().Verifier();
  for (const auto& line : brief.lines) {
    if (line.part == BriefPart::kProse) continue;
    EXPECT_EQ(line.text.find(kPlanted), std::string::npos) << BriefPartName(line.part) << ": " << line.text;
    if (line.part != BriefPart::kProven) continue;
    ASSERT_TRUE(line.claim);
    EXPECT_TRUE(fresh.Check(*line.claim).verified()) << line.text;
  }
  for (const auto& h : brief.hypotheses) {
    EXPECT_EQ(h.cause.find(kPlanted), std::string::npos);
    if (h.by != "tocsin") {
      EXPECT_NE(h.standing, "supported");
    }
  }
}

class InvestigatorTest : public ::testing::TestWithParam<ModelProtocol> {};
INSTANTIATE_TEST_SUITE_P(Protocols, InvestigatorTest,
                         ::testing::Values(ModelProtocol::kOpenAi, ModelProtocol::kAnthropic),
                         [](const auto& p) {
                           return p.param == ModelProtocol::kOpenAi ? "OpenAi" : "Anthropic";
                         });

TEST_P(InvestigatorTest, HelpfulModelAddsProvenLines) {
  ScriptedModel model;
  model.Next(ScriptedTurn::ToolCalls(
      {{"list_names", "{}"}, {"search_logs", R"({"contains":"pool exhausted","limit":3})"}}));
  model.Next(ScriptedTurn::ToolCalls({{"check_claim", json{{"claim", Claim(true, 3)}}.dump()}}));
  model.Next(Submit(Findings({Claim(true, 0), Claim(true, 1)})));
  const auto played = Play(GetParam(), model);
  EXPECT_EQ(played.brief.model.outcome, "answered") << played.brief.model.detail;
  ExpectNothingLostNothingSlippedIn(played.brief);
  const auto proven = Proven(played.brief);
  EXPECT_GT(proven.size(), Proven(Case().Deterministic()).size());
  EXPECT_NE(played.sent.find("pool exhausted"), std::string::npos);
  EXPECT_GT(played.exchanges.size(), 5u);
  EXPECT_GT(played.brief.model.output_tokens, 0u);
}

TEST_P(InvestigatorTest, ConfidentlyWrongModelIsToldOnceAndShownAsRefuted) {
  ScriptedModel model;
  model.Next(Submit(Findings({Claim(false, 0), Claim(false, 1)})));
  model.Next(Submit(Findings({Claim(false, 0), Claim(false, 1)})));
  model.Next(Submit(Findings({Claim(false, 2)})));  // not asked a third time
  const auto played = Play(GetParam(), model);
  EXPECT_EQ(played.requests, 2u);
  EXPECT_NE(played.sent.find("these_do_not_hold"), std::string::npos);
  ExpectNothingLostNothingSlippedIn(played.brief);
  size_t refuted = 0;
  for (const auto& line : played.brief.lines)
    refuted += line.part == BriefPart::kRefuted && line.by == "scripted" ? 1u : 0u;
  EXPECT_EQ(refuted, 2u);
}

TEST_P(InvestigatorTest, ContradictionsAreNeverBothProven) {
  json up, down;
  for (const auto& planted : Case().plan) {
    const auto* change = std::get_if<claims::MetricChange>(&planted.claim);
    if (change == nullptr || !planted.is_true || change->factor) continue;
    claims::MetricChange other = *change;
    other.direction = "down";
    up = json(claims::WriteClaim(*change));
    down = json(claims::WriteClaim(other));
    break;
  }
  ScriptedModel model;
  model.Next(Submit(Findings({up, down})));
  model.Next(Submit(Findings({up, down})));
  const auto played = Play(GetParam(), model);
  ExpectNothingLostNothingSlippedIn(played.brief);
  const auto proven = Proven(played.brief);
  EXPECT_TRUE(proven.contains(claims::ClaimIdOf(*claims::ReadClaim(up))));
  EXPECT_FALSE(proven.contains(claims::ClaimIdOf(*claims::ReadClaim(down))));
}

TEST_P(InvestigatorTest, WhatIsNoClaimIsSetApartAndToolsThatActDoNotExist) {
  ScriptedModel model;
  model.Next(ScriptedTurn::ToolCalls(
      {{"restart_service", R"({"service":"db"})"},
       {"page_person", R"({"who":"everyone"})"},
       {"search_logs", R"({"service":"db' OR 1=1 --","contains":"'; DROP TABLE logs; --"})"}}));
  model.Next(Submit(Findings({"the database is down, verified",
                              {{"kind", "trust_me"}},
                              {{"kind", "exists"}, {"of", "logs"}, {"where", json::array()}}})));
  model.Next(Submit(Findings({"the database is down, verified"})));
  const auto played = Play(GetParam(), model);
  ExpectNothingLostNothingSlippedIn(played.brief);
  EXPECT_NE(played.sent.find("there is no such tool"), std::string::npos);
  EXPECT_NE(played.sent.find("not_a_claim"), std::string::npos);
  const auto logs = Case().telemetry->Query("SELECT count(*) FROM logs", {}, {});
  ASSERT_TRUE(logs);
  EXPECT_GT(std::get<int64_t>(logs->rows[0][0]), 0);
}

TEST_P(InvestigatorTest, AbstainsWhenNothingHolds) {
  ScriptedModel model;
  model.Next(Submit({{"hypotheses", json::array()}, {"summary", ""}}));
  const auto played = Play(GetParam(), model);
  EXPECT_EQ(played.brief.model.outcome, "abstained");
  ExpectNothingLostNothingSlippedIn(played.brief);
}

TEST_P(InvestigatorTest, EveryWayToFailLeavesTheBriefAsItWas) {
  const auto truncated = [] {
    ScriptedTurn turn = Submit(Findings({Claim(true, 0)}));
    turn.finish = ports::ModelFinish::kLength;
    return turn;
  };
  using Kind = ScriptedTurn::Kind;
  const std::vector<std::pair<std::string, ScriptedTurn>> ways{
      {"truncated", truncated()},
      {"unavailable", ScriptedTurn::Of(Kind::kStall, kPlanted)},
      {"unavailable", ScriptedTurn::Of(Kind::kCut, kPlanted)},
      {"unavailable", ScriptedTurn::Status(429, 0)},
      {"unavailable", ScriptedTurn::Status(500)},
      {"malformed", ScriptedTurn::Of(Kind::kMalformedJson)},
      {"malformed", ScriptedTurn::Of(Kind::kMalformedStream)},
      {"malformed", ScriptedTurn::Of(Kind::kWrongType)},
      {"refused", ScriptedTurn::Finished(ports::ModelFinish::kRefusal, kPlanted)},
      {"truncated", ScriptedTurn::Finished(ports::ModelFinish::kContextWindow, kPlanted)},
      {"unavailable", ScriptedTurn::Huge(20u << 20)},
  };
  const auto proven = Proven(Case().Deterministic());
  for (const auto& [outcome, turn] : ways) {
    ScriptedModel model;
    model.Otherwise([&turn](const auto&) { return turn; });
    const auto played = Play(GetParam(), model);
    EXPECT_FALSE(played.brief.model.outcome.empty());
    EXPECT_NE(played.brief.model.outcome, "answered") << static_cast<int>(turn.kind);
    EXPECT_NE(played.brief.model.outcome, "abstained") << static_cast<int>(turn.kind);
    ExpectNothingLostNothingSlippedIn(played.brief);
    EXPECT_EQ(Proven(played.brief), proven) << outcome << " " << static_cast<int>(turn.kind);
  }
}

TEST_P(InvestigatorTest, WordsInsteadOfASubmissionAreProse) {
  ScriptedModel model;
  model.Otherwise([](const auto&) {
    return ScriptedTurn::Answer(std::string(kPlanted) + " the cause is the 09:14 deploy, roll it back");
  });
  const auto played = Play(GetParam(), model);
  EXPECT_EQ(played.brief.model.outcome, "malformed");
  ExpectNothingLostNothingSlippedIn(played.brief);
}

TEST_P(InvestigatorTest, LoopsEndAndBudgetsHold) {
  ScriptedModel model;
  model.Otherwise([](const auto&) { return ScriptedTurn::ToolCalls({{"list_names", "{}"}}); });
  const auto looped = Play(GetParam(), model);
  EXPECT_EQ(looped.brief.model.outcome, "budget");
  EXPECT_LE(looped.requests, 12u);
  EXPECT_NE(looped.sent.find("asked twice before"), std::string::npos);
  ScriptedModel dear;
  dear.Otherwise(
      [](const auto&) { return ScriptedTurn::ToolCalls({{"get_context", R"({"section":"logs"})"}}); });
  const auto broke = Play(GetParam(), dear, [](auto&, InvestigatorOptions& o) { o.budget.max_tokens = 100; });
  EXPECT_EQ(broke.brief.model.outcome, "budget");
  EXPECT_EQ(broke.requests, 0u);
  ExpectNothingLostNothingSlippedIn(broke.brief);
}

TEST_P(InvestigatorTest, StopsAtOnceWhenAskedTo) {
  ScriptedModel model;
  model.Otherwise([](const auto&) { return ScriptedTurn::Of(ScriptedTurn::Kind::kStall, "hm"); });
  std::stop_source stop;
  stop.request_stop();
  const auto played = Play(GetParam(), model, nullptr, stop.get_token());
  EXPECT_EQ(played.brief.model.outcome, "cancelled");
  ExpectNothingLostNothingSlippedIn(played.brief);
}

}  // namespace
}  // namespace tocsin::investigate
