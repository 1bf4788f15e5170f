// One POST of a notification, and what its answer means: shared by the channels that speak HTTP.
//
// 2xx is taken. 408, 429 and 5xx are worth a retry; every other answer is final. 502 and 504 come from
// something in between, and a connection that broke after the request was written gave no answer at all: then
// it may have been delivered. Thread-safe: each call has its own connection. The address never appears in an
// error beyond its host, because the path of a webhook is its secret.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "respond/notify/message.h"

namespace tocsin::respond {

struct HttpNotifierOptions {
  int64_t connect_timeout_ms = 3'000;
  int64_t timeout_ms = 10'000;
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct PostResult {
  SendOutcome outcome;
  int status = 0;    // 0: no answer
  std::string body;  // at most 64 KiB
};

// Sends `json` with Content-Type application/json and `headers`, whose values must be one line.
PostResult PostJson(const std::string& url, const HttpHeaders& headers, std::string_view json,
                    const HttpNotifierOptions& options);

}  // namespace tocsin::respond
