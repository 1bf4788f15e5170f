// StdioBridge: MCP on stdin and stdout for clients that start a program: each line is a message, sent on to
// the /mcp of a running server; what it answers is one line. Nothing else is ever printed there.
//
// The server may go away and come back: a session that it no longer knows is begun anew with what the client
// said first, and a message that never left this machine is sent again for a few seconds. A message that may
// have arrived is not sent twice. Not thread-safe: one message at a time.
#pragma once

#include <istream>
#include <ostream>
#include <string>
#include <string_view>

#include "kernel/status.h"
#include "ports/http_client.h"
#include "surface/mcp/json_rpc.h"

namespace tocsin::surface::mcp {

class StdioBridge {
 public:
  // `token`: "" sends none. `retries` of a message that did not leave, 500 ms apart.
  StdioBridge(std::string url, std::string token, int retries = 6);

  // The line to print, without its end; "" = none. What a person should know is written to `errors`.
  std::string Take(std::string_view line, std::ostream& errors);
  // Tells the server that the session is over.
  void End();
  // Until the input ends.
  void Run(std::istream& in, std::ostream& out, std::ostream& errors);

 private:
  ports::HttpRequest Request(std::string_view body, const RpcBody& message) const;
  Result<ports::HttpResponse> Send(std::string_view body, const RpcBody& message);
  bool BeginAnew();
  void Remember(const ports::HttpResponse& response);

  std::string url_, token_;
  int retries_;
  ports::HttpClient client_;
  std::string first_;  // the client's initialize
  std::string session_, version_;
};

}  // namespace tocsin::surface::mcp
