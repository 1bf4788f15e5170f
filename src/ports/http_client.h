// HttpClient: how Tocsin asks other programs over HTTP (libcurl). One request at a time, with a connection
// kept alive between requests.
//
// Ownership: owns its connection. Thread-safety: none, one owner. Bounds: every call has a connect timeout, a
// total timeout and a limit on the answer's size; redirects are not followed; http and https only.
// Errors: kUnavailable (no connection, with what to check), kDeadlineExceeded (timeout), kOutOfRange (answer
// too large), kInvalidArgument (bad URL). An HTTP status of 4xx or 5xx is an answer, not an error.
#pragma once

#include <cstdint>
#include <memory>
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
};

class HttpClient {
 public:
  explicit HttpClient(const HttpClientOptions& options = {});
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  Result<HttpResponse> Send(const HttpRequest& request);
  // After a Send that failed: true when any of the request was written to a connection, so that the other
  // side may have acted on it; false when nothing left this machine.
  bool request_may_have_arrived() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::ports
