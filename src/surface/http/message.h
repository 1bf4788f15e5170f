// Request and Response as endpoints see them, and Responder, which answers once.
//
// Ownership: a Request is moved to its handler and owns its body. A Responder keeps the connection alive
// until it has answered. Thread-safety: a handler runs on one thread; Respond may be called from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/status.h"

namespace tocsin::surface {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;                                       // upper case
  std::string path;                                         // percent-decoded
  std::vector<std::pair<std::string, std::string>> query;   // percent-decoded, in order
  std::vector<std::pair<std::string, std::string>> params;  // {id} of the route
  Headers headers;                                          // names lower-case
  std::string body;
  bool from_loopback = false;         // the connection comes from this machine
  std::shared_ptr<void> reservation;  // the body's share of the in-flight bound, given back when dropped

  // "" when absent; the first when repeated.
  std::string_view Header(std::string_view lower_case_name) const;
  std::string_view Query(std::string_view name) const;
  std::string_view Param(std::string_view name) const;
  // Media type without parameters, lower case: "application/json".
  std::string ContentType() const;
  // True when the Accept header names this type (not by wildcard).
  bool Accepts(std::string_view media_type) const;
  // "name" in the query as a number in [low, high]; `otherwise` when absent. kInvalidArgument names it.
  Result<int64_t> QueryInt(std::string_view name, int64_t otherwise, int64_t low, int64_t high) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  Headers headers;
  std::string body;
  bool close = false;  // end the connection after it
  // A body too long to be held, when set: each call appends a piece and returns false with the last one.
  // Called on a query thread, one call at a time; an exception ends the connection.
  std::function<bool(std::string& piece)> stream;
};

class Responder {
 public:
  using Send = std::function<void(Response)>;
  explicit Responder(Send send) : send_(std::make_shared<Once>(std::move(send))) {}

  // The first call answers; later ones do nothing. When the last copy goes unanswered, 500 is sent.
  void Respond(Response response) const { send_->Call(std::move(response)); }
  void operator()(Response response) const { Respond(std::move(response)); }

 private:
  struct Once {
    explicit Once(Send s) : send(std::move(s)) {}
    ~Once();
    Once(const Once&) = delete;
    Once& operator=(const Once&) = delete;
    void Call(Response response);
    Send send;
  };
  std::shared_ptr<Once> send_;
};

using Handler = std::function<void(Request&&, Responder)>;

}  // namespace tocsin::surface
