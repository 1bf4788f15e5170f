#include "detect/internal/observation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "behavior/answer_in_passages.h"
#include "behavior/claim_action.h"

namespace tocsin::detect {
namespace {

using behavior::Style;
using signal::Generation;

constexpr float kAbsent = std::numeric_limits<float>::quiet_NaN();
constexpr size_t kMaxViews = 64;

struct Views {
  std::vector<behavior::DocumentView> documents;
  std::vector<behavior::ToolCallView> tools;
  std::string prompt;  // history joined in front, when there is one
  behavior::GenerationInput input;
};

double OrNan(const std::optional<double>& v) { return v.value_or(std::numeric_limits<double>::quiet_NaN()); }

void FillViews(const Generation& g, Views& views) {
  for (const auto& d : g.documents) {
    if (views.documents.size() == kMaxViews) break;
    views.documents.push_back({d.id, d.text});
  }
  for (const auto& t : g.tool_calls) {
    if (views.tools.size() == kMaxViews) break;
    views.tools.push_back({t.name, t.arguments, t.result});
  }
  views.input.system = g.system;
  views.input.prompt = g.input;
  views.input.output = g.output;
  views.input.documents = views.documents;
  views.input.tool_calls = views.tools;
  views.input.finish_reason = g.finish_reason;
  if (g.duration.ns > 0) views.input.latency_ms = static_cast<double>(g.duration.ns) * 1e-6;
  if (g.output_tokens) views.input.output_tokens = static_cast<double>(*g.output_tokens);
  views.input.cost_usd = OrNan(g.cost_usd);
}

// Grounding and injection read earlier turns as context too.
behavior::GenerationInput WithHistory(const Generation& g, Views& views) {
  behavior::GenerationInput input = views.input;
  if (!g.history.empty()) {
    views.prompt = g.history + "\n" + g.input;
    input.prompt = views.prompt;
  }
  return input;
}

bool EmptyResult(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text.empty() || text == "[]" || text == "{}" || text == "null" || text == "\"\"";
}

float Flag(bool value) { return value ? 1.0F : 0.0F; }

void ToolValues(const Generation& g, NamedValues& v) {
  At(v, Named::kToolCall) = Flag(!g.tool_calls.empty());
  bool seen = false;
  bool empty = false;
  for (const auto& t : g.tool_calls) {
    if (!t.executed && t.result.empty()) continue;
    seen = true;
    empty = empty || (!t.failed && EmptyResult(t.result));
  }
  At(v, Named::kToolEmpty) = seen ? Flag(empty) : kAbsent;
}

void StyleValues(const behavior::GenerationFeatures& f, const Generation& g, NamedValues& v) {
  const auto style = [&](Style s) { return behavior::StyleValue(f, s); };
  At(v, Named::kLength) = static_cast<float>(g.output.size());
  At(v, Named::kRefusal) = Flag(f.refused());
  At(v, Named::kHedging) = style(Style::kHedging);
  At(v, Named::kApology) = style(Style::kApology);
  At(v, Named::kFlattery) = style(Style::kFlattery);
  At(v, Named::kRepetition) = style(Style::kRepetition);
  At(v, Named::kOtherLanguage) = style(Style::kOtherLanguage);
  At(v, Named::kJson) = Flag(style(Style::kJson) > 0.5F);
  At(v, Named::kCodeBroken) = Flag(style(Style::kCodeBroken) > 0);
  At(v, Named::kCodeFences) = Flag(style(Style::kCodeFences) > 0);
  At(v, Named::kLists) = Flag(style(Style::kNumberedItems) > 0 || style(Style::kBulletItems) > 0);
  At(v, Named::kSteps) = style(Style::kSteps);
  At(v, Named::kBoxed) = Flag(style(Style::kBoxed) > 0);
  At(v, Named::kYesNo) = Flag(style(Style::kStartsYesNo) > 0.5F);
}

bool ModelNotFound(const Generation& g) {
  if (g.http_status == 404) return true;
  return g.error_type == "404" || g.error_type.find("model_not_found") != std::string::npos ||
         g.error_type.find("NotFoundError") != std::string::npos;
}

void CheckContext(Observation& o, Views& views, const MeasureOptions& options) {
  const auto input = WithHistory(o.generation, views);
  const auto grounding = behavior::CheckGrounding(input, options.grounding);
  At(o.values, Named::kUnsupported) = Flag(grounding.any_unsupported());
  for (const auto& entity : grounding.unsupported) {
    if (o.note.size() > 160) break;
    o.note += (o.note.empty() ? "unsupported: " : ", ") + entity.text;
  }
  const auto claims = behavior::CheckActionClaims(input);
  At(o.values, Named::kUnmatchedClaim) = Flag(claims.any_unmatched());
  for (const auto& claim : claims.claims) {
    if (claim.matched || o.note.size() > 160) continue;
    o.note += (o.note.empty() ? "" : "; ") + ("no tool did: " + claim.sentence);
  }
  o.injection = behavior::CheckInjection(views.input);
}

void RetrievalValues(Observation& o, const Views& views) {
  const auto& documents = o.generation.documents;
  if (!o.retrieved && documents.empty()) return;
  At(o.values, Named::kRetrievalEmpty) = Flag(documents.empty());
  std::optional<double> top;
  for (const auto& d : documents) {
    if (d.score && (!top || *d.score > *top)) top = d.score;
  }
  if (top) At(o.values, Named::kRetrievalScore) = static_cast<float>(*top);
  if (!documents.empty()) {
    At(o.values, Named::kSupport) = static_cast<float>(behavior::AnswerInPassages(views.input).share);
  }
}

std::string Sampling(const Generation& g) {
  if (!g.temperature && !g.top_p && !g.max_tokens) return {};
  std::string text;
  if (g.temperature) text += fmt::format("temperature {} ", *g.temperature);
  if (g.top_p) text += fmt::format("top_p {} ", *g.top_p);
  if (g.max_tokens) text += fmt::format("max_tokens {} ", *g.max_tokens);
  text.pop_back();
  return text;
}

void FillAttributes(Observation& o, const std::vector<std::string>& user) {
  const Generation& g = o.generation;
  const auto set = [&](Attribute a, const std::string& v) {
    o.attributes[static_cast<size_t>(a)] = Excerpt(v, 120);
  };
  set(Attribute::kResponseModel, g.response_model);
  set(Attribute::kSystemFingerprint, g.system_fingerprint);
  set(Attribute::kPromptVersion, g.prompt_version);
  set(Attribute::kToolSchemaHash, g.tool_schema_hash);
  set(Attribute::kIndexVersion, g.index_version);
  set(Attribute::kSampling, Sampling(g));
  set(Attribute::kTenant, g.tenant);
  set(Attribute::kRegion, g.region);
  set(Attribute::kLocale, g.locale);
  set(Attribute::kHost, g.host);
  set(Attribute::kServiceVersion, g.service_version);
  set(Attribute::kEnvironment, g.environment);
  set(Attribute::kProvider, g.provider);
  set(Attribute::kRequestModel, g.request_model);
  for (size_t i = 0; i < user.size() && i < kMaxUserAttributes; ++i) {
    if (const auto it = g.attributes.find(user[i]); it != g.attributes.end()) {
      o.attributes[kBuiltInAttributes + i] = Excerpt(it->second, 120);
    }
  }
}

}  // namespace

std::string Excerpt(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  size_t end = bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "…";
}

void Measure(Observation& o, const MeasureOptions& options, behavior::NgramNames* names) {
  Views views;
  const Generation& g = o.generation;
  FillViews(g, views);
  o.values.fill(kAbsent);
  FillAttributes(o, options.user_attributes);
  const bool failed = !g.error_type.empty() || (g.http_status && *g.http_status >= 400);
  At(o.values, Named::kError) = ModelNotFound(g) ? kAbsent : Flag(failed);
  o.features = behavior::ExtractFeatures(views.input, failed ? nullptr : names);
  if (!std::isnan(views.input.latency_ms) && !failed) {
    At(o.values, Named::kLatency) = static_cast<float>(views.input.latency_ms);
  }
  o.prompt_sketch = SketchText(g.input);
  if (failed) return;
  StyleValues(o.features, g, o.values);
  ToolValues(g, o.values);
  At(o.values, Named::kTruncated) = Flag(o.features.truncated);
  At(o.values, Named::kEmpty) = Flag(g.output.empty() && g.tool_calls.empty());
  if (g.output_tokens) At(o.values, Named::kTokens) = static_cast<float>(*g.output_tokens);
  if (g.cost_usd) At(o.values, Named::kCost) = static_cast<float>(*g.cost_usd * 1e6);
  CheckContext(o, views, options);
  RetrievalValues(o, views);
  o.output_sketch = SketchNgrams(o.features.ngrams);
}

Record MakeRecord(const Observation& o, uint64_t index) {
  Record r;
  r.index = index;
  r.time = o.generation.time;
  r.stratum = static_cast<uint8_t>(o.features.prompt_stratum % behavior::kPromptStrata);
  r.values = o.values;
  r.ranks.fill(kAbsent);
  r.style = o.features.style;
  r.prompt_sketch = o.prompt_sketch;
  r.output_sketch = o.output_sketch;
  r.trace_id = o.generation.trace_id;
  r.span_id = o.generation.span_id;
  r.response_id = Excerpt(o.generation.response_id, 80);
  r.conversation_id = Excerpt(o.generation.conversation_id, 80);
  r.prompt = Excerpt(o.generation.input, 280);
  r.output = Excerpt(o.generation.output, 480);
  r.note = Excerpt(o.note, 200);
  return r;
}

void Record::Save(ByteWriter& out) const {
  out.Put(index);
  out.Put(time);
  out.Put(stratum);
  out.Put(values);
  out.Put(ranks);
  out.Put(style);
  out.Put(prompt_sketch);
  out.Put(output_sketch);
  out.Put(attributes);
  for (const auto* text : {&trace_id, &span_id, &response_id, &conversation_id, &prompt, &output, &note}) {
    out.Text(*text);
  }
}

void Record::Restore(ByteReader& in) {
  in.Get(index);
  in.Get(time);
  in.Get(stratum);
  stratum %= behavior::kPromptStrata;
  in.Get(values);
  in.Get(ranks);
  in.Get(style);
  in.Get(prompt_sketch);
  in.Get(output_sketch);
  in.Get(attributes);
  for (auto* text : {&trace_id, &span_id, &response_id, &conversation_id, &prompt, &output, &note}) {
    in.Text(*text);
  }
}

}  // namespace tocsin::detect
