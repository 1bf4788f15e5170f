// The schema and the reader agree: the same keys, and the same verdict on examples. The examples of the
// documentation are read as they stand.
#include "runtime/settings_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "runtime/internal/read_settings.h"
#include "store/testing/scratch_directory.h"

namespace tocsin::runtime {
namespace {

using Json = nlohmann::json;

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

// A route in a route in a route has the keys of a route.
bool Repeats(const std::string& key) { return key.find("routes[].routes[]") != std::string::npos; }

void CollectKeys(const Json& schema, const Json& node, const std::string& shape, std::set<std::string>& out) {
  if (!node.is_object() || Repeats(shape)) return;
  if (const auto ref = node.find("$ref"); ref != node.end())
    CollectKeys(schema, schema.at(Json::json_pointer(ref->get<std::string>().substr(1))), shape, out);
  if (const auto all = node.find("allOf"); all != node.end()) {
    for (const auto& one : *all) CollectKeys(schema, one, shape, out);
  }
  if (const auto items = node.find("items"); items != node.end())
    CollectKeys(schema, *items, shape + "[]", out);
  if (const auto named = node.find("additionalProperties"); named != node.end())
    CollectKeys(schema, *named, shape + ".*", out);
  if (!node.contains("properties")) return;
  for (const auto& [key, below] : node["properties"].items()) {
    const std::string child = shape.empty() ? key : shape + "." + key;
    if (!Repeats(child)) out.insert(child);
    CollectKeys(schema, below, child, out);
  }
}

class SettingsSchemaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"slack-url", "webhook-key", "mail-password", "slack-secret", "ada-slack",
                             "bob-pagerduty", "deploy-token", "git-authorization"})
      std::ofstream(scratch_.path() + "/" + name) << "https://secret.example.org/x\n";
    std::ofstream(scratch_.path() + "/switch.pem") << std::string(64, 'a');
    for (const char* page : {"configuration", "oncall"}) {
      for (const auto& block : YamlBlocks(ReadFile(SourceDirectory() + "/docs/formats/" + page + ".md")))
        examples_.push_back(block);
    }
    ASSERT_GE(examples_.size(), 4u);
  }
  std::string scratch_dir() const { return scratch_.path() + "/"; }
  store::testing::ScratchDirectory scratch_;
  std::vector<std::string> examples_;
};

TEST_F(SettingsSchemaTest, TheDocumentationsExamplesAreRightAndShowEveryKey) {
  std::set<std::string> known;
  for (const auto& example : examples_) {
    const auto root = ports::YamlValue::Parse(example, scratch_dir() + "tocsin.yaml");
    ASSERT_TRUE(root) << root.error().message();
    (void)internal::ReadSettings(*root);
    for (const auto& problem : root->Problems()) ADD_FAILURE() << problem.message();
    for (const auto& key : root->known()) {
      if (!Repeats(key)) known.insert(key);
    }
  }
  const Json schema = Json::parse(SettingsSchema());
  std::set<std::string> described;
  CollectKeys(schema, schema, "", described);
  // The former name of time_intervals, which are read by the same reader.
  std::erase_if(described, [](const std::string& key) { return key.starts_with("mute_time_intervals[]"); });
  for (const auto& key : known) EXPECT_TRUE(described.contains(key)) << key << " is not in the schema";
  for (const auto& key : described) EXPECT_TRUE(known.contains(key)) << key << " is not read";
  EXPECT_GT(known.size(), 150u);
}

// As YAML 1.2 has it: dates stay texts.
Json ToJson(const YAML::Node& node) {
  if (node.IsMap()) {
    Json out = Json::object();
    for (const auto& item : node) out[item.first.Scalar()] = ToJson(item.second);
    return out;
  }
  if (node.IsSequence()) {
    Json out = Json::array();
    for (const auto& item : node) out.push_back(ToJson(item));
    return out;
  }
  if (node.IsNull()) return nullptr;
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  if (text == "true" || text == "false") return text == "true";
  const Json number = Json::parse(text, nullptr, false);
  return number.is_number() ? number : Json(text);
}

// Documents that both refuse, for what is seen without looking names up.
constexpr const char* kWrong[] = {
    "dta: x",
    "limits: {max_text_bytes: lots}",
    "io_threads: 0",
    "retention: forever",
    "log_level: loud",
    "store: 5",
    "detection: {alpha: 2}",
    "people: {ada: {channels: [{kind: fax}]}}",
    "people: {ada: {channels: [{kind: ntfy}]}}",
    "people: {ada: {channels: [{kind: slack, url: 'ftp://x'}]}}",
    "people: {ada: {channels: [{kind: pagerduty, key: x, address: y}]}}",
    "people: {ada: {channels: [{kind: webhook, url: 'https://x', url_file: y}]}}",
    "people: {'a b': {}}",
    "people: {ada: {slack_user: bob}}",
    "people: {ada: {quiet_hours: [{from: '22:00'}]}}",
    "people: {ada: {quiet_hours: [{from: '22:00', to: '07:00', days: [noday]}]}}",
    "people: {ada: {quiet_hours: [{from: '22:00', to: '07:00', urgencies: [mid]}]}}",
    "teams: {ml: []}",
    "schedules: {p: {layers: []}}",
    "policies: {p: {steps: []}}",
    "policies: {p: {steps: [{targets: [{}]}]}}",
    "policies: {p: {steps: [{targets: [{person: x}]}], repeat: 21}}",
    "destinations: [{kind: slack, url: 'https://x'}]",
    "destinations: [{name: x, kind: slack, url: 'https://x', rate_limit: {burst: 0}}]",
    "receivers: [{policy: x}]",
    "receivers: [{name: x, slack_configs: []}]",
    "incidents: {tell: x}",
    "url: tocsin.example.org",
    "act: {runbook: x}",
    "act: {access: {people: {ada: {token_sha256: short}}}}",
    "act: {access: {people: {ada: {actions: ['kubernetes*']}}}}",
    "act: {access: {agents: {fixer: {}}}}",
    "act: {access: {agents: {fixer: {token_sha256: "
    "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae, ceiling: never}}}}",
    "act: {inventory: {deployment: {cart: {trafic: 0.1}}}}",
    "act: {inventory: {deployment: {cart: {traffic: 5}}}}",
    "act: {inventory: {deployment: {cart: {instances: -1}}}}",
    "act: {limits: {auto_reach: {traffic: 1.5}}}",
    "act: {limits: {auto_reach: {users: -1}}}",
    "act: {limits: {rates: [{per: moon, count: 1}]}}",
    "act: {limits: {rates: [{per: all, count: 0}]}}",
    "act: {limits: {auto_claims: -1}}",
    "act: {limits: {cooldown: soon}}",
    "act: {freezes: [{reason: x}]}",
    "act: {freezes: [{name: x, times: [{weekday: [monday]}]}]}",
    "act: {breaker: {failures: 0}}",
    "act: {workers: 0}",
    "act: {switch: {seconds: 5}}",
    "mail: {from: a@b.c}",
    "mail: {url: 'http://x', from: a@b.c}",
    "mail: {url: 'smtp://x', from: a@b.c, tls: maybe}",
    "pages_per_shift: -1",
    "route: {routes: []}",
    "route: {receiver: on-call, group_wait: 5}",
    "route: {receiver: on-call, routes: [{matcher: [x]}]}",
    "inhibit_rules: [{equals: [x]}]",
    "time_intervals: [{time_intervals: []}]",
    "time_intervals: [{name: x, time_intervals: [{times: [{start_time: '10:00'}]}]}]",
};

TEST_F(SettingsSchemaTest, AValidatorAndTheReaderSayTheSame) {
  if (std::system("python3 -c 'import jsonschema' 2>/dev/null") != 0)
    GTEST_SKIP() << "python3-jsonschema is not installed";
  Json cases = Json::array();
  for (const auto& example : examples_) {
    EXPECT_TRUE(ParseSettings(example, scratch_dir() + "tocsin.yaml"));
    cases.push_back({{"right", true}, {"document", ToJson(YAML::Load(example))}});
  }
  for (const char* wrong : kWrong) {
    EXPECT_FALSE(ParseSettings(wrong, "tocsin.yaml")) << wrong;
    cases.push_back({{"right", false}, {"document", ToJson(YAML::Load(wrong))}});
  }
  std::ofstream(scratch_dir() + "schema.json") << SettingsSchema();
  std::ofstream(scratch_dir() + "cases.json") << cases.dump();
  std::ofstream(scratch_dir() + "validate.py") << R"(import json, sys
import jsonschema
schema = json.load(open(sys.argv[1] + "schema.json"))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
failed = 0
for case in json.load(open(sys.argv[1] + "cases.json")):
    errors = [error.json_path + ": " + error.message for error in validator.iter_errors(case["document"])]
    if (not errors) != case["right"]:
        failed += 1
        print("should be", "right" if case["right"] else "wrong", json.dumps(case["document"])[:300], errors[:3])
sys.exit(1 if failed else 0)
)";
  EXPECT_EQ(std::system(("python3 " + scratch_dir() + "validate.py " + scratch_dir()).c_str()), 0);
}

TEST_F(SettingsSchemaTest, IsTheOneOfTheDocumentation) {
  EXPECT_EQ(SettingsSchema(), ReadFile(SourceDirectory() + "/docs/formats/tocsin.schema.json"));
}

}  // namespace
}  // namespace tocsin::runtime
