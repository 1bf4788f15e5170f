// The real binary: replay in every protocol and schema, and errors a person can act on.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "store/testing/scratch_directory.h"
#include "tests/e2e/running_server.h"
#include "tests/e2e/server_process.h"

namespace tocsin::e2e {
namespace {

using ::testing::HasSubstr;

class CommandLine : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = directory_.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  static CommandResult Tocsin(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), TOCSIN_BINARY);
    return RunCommand(arguments);
  }

  store::testing::ScratchDirectory directory_;
};

TEST_F(CommandLine, ReplaySendsEverySchemaByEveryProtocol) {
  RunningServer running;
  const std::string generic = Write(
      "generic.jsonl",
      R"({"time":"2026-11-01T10:00:00Z","service":"bot","prompt_name":"refund","prompt":"Where is my refund?","system":"Be brief.","output":"On its way.","model":"gpt-4o","documents":[{"id":"kb1","text":"Refunds take 5 days.","score":0.9}],"tool_calls":[{"id":"c1","name":"lookup","arguments":{"order":7},"result":"ok"}],"feedback":{"score":-1,"comment":"no"},"attributes":{"tenant":"acme"}}
)");
  const std::string alpaca = Write("alpaca.jsonl", R"({"prompt_id":1,"dataset":"d","prompt":"p","output":"o1"}
{"prompt_id":2,"dataset":"d","prompt":"q","output":"o2"}
)");
  const std::string drift = Write(
      "drift.jsonl",
      R"({"task":"t","model":"m-a","prompt_id":"1","prompt":"p","reference":"r","output":"old","latency_s":1.5,"cost_usd":0.01,"output_tokens":3,"timestamp":"07/25/2023, 16:23:27"}
{"task":"t","model":"m-b","prompt_id":"1","prompt":"p","reference":"r","output":"new","latency_s":1.5,"cost_usd":0.01,"output_tokens":3,"timestamp":"07/25/2023, 19:04:25"}
)");
  const auto one = Tocsin({"replay", generic, "--url", running.url(), "--as-fast-as-possible"});
  ASSERT_EQ(one.exit_code, 0) << one.err;
  EXPECT_THAT(one.err, HasSubstr("times are those recorded"));
  const auto two = Tocsin({"replay", alpaca, "--url", running.url(), "--protocol", "json", "--service",
                           "alpaca", "--model", "x"});
  ASSERT_EQ(two.exit_code, 0) << two.err;
  EXPECT_THAT(two.err, HasSubstr("times are simulated"));
  const auto three = Tocsin({"replay", drift, "--url", running.grpc_url(), "--protocol", "grpc", "--service",
                             "drift", "--model", "gpt-3.5-turbo", "--hide-model", "--before-model", "m-a",
                             "--after-model", "m-b", "--start", "2026-11-01T00:00:00Z", "--every", "1h"});
  ASSERT_EQ(three.exit_code, 0) << three.err;
  ASSERT_TRUE(running.server().writer().Flush().ok());
  const auto bot = running.Stored("bot");
  ASSERT_EQ(bot.size(), 1u);
  EXPECT_EQ(bot.front().generation.prompt_name, "refund");
  EXPECT_EQ(bot.front().generation.system, "Be brief.");
  EXPECT_EQ(FormatTime(bot.front().generation.time), "2026-11-01T10:00:00Z");
  EXPECT_EQ(running.Stored("alpaca").size(), 2u);
  const auto swapped = running.Stored("drift");
  ASSERT_EQ(swapped.size(), 2u);
  EXPECT_EQ(swapped.at(0).generation.output, "old");
  EXPECT_EQ(swapped.at(1).generation.output, "new");
  EXPECT_EQ(swapped.at(1).generation.response_model, "gpt-3.5-turbo");
  EXPECT_EQ(FormatTime(swapped.at(1).generation.time), "2026-11-01T01:00:00Z");
  const auto counts = nlohmann::json::parse(running.Get("/api/v1/counts").body);
  EXPECT_EQ(counts["retrievals"], 1);
  EXPECT_EQ(counts["tool_executions"], 1);
  EXPECT_EQ(counts["feedbacks"], 1);
}

TEST_F(CommandLine, BadRowsAreLocated) {
  const std::string path =
      Write("bad.jsonl", "{\"prompt\":\"p\",\"output\":\"o\"}\n\n{\"prompt\":7.5,\"output\":\"o\"}\n");
  const auto result = Tocsin({"replay", path, "--url", "http://127.0.0.1:9"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("bad.jsonl:3: member 'prompt'"));
  const auto missing = Tocsin({"replay", directory_.path() + "/none.jsonl"});
  EXPECT_EQ(missing.exit_code, 1);
}

TEST_F(CommandLine, AnUnreachableServerSaysWhatToDo) {
  for (const char* command : {"incidents", "status"}) {
    const auto result = Tocsin({command, "--url", "http://127.0.0.1:9"});
    EXPECT_EQ(result.exit_code, 3) << command;
    EXPECT_THAT(result.err, HasSubstr("tocsin serve"));
    EXPECT_EQ(result.out, "");
  }
}

TEST_F(CommandLine, IncidentsAndStatusOfARunningServer) {
  RunningServer running;
  const auto list = Tocsin({"incidents", "--url", running.url()});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  const auto json = Tocsin({"incidents", "--json", "--all", "--url", running.url()});
  EXPECT_TRUE(nlohmann::json::parse(json.out)["incidents"].empty());
  const auto none = Tocsin({"incident", "show", "INC-NONE", "--url", running.url()});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(none.err, HasSubstr("INC-NONE"));
  EXPECT_THAT(Tocsin({"status", "--url", running.url()}).out, HasSubstr("ready"));
}

TEST_F(CommandLine, ServeRefusesABusyPortALockedDirectoryAndAMisspeltSetting) {
  ServerProcess first(directory_.path() + "/data");
  const auto locked =
      Tocsin({"serve", "--data", directory_.path() + "/data", "--http", "127.0.0.1:0", "--grpc", "off"});
  EXPECT_EQ(locked.exit_code, 2) << locked.err;
  EXPECT_THAT(locked.err, HasSubstr("data"));
  const auto busy = Tocsin({"serve", "--data", directory_.path() + "/other", "--grpc", "off", "--http",
                            fmt::format("127.0.0.1:{}", first.port())});
  EXPECT_EQ(busy.exit_code, 2) << busy.err;
  EXPECT_THAT(busy.err, HasSubstr("cannot listen"));
  const auto grpc_busy = Tocsin({"serve", "--data", directory_.path() + "/third", "--http", "127.0.0.1:0",
                                 "--grpc", fmt::format("127.0.0.1:{}", first.grpc_port())});
  EXPECT_EQ(grpc_busy.exit_code, 2) << grpc_busy.err;
  const std::string config = Write("tocsin.yaml", "limits:\n  max_backlog_bites: 1MiB\n");
  const auto misspelt = Tocsin({"serve", "--config", config});
  EXPECT_EQ(misspelt.exit_code, 2);
  EXPECT_THAT(
      misspelt.err,
      HasSubstr("tocsin.yaml:2: limits: unknown key 'max_backlog_bites'; is it 'max_backlog_bytes'?"));
  EXPECT_EQ(first.Stop(), 0);
}

}  // namespace
}  // namespace tocsin::e2e
