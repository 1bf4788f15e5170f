#include "ports/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <mutex>

#include "kernel/ascii.h"

namespace tocsin::ports {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Receiver {
  HttpResponse response;
  size_t limit = 0;
  size_t received = 0;
  bool too_large = false;
  // Of a streamed call.
  CURL* easy = nullptr;
  const HttpStream* stream = nullptr;
  bool stopped = false;  // by on_piece
  SteadyClock::time_point heard = SteadyClock::now();
};

bool IsStreamed(Receiver& receiver) {
  if (receiver.stream == nullptr) return false;
  long status = 0;
  const char* type = nullptr;
  curl_easy_getinfo(receiver.easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(receiver.easy, CURLINFO_CONTENT_TYPE, &type);
  return status >= 200 && status < 300 && type != nullptr &&
         std::string_view(type).starts_with(receiver.stream->content_type);
}

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto* receiver = static_cast<Receiver*>(user);
  const size_t bytes = size * count;
  receiver->heard = SteadyClock::now();
  receiver->received += bytes;
  if (receiver->received > receiver->limit) {
    receiver->too_large = true;
    return 0;  // libcurl ends the transfer
  }
  if (!IsStreamed(*receiver)) {
    receiver->response.body.append(data, bytes);
  } else if (!receiver->stream->on_piece({data, bytes})) {
    receiver->stopped = true;
    return 0;
  }
  return bytes;
}

bool StartsWithIgnoringCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
         });
}

constexpr size_t kMaxHeaders = 64;
constexpr size_t kMaxHeaderBytes = 4u << 10;

void KeepHeader(std::string_view line, HttpResponse& response) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    if (line.starts_with("HTTP/")) response.headers.clear();  // of an interim answer
    return;
  }
  if (response.headers.size() >= kMaxHeaders || line.size() > kMaxHeaderBytes) return;
  std::string_view value = line.substr(colon + 1);
  constexpr std::string_view kSpace = " \t\r\n";
  value.remove_prefix(std::min(value.find_first_not_of(kSpace), value.size()));
  value = value.substr(0, value.find_last_not_of(kSpace) + 1);
  response.headers.emplace_back(LowerAscii(line.substr(0, colon)), value);
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  constexpr std::string_view kRetryAfter = "retry-after:";
  std::string_view line(data, size * count);
  KeepHeader(line, static_cast<Receiver*>(user)->response);
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

// The headers of one request.
class HeaderList {
 public:
  explicit HeaderList(const HttpRequest& request) {
    Add("Expect:");  // bodies are sent at once
    for (const auto& [name, value] : request.headers) Add(fmt::format("{}: {}", name, value));
  }
  ~HeaderList() { curl_slist_free_all(list_); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  curl_slist* get() const { return list_; }

 private:
  void Add(const std::string& line) { list_ = curl_slist_append(list_, line.c_str()); }
  curl_slist* list_ = nullptr;
};

constexpr int kMaxPollMs = 1'000;

}  // namespace

struct HttpClient::Impl {
  HttpClientOptions options;
  CURL* easy = nullptr;
  CURLM* multi = nullptr;  // of Stream, made when first used
  bool may_have_arrived = false;

  ~Impl() {
    curl_easy_cleanup(easy);
    if (multi != nullptr) curl_multi_cleanup(multi);
  }
  void Prepare(const HttpRequest& request, const HeaderList& headers, int64_t timeout_ms, Receiver& receiver,
               char* detail) const;
  Result<HttpResponse> Finish(CURLcode code, const HttpRequest& request, Receiver& receiver,
                              const char* detail);
  Result<CURLcode> Perform(const HttpStream& stream, const Receiver& receiver);
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

std::string_view HttpResponse::Header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return "";
}

bool HttpClient::request_may_have_arrived() const { return impl_->may_have_arrived; }

void HttpClient::Impl::Prepare(const HttpRequest& request, const HeaderList& headers, int64_t timeout_ms,
                               Receiver& receiver, char* detail) const {
  curl_easy_reset(easy);  // keeps connections
  receiver.limit = options.max_response_bytes;
  receiver.easy = easy;
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms));
  if (!options.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &receiver);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &receiver);
  if (request.method != "GET") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  }
}

Result<HttpResponse> HttpClient::Impl::Finish(CURLcode code, const HttpRequest& request, Receiver& receiver,
                                              const char* detail) {
  long written = 0;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &written);
  may_have_arrived = written > 0;
  if (receiver.too_large) {
    return Error(Code::kOutOfRange,
                 fmt::format("{} answered with more than {} bytes", request.url, receiver.limit));
  }
  if (receiver.stopped) return Error(Code::kCancelled, "the rest of the answer was not wanted");
  if (code != CURLE_OK) return Error(FromCurl(code, request.url, detail));

  long status = 0;
  const char* content_type = nullptr;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &content_type);
  receiver.response.status = static_cast<int>(status);
  if (content_type != nullptr) receiver.response.content_type = content_type;
  return std::move(receiver.response);
}

Result<HttpResponse> HttpClient::Send(const HttpRequest& request) {
  impl_->may_have_arrived = false;
  if (impl_->easy == nullptr) return Error(Code::kInternal, "libcurl could not be started");
  Receiver receiver;
  char detail[CURL_ERROR_SIZE] = "";
  const HeaderList headers(request);
  impl_->Prepare(request, headers, impl_->options.timeout_ms, receiver, detail);
  const CURLcode code = curl_easy_perform(impl_->easy);
  return impl_->Finish(code, request, receiver, detail);
}

// Runs the prepared transfer to its end, unless it is stopped or falls silent.
Result<CURLcode> HttpClient::Impl::Perform(const HttpStream& stream, const Receiver& receiver) {
  CURLM* const handle = multi;
  const std::stop_callback wake(stream.stop, [handle] { curl_multi_wakeup(handle); });
  const auto idle = std::chrono::milliseconds(stream.idle_timeout_ms);
  for (int running = 1; running > 0;) {
    if (stream.stop.stop_requested()) return Error(Code::kCancelled, "the call was stopped");
    if (curl_multi_perform(multi, &running) != CURLM_OK) return Error(Code::kInternal, "libcurl failed");
    if (running == 0) break;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(receiver.heard + idle - SteadyClock::now());
    if (left.count() <= 0) {
      return Error(Code::kDeadlineExceeded, fmt::format("nothing came for {} ms", stream.idle_timeout_ms));
    }
    curl_multi_poll(multi, nullptr, 0, static_cast<int>(std::min<int64_t>(left.count() + 1, kMaxPollMs)),
                    nullptr);
  }
  int waiting = 0;
  const CURLMsg* message = curl_multi_info_read(multi, &waiting);
  return message != nullptr && message->msg == CURLMSG_DONE ? message->data.result : CURLE_RECV_ERROR;
}

Result<HttpResponse> HttpClient::Stream(const HttpRequest& request, const HttpStream& stream) {
  impl_->may_have_arrived = false;
  if (impl_->multi == nullptr) impl_->multi = curl_multi_init();
  if (impl_->easy == nullptr || impl_->multi == nullptr) {
    return Error(Code::kInternal, "libcurl could not be started");
  }
  Receiver receiver;
  receiver.stream = &stream;
  char detail[CURL_ERROR_SIZE] = "";
  const HeaderList headers(request);
  const int64_t timeout = stream.timeout_ms > 0 ? stream.timeout_ms : impl_->options.timeout_ms;
  impl_->Prepare(request, headers, timeout, receiver, detail);
  curl_multi_add_handle(impl_->multi, impl_->easy);
  const auto code = impl_->Perform(stream, receiver);
  curl_multi_remove_handle(impl_->multi, impl_->easy);
  if (code) return impl_->Finish(*code, request, receiver, detail);
  long written = 0;
  curl_easy_getinfo(impl_->easy, CURLINFO_REQUEST_SIZE, &written);
  impl_->may_have_arrived = written > 0;
  return Error(code.error().WithContext(request.url));
}

}  // namespace tocsin::ports
