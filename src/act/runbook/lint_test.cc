// Lint, what a plan looks like, and which runbooks fit an incident.
#include "act/runbook/lint.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "act/runbook/read_runbook.h"
#include "act/runbook/render_plan.h"
#include "act/runbook/runbook_match.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const ActionSpec kScale{"kubernetes.scale",
                        "sets the number of instances",
                        {{"namespace", "text", true, ""},
                         {"deployment", "text", true, ""},
                         {"replicas", "integer", true, "how many"},
                         {"cluster", "text", false, ""}},
                        {"replicas"},
                        {"before"},
                        false,
                        false,
                        true,
                        {{"action", "kubernetes.scale"},
                         {"with",
                          {{"cluster", "{{ with.cluster }}"},
                           {"namespace", "{{ with.namespace }}"},
                           {"deployment", "{{ with.deployment }}"},
                           {"replicas", "{{ undo.replicas }}"}}}}};
const ActionSpec kGet{"http.get", "reads", {{"path", "text", true, ""}}, {}, {"json"}, true, false, true, {}};
const ActionSpec kSend{"http.request", "sends", {{"path", "text", true, ""}}, {}, {"json"}, false, false,
                       false,          {}};

constexpr const char* kRight = R"(runbook: scale
title: Scale
owner: shop
last_validated: 2026-11-01
trigger: {alerts: [CheckoutSlow], words: [slow]}
inputs:
  deployment: {inventory: deployment, from: incident.service}
  replicas: {type: integer, minimum: 1, maximum: 20}
links: ["https://grafana.example.org/d/1"]
steps:
  - id: read
    action: http.get
    with: {path: /zone}
    tier: observe
    outputs: {zone: {at: /json/zone, choices: [a, b]}}
  - id: scale
    action: kubernetes.scale
    with: {namespace: shop, deployment: "{{ inputs.deployment }}", replicas: "{{ inputs.replicas }}"}
    tier: auto
    targets: ["deployment/{{ inputs.deployment }}"]
    reach: {traffic: 0.05}
    expect:
      claims:
        - kind: metric_level
          measure: {of: spans, value: error, statistic: share, service: "{{ inputs.deployment }}"}
          window: {since: step}
          expect: {at_most: 0.02}
    when: {value: "{{ steps.read.outputs.zone }}", is: a}
)";

class LintTest : public ::testing::Test {
 protected:
  LintTest() {
    context_.actions = {&kGet, &kScale, &kSend};
    context_.now = *ParseTime("2026-12-01T00:00:00Z");
    rules_.inventory.Add("deployment", "checkout", {});
    rules_.access.people["ada"] = {};
    rules_.access.people["bob"] = {"", false, {"*"}};
    context_.rules = &rules_;
    context_.on_call = {"ada"};
  }

  std::vector<LintFinding> Of(const std::string& text, const std::vector<std::string>& others = {}) {
    std::vector<Runbook> all;
    for (const std::string& one : others) all.push_back(*ReadRunbook(one, "other.yaml"));
    auto read = ReadRunbook(text, "x.yaml");
    EXPECT_TRUE(read) << read.error().ToString();
    if (!read) return {};
    all.push_back(*read);
    return Lint(*RunbookLibrary::Of(all), *read, context_);
  }
  // With one part replaced; the findings as text.
  std::vector<std::string> With(const std::string& from, const std::string& to) {
    std::string text = kRight;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    std::vector<std::string> out;
    for (const LintFinding& finding : Of(text)) out.push_back(RenderFinding(finding));
    return out;
  }

  PolicyRules rules_;
  LintContext context_;
};

TEST_F(LintTest, WhatIsRightHasNoFindings) { EXPECT_THAT(With("Scale", "Scale"), IsEmpty()); }

TEST_F(LintTest, ActionsAndTheirParameters) {
  EXPECT_THAT(With("kubernetes.scale\n", "kubernetes.scal\n"),
              ElementsAre(HasSubstr("missing_inverse"),
                          HasSubstr("x.yaml:16: error: scale: there is no action 'kubernetes.scal'; is it")));
  EXPECT_THAT(With("namespace: shop, ", ""), ElementsAre(HasSubstr("needs 'namespace'")));
  EXPECT_THAT(With("replicas: \"{{ inputs.replicas }}\"", "replicas: six"),
              ElementsAre(HasSubstr("unused_input"),
                          HasSubstr("scale.with.replicas: is no integer (parameter_type)")));
  EXPECT_THAT(With("{namespace: shop,", "{namespace: shop, replica: 1,"),
              ElementsAre(HasSubstr("does not take 'replica'; is it 'replicas'?")));
}

TEST_F(LintTest, InverseEffectReachAndTarget) {
  // The action's usual inverse is enough; one of its own must use what the action keeps.
  EXPECT_THAT(With("    when:",
                   "    inverse: {action: kubernetes.scale, with: {namespace: shop, deployment: x, "
                   "replicas: \"{{ undo.count }}\"}}\n    when:"),
              ElementsAre(AllOf(HasSubstr("keeps no 'count'"), HasSubstr("it keeps: replicas"))));
  const std::string send = "  - id: send\n    action: http.request\n    with: {path: /x}\n    tier: auto\n";
  EXPECT_THAT(With("  - id: scale\n", send + "  - id: scale\n"),
              ElementsAre(HasSubstr("missing_inverse"), HasSubstr("no_target"), HasSubstr("reach_undeclared"),
                          HasSubstr("warning: send: expects no effect")));
}

TEST_F(LintTest, WhatCouldSteerAStep) {
  EXPECT_THAT(With("{inventory: deployment, from: incident.service}", "{from: incident.service}"),
              testing::Contains(
                  AllOf(HasSubstr("error: scale.with: input 'deployment' is taken from incident.service"),
                        HasSubstr("untrusted_parameter"))));
  EXPECT_THAT(With(", minimum: 1, maximum: 20", ", minimum: 1"),
              ElementsAre(HasSubstr("warning: scale.with: an agent may choose input 'replicas' freely")));
  EXPECT_THAT(With("namespace: shop", "namespace: \"{{ incident.service }}\""),
              ElementsAre(HasSubstr("incident.service is text from telemetry")));
  const auto open = With("choices: [a, b]}}", "type: text}}");
  EXPECT_THAT(open, IsEmpty());  // a condition is no parameter
  EXPECT_THAT(With("namespace: shop", "namespace: \"{{ steps.read.outputs.zone }}\""), IsEmpty());
  std::string text = kRight;
  text.replace(text.find("choices: [a, b]"), 15, "type: text");
  text.replace(text.find("namespace: shop"), 15, "namespace: \"{{ steps.read.outputs.zone }}\"");
  const auto findings = Of(text);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0].text, HasSubstr("what another program answers"));
}

TEST_F(LintTest, PlaceholdersThatNameNothing) {
  EXPECT_THAT(With("namespace: shop", "namespace: \"{{ inputs.space }}\""),
              ElementsAre(HasSubstr("inputs.space names nothing: there is no such input")));
  EXPECT_THAT(With("namespace: shop", "namespace: \"{{ steps.red.outputs.zone }}\""),
              ElementsAre(HasSubstr("there is no such step")));
  EXPECT_THAT(With("namespace: shop", "namespace: \"{{ steps.read.outputs.zon }}\""),
              ElementsAre(HasSubstr("no such output")));
  EXPECT_THAT(With("namespace: shop", "namespace: \"{{ undo.x }}\""),
              ElementsAre(HasSubstr("only a step's inverse")));
  EXPECT_THAT(With("with: {path: /zone}", "with: {path: \"{{ steps.scale.outputs.y }}\"}"),
              ElementsAre(HasSubstr("no such output")));
  EXPECT_THAT(With("replicas: {type: integer", "replicas: {required: false, type: integer"),
              ElementsAre(HasSubstr("may be left out and has no default")));
  const std::string side =
      "  - parallel:\n      - [{id: a, action: http.get, with: {path: /a}, tier: observe, "
      "outputs: {y: {at: /y, type: boolean}}}]\n      - [{id: b, manual: \"{{ steps.a.outputs.y }}\"}]\n";
  EXPECT_THAT(With("  - id: scale\n", side + "  - id: scale\n"),
              ElementsAre(HasSubstr("not sure to be over")));
}

TEST_F(LintTest, WhatIsNeverReached) {
  EXPECT_THAT(
      With("is: a}", "is: c}"),
      ElementsAre(HasSubstr(
          "scale: is never reached: steps.read.outputs.zone can never be 'c', which is none of a, b")));
  EXPECT_THAT(
      With("when: {value: \"{{ steps.read.outputs.zone }}\", is: a}", "when: {step: read, ended: failed}"),
      ElementsAre(HasSubstr("when 'read' fails the run ends")));
  EXPECT_THAT(
      With("when: {value: \"{{ steps.read.outputs.zone }}\", is: a}", "when: {step: read, ended: skipped}"),
      ElementsAre(HasSubstr("'read' is never skipped")));
  EXPECT_THAT(With("tier: observe", "tier: never"),
              ElementsAre(HasSubstr("'read' before it is always refused")));
  const std::string nested =
      "  - if: {value: \"{{ steps.read.outputs.zone }}\", is: a}\n    then:\n"
      "      - if: {value: \"{{ steps.read.outputs.zone }}\", is: b}\n        then: [{id: n, manual: x}]\n";
  EXPECT_THAT(
      With("  - id: scale\n", nested + "  - id: scale\n"),
      testing::Contains(HasSubstr("error: n: is never reached: steps.read.outputs.zone cannot be both")));
  rules_.never_actions = {"kubernetes.*"};
  EXPECT_THAT(With("Scale", "Scale"),
              ElementsAre(HasSubstr("among the actions that nobody may do (unreachable)")));
}

TEST_F(LintTest, PeopleLinksAndValidation) {
  EXPECT_THAT(With("owner: shop\n", ""), ElementsAre(HasSubstr("no_owner")));
  EXPECT_THAT(With("last_validated: 2026-11-01\n", ""),
              ElementsAre(HasSubstr("nobody has ever validated it")));
  EXPECT_THAT(With("2026-11-01", "2026-08-01"), ElementsAre(HasSubstr("validated again by 2026-10-30")));
  EXPECT_THAT(With("2026-11-01", "2027-11-01"),
              ElementsAre(HasSubstr("error: last_validated is in the future")));
  EXPECT_THAT(With("https://grafana", "javascript:grafana"),
              ElementsAre(HasSubstr("is no http or https link")));
  context_.links["ada"] = {"https://wiki.example.org/"};
  EXPECT_THAT(With("Scale", "Scale"),
              ElementsAre(HasSubstr("error: ada may not open https://grafana.example.org/d/1; nobody else")));
  context_.links.clear();
  context_.on_call = {"ada", "bob"};
  EXPECT_THAT(With("Scale", "Scale"), ElementsAre(HasSubstr("warning: scale: bob may not approve")));
  context_.on_call = {"bob", "eve"};
  EXPECT_THAT(With("Scale", "Scale"), ElementsAre(HasSubstr("error: scale: bob, eve may not approve")));
  rules_.inventory = {};
  context_.on_call.clear();
  EXPECT_THAT(With("Scale", "Scale"),
              ElementsAre(HasSubstr("the inventory has no deployment"), HasSubstr("inventory")));
}

TEST_F(LintTest, PlansThatCannotBeMadeAndClaimsThatDoNotRead) {
  const std::string call =
      "runbook: call\ntitle: c\nowner: o\nlast_validated: 2026-11-01\nsteps:\n  - {id: m, manual: x}\n"
      "  - {id: s, run: scale, inputs: {deployment: a}}\n";
  const auto missing = Of(call);
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(RenderFinding(missing[0]),
            "x.yaml:7: error: step 's' runs 'scale', and there is no such runbook (plan)");
  const auto unfit = Of(call, {kRight});
  ASSERT_EQ(unfit.size(), 1u);
  EXPECT_THAT(unfit[0].text, HasSubstr("input 'replicas' is missing"));
  EXPECT_THAT(With("of: spans, value: error", "of: spans, value: \"{{ inputs.deployment }}\""),
              ElementsAre(HasSubstr("(claim)")));
}

TEST_F(LintTest, TheUsualInverseIsFilledIn) {
  const auto library = RunbookLibrary::Of({*ReadRunbook(kRight, "x.yaml")});
  auto plan = library->MakePlan("scale", {{"deployment", "checkout"}, {"replicas", 6}},
                                [](std::string_view) { return Origin::kPerson; });
  ASSERT_TRUE(plan);
  FillInverses(*plan, context_.actions);
  ASSERT_TRUE(plan->steps[1].inverse);
  EXPECT_EQ(plan->steps[1].inverse->action, "kubernetes.scale");
  EXPECT_EQ(plan->steps[1].inverse->with, json({{"namespace", "shop"},
                                                {"deployment", "{{ inputs.deployment }}"},
                                                {"replicas", "{{ undo.replicas }}"}}));
  EXPECT_FALSE(plan->steps[0].inverse);

  const std::string page = RenderPlan(*plan);
  for (const char* part :
       {"Scale\nrunbook scale, version ", "  deployment = checkout   (deployment, given by a person)\n",
        "  1. read\n", "  2. scale\n", "only if    {{ steps.read.outputs.zone }} is a\n", "  replicas    6\n",
        "tier       auto: within its limits an agent goes ahead\n", "target     deployment checkout\n",
        "reach      at most 5 % of the traffic\n",
        "expects    within 10 min: metric level: share of error among spans of checkout, at most 0.02, "
        "since the step",
        "undone by  kubernetes.scale", "  replicas    (as it was: replicas)\n"})
    EXPECT_THAT(page, HasSubstr(part));
  EXPECT_THAT(page, Not(HasSubstr("after      read")));
}

TEST(RunbookMatchTest, EveryKindOfListMustHaveAHit) {
  std::string other = kRight;
  other.replace(other.find("runbook: scale"), 14, "runbook: other");
  other.replace(other.find("alerts: [CheckoutSlow], words: [slow]"), 37, "services: [checkout]");
  std::string none = kRight;
  none.replace(none.find("runbook: scale"), 14, "runbook: none");
  none.replace(none.find("words: [slow]"), 13, "words: [memory]");
  const auto library =
      RunbookLibrary::Of({*ReadRunbook(kRight, "a"), *ReadRunbook(other, "b"), *ReadRunbook(none, "c")});
  const RunbookMatcher matcher([&] { return library; });
  investigate::ContextPack pack;
  pack.incident.title = "Checkout is SLOW";
  pack.incident.service = "checkout";
  pack.alerts.push_back({"f", "CheckoutSlow", "checkout", "", "", "", "", {}, {}, true});
  auto found = matcher.Candidates(pack, 5);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ(found->at(0).id, "scale");
  EXPECT_EQ(found->at(0).why, "alert CheckoutSlow, title says slow");
  EXPECT_EQ(found->at(0).url, "https://grafana.example.org/d/1");
  EXPECT_EQ(found->at(1).id, "other");
  EXPECT_GT(found->at(0).score, found->at(1).score);
  pack.alerts[0].runbook_url = "https://wiki.example.org/runbooks/none";
  found = matcher.Candidates(pack, 1);
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->at(0).id, "none");
  EXPECT_EQ(found->at(0).why, "an alert links to it");
  EXPECT_EQ(matcher.Candidates(pack, 5)->size(), 3u);
  EXPECT_THAT(*RunbookMatcher([] { return nullptr; }).Candidates(pack, 5), IsEmpty());
}

}  // namespace
}  // namespace tocsin::act
