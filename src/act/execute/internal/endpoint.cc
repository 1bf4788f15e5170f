#include "act/execute/internal/endpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernel/ascii.h"

namespace tocsin::act::internal {
namespace {

constexpr size_t kMaxAnswerBytes = 1u << 20, kMaxPathBytes = 2048;

bool IsDots(std::string_view segment) { return segment == "." || segment == ".."; }

}  // namespace

Answer Send(const HttpEndpoint& endpoint, const Exchange& exchange, std::stop_token stop) {
  if (stop.stop_requested()) return {Error(Code::kCancelled, "stopped before anything was sent"), false};
  ports::HttpClientOptions options;
  options.timeout_ms = std::max<int64_t>(1, exchange.timeout.ns / 1'000'000);
  options.connect_timeout_ms = std::min<int64_t>(options.connect_timeout_ms, options.timeout_ms);
  options.max_response_bytes = kMaxAnswerBytes;
  options.ca_file = endpoint.ca_file;
  ports::HttpClient client(options);
  ports::HttpRequest request;
  request.method = exchange.method;
  request.url = endpoint.base_url + exchange.path;
  request.headers = exchange.headers;
  request.headers.insert(request.headers.end(), endpoint.headers.begin(), endpoint.headers.end());
  request.body = exchange.body;
  // A stream of no type there is: the whole answer is kept, and `stop` is heeded.
  ports::HttpStream whole;
  whole.content_type = "\n";
  whole.idle_timeout_ms = options.timeout_ms;
  whole.stop = std::move(stop);
  auto response = client.Stream(request, whole);
  const bool arrived = client.request_may_have_arrived();
  return {std::move(response), arrived};
}

Status CheckPath(std::string_view path) {
  const auto wrong = [](std::string_view why) {
    return Status(Code::kInvalidArgument, fmt::format("the path {}", why));
  };
  if (!path.starts_with('/') || path.starts_with("//")) return wrong("does not begin with one '/'");
  if (path.size() > kMaxPathBytes) return wrong(fmt::format("is longer than {} bytes", kMaxPathBytes));
  for (const char c : path) {
    if (c <= ' ' || c > '~' || c == '\\' || c == '#') return wrong("has a character that must be encoded");
  }
  std::string_view rest = path.substr(0, path.find('?'));
  const std::string lower = LowerAscii(rest);
  for (const std::string_view hidden : {"%2e", "%2f", "%5c", "%00", "%25"}) {
    if (lower.find(hidden) != std::string::npos) return wrong("hides a '.', '/', '\\' or '%' in an encoding");
  }
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    if (IsDots(segment)) return wrong("has a segment of dots");
    rest.remove_prefix(segment.size());
  }
  return {};
}

std::string EncodePart(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string FillPath(std::string path, std::string_view name, std::string_view value) {
  const std::string place = fmt::format("{{{}}}", name), encoded = EncodePart(value);
  for (size_t at = path.find(place); at != std::string::npos; at = path.find(place, at + encoded.size()))
    path.replace(at, place.size(), encoded);
  return path;
}

}  // namespace tocsin::act::internal
