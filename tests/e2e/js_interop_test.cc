// The real OpenTelemetry JavaScript exporters, run with node against the server.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/e2e/running_server.h"
#include "tests/e2e/server_process.h"

namespace tocsin::e2e {
namespace {

using ::testing::HasSubstr;

TEST(JavaScriptExporters, EveryProtocolArrives) {
  const std::string folder = TOCSIN_E2E_JS;
  if (!std::filesystem::exists(folder + "/node_modules")) {
    GTEST_SKIP() << "the exporters are not installed: npm ci --ignore-scripts in tests/e2e/js";
  }
  RunningServer running;
  const auto result = RunCommand({"node", folder + "/export.mjs", running.url(), running.grpc_url()});
  ASSERT_EQ(result.exit_code, 0) << result.out << result.err;
  const auto json = nlohmann::json::parse(result.out);
  ASSERT_TRUE(running.server().writer().Flush().ok());
  for (const auto& [name, service] : std::map<std::string, std::string>{{"json", "js-json"},
                                                                        {"json_gzip", "js-json-gzip"},
                                                                        {"proto", "js-proto"},
                                                                        {"proto_gzip", "js-proto-gzip"},
                                                                        {"grpc", "js-grpc"},
                                                                        {"grpc_gzip", "js-grpc-gzip"}}) {
    EXPECT_EQ(json[name]["code"], 0) << name << ": " << json[name].dump();
    const auto stored = running.Stored(service);
    ASSERT_EQ(stored.size(), 20u) << service;
    const signal::Generation& one = stored.at(7).generation;
    EXPECT_EQ(one.input, "Frage 7: Grüße, 東京?") << service;
    EXPECT_EQ(one.output, "Antwort 7");
    EXPECT_EQ(one.response_model, "gpt-4o-2024-08-06");
    EXPECT_EQ(one.output_tokens, 19);
    EXPECT_EQ(one.temperature, 0.5);
  }
  // One bad span: a partial success the exporter warns of, and 19 neighbours stored.
  EXPECT_EQ(json["partial"]["code"], 0);
  EXPECT_EQ(running.Stored("js-partial").size(), 19u);
  EXPECT_NE(json["wrong_path"]["code"], 0);
  const auto counts = running.server().telemetry().Counts();
  ASSERT_TRUE(counts);
  for (const auto& count : *counts) {
    if (count.table == "logs") {
      EXPECT_EQ(count.rows, 5);
    }
    if (count.table == "metrics") {
      EXPECT_GE(count.rows, 2);  // the reader exports again when it shuts down
    }
  }
}

}  // namespace
}  // namespace tocsin::e2e
