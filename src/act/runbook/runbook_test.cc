// Reading runbooks, and making plans of them.
#include "act/runbook/runbook.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "act/plan/placeholder.h"
#include "act/plan/plan_json.h"
#include "act/runbook/read_runbook.h"
#include "act/runbook/runbook_library.h"
#include "kernel/rng.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr const char* kScale = R"(runbook: scale-deployment
title: Give a deployment more instances
about: When it is short of them.
owner: ml-platform
last_validated: 2026-03-29
validate_every: 60d
trigger:
  kinds: [behavior, alert]
  alerts: [TooSlow]
inputs:
  deployment: {type: inventory, inventory: deployment, from: incident.service, about: which one}
  replicas: {type: integer, minimum: 1, maximum: 20}
  note: {default: none}
limits: {per_hour: 3, per_incident: 2, timeout: 30m}
stop_when:
  - kind: metric_level
    measure: {of: spans, value: error, statistic: share, service: "{{ inputs.deployment }}"}
    window: {last: 5m}
    expect: {at_least: 0.5}
escalate_to: ml-page
links: [https://grafana.example.org/d/1]
outputs: {before: "{{ steps.scale.outputs.before }}"}
steps:
  - id: look
    action: kubernetes.get
    with: {namespace: shop, name: "{{ inputs.deployment }}"}
    tier: observe
    outputs:
      zone: {at: /metadata/zone, choices: [a, b]}
  - if: {value: "{{ steps.look.outputs.zone }}", is: a}
    then:
      - {id: warn, manual: "Zone a is full: say so to {{ inputs.note }}.", who: ml-platform}
    else:
      - parallel:
          - [{id: one, manual: one}]
          - [{id: two, manual: two}, {id: three, manual: three}]
  - id: scale
    title: Scale it
    action: kubernetes.scale
    with: {namespace: shop, deployment: "{{ inputs.deployment }}", replicas: "{{ inputs.replicas }}"}
    tier: auto
    targets: ["deployment/{{ inputs.deployment }}"]
    reach: {traffic: 0.05, instances: 2}
    expect:
      within: 5m
      claims:
        - kind: metric_level
          measure: {of: spans, value: error, statistic: share}
          window: {since: step}
          expect: {at_most: 0.02}
    inverse:
      action: kubernetes.scale
      with: {namespace: shop, deployment: "{{ inputs.deployment }}", replicas: "{{ undo.replicas }}"}
    timeout: 90s
    cooldown: 10m
    when: {step: look, ended: done}
    outputs:
      before: {at: /before, type: integer, minimum: 0, maximum: 100}
)";

Runbook Must(const std::string& text) {
  auto read = ReadRunbook(text, "runbooks/x.yaml");
  EXPECT_TRUE(read) << read.error().ToString();
  return read ? *std::move(read) : Runbook{};
}

TEST(ReadRunbookTest, EveryKeyIsRead) {
  const Runbook runbook = Must(kScale);
  EXPECT_EQ(runbook.owner, "ml-platform");
  EXPECT_EQ(FormatTime(runbook.last_validated), "2026-03-29T00:00:00Z");
  EXPECT_EQ(runbook.validate_every, Duration::Hours(24 * 60));
  EXPECT_THAT(runbook.trigger.kinds, ElementsAre("behavior", "alert"));
  ASSERT_EQ(runbook.inputs.size(), 3u);
  EXPECT_EQ(runbook.inputs[0].from, "incident.service");
  EXPECT_EQ(runbook.inputs[1].type.maximum, 20);
  EXPECT_FALSE(runbook.inputs[2].required);
  EXPECT_EQ(runbook.limits.timeout, Duration::Minutes(30));
  ASSERT_EQ(runbook.steps.size(), 3u);
  EXPECT_EQ(std::get<BranchSteps>(runbook.steps[1].what).id, "if-1");
  const auto& scale = std::get<PlanStep>(runbook.steps[2].what);
  EXPECT_EQ(runbook.steps[2].line, 37);
  EXPECT_EQ(scale.tier, Tier::kAuto);
  EXPECT_EQ(scale.targets, (std::vector<Target>{{"deployment", "{{ inputs.deployment }}"}}));
  EXPECT_EQ(scale.reach.instances, 2);
  EXPECT_EQ(scale.effect_within, Duration::Minutes(5));
  EXPECT_EQ(scale.inverse->with["replicas"], "{{ undo.replicas }}");
  EXPECT_EQ(scale.cooldown, Duration::Minutes(10));
  EXPECT_EQ(scale.outputs.at("before"), (StepOutput{"/before", {"integer", "", {}, 0, 100}}));
  EXPECT_EQ(scale.call.timeout, Duration::Seconds(90));
}

struct Wrong {
  const char* replaced;
  const char* with;
  const char* says;
};
class WrongRunbookTest : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongRunbookTest, IsAnErrorWithItsPlace) {
  std::string text = kScale;
  const size_t at = text.find(GetParam().replaced);
  ASSERT_NE(at, std::string::npos) << GetParam().replaced;
  text.replace(at, std::string(GetParam().replaced).size(), GetParam().with);
  const auto read = ReadRunbook(text, "runbooks/x.yaml");
  ASSERT_FALSE(read) << GetParam().with;
  EXPECT_THAT(read.error().message(), HasSubstr(GetParam().says));
  EXPECT_THAT(read.error().message(), HasSubstr("runbooks/x.yaml:"));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongRunbookTest,
    ::testing::Values(
        Wrong{"owner: ml-platform", "ownr: ml-platform",
              "runbooks/x.yaml:4: unknown key 'ownr'; is it 'owner'?"},
        Wrong{"runbook: scale-deployment", "runbook: a/b", "x.yaml:1: runbook: is needed"},
        Wrong{"title: Give a deployment more instances\n", "", "'title' is needed: what it does"},
        Wrong{"last_validated: 2026-03-29", "last_validated: yesterday", "is no date"},
        Wrong{"maximum: 20}", "maximum: 0}", "inputs.replicas: minimum is above maximum"},
        Wrong{"{default: none}", "{type: boolean, default: none}",
              "inputs.note.default: is no true or false"},
        Wrong{"from: incident.service", "from: inputs.x", "inputs.deployment.from: is a field"},
        Wrong{"inventory: deployment,", "", "inputs.deployment: 'inventory' goes with type inventory"},
        Wrong{"{last: 5m}", "{last: 5 hours}", "claim.window.last"},
        Wrong{"{since: step}", "{since: monday}", "steps[2].expect.claims[0]: claim.window.since"},
        Wrong{"statistic: share}", "statistic: shar}", "did you mean 'share'"},
        Wrong{"{last: 5m}", "{since: step}", "stop_when[0]: claim.window"},
        Wrong{"replicas: \"{{ inputs.replicas }}\"", "replicas: \"{{ inputs.replicas\"", "is not closed"},
        Wrong{"tier: auto", "tier: yolo", "steps[2].tier: is one of never, observe"},
        Wrong{"traffic: 0.05", "traffic: 5", "steps[2].reach.traffic: is no number from 0 to 1"},
        Wrong{"[\"deployment/{{", "[\"{{", "steps[2].targets[0]: is no target"},
        Wrong{"id: scale\n", "id: look\n", "steps[2].id: 'look' comes twice"},
        Wrong{"at: /before", "at: before", "steps[2].outputs.before.at"},
        Wrong{"ended: done", "ended: well", "is one of done, failed, skipped"},
        Wrong{"    timeout: 90s", "    timeout: 90s\n    manual: also", "is one of: action, manual"},
        Wrong{"    timeout: 90s", "    no_inverse: because\n    timeout: 90s", "but there is one"},
        Wrong{"is: a}", "was: a}", "needs 'is'"},
        Wrong{"          - [{id: one, manual: one}]\n", "", "fewer than two lists"},
        Wrong{"action: kubernetes.get", "action: kubernetes.get\n    action: b", "comes twice"}));

// A library of runbooks given as YAML; the ids are in the texts.
std::shared_ptr<const RunbookLibrary> Library(const std::vector<std::string>& texts) {
  std::vector<Runbook> out;
  for (const std::string& text : texts) out.push_back(Must(text));
  return RunbookLibrary::Of(std::move(out));
}
Origin Person(std::string_view) { return Origin::kPerson; }

const PlanStep& StepOf(const Plan& plan, std::string_view id) {
  static const PlanStep none;
  for (const PlanStep& step : plan.steps) {
    if (step.id == id) return step;
  }
  ADD_FAILURE() << "no step " << id;
  return none;
}

TEST(MakePlanTest, ABranchIsDecidedOnceAndParallelStepsShareWhatTheyComeAfter) {
  const auto library = Library({kScale});
  const auto plan =
      library->MakePlan("scale-deployment", {{"deployment", "checkout"}, {"replicas", 6}}, Person);
  ASSERT_TRUE(plan) << plan.error().ToString();
  std::vector<std::string> ids;
  for (const PlanStep& step : plan->steps) ids.push_back(step.id);
  EXPECT_THAT(ids, ElementsAre("look", "if-1", "warn", "one", "two", "three", "scale"));
  const PlanStep& decision = StepOf(*plan, "if-1");
  EXPECT_TRUE(decision.call.action.empty() && !decision.manual);
  ASSERT_EQ(decision.when.size(), 1u);
  EXPECT_EQ(decision.when[0].value, "{{ steps.look.outputs.zone }}");
  EXPECT_EQ(StepOf(*plan, "warn").when[0].ended, "done");
  EXPECT_EQ(StepOf(*plan, "three").when[0].ended, "skipped");
  EXPECT_THAT(StepOf(*plan, "one").after, ElementsAre("if-1"));
  EXPECT_THAT(StepOf(*plan, "two").after, ElementsAre("if-1"));
  EXPECT_THAT(StepOf(*plan, "three").after, ElementsAre("two"));
  EXPECT_THAT(StepOf(*plan, "scale").after, ElementsAre("warn", "one", "three"));
  EXPECT_EQ(plan->inputs.at("note").origin, Origin::kRunbook);
  EXPECT_EQ(plan->inputs.at("replicas").origin, Origin::kPerson);
  EXPECT_EQ(plan->version, library->VersionOf("scale-deployment"));
  EXPECT_EQ(plan->version.size(), 16u);
  EXPECT_EQ(PlanToJson(*PlanFromJson(PlanToJson(*plan))), PlanToJson(*plan));
}

TEST(MakePlanTest, InputsAreHeldToTheirTypes) {
  const auto library = Library({kScale});
  const auto says = [&](const json& inputs) {
    const auto plan = library->MakePlan("scale-deployment", inputs, Person);
    EXPECT_FALSE(plan);
    return plan ? "" : plan.error().message();
  };
  EXPECT_THAT(says({{"replicas", 6}}), HasSubstr("input 'deployment' is missing: which one"));
  EXPECT_THAT(says({{"deployment", "a"}, {"replicas", 21}}),
              HasSubstr("input 'replicas' is no whole number of at least 1 and at most 20"));
  EXPECT_THAT(says({{"deployment", "a"}, {"replicas", "6"}}), HasSubstr("whole number"));
  EXPECT_THAT(says({{"deployment", "a"}, {"replica", 6}}), HasSubstr("is it 'replicas'?"));
  EXPECT_THAT(says({{"deployment", {"a"}}, {"replicas", 6}}), HasSubstr("input 'deployment' is no text"));
  EXPECT_EQ(library->MakePlan("none", json::object(), Person).error().code(), Code::kNotFound);
}

constexpr const char* kOuter = R"(runbook: outer
title: Outer
inputs:
  service: {inventory: deployment}
  words: {}
limits: {per_hour: 5, timeout: 10m}
steps:
  - id: read
    action: http.get
    with: {url: x}
    outputs:
      count: {at: /count, type: integer, minimum: 1, maximum: 9}
      text: {at: /text}
  - id: call
    run: scale-deployment
    inputs: {deployment: "{{ inputs.service }}", replicas: "{{ steps.read.outputs.count }}", note: "{{ inputs.words }}-{{ inputs.service }}"}
  - id: tell
    manual: "There were {{ steps.call.outputs.before }}"
)";

TEST(MakePlanTest, ASubRunbookIsWrittenOutWithWhatItIsGiven) {
  const auto library = Library({kScale, kOuter});
  const auto plan = library->MakePlan("outer", {{"service", "checkout"}, {"words", "hi"}},
                                      [](std::string_view) { return Origin::kAgent; });
  ASSERT_TRUE(plan) << plan.error().ToString();
  const PlanStep& scale = StepOf(*plan, "call/scale");
  EXPECT_EQ(scale.call.with["deployment"], "{{ inputs.call/deployment }}");
  EXPECT_EQ(scale.call.with["replicas"], "{{ steps.read.outputs.count }}");
  EXPECT_EQ(scale.targets[0].name, "{{ inputs.call/deployment }}");
  EXPECT_EQ(scale.runbook, "scale-deployment");
  EXPECT_EQ(scale.version, library->VersionOf("scale-deployment"));
  EXPECT_EQ(plan->inputs.at("call/deployment").origin, Origin::kAgent);
  EXPECT_EQ(plan->inputs.at("call/deployment").type.inventory, "deployment");
  // A composed text keeps its parts, so that each is held to its own type.
  EXPECT_THAT(StepOf(*plan, "call/warn").instructions, HasSubstr("{{ inputs.words }}-{{ inputs.service }}"));
  EXPECT_EQ(StepOf(*plan, "call/if-1").when[0].value, "{{ steps.call/look.outputs.zone }}");
  EXPECT_EQ(StepOf(*plan, "call/scale").when[0].step, "call/look");
  EXPECT_EQ(StepOf(*plan, "tell").instructions, "There were {{ steps.call/scale.outputs.before }}");
  EXPECT_THAT(StepOf(*plan, "tell").after, ElementsAre("call/scale"));
  EXPECT_EQ(plan->limits.per_hour, 3);
  EXPECT_EQ(plan->limits.per_incident, 2);
  EXPECT_EQ(plan->limits.timeout, Duration::Minutes(10));
  ASSERT_EQ(plan->stop_when.size(), 1u);
  EXPECT_EQ(plan->stop_when[0]["measure"]["service"], "{{ inputs.call/deployment }}");
}

TEST(MakePlanTest, WhatIsOnlyKnownInTheRunMustBeNoMoreThanWhatTheSubRunbookTakes) {
  std::string wide = kOuter;
  wide.replace(wide.find("maximum: 9"), 10, "maximum: 90");
  const auto plan = Library({kScale, wide})->MakePlan("outer", {{"service", "a"}, {"words", "b"}}, Person);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message(), HasSubstr("steps.read.outputs.count may be more than the integer"));
  EXPECT_THAT(plan.error().message(), HasSubstr("runbooks/x.yaml:14"));
}

std::string Calls(const std::string& id, const std::string& other) {
  return fmt::format("runbook: {}\ntitle: t\nsteps: [{{id: s, run: {}}}]\n", id, other);
}

TEST(MakePlanTest, CirclesAndDepthsAreRefused) {
  const auto circle = Library({Calls("a", "b"), Calls("b", "c"), Calls("c", "a")});
  const auto plan = circle->MakePlan("a", json::object(), Person);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message(), HasSubstr("a → b → c → a"));
  const std::string leaf = "runbook: l6\ntitle: t\nsteps: [{id: s, manual: m}]\n";
  const auto deep = Library(
      {Calls("l1", "l2"), Calls("l2", "l3"), Calls("l3", "l4"), Calls("l4", "l5"), Calls("l5", "l6"), leaf});
  EXPECT_EQ(deep->MakePlan("l1", json::object(), Person).error().code(), Code::kOutOfRange);
  const auto five = deep->MakePlan("l2", json::object(), Person);
  ASSERT_TRUE(five) << five.error().ToString();
  EXPECT_EQ(five->steps[0].id, "s/s/s/s/s");
  EXPECT_EQ(Library({Calls("a", "none")})->MakePlan("a", json::object(), Person).error().code(),
            Code::kNotFound);
}

TEST(MakePlanTest, AnImportIsAdvisedOnlyAndTheVersionIsOfAllThatIsCalled) {
  std::string advised = kScale;
  advised.insert(advised.find("owner:"), "advise_only: true\n");
  const auto before = Library({kScale, kOuter}), after = Library({advised, kOuter});
  EXPECT_NE(before->VersionOf("outer"), after->VersionOf("outer"));
  const auto plan = after->MakePlan("outer", {{"service", "a"}, {"words", "b"}}, Person);
  ASSERT_TRUE(plan);
  EXPECT_EQ(StepOf(*plan, "call/scale").tier, Tier::kAdvise);
  EXPECT_EQ(StepOf(*plan, "call/look").tier, Tier::kObserve);
  EXPECT_EQ(StepOf(*plan, "read").tier, Tier::kApprove);
}

// What comes before what, as the file says it: an interval of the steps, and for each the steps that must be
// over. Written apart from the flattener, so that one checks the other.
struct Shape {
  std::vector<std::string> all;
};
class RandomRunbook {
 public:
  explicit RandomRunbook(uint64_t seed) : random_(seed) {}
  std::vector<RunbookStep> Steps(int depth, Shape& shape, const std::string& prefix) {
    std::vector<RunbookStep> out;
    const uint64_t count = 1 + random_.Below(3);
    std::vector<std::string> before;
    for (uint64_t i = 0; i < count; ++i) {
      Shape one;
      out.push_back(Step(depth, one, prefix));
      for (const auto& earlier : before) {
        for (const auto& later : one.all) ordered.emplace(earlier, later);
      }
      before.insert(before.end(), one.all.begin(), one.all.end());
    }
    shape.all = before;
    return out;
  }
  std::set<std::pair<std::string, std::string>> ordered, apart;
  std::vector<Runbook> called;

 private:
  RunbookStep Step(int depth, Shape& shape, const std::string& prefix) {
    const uint64_t kind = depth == 0 ? 0 : random_.Below(4);
    if (kind == 1) {
      ParallelSteps parallel;
      std::vector<Shape> shapes(2 + random_.Below(2));
      for (Shape& branch : shapes) parallel.branches.push_back(Steps(depth - 1, branch, prefix));
      Apart(shapes, shape);
      return {std::move(parallel), 0};
    }
    if (kind == 2) {
      BranchSteps branch;
      branch.id = fmt::format("if-{}", ++next_);
      branch.condition.value = "{{ inputs.x }}";
      std::vector<Shape> shapes(2);
      branch.then = Steps(depth - 1, shapes[0], prefix);
      if (random_.Below(2) == 0) branch.otherwise = Steps(depth - 1, shapes[1], prefix);
      Apart(shapes, shape);
      for (const auto& inner : shape.all) ordered.emplace(prefix + branch.id, inner);
      shape.all.push_back(prefix + branch.id);
      return {std::move(branch), 0};
    }
    if (kind == 3) {
      SubRunbook sub{fmt::format("call{}", ++next_), fmt::format("sub{}", next_), json::object()};
      Runbook runbook;
      runbook.id = sub.runbook;
      runbook.steps = Steps(depth - 1, shape, prefix + sub.id + "/");
      called.push_back(std::move(runbook));
      return {std::move(sub), 0};
    }
    PlanStep step;
    step.id = fmt::format("s{}", ++next_);
    step.manual = true;
    step.instructions = "x";
    shape.all = {prefix + step.id};
    return {std::move(step), 0};
  }
  void Apart(const std::vector<Shape>& shapes, Shape& shape) {
    for (size_t i = 0; i < shapes.size(); ++i) {
      for (size_t j = 0; j < shapes.size(); ++j) {
        if (i == j) continue;
        for (const auto& a : shapes[i].all) {
          for (const auto& b : shapes[j].all) apart.emplace(a, b);
        }
      }
      shape.all.insert(shape.all.end(), shapes[i].all.begin(), shapes[i].all.end());
    }
  }
  Rng random_;
  int next_ = 0;
};

TEST(MakePlanTest, TheOrderOfRandomRunbooksIsTheOneOfTheirFiles) {
  size_t checked = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    RandomRunbook random(seed);
    Runbook runbook;
    runbook.id = "top";
    Shape shape;
    runbook.steps = random.Steps(3, shape, "");
    std::vector<Runbook> all = random.called;
    all.push_back(runbook);
    const auto plan = RunbookLibrary::Of(all)->MakePlan("top", json::object(), Person);
    if (!plan) {
      EXPECT_EQ(plan.error().code(), Code::kOutOfRange) << plan.error().ToString();
      continue;
    }
    ++checked;
    std::map<std::string, std::set<std::string>> before;
    std::vector<std::string> ids;
    for (const PlanStep& step : plan->steps) {
      ids.push_back(step.id);
      auto& mine = before[step.id];
      for (const auto& after : step.after) {
        ASSERT_TRUE(before.contains(after)) << seed;
        mine.insert(after);
        mine.insert(before[after].begin(), before[after].end());
      }
    }
    EXPECT_THAT(ids, ::testing::UnorderedElementsAreArray(shape.all)) << seed;
    for (const auto& [first, second] : random.ordered)
      ASSERT_TRUE(before[second].contains(first)) << seed << ": " << first << " before " << second;
    for (const auto& [one, other] : random.apart)
      ASSERT_FALSE(before[one].contains(other)) << seed << ": " << one << " waits for " << other;
  }
  EXPECT_GT(checked, 120u);
}

TEST(RunbookLibraryTest, WhatIsWrongWithAFileTakesNothingFromTheOthers) {
  const std::string directory = ::testing::TempDir() + "runbooks";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  std::ofstream(directory + "/a.yaml") << kScale;
  std::ofstream(directory + "/b.yml") << "runbook: b\ntitle: b\n";
  std::ofstream(directory + "/c.yaml") << kScale;
  std::ofstream(directory + "/d.yaml") << std::string(kMaxRunbookBytes + 1, '#');
  std::ofstream(directory + "/e.txt") << "not read";
  const auto library = RunbookLibrary::Read(directory);
  ASSERT_TRUE(library) << library.error().ToString();
  ASSERT_EQ((*library)->All().size(), 1u);
  std::vector<std::string> says;
  for (const Status& problem : (*library)->problems()) says.push_back(problem.message());
  EXPECT_THAT(says, UnorderedElementsAre(HasSubstr("b.yml:1: 'steps' is needed"), HasSubstr("is in"),
                                         HasSubstr("larger than 256 KiB")))
      << ::testing::PrintToString(says);
  EXPECT_EQ(RunbookLibrary::Read(directory + "/none").error().code(), Code::kNotFound);
}

}  // namespace
}  // namespace tocsin::act
