#include "surface/simulate/support_traffic.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace tocsin::surface {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kModel = "meridian-chat";
constexpr std::string_view kSystem =
    "You are the support assistant of Northwind Retail. Answer from the articles and the order data only.";
constexpr std::string_view kBriefSystem =
    "You are the support assistant of Northwind Retail. Answer from the articles and the order data only. Be "
    "brief.";
constexpr std::array<std::string_view, 3> kLocales = {"en-GB", "en-US", "en-IN"};
constexpr std::array<std::string_view, 3> kChannels = {"web", "app", "mail"};

Voice VoiceAfter(TrafficChange change) {
  Voice voice = UsualVoice();
  if (change == TrafficChange::kModel) voice = SwappedVoice();
  if (change == TrafficChange::kPrompt) voice = BriefVoice();
  if (change == TrafficChange::kHallucinate) voice.invents = 0.25;
  if (change == TrafficChange::kPretend) voice.pretends = 0.6;
  return voice;
}

// Words and a bit: close enough to a tokenizer for a cost.
int64_t Tokens(const std::string& text) { return static_cast<int64_t>(text.size() / 4 + 3); }

double Normal(Rng& rng) {
  return std::sqrt(-2.0 * std::log(1.0 - rng.Uniform())) * std::cos(6.283185307179586 * rng.Uniform());
}

Json DocumentsJson(const Exchange& exchange) {
  Json list = Json::array();
  for (const signal::Document& document : exchange.documents) {
    Json item = {{"id", document.id}, {"text", document.text}};
    if (document.score) item["score"] = std::round(*document.score * 1000) / 1000;
    list.push_back(std::move(item));
  }
  return list;
}

Json ToolCallsJson(const Exchange& exchange) {
  Json list = Json::array();
  for (const signal::ToolCall& call : exchange.tool_calls) {
    list.push_back(
        {{"id", call.id}, {"name", call.name}, {"arguments", call.arguments}, {"result", call.result}});
  }
  return list;
}

void AddFeedback(Json& row, const Exchange& exchange, Rng& rng) {
  const bool given = rng.Uniform() < 0.3;
  const bool content = rng.Uniform() < (exchange.sound ? 0.82 : 0.35);
  if (given) row["feedback"] = content ? "thumbs_up" : "thumbs_down";
}

}  // namespace

Result<TrafficChange> ParseTrafficChange(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, TrafficChange>, 6> kNames = {{
      {"none", TrafficChange::kNone},
      {"model", TrafficChange::kModel},
      {"prompt", TrafficChange::kPrompt},
      {"hallucinate", TrafficChange::kHallucinate},
      {"pretend", TrafficChange::kPretend},
      {"mix", TrafficChange::kMix},
  }};
  for (const auto& [known, change] : kNames) {
    if (name == known) return change;
  }
  return Error(
      Code::kInvalidArgument,
      fmt::format("there is no change '{}': none, model, prompt, hallucinate, pretend or mix", name));
}

SupportTraffic::SupportTraffic(const TrafficOptions& options)
    : options_(options),
      before_(UsualVoice()),
      after_(VoiceAfter(options.change)),
      rng_(options.seed),
      now_(options.start) {}

const Topic& SupportTraffic::DrawTopic(bool shifted) {
  const auto topics = SupportTopics();
  double left = rng_.Uniform();
  for (const Topic& topic : topics) {
    left -= shifted ? topic.shifted : topic.share;
    if (left < 0) return topic;
  }
  return topics.back();
}

void SupportTraffic::Advance() {
  const double gap = -std::log(1.0 - rng_.Uniform()) * static_cast<double>(options_.every.ns);
  now_ = now_ + Duration::Nanos(static_cast<int64_t>(gap));
}

std::string SupportTraffic::NextLine() {
  const bool changed = options_.change != TrafficChange::kNone && index_ >= options_.change_after;
  const Topic& topic = DrawTopic(changed && options_.change == TrafficChange::kMix);
  const Exchange exchange = MakeExchange(topic, changed ? after_ : before_, rng_);
  const bool edited = changed && options_.change == TrafficChange::kPrompt;
  const int64_t input_tokens = Tokens(exchange.question) + 240;
  const int64_t output_tokens = Tokens(exchange.answer);
  Json row = {{"time", FormatTime(Time{now_.ns / 1'000'000 * 1'000'000})},
              {"service", options_.service},
              {"prompt_name", "support-answer"},
              {"prompt_version", edited ? "8" : "7"},
              {"conversation_id", fmt::format("c-{}-{:06}", options_.seed, index_)},
              {"model", kModel},
              {"reported_model", kModel},
              {"temperature", 0.7},
              {"system", edited ? kBriefSystem : kSystem},
              {"prompt", exchange.question},
              {"output", exchange.answer},
              {"documents", DocumentsJson(exchange)},
              {"tool_calls", ToolCallsJson(exchange)},
              {"input_tokens", input_tokens},
              {"output_tokens", output_tokens},
              {"latency_s", std::round(std::exp(0.1 + 0.35 * Normal(rng_)) * 1000) / 1000},
              {"cost_usd", static_cast<double>(input_tokens + 4 * output_tokens) / 1e6}};
  row["attributes"] = {{"user.locale", kLocales[rng_.Below(kLocales.size())]},
                       {"metadata", {{"channel", kChannels[rng_.Below(kChannels.size())]}}}};
  AddFeedback(row, exchange, rng_);
  ++index_;
  Advance();
  return row.dump();
}

}  // namespace tocsin::surface
