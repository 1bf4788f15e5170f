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
           {"dta: x\n", "t.yaml:1: dta is not a setting"},
           {"data: x\nlimits:\n  max_backlog_bytes: lots\n", "t.yaml:3: limits.max_backlog_bytes is 'lots'"},
           {"limits: 3\n", "t.yaml:1: limits is not a mapping"},
           {"http: nowhere\n", "t.yaml:1: http : 'nowhere' is not an address"},
           {"retention: -1d\n", "t.yaml:1: retention is '-1d'"},
           {"detection:\n  alpha: 2\n", "t.yaml:2: detection.alpha is '2'"},
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
  EXPECT_FALSE(ParseSettings("a: &x [1]\ndata: *x\n", "t.yaml"));
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
