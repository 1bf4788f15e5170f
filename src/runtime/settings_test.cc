#include "runtime/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace tocsin::runtime {
namespace {

using ::testing::HasSubstr;

TEST(Settings, AnEmptyFileIsTheDefaults) {
  for (const char* text : {"", "# nothing\n", "{}"}) {
    const auto settings = ParseSettings(text, "t.yaml");
    ASSERT_TRUE(settings) << settings.error().ToString();
    EXPECT_EQ(settings->http.port, 4318);
    EXPECT_EQ(settings->grpc.host, "127.0.0.1");
  }
}

TEST(Settings, EverythingCanBeSet) {
  const auto settings = ParseSettings(R"(
data: /var/lib/tocsin
http: 0.0.0.0:8080
grpc: off
retention: 7d
limits:
  max_backlog_bytes: 64MiB
  request_timeout: 10s
redaction:
  patterns:
    - name: account
      regex: "ACC-[0-9]{8}"
detection:
  alpha: 0.01
  segment_attributes: [tier, country]
  index_embedding_models: {kb: text-embedding-3-small}
)",
                                      "t.yaml");
  ASSERT_TRUE(settings) << settings.error().ToString();
  EXPECT_EQ(settings->data, "/var/lib/tocsin");
  EXPECT_EQ(settings->http.port, 8080);
  EXPECT_FALSE(settings->grpc_enabled);
  EXPECT_EQ(settings->retention, Duration::Hours(24 * 7));
  EXPECT_EQ(settings->limits.max_backlog_bytes, 64u << 20);
  EXPECT_EQ(settings->limits.request_timeout_ms, 10'000);
  EXPECT_EQ(settings->redaction.patterns.front().name, "account");
  EXPECT_EQ(settings->detection.watcher.alpha, 0.01);
  EXPECT_EQ(settings->detection.watcher.segment_attributes.size(), 2u);
}

TEST(Settings, ErrorsNameFileLineAndKey) {
  for (const auto& [text, named] : std::map<std::string, std::string>{
           {"dta: x\n", "t.yaml:1: unknown key 'dta'; is it 'data'?"},
           {"data: x\nlimits:\n  max_backlog_bytes: lots\n",
            "t.yaml:3: limits.max_backlog_bytes: 'lots' is not a size such as 1048576 or 16MiB"},
           {"limits: 3\n", "t.yaml:1: limits: is not a mapping"},
           {"http: nowhere\n", "t.yaml:1: http: 'nowhere' is not an address"},
           {"retention: -1d\n", "t.yaml:1: retention: '-1d' is not a length of time"},
           {"detection:\n  alpha: 2\n", "t.yaml:2: detection.alpha: '2' is not a number between 0 and 1"},
           {"redaction:\n  patterns: [{name: a, regex: '('}]\n", "t.yaml:2: redaction: "},
           {"log_level: loud\n", "t.yaml:1: log_level: is none of"},
           {"alert_mappings: {ci: {labels: {alertname: no-pointer}}}\n",
            "t.yaml:1: alert_mappings.ci: labels.alertname"},
           {"alert_mappings: {ci: {items: /a}}\n",
            "t.yaml:1: alert_mappings.ci: labels: at least one is required"},
           {"data: x\ndata: y\n", "t.yaml:2: key 'data' comes twice"},
           {"data: x\n---\ndata: y\n", "more than one document"},
           {"a: [", "t.yaml:"},
           {"- a\n", "not a mapping"},
       }) {
    const auto settings = ParseSettings(text, "t.yaml");
    ASSERT_FALSE(settings) << text;
    EXPECT_THAT(settings.error().message(), HasSubstr(named));
  }
}

TEST(Settings, HostileShapesAreRefusedNotCrashedOn) {
  EXPECT_FALSE(ParseSettings(std::string(100'000, '['), "t.yaml"));
  EXPECT_FALSE(ParseSettings("data: " + std::string(100'000, '{'), "t.yaml"));
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  EXPECT_FALSE(ParseSettings(deep, "t.yaml"));
  EXPECT_FALSE(ParseSettings(std::string(2u << 20, '#'), "t.yaml"));
  EXPECT_THAT(ParseSettings("data: &x y\n", "t.yaml").error().message(), HasSubstr("anchors and aliases"));
  std::string laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) laughs += "*a" + std::to_string(i - 1) + ",";
    laughs += "]\n";
  }
  EXPECT_THAT(ParseSettings(laughs, "t.yaml").error().message(), HasSubstr("t.yaml:1: anchors and aliases"));
  for (const std::string& nest : {std::string(50'000, '-'), std::string("- ") + std::string(5000, '?')})
    EXPECT_FALSE(ParseSettings("data: \n" + nest, "t.yaml"));
  std::string dashes;
  for (int i = 0; i < 5000; ++i) dashes += "- ";
  EXPECT_FALSE(ParseSettings(dashes, "t.yaml"));
}

TEST(Settings, Addresses) {
  EXPECT_EQ(ParseAddress("8080")->port, 8080);
  EXPECT_EQ(ParseAddress(":8080")->host, "127.0.0.1");
  EXPECT_EQ(ParseAddress("localhost:1")->host, "127.0.0.1");
  EXPECT_EQ(ParseAddress("[::1]:1")->host, "::1");
  for (const char* bad : {"", "x", "1.2.3.4:", "1.2.3.4:99999", "1.2.3.4:-1"})
    EXPECT_FALSE(ParseAddress(bad)) << bad;
}

}  // namespace
}  // namespace tocsin::runtime
