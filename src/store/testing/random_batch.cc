#include "store/testing/random_batch.h"

#include <fmt/format.h>

#include <array>

#include "kernel/id.h"
#include "signal/fields.h"

namespace tocsin::store::testing {
namespace {

using signal::Document;
using signal::ToolCall;

std::string RandomText(Rng& rng) {
  static constexpr std::array<std::string_view, 12> kPieces = {
      "refund", " ",  "\n",          "\"quoted\" \\ back", "żółć", "日本語",
      "\t\x01", "🙂", "{\"a\":[1]}", "'; DROP--",          "%",    "e\u0301"};
  const uint64_t pieces = rng.Below(4) == 0 ? rng.Below(60) : rng.Below(4);
  std::string text;
  for (uint64_t i = 0; i < pieces; ++i) text += kPieces[rng.Below(kPieces.size())];
  if (rng.Below(40) == 0) text += std::string("zero\0inside", 11);
  return text;
}

double RandomDouble(Rng& rng) {
  static constexpr std::array<double, 6> kSpecial = {0.0, -1.0, 1e300, 5e-324, 0.1, 1e15};
  return rng.Below(3) == 0 ? kSpecial[rng.Below(kSpecial.size())] : rng.Uniform() * 2000 - 1000;
}
int64_t RandomInteger(Rng& rng) {
  static constexpr std::array<int64_t, 5> kSpecial = {0, -1, INT64_MAX, INT64_MIN, 200};
  return rng.Below(3) == 0 ? kSpecial[rng.Below(kSpecial.size())]
                           : static_cast<int64_t>(rng.Next() >> rng.Below(64));
}

void Fill(Rng& rng, std::string& v) { v = RandomText(rng); }
void Fill(Rng& rng, Time& v) { v.ns = RandomInteger(rng); }
void Fill(Rng& rng, Duration& v) { v.ns = RandomInteger(rng); }
void Fill(Rng& rng, bool& v) { v = rng.Below(2) == 1; }
void Fill(Rng& rng, int64_t& v) { v = RandomInteger(rng); }
void Fill(Rng& rng, double& v) { v = RandomDouble(rng); }
template <class T>
void Fill(Rng& rng, std::optional<T>& v) {
  if (rng.Below(2) == 1) Fill(rng, v.emplace());
}
void Fill(Rng& rng, std::vector<Document>& v) {
  v.resize(rng.Below(3));
  for (Document& d : v) {
    d.id = RandomText(rng);
    d.text = RandomText(rng);
    Fill(rng, d.score);
  }
}
void Fill(Rng& rng, std::vector<ToolCall>& v) {
  v.resize(rng.Below(3));
  for (ToolCall& c : v) {
    c = {RandomText(rng), RandomText(rng),   RandomText(rng),
         RandomText(rng), rng.Below(2) == 1, rng.Below(2) == 1};
  }
}
void Fill(Rng& rng, std::map<std::string, std::string>& v) {
  for (uint64_t n = rng.Below(4); n > 0; --n) v[RandomText(rng)] = RandomText(rng);
}

std::string Show(const std::string& v) { return fmt::format("<{}>", v); }
std::string Show(Time v) { return std::to_string(v.ns); }
std::string Show(Duration v) { return std::to_string(v.ns); }
std::string Show(bool v) { return v ? "true" : "false"; }
std::string Show(int64_t v) { return std::to_string(v); }
std::string Show(double v) { return fmt::format("{}", v); }
template <class T>
std::string Show(const std::optional<T>& v) {
  return v ? Show(*v) : "absent";
}
std::string Show(const std::vector<Document>& v) {
  std::string s;
  for (const Document& d : v) s += Show(d.id) + Show(d.text) + Show(d.score);
  return s;
}
std::string Show(const std::vector<ToolCall>& v) {
  std::string s;
  for (const ToolCall& c : v) {
    s += Show(c.id) + Show(c.name) + Show(c.arguments) + Show(c.result) + Show(c.executed) + Show(c.failed);
  }
  return s;
}
std::string Show(const std::map<std::string, std::string>& v) {
  std::string s;
  for (const auto& [key, value] : v) s += Show(key) + Show(value);
  return s;
}

std::string Words(Rng& rng, size_t bytes) {
  static constexpr std::array<std::string_view, 16> kWords = {
      "your ",  "order ",   "will ",   "arrive ", "refund ", "please ", "account ", "within ",
      "three ", "business", " days, ", "contact", " us ",    "about ",  "the ",     "policy. "};
  std::string text;
  while (text.size() < bytes) text += kWords[rng.Below(kWords.size())];
  return text;
}

std::string Hex(Rng& rng, size_t digits) {
  std::string s;
  while (s.size() < digits) s += fmt::format("{:016x}", rng.Next());
  return s.substr(0, digits);
}

}  // namespace

signal::Batch RandomBatch(Rng& rng, uint64_t most) {
  signal::Batch batch;
  signal::VisitBatch(batch, [&](auto& rows) {
    rows.resize(rng.Below(most + 1));
    for (auto& row : rows) {
      signal::VisitFields(row, [&](const char*, auto& value) { Fill(rng, value); });
    }
  });
  return batch;
}

signal::Batch ChatBatch(Rng& rng, size_t rows) {
  signal::Batch batch;
  for (size_t i = 0; i < rows; ++i) {
    signal::Span& s = batch.spans.emplace_back();
    s.trace_id = Hex(rng, 32);
    s.span_id = Hex(rng, 16);
    s.name = "chat gpt-4o-mini";
    s.service = "support-bot";
    s.kind = "client";
    s.start = {1'790'000'000'000'000'000 + static_cast<int64_t>(rng.Below(1'000'000'000'000))};
    s.duration = Duration::Millis(static_cast<int64_t>(200 + rng.Below(3000)));
    s.status = "unset";
    s.scope = "openai-instrumentation";
    s.resource_json = R"({"service.name":"support-bot","service.version":"1.4.2","host.name":"web-3"})";
    s.attributes_json = R"({"gen_ai.operation.name":"chat","server.address":"api.example.com"})";
    signal::Generation& g = batch.generations.emplace_back();
    g.trace_id = s.trace_id;
    g.span_id = s.span_id;
    g.conversation_id = Hex(rng, 16);
    g.response_id = "chatcmpl-" + Hex(rng, 24);
    g.time = s.start;
    g.duration = s.duration;
    g.service = s.service;
    g.operation = "chat";
    g.prompt_name = "refund";
    g.provider = "openai";
    g.request_model = g.response_model = "gpt-4o-mini";
    g.input = Words(rng, 300);
    g.output = Words(rng, 700);
    g.finish_reason = "stop";
    g.input_tokens = static_cast<int64_t>(rng.Below(2000));
    g.output_tokens = static_cast<int64_t>(rng.Below(500));
    g.temperature = 0.2;
    g.tenant = "tenant-" + std::to_string(rng.Below(50));
  }
  return batch;
}

std::string Describe(const signal::Batch& batch) {
  std::string text;
  signal::VisitBatch(batch, [&]<class Record>(const std::vector<Record>& rows) {
    for (const Record& row : rows) {
      text += signal::Schema<Record>::kTable;
      signal::VisitFields(row, [&](const char* name, const auto& value) {
        text += fmt::format("\n  {}={}", name, Show(value));
      });
      text += '\n';
    }
  });
  return text;
}

}  // namespace tocsin::store::testing
