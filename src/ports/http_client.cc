#include "ports/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <mutex>

namespace tocsin::ports {
namespace {

struct Receiver {
  HttpResponse response;
  size_t limit = 0;
  bool too_large = false;
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto* receiver = static_cast<Receiver*>(user);
  const size_t bytes = size * count;
  if (receiver->response.body.size() + bytes > receiver->limit) {
    receiver->too_large = true;
    return 0;  // libcurl ends the transfer
  }
  receiver->response.body.append(data, bytes);
  return bytes;
}

bool StartsWithIgnoringCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
         });
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  constexpr std::string_view kRetryAfter = "retry-after:";
  std::string_view line(data, size * count);
  if (StartsWithIgnoringCase(line, kRetryAfter)) {
    line.remove_prefix(kRetryAfter.size());
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    int64_t seconds = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), seconds);
    if (error == std::errc() && seconds > 0) {
      static_cast<Receiver*>(user)->response.retry_after_s = std::min<int64_t>(seconds, 86'400);
    }
  }
  return size * count;
}

Status FromCurl(CURLcode code, const std::string& url, const char* detail) {
  const std::string_view why = *detail != '\0' ? detail : curl_easy_strerror(code);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Status(Code::kDeadlineExceeded, fmt::format("{} did not answer in time ({})", url, why));
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Status(Code::kInvalidArgument, fmt::format("'{}' is not an http or https URL ({})", url, why));
    default:
      return Status(Code::kUnavailable, fmt::format("cannot reach {} ({})", url, why));
  }
}

}  // namespace

struct HttpClient::Impl {
  HttpClientOptions options;
  CURL* easy = nullptr;
  bool may_have_arrived = false;

  ~Impl() { curl_easy_cleanup(easy); }
};

HttpClient::HttpClient(const HttpClientOptions& options) : impl_(std::make_unique<Impl>()) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  impl_->options = options;
  impl_->easy = curl_easy_init();
}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

bool HttpClient::request_may_have_arrived() const { return impl_->may_have_arrived; }

Result<HttpResponse> HttpClient::Send(const HttpRequest& request) {
  CURL* easy = impl_->easy;
  impl_->may_have_arrived = false;
  if (easy == nullptr) return Error(Code::kInternal, "libcurl could not be started");
  curl_easy_reset(easy);  // keeps connections
  Receiver receiver;
  receiver.limit = impl_->options.max_response_bytes;
  char detail[CURL_ERROR_SIZE] = "";

  curl_slist* headers = curl_slist_append(nullptr, "Expect:");  // bodies are sent at once
  for (const auto& [name, value] : request.headers) {
    headers = curl_slist_append(headers, fmt::format("{}: {}", name, value).c_str());
  }
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(impl_->options.connect_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(impl_->options.timeout_ms));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &receiver);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &receiver);
  if (request.method != "GET") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  }
  const CURLcode code = curl_easy_perform(easy);
  curl_slist_free_all(headers);
  long written = 0;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &written);
  impl_->may_have_arrived = written > 0;
  if (receiver.too_large) {
    return Error(Code::kOutOfRange,
                 fmt::format("{} answered with more than {} bytes", request.url, receiver.limit));
  }
  if (code != CURLE_OK) return Error(FromCurl(code, request.url, detail));

  long status = 0;
  const char* content_type = nullptr;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &content_type);
  receiver.response.status = static_cast<int>(status);
  if (content_type != nullptr) receiver.response.content_type = content_type;
  return std::move(receiver.response);
}

}  // namespace tocsin::ports
