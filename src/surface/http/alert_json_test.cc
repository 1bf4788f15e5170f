// What the writers put out is what the slow and obvious way would.
#include "surface/http/alert_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace tocsin::surface {
namespace {

TEST(AlertJson, TimesAreWrittenAsFormatTimeWritesThem) {
  std::mt19937_64 random(20261124);
  TimeWriter writer;
  std::vector<int64_t> units = {1, 1000, 1'000'000, 1'000'000'000, 86'400'000'000'000};
  for (int i = 0; i < 20'000; ++i) {
    const int64_t unit = units[random() % units.size()];
    const auto far = static_cast<int64_t>(random() % 9'000'000'000'000'000'000ULL);
    const Time time{i % 10 == 0 ? -far / 2 / unit * unit : far / unit * unit};
    std::string text;
    writer.Append(text, time);
    ASSERT_EQ(text, FormatTime(time)) << time.ns;
  }
}

TEST(AlertJson, TextsAreReadBackByAnyJsonReader) {
  std::mt19937_64 random(7);
  const std::vector<std::string> pieces = {"a",          "plain text of some length",
                                           "\"",         "\\",
                                           "\n",         "\x1f",
                                           " ",          "\x7f",
                                           "\u00fc",     "\u20ac",
                                           "\U0001f6a8", "0123456"};
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto n = random() % 12; n > 0; --n) text += pieces[random() % pieces.size()];
    std::string out;
    AppendJsonText(out, text);
    ASSERT_EQ(nlohmann::json::parse(out).get<std::string>(), text) << out;
  }
}

TEST(AlertJson, BytesThatAreNotUtf8AreReplaced) {
  std::mt19937_64 random(8);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 40, ' ');
    for (char& c : text) c = static_cast<char>(random());
    std::string out;
    AppendJsonText(out, text);
    ASSERT_TRUE(nlohmann::json::accept(out)) << out;
  }
}

}  // namespace
}  // namespace tocsin::surface
