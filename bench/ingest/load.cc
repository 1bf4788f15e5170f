#include "bench/ingest/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "bench/wire/keep_alive.h"
#include "otlp.pb.h"

namespace tocsin::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSpans = 100;
constexpr int kVariants = 8;
constexpr size_t kTextBytes = 1000;

void Text(otlp::Span& span, const char* key, std::string value) {
  auto* attribute = span.add_attributes();
  attribute->set_key(key);
  attribute->mutable_value()->set_string_value(std::move(value));
}

std::string Prose(uint64_t seed, size_t bytes) {
  static constexpr std::array<const char*, 24> kWords = {
      "your",   "order", "has",    "been",    "shipped", "and", "will",  "arrive",
      "within", "three", "days",   "please",  "check",   "the", "email", "which",
      "we",     "sent",  "refund", "account", "if",      "not", "thank", "soon"};
  std::string text;
  while (text.size() < bytes) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    text += kWords[(seed >> 33) % kWords.size()];
    text += (seed >> 60) == 0 ? ". " : " ";
  }
  text.resize(bytes);
  return text;
}

std::string Big(uint64_t value) {
  std::string out(8, '\0');
  for (size_t i = 8; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xff);
  return out;
}

void FillSpan(otlp::Span& span, uint64_t n, const std::string& marker, size_t text_bytes) {
  span.set_trace_id(marker + "trace678");
  span.set_span_id(marker);
  span.set_name("chat gpt-4o");
  span.set_kind(3);
  const auto now = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                             std::chrono::system_clock::now().time_since_epoch())
                                             .count());
  span.set_start_time_unix_nano(now);
  span.set_end_time_unix_nano(now + 900'000'000);
  Text(span, "gen_ai.operation.name", "chat");
  Text(span, "gen_ai.provider.name", "openai");
  Text(span, "gen_ai.request.model", "gpt-4o");
  Text(span, "gen_ai.response.model", "gpt-4o-2024-08-06");
  Text(span, "gen_ai.conversation.id", fmt::format("conversation-{}", n % 997));
  Text(span, "gen_ai.input.messages",
       fmt::format(R"([{{"role":"user","parts":[{{"type":"text","content":"{}"}}]}}])",
                   Prose(n, text_bytes / 5)));
  Text(span, "gen_ai.output.messages",
       fmt::format(
           R"([{{"role":"assistant","parts":[{{"type":"text","content":"{}"}}],"finish_reason":"stop"}}])",
           Prose(n * 31, text_bytes - text_bytes / 5)));
}

void RunOne(uint16_t port, int index, double seconds, double rate, uint64_t first, LoadResult& result) {
  std::vector<Body> bodies;
  for (int v = 0; v < kVariants; ++v) bodies.emplace_back(index * kVariants + v, kSpans, kTextBytes);
  KeepAlive connection(port);
  const auto began = Clock::now();
  const auto end =
      began + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  uint64_t next = first + (static_cast<uint64_t>(index) << 36);
  for (uint64_t sent = 0; Clock::now() < end; ++sent) {
    if (rate > 0) {
      const std::chrono::duration<double> due(static_cast<double>(sent * kSpans) / rate);
      std::this_thread::sleep_until(began + std::chrono::duration_cast<Clock::duration>(due));
    }
    Body& body = bodies[sent % bodies.size()];
    body.Number(next);
    const auto at = Clock::now();
    const int status = connection.Post("/v1/traces", "application/x-protobuf", body.bytes()).status;
    if (status == 200) {
      next += kSpans;
      result.acknowledged += kSpans;
      result.ack_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - at).count());
    } else if (status == 429) {
      ++result.refused;
      // A real exporter waits a second; a benchmark of the sustained rate must not measure its sleep.
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    } else {
      ++result.failed;
      return;
    }
  }
}

}  // namespace

Body::Body(int variant, int spans, size_t text_bytes) {
  otlp::ExportTraceRequest request;
  auto* resource = request.add_resource_spans();
  auto* name = resource->mutable_resource()->add_attributes();
  name->set_key("service.name");
  name->mutable_value()->set_string_value(fmt::format("bench-{}", variant % 4));
  auto* scope = resource->add_scope_spans();
  for (int i = 0; i < spans; ++i) {
    FillSpan(*scope->add_spans(), static_cast<uint64_t>(variant * spans + i),
             fmt::format("\x01\x02ID{:04}", i), text_bytes);
  }
  bytes_ = request.SerializeAsString();
  for (int i = 0; i < spans; ++i) {
    const std::string marker = fmt::format("\x01\x02ID{:04}", i);
    const size_t trace = bytes_.find(marker + "trace678");
    const size_t span = bytes_.find(marker, trace + 1);
    if (span == std::string::npos) throw std::runtime_error("the ids are not where they were put");
    id_offsets_.emplace_back(trace + 8, span);
  }
}

void Body::Number(uint64_t first) {
  for (const auto& [trace, span] : id_offsets_) {
    const std::string id = Big(++first);
    bytes_.replace(trace, 8, id);
    bytes_.replace(span, 8, id);
  }
}

LoadResult Run(uint16_t port, int connections, double seconds, double rate, uint64_t first) {
  std::vector<LoadResult> parts(static_cast<size_t>(connections));
  const auto began = Clock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < connections; ++i) {
    threads.emplace_back([&, i] {
      LoadResult& part = parts[static_cast<size_t>(i)];
      try {
        RunOne(port, i, seconds, rate / connections, first, part);
      } catch (const std::exception&) {
        ++part.failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  LoadResult all;
  all.seconds = std::chrono::duration<double>(Clock::now() - began).count();
  for (LoadResult& part : parts) {
    all.acknowledged += part.acknowledged;
    all.refused += part.refused;
    all.failed += part.failed;
    all.ack_ms.insert(all.ack_ms.end(), part.ack_ms.begin(), part.ack_ms.end());
  }
  std::sort(all.ack_ms.begin(), all.ack_ms.end());
  return all;
}

}  // namespace tocsin::bench
