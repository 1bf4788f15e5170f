// HttpClient: how Tocsin asks other programs over HTTP (libcurl). One request at a time, with a connection
// kept alive between requests.
//
// Ownership: owns its connection. Thread-safety: none, one owner. Bounds: every call has a connect timeout, a
// total timeout and a limit on the answer's size; redirects are not followed; http and https only.
// A streamed call can be cancelled from another thread, and ends when the other side falls silent.
// Errors: kUnavailable (no connection, with what to check), kDeadlineExceeded (timeout), kOutOfRange (answer
// too large), kInvalidArgument (bad URL). An HTTP status of 4xx or 5xx is an answer, not an error.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/status.h"

namespace tocsin::ports {

struct HttpClientOptions {
  int64_t connect_timeout_ms = 5'000;
  int64_t timeout_ms = 30'000;
  size_t max_response_bytes = 16u << 20;
  std::string ca_file = "";  // PEM of whom to trust; "" = the machine's list
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;  // must outlive the call
};

struct HttpResponse {
  int status = 0;
  std::string content_type;
  int64_t retry_after_s = 0;  // 0 = the header is absent or not a number
  std::string body;
  std::vector<std::pair<std::string, std::string>>
      headers;  // names lower-case; the first 64 of 4 KiB at most
  std::string_view Header(std::string_view lower_case_name) const;  // "" when absent
};

// A call whose answer is read as it comes.
struct HttpStream {
  // Each piece of a 2xx answer whose content type begins with `content_type`; false ends the call with
  // kCancelled. The body of any other answer is in HttpResponse::body.
  std::function<bool(std::string_view)> on_piece;
  std::string content_type = "text/event-stream";
  int64_t idle_timeout_ms = 60'000;  // without a byte of the answer; kDeadlineExceeded
  int64_t timeout_ms = 0;            // of this call, instead of the client's; 0 = the client's
  std::stop_token stop;              // kCancelled, at once
};

class HttpClient {
 public:
  explicit HttpClient(const HttpClientOptions& options = {});
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  Result<HttpResponse> Send(const HttpRequest& request);
  // The limit on the answer's size counts all pieces together.
  Result<HttpResponse> Stream(const HttpRequest& request, const HttpStream& stream);
  // After a Send or Stream that failed: true when any of the request was written to a connection, so that the
  // other side may have acted on it; false when nothing left this machine.
  bool request_may_have_arrived() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::ports
