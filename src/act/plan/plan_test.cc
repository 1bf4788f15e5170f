#include "act/plan/plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "act/plan/claim_template.h"
#include "act/plan/placeholder.h"
#include "act/plan/plan_json.h"
#include "claims/claim_json.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<Value> Find(std::string_view source) {
  if (source == "inputs.deployment")
    return Value{"checkout", Origin::kAgent, {"inventory", "deployment", {}, 0, 0}};
  if (source == "inputs.replicas") return Value{7, Origin::kPerson, {"integer", "", {}, 1, 20}};
  if (source == "inputs.drain/nasty") return Value{"{{ inputs.replicas }}", Origin::kTelemetry, {}};
  if (source == "undo.body") return Value{{{"a", 1}}, Origin::kUndo, {}};
  if (source == "steps.a/b.outputs.revision") return Value{"17", Origin::kOutput, {}};
  return Error(Code::kNotFound, fmt::format("no value '{}'", source));
}

TEST(PlaceholderTest, AWholeTextBecomesTheValueWithItsTypeAndAPartOfOneBecomesText) {
  const auto out = ResolvePlaceholders({{"name", "{{ inputs.deployment }}"},
                                        {"replicas", "{{inputs.replicas}}"},
                                        {"note", "{{ inputs.deployment }} to {{ inputs.replicas }}"},
                                        {"list", {"x", "{{ steps.a/b.outputs.revision }}"}},
                                        {"body", "{{ undo.body }}"},
                                        {"plain", "a } b }} c { d"}},
                                       Find, "with");
  ASSERT_TRUE(out) << out.error().ToString();
  EXPECT_EQ(out->json, json({{"name", "checkout"},
                             {"replicas", 7},
                             {"note", "checkout to 7"},
                             {"list", {"x", "17"}},
                             {"body", {{"a", 1}}},
                             {"plain", "a } b }} c { d"}}));
  ASSERT_EQ(out->parameters.size(), 5u);
  EXPECT_EQ(out->parameters[1].name, "with.list[1]");
  EXPECT_EQ(out->parameters[1].parts[0].origin, Origin::kOutput);
  EXPECT_EQ(out->parameters[3].name, "with.note");
  ASSERT_EQ(out->parameters[3].parts.size(), 2u);
  EXPECT_EQ(out->parameters[3].parts[0].type.inventory, "deployment");
}

TEST(PlaceholderTest, AValueIsNotLookedAtAgainAndCannotBecomeAKey) {
  const auto nasty = ResolvePlaceholders("{{ inputs.drain/nasty }} {{ inputs.drain/nasty }}", Find, "with");
  ASSERT_TRUE(nasty);
  EXPECT_EQ(nasty->json, "{{ inputs.replicas }} {{ inputs.replicas }}");
  const auto key = ResolvePlaceholders({{"{{ inputs.deployment }}", 1}}, Find, "with");
  ASSERT_FALSE(key);
  EXPECT_THAT(key.error().message(), HasSubstr("a key cannot hold a placeholder"));
}

TEST(PlaceholderTest, WhatIsNoPlaceholderIsAnErrorWithItsPlace) {
  for (const char* text :
       {"{{", "x {{ inputs.a", "{{ }}", "{{ inputs }}", "{{ inputs.a b }}", "{{ inputs.a.b }}",
        "{{ steps.a.y }}", "{{ run.time }}", "{{ env.HOME }}", "{{ {{ inputs.a }} }}", "{{ inputs. }}"}) {
    const auto out = ResolvePlaceholders({{"a", {{"b", {text}}}}}, Find, "with");
    ASSERT_FALSE(out) << text;
    EXPECT_EQ(out.error().code(), Code::kInvalidArgument) << text;
    EXPECT_THAT(out.error().message(), HasSubstr("with.a.b[0]: ")) << text;
    EXPECT_FALSE(PlaceholdersIn(text)) << text;
  }
  const auto missing = ResolvePlaceholders("{{ inputs.missing }}", Find, "with");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(), Status(Code::kNotFound, "no value 'inputs.missing'"));
  EXPECT_FALSE(ResolvePlaceholders("body {{ undo.body }}", Find, "with"));
  json deep = "x";
  for (int i = 0; i < 40; ++i) deep = json::array({deep});
  EXPECT_FALSE(ResolvePlaceholders(deep, Find, "with"));
}

TEST(PlaceholderTest, ASubRunbooksTemplatesAreRewrittenToItsStep) {
  const json in = {{"a", "{{ inputs.x }} of {{ steps.s.outputs.y }}"}, {"b", "{{ undo.z }}"}};
  const auto out = SubstitutePlaceholders(
      in, [](std::string_view source) -> Result<json> { return PlaceholderOf(SourceWithin("call", source)); },
      "with");
  ASSERT_TRUE(out);
  EXPECT_EQ(*out,
            json({{"a", "{{ inputs.call/x }} of {{ steps.call/s.outputs.y }}"}, {"b", "{{ undo.z }}"}}));
  EXPECT_THAT(*PlaceholdersIn(*out), ElementsAre("inputs.call/x", "steps.call/s.outputs.y", "undo.z"));
  EXPECT_EQ(SoleSource("{{ undo.z }}"), "undo.z");
  EXPECT_EQ(SoleSource("a {{ undo.z }}"), "");
}

json Level(const json& window) {
  return {
      {"kind", "metric_level"},
      {"measure",
       {{"of", "spans"}, {"value", "error"}, {"statistic", "share"}, {"service", "{{ inputs.deployment }}"}}},
      {"window", window},
      {"expect", {{"at_most", 0.05}}}};
}

TEST(ClaimTemplateTest, WindowsBecomeAbsolute) {
  const Time now = *ParseTime("2026-11-24T02:10:00Z");
  const ClaimMoment moment{now, now - Duration::Minutes(3)};
  const auto window_of = [&](const json& window) {
    const auto claim = ResolveClaim(Level(window), Find, moment);
    if (!claim) return claim.error().message();
    const json written(claims::WriteClaim(*claim));
    EXPECT_EQ(written["measure"]["service"], "checkout");
    return written["window"]["from"].get<std::string>() + " " + written["window"]["to"].get<std::string>();
  };
  EXPECT_EQ(window_of({{"last", "10m"}}), "2026-11-24T02:00:00Z 2026-11-24T02:10:00Z");
  EXPECT_EQ(window_of({{"last", "1h"}, {"ago", "24h"}}), "2026-11-23T01:10:00Z 2026-11-23T02:10:00Z");
  EXPECT_EQ(window_of({{"since", "step"}}), "2026-11-24T02:07:00Z 2026-11-24T02:10:00Z");
  EXPECT_EQ(window_of({{"from", "2026-11-24T01:00:00Z"}, {"to", "2026-11-24T02:00:00Z"}}),
            "2026-11-24T01:00:00Z 2026-11-24T02:00:00Z");
  EXPECT_THAT(window_of({{"last", "401d"}}), HasSubstr("claim.window.last"));
  EXPECT_THAT(window_of({{"last", "0s"}}), HasSubstr("claim.window.last"));
  EXPECT_THAT(window_of({{"last", "1h"}, {"ago", "500d"}}), HasSubstr("claim.window.ago"));
  EXPECT_THAT(window_of({{"ago", "1h"}}), HasSubstr("is one of"));
  EXPECT_THAT(window_of({{"last", "1h"}, {"since", "step"}}), HasSubstr("is one of"));
  EXPECT_THAT(window_of({{"last", "1h"}, {"to", "x"}}), HasSubstr("is one of"));
  EXPECT_THAT(window_of({{"since", "monday"}}), HasSubstr("can only be 'step'"));
  const auto no_step = ResolveClaim(Level({{"since", "step"}}), Find, {now, {}});
  ASSERT_FALSE(no_step);
  EXPECT_THAT(no_step.error().message(), HasSubstr("claim.window"));
}

Plan SomePlan() {
  Plan plan;
  plan.runbook = "scale";
  plan.version = "0123456789abcdef";
  plan.inputs["deployment"] = {"checkout", Origin::kPerson, {"inventory", "deployment", {}, -1, 4}};
  PlanStep first;
  first.id = "a";
  first.call = {"http.get", {{"url", "{{ inputs.deployment }}"}}, Duration::Seconds(5)};
  first.outputs["y"] = {"/body/y", {"choice", "", {"p", "q"}}};
  PlanStep second;
  second.id = "b";
  second.after = {"a"};
  second.tier = Tier::kAuto;
  second.targets = {{"deployment", "{{ inputs.deployment }}"}};
  second.reach.traffic = 0.05;
  second.inverse = CallTemplate{"http.get", {{"url", "{{ undo.url }}"}}, Duration::Seconds(60)};
  second.cooldown = Duration::Minutes(1);
  second.requires_claims = {Level({{"last", "10m"}})};
  second.expects = second.requires_claims;
  second.when = {{nullptr, "{{ steps.a.outputs.y }}", "p", "", "", false},
                 {nullptr, "", "", "a", "done", true}};
  PlanStep third;
  third.id = "c";
  third.manual = true;
  third.instructions = "look";
  third.after = {"a", "b"};
  plan.steps = {first, second, third};
  plan.stop_when = {Level({{"last", "1m"}})};
  plan.limits = {3, 1, Duration::Hours(2)};
  plan.outputs = {{"y", "{{ steps.a.outputs.y }}"}};
  return plan;
}

TEST(PlanJsonTest, APlanComesBackWhole) {
  const Plan plan = SomePlan();
  const json written = PlanToJson(plan);
  const auto read = PlanFromJson(written);
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(PlanToJson(*read), written);
  EXPECT_EQ(read->inputs.at("deployment").type, plan.inputs.at("deployment").type);
  EXPECT_EQ(read->steps[0].outputs, plan.steps[0].outputs);
  EXPECT_EQ(read->steps[1].inverse->with, plan.steps[1].inverse->with);
  EXPECT_EQ(read->steps[1].cooldown, Duration::Minutes(1));
  EXPECT_FALSE(read->steps[0].cooldown.has_value());
  EXPECT_EQ(read->limits.timeout, Duration::Hours(2));
  EXPECT_EQ(written["steps"][1]["inverse"]["timeout_ns"], 60'000'000'000);
}

TEST(PlanJsonTest, AnOrderThatCannotBeRunIsRefused) {
  const json good = PlanToJson(SomePlan());
  const auto refused = [](const json& plan, const char* why) {
    const auto read = PlanFromJson(plan);
    EXPECT_FALSE(read) << why;
    if (!read) {
      EXPECT_THAT(read.error().message(), HasSubstr(why));
    }
  };
  json twice = good;
  twice["steps"][2]["id"] = "a";
  refused(twice, "comes twice");
  json later = good;
  later["steps"][1]["after"] = {"c"};
  refused(later, "plan.steps[1].after: 'c' is no earlier step");
  json unknown = good;
  unknown["steps"][1]["after"] = {"zzz"};
  refused(unknown, "no earlier step");
  json condition = good;
  condition["steps"][1]["when"][1]["step"] = "c";
  refused(condition, "plan.steps[1].when");
  json key = good;
  key["steps"][1]["hurry"] = true;
  refused(key, "does not take 'hurry'");
  json tier = good;
  tier["steps"][1]["tier"] = "root";
  refused(tier, "plan.steps[1].tier: is no tier");
  json many = good;
  for (size_t i = 0; i < kMaxPlanSteps; ++i) many["steps"].push_back({{"id", std::to_string(i)}});
  refused(many, "more than 200");
}

}  // namespace
}  // namespace tocsin::act
