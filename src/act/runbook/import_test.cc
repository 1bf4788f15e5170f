// Imports, the schema beside the reader, and the starter library as it is shipped.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "act/execute/catalogue.h"
#include "act/runbook/import_runbook.h"
#include "act/runbook/lint.h"
#include "act/runbook/read_runbook.h"
#include "act/runbook/render_plan.h"
#include "act/runbook/runbook_schema.h"
#include "claims/claim_json.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string SourceDirectory() {
  const char* set = std::getenv("TOCSIN_SOURCE_DIR");
  return set != nullptr ? set : ".";
}
std::string ReadFile(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// A playbook with everything that is read. Ids are short; CACAO's are TYPE--UUID.
json Playbook() {
  return json::parse(R"({
    "type": "playbook", "spec_version": "cacao-2.0", "id": "playbook--1", "name": "Isolate a Host!",
    "description": "Cuts {{ off }} a host.", "severity": 70, "workflow_start": "start--1",
    "playbook_variables": {
      "__host__": {"type": "string", "description": "which"},
      "__level__": {"type": "string", "value": "high"}},
    "external_references": [{"name": "wiki", "url": "https://wiki.example.org/isolate"}],
    "target_definitions": {"http-api--1": {"type": "http-api", "name": "Firewall API"}},
    "playbook_extensions": {"extension-definition--1": {"tier": "approve", "reach": {"users": 5}}},
    "workflow": {
      "start--1": {"type": "start", "on_completion": "action--1"},
      "action--1": {"type": "action", "name": "Block", "on_completion": "if-condition--1", "on_failure": "end--1",
        "targets": ["http-api--1"],
        "commands": [{"type": "http-api", "command": "POST /hosts/__host__:value/block HTTP/1.1",
                      "content": "{\"why\": \"incident\"}"}]},
      "if-condition--1": {"type": "if-condition", "condition": "__level__:value = 'high'",
        "on_true": "parallel--1", "on_false": "action--4", "on_completion": "if-condition--2"},
      "parallel--1": {"type": "parallel", "next_steps": ["action--2", "action--3"]},
      "action--2": {"type": "action", "name": "Tell", "commands": [{"type": "manual", "command": "Tell the owner of __host__:value."}]},
      "action--3": {"type": "action", "name": "Tell", "description": "Keep memory.",
        "commands": [{"type": "bash", "command": "dump {{x}}"}]},
      "action--4": {"type": "action", "name": "Watch", "commands": [{"type": "manual", "command": "Watch it."}], "on_completion": "end--1"},
      "if-condition--2": {"type": "if-condition", "name": "Enough", "condition": "a > 1", "on_true": "playbook-action--1", "on_completion": "end--1"},
      "playbook-action--1": {"type": "playbook-action", "name": "More", "playbook_id": "playbook--2"},
      "end--1": {"type": "end"}}})");
}

TEST(ImportCacaoTest, APlaybookBecomesARunbookThatReads) {
  const auto imported = ImportCacao(Playbook().dump(), "p.json");
  ASSERT_TRUE(imported) << imported.error().ToString();
  EXPECT_EQ(imported->id, "isolate-a-host");
  const auto read = ReadRunbook(imported->yaml, "x.yaml");
  ASSERT_TRUE(read) << read.error().ToString() << imported->yaml;
  EXPECT_TRUE(read->advise_only);
  EXPECT_EQ(read->title, "Isolate a Host!");
  EXPECT_EQ(read->about, "Cuts { { off }} a host.");
  ASSERT_EQ(read->steps.size(), 3u);
  const auto& block = std::get<PlanStep>(read->steps[0].what);
  EXPECT_EQ(block.call.action, "http.request");
  EXPECT_EQ(block.call.with["service"], "firewall-api");
  EXPECT_EQ(block.call.with["method"], "POST");
  EXPECT_EQ(block.call.with["path"], "/hosts/{{ inputs.host }}/block");
  EXPECT_EQ(block.call.with["json"], json({{"why", "incident"}}));
  EXPECT_EQ(block.tier, Tier::kApprove);  // of the extension; advise_only holds it down in a plan
  EXPECT_EQ(block.reach.users, 5);
  const auto& level = std::get<BranchSteps>(read->steps[1].what);
  EXPECT_EQ(level.condition.value, "{{ inputs.level }}");
  EXPECT_EQ(level.condition.is, "high");
  const auto& parallel = std::get<ParallelSteps>(level.then.at(0).what);
  EXPECT_EQ(std::get<PlanStep>(parallel.branches.at(0).at(0).what).instructions,
            "Tell the owner of {{ inputs.host }}.");
  const auto& by_hand = std::get<PlanStep>(parallel.branches.at(1).at(0).what);
  EXPECT_EQ(by_hand.id, "tell-2");
  EXPECT_EQ(by_hand.instructions, "Keep memory.\n\nRun by hand (bash):\ndump { {x}}");
  EXPECT_EQ(std::get<PlanStep>(level.otherwise.at(0).what).id, "watch");
  const auto& enough = std::get<BranchSteps>(read->steps[2].what);
  EXPECT_EQ(enough.condition.value, "{{ inputs.enough }}");
  EXPECT_EQ(std::get<SubRunbook>(enough.then.at(0).what).runbook, "playbook-2");
  for (const char* said :
       {"# Not carried over: 'severity' of the playbook", "on_failure of step 'Block'",
        "who begins the runbook answers it: a > 1", "the id of the runbook that this playbook became"})
    EXPECT_THAT(imported->yaml, HasSubstr(said));
  const auto plan =
      RunbookLibrary::Of(
          {*read, *ReadRunbook("runbook: playbook-2\ntitle: t\nsteps: [{id: a, manual: b}]\n", "y")})
          ->MakePlan("isolate-a-host", {{"host", "h"}, {"enough", true}},
                     [](auto) { return Origin::kPerson; });
  ASSERT_TRUE(plan) << plan.error().ToString();
  EXPECT_EQ(plan->steps[0].tier, Tier::kAdvise);
}

TEST(ImportCacaoTest, WhatCannotBeCarriedOverIsRefusedByName) {
  const auto says = [](const json& playbook) {
    const auto imported = ImportCacao(playbook.dump(), "p.json");
    return imported ? "imported:\n" + imported->yaml : imported.error().message();
  };
  json loop = Playbook();
  loop["workflow"]["action--1"]["type"] = "while-condition";
  EXPECT_THAT(says(loop),
              HasSubstr("p.json: step 'action--1' is a while-condition, which is not carried over"));
  json circle = Playbook();
  circle["workflow"]["action--2"]["on_completion"] = "action--1";
  EXPECT_THAT(says(circle), HasSubstr("comes back to itself"));
  json lost = Playbook();
  lost["workflow"]["start--1"]["on_completion"] = "action--9";
  EXPECT_THAT(says(lost), HasSubstr("has no step 'action--9'"));
  json version = Playbook();
  version["spec_version"] = "1.1";
  EXPECT_THAT(says(version), HasSubstr("is of version '1.1'"));
  EXPECT_THAT(says(json::array()), HasSubstr("is no JSON object"));
  json huge = Playbook();
  for (int i = 0; i < 300; ++i)
    huge["workflow"]["action--2"]["commands"].push_back({{"type", "manual"}, {"command", "x"}});
  EXPECT_THAT(says(huge), HasSubstr("more than 200 steps"));
  json empty = Playbook();
  empty["workflow"]["start--1"]["on_completion"] = "end--1";
  EXPECT_THAT(says(empty), HasSubstr("does nothing"));
}

// Whatever the types of members are: an error or a runbook that reads, never a crash.
TEST(ImportCacaoTest, HostilePlaybooks) {
  const json good = Playbook();
  const std::vector<json> nasty = {
      nullptr, 7, "x", true, json::array({1}), {{"a", "{{ b"}}, std::string(5000, 'y'), "\n# {{ \xff"};
  const json flat = good.flatten();
  size_t turn = 0;  // each place gets two of them, so that the suite stays quick
  for (const auto& [pointer, value] : flat.items()) {
    for (const size_t i : {turn, turn + 3}) {
      const json& put = nasty[i % nasty.size()];
      json bad = flat;
      bad[pointer] = put.is_structured() ? json("z") : put;
      const auto text = bad.unflatten().dump(-1, ' ', false, json::error_handler_t::replace);
      if (const auto imported = ImportCacao(text, "p.json")) {
        EXPECT_TRUE(ReadRunbook(imported->yaml, "x.yaml")) << pointer;
      }
    }
    ++turn;
  }
  for (const auto& [key, value] : good.items()) {
    for (const json& put : nasty) {
      json bad = good;
      bad[key] = put;
      if (const auto imported =
              ImportCacao(bad.dump(-1, ' ', false, json::error_handler_t::replace), "p.json")) {
        EXPECT_TRUE(ReadRunbook(imported->yaml, "x.yaml")) << key;
      }
    }
  }
}

TEST(ImportSkillTest, SectionsBecomeStepsByHand) {
  const auto imported = ImportSkill(
      "---\nname: Restart the Queue\ndescription: When it hangs.\nallowed-tools: Bash\n---\nFirst read "
      "this.\n"
      "# Look\nLook at {{ it }}.\n```\n# no heading\n```\n## Restart\n1. stop\n2. start\n# Empty\n",
      "SKILL.md");
  ASSERT_TRUE(imported) << imported.error().ToString();
  const auto read = ReadRunbook(imported->yaml, "x.yaml");
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(read->id, "restart-the-queue");
  EXPECT_TRUE(read->advise_only);
  EXPECT_EQ(read->about, "When it hangs.");
  ASSERT_EQ(read->steps.size(), 3u);
  EXPECT_EQ(std::get<PlanStep>(read->steps[0].what).instructions, "First read this.");
  EXPECT_EQ(std::get<PlanStep>(read->steps[1].what).instructions,
            "Look at { { it }}.\n```\n# no heading\n```");
  EXPECT_EQ(std::get<PlanStep>(read->steps[2].what).id, "restart");
  EXPECT_THAT(imported->yaml, HasSubstr("# Not carried over: 'allowed-tools' of the head"));
  EXPECT_FALSE(ImportSkill("# no head\n", "SKILL.md"));
  EXPECT_FALSE(ImportSkill("---\nname: x\n", "SKILL.md"));
  EXPECT_FALSE(ImportSkill("---\ndescription: x\n---\nbody\n", "SKILL.md"));
  EXPECT_FALSE(ImportSkill("---\nname: x\n---\n# Only\n", "SKILL.md"));
}

std::vector<std::string> YamlBlocks(const std::string& page) {
  std::vector<std::string> out;
  for (size_t at = 0; (at = page.find("```yaml\n", at)) != std::string::npos;) {
    at += 8;
    const size_t end = page.find("```", at);
    out.push_back(page.substr(at, end - at));
    at = end;
  }
  return out;
}

// Steps within steps have the keys of steps.
bool Repeats(const std::string& key) {
  for (const char* within : {"parallel[][]", "then[]", "else[]"}) {
    if (key.find(within) != std::string::npos) return true;
  }
  return false;
}

void CollectKeys(const json& schema, const json& node, const std::string& shape, std::set<std::string>& out) {
  if (!node.is_object() || Repeats(shape)) return;
  if (const auto ref = node.find("$ref"); ref != node.end()) {
    if (*ref == "#/$defs/claim") return;  // docs/formats/claim.md
    CollectKeys(schema, schema.at(json::json_pointer(ref->get<std::string>().substr(1))), shape, out);
  }
  for (const auto& one : node.value("oneOf", json::array())) CollectKeys(schema, one, shape, out);
  if (const auto items = node.find("items"); items != node.end())
    CollectKeys(schema, *items, shape + "[]", out);
  if (const auto named = node.find("additionalProperties"); named != node.end())
    CollectKeys(schema, *named, shape + ".*", out);
  const json properties = node.value("properties", json::object());
  for (const auto& [key, below] : properties.items()) {
    const std::string child = shape.empty() ? key : shape + "." + key;
    if (!Repeats(child)) out.insert(child);
    CollectKeys(schema, below, child, out);
  }
}

// As YAML 1.2 has it: dates stay texts.
json ToJson(const YAML::Node& node) {
  if (node.IsMap()) {
    json out = json::object();
    for (const auto& item : node) out[item.first.Scalar()] = ToJson(item.second);
    return out;
  }
  if (node.IsSequence()) {
    json out = json::array();
    for (const auto& item : node) out.push_back(ToJson(item));
    return out;
  }
  if (node.IsNull()) return nullptr;
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  if (text == "true" || text == "false") return text == "true";
  const json number = json::parse(text, nullptr, false);
  return number.is_number() ? number : json(text);
}

std::vector<std::string> Examples() {
  std::vector<std::string> out;
  for (const char* page : {"formats/runbook", "guides/runbooks"}) {
    for (const auto& block : YamlBlocks(ReadFile(SourceDirectory() + "/docs/" + page + ".md")))
      out.push_back(block);
  }
  return out;
}

TEST(RunbookSchemaTest, TheDocumentationShowsEveryKeyThatIsReadAndTheSchemaHasNoOther) {
  std::set<std::string> known, described;
  for (const auto& example : Examples()) {
    const auto root = ports::YamlValue::Parse(example, "example.yaml");
    ASSERT_TRUE(root) << root.error().message();
    (void)ReadRunbookDocument(*root);
    for (const auto& problem : root->Problems()) ADD_FAILURE() << problem.message();
    for (const auto& key : root->known()) {
      if (!Repeats(key)) known.insert(key);
    }
  }
  const json schema = json::parse(RunbookSchema());
  CollectKeys(schema, schema, "", described);
  // One condition or a list of them, which the documentation shows once each.
  std::erase_if(known, [](const std::string& key) { return key.starts_with("steps[].when[]."); });
  std::erase_if(described, [](const std::string& key) { return key.starts_with("steps[].when[]."); });
  for (const auto& key : known) EXPECT_TRUE(described.contains(key)) << key << " is not in the schema";
  for (const auto& key : described) EXPECT_TRUE(known.contains(key)) << key << " is not read";
  EXPECT_GT(known.size(), 70u);
  std::set<std::string> kinds, shown;
  const json claims(claims::ClaimSchema());
  for (const json& kind : claims["$defs"]["claim"]["oneOf"])
    kinds.insert(kind["$ref"].get<std::string>().substr(8));
  for (const json& kind : schema["$defs"]["claim"]["properties"]["kind"]["enum"]) shown.insert(kind);
  EXPECT_EQ(kinds, shown);
  EXPECT_EQ(RunbookSchema(), ReadFile(SourceDirectory() + "/docs/formats/runbook.schema.json"));
}

// Bodies that both refuse, for what is seen without looking names up.
constexpr const char* kWrong[] = {
    "steps: []",
    "stps: [{id: a, manual: b}]",
    "steps: [{id: a, manual: b}]\nlimits: {per_hour: 0}",
    "steps: [{id: a, manual: b}]\nlast_validated: yesterday",
    "steps: [{id: a, manual: b}]\ninputs: {x: {type: list}}",
    "steps: [{id: a, manual: b}]\ninputs: {x: {from: run.id}}",
    "steps: [{id: a, manual: b}]\nvalidate_every: often",
    "steps: [{id: a, manual: b}]\nstop_when: [{kind: nonsense}]",
    "steps: [{id: a b, manual: b}]",
    "steps: [{manual: b}]",
    "steps: [{id: a}]",
    "steps: [{id: a, manual: b, action: c}]",
    "steps: [{id: a, action: b, tier: root}]",
    "steps: [{id: a, action: b, reach: {traffic: 2}}]",
    "steps: [{id: a, action: b, targets: [x]}]",
    "steps: [{id: a, action: b, with: [x]}]",
    "steps: [{id: a, action: b, inverse: {action: c}, no_inverse: d}]",
    "steps: [{id: a, action: b, expect: {within: 5m}}]",
    "steps: [{id: a, action: b, outputs: {x: {at: y}}}]",
    "steps: [{id: a, action: b, when: {step: x}}]",
    "steps: [{id: a, action: b, when: {step: x, ended: well}}]",
    "steps: [{id: a, action: b, when: {value: x, is: y}}]",
    "steps: [{parallel: [[{id: a, manual: b}]]}]",
    "steps: [{if: {step: a, ended: done}}]",
    "steps: [{if: {step: a, ended: done}, then: [{id: x, manual: y}], els: []}]",
    "steps: [{id: a, run: b, with: {}}]",
};

TEST(RunbookSchemaTest, AValidatorAndTheReaderSayTheSame) {
  if (std::system("python3 -c 'import jsonschema' 2>/dev/null") != 0)
    GTEST_SKIP() << "python3-jsonschema is not installed";
  json cases = json::array();
  std::vector<std::string> right = Examples();
  for (const auto& entry : std::filesystem::directory_iterator(SourceDirectory() + "/runbooks"))
    right.push_back(ReadFile(entry.path().string()));
  for (const auto& text : right) cases.push_back({{"right", true}, {"document", ToJson(YAML::Load(text))}});
  for (const char* body : kWrong) {
    const std::string text = fmt::format("runbook: x\ntitle: x\n{}\n", body);
    EXPECT_FALSE(ReadRunbook(text, "x.yaml")) << body;
    cases.push_back({{"right", false}, {"document", ToJson(YAML::Load(text))}});
  }
  const std::string scratch = ::testing::TempDir() + "runbook-schema-";
  std::ofstream(scratch + "schema.json") << RunbookSchema();
  std::ofstream(scratch + "cases.json") << cases.dump();
  std::ofstream(scratch + "validate.py") << R"(import json, sys
import jsonschema
schema = json.load(open(sys.argv[1] + "schema.json"))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
failed = 0
for case in json.load(open(sys.argv[1] + "cases.json")):
    errors = [error.json_path + ": " + error.message[:200] for error in validator.iter_errors(case["document"])]
    if (not errors) != case["right"]:
        failed += 1
        print("should be", "right" if case["right"] else "wrong", json.dumps(case["document"])[:300], errors[:3])
sys.exit(1 if failed else 0)
)";
  EXPECT_EQ(std::system(("python3 " + scratch + "validate.py " + scratch).c_str()), 0);
}

TEST(StarterLibraryTest, EveryRunbookLintsCleanAndMakesAPlan) {
  const auto library = RunbookLibrary::Read(SourceDirectory() + "/runbooks");
  ASSERT_TRUE(library) << library.error().ToString();
  for (const Status& problem : (*library)->problems()) ADD_FAILURE() << problem.message();
  EXPECT_EQ((*library)->All().size(), 12u);
  const std::vector<ActionSpec> actions = AllActionSpecs();
  LintContext context;
  for (const ActionSpec& action : actions) context.actions.push_back(&action);
  context.now = *ParseTime("2026-12-01T00:00:00Z");
  for (const Runbook* runbook : (*library)->All()) {
    for (const LintFinding& finding : Lint(**library, *runbook, context))
      ADD_FAILURE() << RenderFinding(finding);
    json inputs = json::object();
    for (const RunbookInput& input : runbook->inputs) inputs[input.name] = SampleValue(input.type);
    const auto plan =
        (*library)->MakePlan(runbook->id, inputs, [](std::string_view) { return Origin::kAgent; });
    ASSERT_TRUE(plan) << plan.error().ToString();
    EXPECT_THAT(RenderPlan(*plan), Not(HasSubstr("{{ inputs."))) << runbook->id;
    EXPECT_FALSE(runbook->trigger.empty()) << runbook->id;
  }
}

}  // namespace
}  // namespace tocsin::act
