#include "ports/model/model_settings_reader.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

namespace tocsin::ports {
namespace {

// A number that is not negative.
void ReadAmount(YamlSection& section, std::string_view key, double& out) {
  std::string text;
  section.Text(key, text);
  if (text.empty()) return;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !(value >= 0 && value <= 1e12)) return section.Fail(key, "is no amount such as 0.25");
  out = value;
}

void ReadMillis(YamlSection& section, std::string_view key, int64_t& out) {
  Duration span = Duration::Millis(out);
  section.Span(key, span);
  out = std::max<int64_t>(1, span.ns / 1'000'000);
}

void ReadKeyPlace(YamlSection& section, ModelSettings& settings) {
  section.Text("api_key_env", settings.api_key_env);
  section.Text("api_key_file", settings.api_key_file, 4096);
  if (!settings.api_key_env.empty() && !settings.api_key_file.empty()) {
    section.Fail("api_key_file", "comes beside 'api_key_env': one of them");
  }
}

}  // namespace

void ReadModel(YamlSection& section, ConfiguredModel& model) {
  ModelSettings& settings = model.settings;
  std::string protocol = "openai";
  section.Text("protocol", protocol);
  if (protocol == "anthropic") {
    settings.protocol = ModelProtocol::kAnthropic;
  } else if (protocol != "openai") {
    section.Fail("protocol", "is neither openai nor anthropic");
  }
  section.Text("url", settings.base_url, 2048);
  if (!settings.base_url.starts_with("http://") && !settings.base_url.starts_with("https://")) {
    section.Fail("url", "is not the http or https address of a model, such as http://127.0.0.1:8080");
  }
  section.Text("name", settings.model);
  if (settings.model.empty()) section.Fail("name", "is needed: which model to ask");
  ReadKeyPlace(section, settings);
  section.Text("anthropic_version", settings.anthropic_version);
  section.Flag("legacy_max_tokens", settings.legacy_max_tokens);
  section.Flag("stream", settings.stream);
  ReadMillis(section, "connect_timeout", settings.connect_timeout_ms);
  ReadMillis(section, "idle_timeout", settings.idle_timeout_ms);
  ReadMillis(section, "timeout", settings.timeout_ms);
  section.Number("tries", settings.max_tries, 1, 20);
  section.Map("prices", [&](YamlSection& prices) {
    ReadAmount(prices, "input", settings.prices.input_usd_per_million);
    ReadAmount(prices, "cached_input", settings.prices.cached_usd_per_million);
    ReadAmount(prices, "output", settings.prices.output_usd_per_million);
  });
  section.Map("budget", [&](YamlSection& budget) {
    size_t tokens = 0;
    budget.Count("tokens", tokens, 1);
    if (tokens > 0) model.budget.max_tokens = static_cast<int64_t>(tokens);
    ReadAmount(budget, "usd", model.budget.max_usd);
    budget.Span("time", model.budget.max_time);
  });
}

}  // namespace tocsin::ports
