// One bounded exchange with a configured endpoint: its address, headers and certificate come from the
// configuration, only the path from a call, and a path cannot leave its host. No redirects, 1 MiB at most.
// Thread-safe: each exchange has a connection of its own. Errors: as ports/http_client.h, kCancelled within
// 250 ms of `stop`.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "act/execute/executor_settings.h"
#include "kernel/status.h"
#include "kernel/time.h"
#include "ports/http_client.h"

namespace tocsin::act::internal {

struct Exchange {
  std::string method = "GET";
  std::string path;  // with a query, encoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Duration timeout = Duration::Seconds(30);
};

struct Answer {
  Result<ports::HttpResponse> response;
  bool may_have_arrived = true;  // of a request that failed
  bool Is2xx() const { return response && response->status / 100 == 2; }
};

Answer Send(const HttpEndpoint& endpoint, const Exchange& exchange, std::stop_token stop);

// "/a/b?c=d": begins with one "/", printable ASCII without blanks, no "." or ".." segments, nothing encoded
// that a server could take for a separator.
Status CheckPath(std::string_view path);
// As part of a path: everything but letters, digits, and - _ . ~ becomes %XX.
std::string EncodePart(std::string_view text);
// `path` with every {name} replaced by `value`, encoded.
std::string FillPath(std::string path, std::string_view name, std::string_view value);

}  // namespace tocsin::act::internal
