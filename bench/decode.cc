// Time to decode, normalise and redact one chat span with about 1 KB of text, in each encoding, and to scan a
// clean text for secrets. Limit named beside it: copying the request's bytes.
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/decoder.h"
#include "otlp.pb.h"

namespace {

using namespace tocsin;

std::string Words(size_t bytes) {
  static constexpr const char* kWords[] = {"the",    "parcel",  "left",   "our",   "warehouse", "on",
                                           "Monday", "and",     "should", "reach", "you",       "within",
                                           "3",      "working", "days",   "thanks"};
  std::string out;
  for (size_t i = 0; out.size() < bytes; i = i * 7 + 3) (out += kWords[i % 16]) += ' ';
  return out;
}

void Add(otlp::Span& span, const char* key, const std::string& value) {
  auto* attribute = span.add_attributes();
  attribute->set_key(key);
  attribute->mutable_value()->set_string_value(value);
}

constexpr int kSpans = 100;

otlp::ExportTraceRequest Request() {
  otlp::ExportTraceRequest request;
  auto* resource = request.add_resource_spans();
  auto* name = resource->mutable_resource()->add_attributes();
  name->set_key("service.name");
  name->mutable_value()->set_string_value("support");
  auto* scope = resource->add_scope_spans();
  for (int i = 0; i < kSpans; ++i) {
    auto& span = *scope->add_spans();
    span.set_trace_id(std::string(15, '\x11') + static_cast<char>(i + 1));
    span.set_span_id(std::string(7, '\x22') + static_cast<char>(i + 1));
    span.set_name("chat m-1");
    span.set_kind(3);
    span.set_start_time_unix_nano(1'764'000'000'000'000'000);
    span.set_end_time_unix_nano(1'764'000'001'000'000'000);
    Add(span, "gen_ai.operation.name", "chat");
    Add(span, "gen_ai.provider.name", "acme");
    Add(span, "gen_ai.request.model", "m-1");
    Add(span, "gen_ai.response.model", "m-1-0601");
    Add(span, "gen_ai.conversation.id", "conv-" + std::to_string(i));
    Add(span, "gen_ai.system_instructions", R"([{"type":"text","content":")" + Words(150) + "\"}]");
    Add(span, "gen_ai.input.messages",
        R"([{"role":"user","parts":[{"type":"text","content":")" + Words(250) + "\"}]}]");
    Add(span, "gen_ai.output.messages",
        R"([{"role":"assistant","parts":[{"type":"text","content":")" + Words(600) +
            R"("}],"finish_reason":"stop"}])");
  }
  return request;
}

void Report(benchmark::State& state, size_t bytes) {
  state.SetItemsProcessed(state.iterations() * kSpans);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
  state.counters["us_per_span"] =
      benchmark::Counter(static_cast<double>(kSpans) * static_cast<double>(state.iterations()) * 1e-6,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void DecodeProtobuf(benchmark::State& state) {
  const std::string body = Request().SerializeAsString();
  const ingest::DecodeOptions options;
  for (auto _ : state) {
    auto outcome = ingest::DecodeTraces(body, ingest::Encoding::kProtobuf, options);
    if (!outcome || outcome->batch.generations.size() != kSpans) state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(outcome);
  }
  Report(state, body.size());
}
BENCHMARK(DecodeProtobuf);

void ParseWithGeneratedClasses(benchmark::State& state) {
  const std::string body = Request().SerializeAsString();
  for (auto _ : state) {
    otlp::ExportTraceRequest request;
    benchmark::DoNotOptimize(request.ParseFromString(body));
  }
  Report(state, body.size());
}
BENCHMARK(ParseWithGeneratedClasses);

void CopyTheBytes(benchmark::State& state) {
  const std::string body = Request().SerializeAsString();
  std::string to(body.size(), '\0');
  for (auto _ : state) {
    std::memcpy(to.data(), body.data(), body.size());
    benchmark::ClobberMemory();
  }
  Report(state, body.size());
}
BENCHMARK(CopyTheBytes);

void ScanForSecrets(benchmark::State& state) {
  const std::string text = Words(1024);
  const auto redactor = ingest::Redactor::BuiltIn();
  for (auto _ : state) benchmark::DoNotOptimize(redactor->MayMatch(text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(ScanForSecrets);

}  // namespace

int main(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  static char json[] = "--benchmark_format=json";
  for (char*& argument : arguments) {
    if (std::string_view(argument) == "--json") argument = json;
  }
  benchmark::Initialize(&argc, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(argc, arguments.data())) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
