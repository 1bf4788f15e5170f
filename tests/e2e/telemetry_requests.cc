#include "tests/e2e/telemetry_requests.h"

#include <fmt/format.h>
#include <zlib.h>

#include <chrono>
#include <stdexcept>

#include "kernel/id.h"

namespace tocsin::e2e {
namespace {

void Text(otlp::Span& span, const char* key, std::string value) {
  auto* attribute = span.add_attributes();
  attribute->set_key(key);
  attribute->mutable_value()->set_string_value(std::move(value));
}

std::string Bytes(uint64_t value) {
  std::string out(8, '\0');
  for (int i = 7; i >= 0; --i, value >>= 8) out[static_cast<size_t>(i)] = static_cast<char>(value & 0xff);
  return out;
}

std::string Words(uint64_t n, size_t bytes) {
  std::string text = fmt::format("Answer {}: ", n);
  while (text.size() < bytes) text += fmt::format("order {} ships soon, ", (n * 7919 + text.size()) % 1000);
  text.resize(bytes);
  return text;
}

}  // namespace

std::string TraceIdHex(uint64_t n) { return HexEncode(Bytes(0xe2e) + Bytes(n + 1)); }

otlp::ExportTraceRequest TraceRequest(const RequestShape& shape) {
  otlp::ExportTraceRequest request;
  auto* resource = request.add_resource_spans();
  auto* name = resource->mutable_resource()->add_attributes();
  name->set_key("service.name");
  name->mutable_value()->set_string_value(shape.service);
  auto* scope = resource->add_scope_spans();
  const auto now = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                             std::chrono::system_clock::now().time_since_epoch())
                                             .count());
  for (int i = 0; i < shape.spans; ++i) {
    const uint64_t n = shape.first + static_cast<uint64_t>(i);
    otlp::Span& span = *scope->add_spans();
    span.set_trace_id(Bytes(0xe2e) + Bytes(n + 1));
    span.set_span_id(Bytes(n + 1));
    span.set_name("chat gpt-4o");
    span.set_kind(3);
    span.set_start_time_unix_nano(now);
    span.set_end_time_unix_nano(now + 1'000'000'000);
    Text(span, "gen_ai.operation.name", "chat");
    Text(span, "gen_ai.request.model", "gpt-4o");
    Text(span, "gen_ai.input.messages",
         fmt::format(R"([{{"role":"user","parts":[{{"type":"text","content":"Where is order {}?"}}]}}])", n));
    Text(span, "gen_ai.output.messages",
         fmt::format(
             R"([{{"role":"assistant","parts":[{{"type":"text","content":"{}"}}],"finish_reason":"stop"}}])",
             Words(n, shape.text_bytes)));
  }
  return request;
}

otlp::ExportTraceRequest CallRequest(const std::string& service, const std::string& peer, uint64_t number) {
  otlp::ExportTraceRequest request;
  auto* resource = request.add_resource_spans();
  auto* name = resource->mutable_resource()->add_attributes();
  name->set_key("service.name");
  name->mutable_value()->set_string_value(service);
  otlp::Span& span = *resource->add_scope_spans()->add_spans();
  span.set_trace_id(Bytes(0xca11) + Bytes(number + 1));
  span.set_span_id(Bytes(number + 1));
  span.set_name("SELECT orders");
  span.set_kind(3);
  const auto now = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                             std::chrono::system_clock::now().time_since_epoch())
                                             .count());
  span.set_start_time_unix_nano(now);
  span.set_end_time_unix_nano(now + 3'000'000);
  Text(span, "db.system", "postgresql");
  Text(span, "peer.service", peer);
  return request;
}

std::string Gzip(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace tocsin::e2e
