#include "ports/model/model_settings_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::ports {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> Problems(std::string_view text, ConfiguredModel& model) {
  auto root = YamlValue::Parse(text, "t.yaml");
  EXPECT_TRUE(root) << root.error().message();
  YamlSection section(*root);
  section.Map("model", [&](YamlSection& m) { ReadModel(m, model); });
  section.Finish();
  std::vector<std::string> problems;
  for (const Status& problem : root->Problems()) problems.push_back(problem.message());
  return problems;
}

TEST(ModelSettingsReader, ReadsAll) {
  ConfiguredModel model;
  EXPECT_THAT(Problems(R"(model:
  protocol: anthropic
  url: https://api.anthropic.com
  name: some-model
  api_key_env: ANTHROPIC_API_KEY
  stream: false
  idle_timeout: 30s
  timeout: 2m
  tries: 2
  prices: {input: 3.0, cached_input: 0.3, output: 15}
  budget: {tokens: 200000, usd: 0.5, time: 5m}
)",
                       model),
              ::testing::IsEmpty());
  EXPECT_EQ(model.settings.protocol, ModelProtocol::kAnthropic);
  EXPECT_EQ(model.settings.model, "some-model");
  EXPECT_FALSE(model.settings.stream);
  EXPECT_EQ(model.settings.idle_timeout_ms, 30'000);
  EXPECT_EQ(model.settings.timeout_ms, 120'000);
  EXPECT_EQ(model.settings.max_tries, 2);
  EXPECT_EQ(model.settings.prices.cached_usd_per_million, 0.3);
  EXPECT_EQ(model.settings.prices.output_usd_per_million, 15);
  EXPECT_EQ(model.budget.max_tokens, 200'000);
  EXPECT_EQ(model.budget.max_usd, 0.5);
  EXPECT_EQ(model.budget.max_time, Duration::Minutes(5));
}

TEST(ModelSettingsReader, NamesWhatIsWrong) {
  ConfiguredModel model;
  const auto problems = Problems(R"(model:
  protocol: telepathy
  url: localhost:8080
  api_key_env: A
  api_key_file: b
  prices: {input: -1}
  budget: {usd: lots}
  nmae: x
)",
                                 model);
  std::string all;
  for (const std::string& problem : problems) all += problem + "\n";
  for (const char* what :
       {"protocol", "model.url", "needed", "one of them", "prices.input", "budget.usd", "nmae"}) {
    EXPECT_THAT(all, HasSubstr(what));
  }
}

}  // namespace
}  // namespace tocsin::ports
