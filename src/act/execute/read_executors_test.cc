#include "act/execute/read_executors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace tocsin::act {
namespace {

using ::testing::HasSubstr;

class ReadExecutorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/tocsin-read-XXXXXX";
    folder_ = mkdtemp(name);
    std::ofstream(folder_ + "/token") << "from-file\n";
    setenv("TOCSIN_TEST_TOKEN", "from-env", 1);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  // What is wrong, one line each.
  std::string Read(const std::string& yaml) {
    settings_ = {};
    const auto root = ports::YamlValue::Parse(yaml, folder_ + "/tocsin.yaml");
    EXPECT_TRUE(root) << root.error().ToString();
    ports::YamlSection section(*root);
    ReadExecutors(section, settings_);
    section.Finish();
    std::string out;
    for (const Status& one : root->Problems()) out += one.message() + "\n";
    return out;
  }
  std::string folder_;
  ExecutorSettings settings_;
};

TEST_F(ReadExecutorsTest, Everything) {
  EXPECT_EQ(Read(R"(
services:
  deploy:
    base_url: https://deploy.internal/api
    headers:
      - {name: Authorization, prefix: "Bearer ", value_file: token}
      - {name: X-Env, value_env: TOCSIN_TEST_TOKEN}
      - {name: X-Plain, value: plain}
    methods: [POST, PUT]
    paths: [/flags/]
    recover: {path: "/operations/{key}", pointer: /state, done: [applied], failed: [rejected]}
commands:
  restart:
    path: /usr/bin/systemctl
    fixed: [restart]
    arguments: ['web-[0-9]+\.service']
    dry_run: [--dry-run]
    user: deploy
    environment: {LANG: C}
    limits: {cpu: 30s, memory: 512MiB, file_size: 16MiB, open_files: 64, processes: 32, output: 16KiB}
clusters:
  prod: {server: "https://10.0.0.1:6443", ca_file: ca.pem, token_file: token, namespaces: [shop, team-*], nodes: [worker-*]}
flags:
  shop: {file: flags.json, ofrep: {base_url: "http://127.0.0.1:8016"}, flags: [checkout-*]}
  other: {api: {base_url: "http://flags.internal", path: "/v1/{flag}", pointer: /variant, method: PATCH}, flags: ["*"]}
repositories:
  config: {remote: "ssh://git@git.internal/config.git", branch: main, paths: [conf/*], ssh_key_file: key, known_hosts_file: hosts}
  web: {remote: "https://git.internal/web.git", paths: ["*"], authorization_file: token, author: {name: T, email: t@example.org}}
git: /usr/local/bin/git
)"),
            "");
  const auto& service = settings_.services.at("deploy");
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"Authorization", "Bearer from-file"}, {"X-Env", "from-env"}, {"X-Plain", "plain"}};
  EXPECT_EQ(service.endpoint.headers, headers);
  EXPECT_EQ(service.recovery.done, std::vector<std::string>{"applied"});
  EXPECT_EQ(settings_.commands.at("restart").limits.memory_bytes, 512u << 20);
  EXPECT_EQ(settings_.commands.at("restart").limits.cpu_seconds, 30);
  EXPECT_FALSE(settings_.commands.at("restart").network);
  EXPECT_EQ(settings_.clusters.at("prod").token_file, folder_ + "/token");
  EXPECT_EQ(settings_.flags.at("shop").file, folder_ + "/flags.json");
  EXPECT_EQ(settings_.flags.at("other").api_method, "PATCH");
  EXPECT_EQ(settings_.repositories.at("web").authorization, "from-file");
  EXPECT_EQ(settings_.git, "/usr/local/bin/git");
  EXPECT_EQ(Read("{}"), "");
}

// The documentation's examples, read as they stand.
TEST_F(ReadExecutorsTest, TheExamplesOfTheDocumentation) {
  for (const char* file : {"deploy-token", "git-authorization"})
    std::ofstream(folder_ + "/" + file) << "secret";
  const char* const source = std::getenv("TOCSIN_SOURCE_DIR");
  int read = 0;
  for (const char* page : {"formats/configuration.md", "guides/executors.md"}) {
    std::ifstream in(std::string(source == nullptr ? "." : source) + "/docs/" + page);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    for (size_t at = 0; (at = text.find("```yaml\nact:\n  executors:", at)) != std::string::npos; ++at) {
      const size_t end = text.find("```\n", at + 8);
      settings_ = {};
      const auto root = ports::YamlValue::Parse(text.substr(at + 8, end - at - 8), folder_ + "/tocsin.yaml");
      ASSERT_TRUE(root) << page << root.error().ToString();
      ports::YamlSection section(*root);
      section.Map("act", [&](ports::YamlSection& act) {
        act.Map("executors", [&](ports::YamlSection& executors) { ReadExecutors(executors, settings_); });
      });
      section.Finish();
      for (const Status& problem : root->Problems()) ADD_FAILURE() << page << ": " << problem.message();
      ++read;
    }
  }
  EXPECT_GE(read, 6);
}

TEST_F(ReadExecutorsTest, WhatIsWrongSaysWhere) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"services:\n  a:\n    base_url: https://x\n    paths: [/y/]\n    surprise: 1",
       ":5: services.a: unknown key 'surprise'"},
      {"services: {a: {base_url: \"https://user@x\", paths: [/]}}",
       ":1: services.a.base_url: is not an address"},
      {"services: {a: {base_url: \"https://x/\", paths: [/]}}", "services.a.base_url: is not an address"},
      {"services: {a: {base_url: \"file:///x\", paths: [/]}}", "services.a.base_url: is not an address"},
      {"services: {a: {base_url: \"https://x\"}}", "is needed: what the paths"},
      {"services: {a: {base_url: \"https://x\", paths: [/../]}}",
       "services.a.paths: the path has a segment of dots"},
      {"services: {a: {base_url: \"https://x\", paths: [/], methods: [TRACE]}}",
       "services.a.methods: has one that is not"},
      {"services: {a: {base_url: \"https://x\", paths: [/], recover: {path: /x}}}",
       "is not a path with {key} in it"},
      {"services: {a: {base_url: \"https://x\", paths: [/], recover: {path: \"/{key}\", pointer: /s}}}",
       "goes with 'pointer'"},
      {"services: {a: {base_url: \"https://x\", paths: [/], headers: [{name: A}]}}",
       "a header needs 'value'"},
      {"services: {a: {base_url: \"https://x\", paths: [/], headers: [{name: A, value_env: "
       "TOCSIN_NOT_SET}]}}",
       "the environment has no TOCSIN_NOT_SET"},
      {"services: {a: {base_url: \"https://x\", paths: [/], headers: [{name: A, value: s3, value_env: "
       "HOME}]}}",
       "one of them"},
      {"services: {a: {base_url: \"https://x\", paths: [/], headers: [{name: \"A:\", value: b}]}}",
       "is not the name of a header"},
      {"commands: {a: {path: ls}}", "commands.a.path: is not the absolute path"},
      {"commands: {a: {path: /bin/ls, arguments: [\"(\"]}}", "commands.a.arguments: '(' is not a pattern"},
      {"commands: {a: {path: /bin/ls, limits: {memory: lots}}}", "commands.a.limits.memory"},
      {"clusters: {a: {server: \"https://x\", namespaces: [y]}}", "clusters.a: is needed: the token"},
      {"clusters: {a: {server: \"https://x\", token_file: t, namespaces: [\"a*b\"]}}", "'a*b' is not a name"},
      {"flags: {a: {flags: [x]}}", "a store needs 'file', 'api' or 'ofrep'"},
      {"flags: {a: {file: f}}", "is needed: which flags"},
      {"repositories: {a: {remote: \"ext::sh -c id\", paths: [x]}}",
       "repositories.a.remote: is not an https or ssh URL"},
      {"repositories: {a: {remote: \"ssh://h/r\", paths: [x]}}", "is needed for ssh"},
      {"repositories: {a: {remote: /r, paths: [x], branch: \"--upload-pack=x\"}}",
       "is not the name of a branch"},
      {"repositories: {a: {remote: /r}}", "is needed: the files"},
      {"git: git", "git: is not the absolute path of git"},
      {"manual: {}", "unknown key 'manual'"},
  };
  for (const auto& [yaml, said] : cases) EXPECT_THAT(Read(yaml), HasSubstr(said)) << yaml;
  EXPECT_THAT(Read("services: {a: {base_url: \"https://x\", paths: [/], headers: [{name: A, value: s3cret, "
                   "value_env: HOME}]}}"),
              ::testing::Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace tocsin::act
