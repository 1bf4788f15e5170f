// ScriptedServer: the HTTP peer of the tests (respond/notify/testing/http_recorder.h) for services whose
// answers are JSON and depend on what is asked: paths, queries, and failing as servers do.
//
// Ownership: owns the peer. Thread-safety: all methods; `decide` is called by one connection at a time and
// must not ask for Requests. Header only: for tests.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "respond/notify/testing/http_recorder.h"

namespace tocsin::act::testing {

struct ServerRequest {
  std::string method, target;                  // "/a?b=c"
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string path() const { return target.substr(0, target.find('?')); }
  std::string query() const {
    const size_t mark = target.find('?');
    return mark == std::string::npos ? "" : target.substr(mark + 1);
  }
};

struct ServerAnswer {
  enum class Kind { kAnswer, kDropAfterReading, kStall } kind = Kind::kAnswer;
  int status = 200;
  std::string body;
  std::string type = "application/json";
  std::string more_headers;  // "Retry-After: 1\r\n"
  static ServerAnswer Drop() { return Of(Kind::kDropAfterReading); }
  static ServerAnswer Stall() { return Of(Kind::kStall); }

 private:
  static ServerAnswer Of(Kind kind) {
    ServerAnswer answer;
    answer.kind = kind;
    return answer;
  }
};

inline ServerAnswer JsonAnswer(int status, std::string body) {
  ServerAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

class ScriptedServer {
 public:
  using Decide = std::function<ServerAnswer(const ServerRequest&)>;

  explicit ScriptedServer(Decide decide) {
    recorder_.Decide([decide = std::move(decide)](const respond::testing::RecordedRequest& request) {
      return BehaviourOf(decide(RequestOf(request)));
    });
  }

  std::string Url() const { return recorder_.Url(""); }
  std::vector<ServerRequest> Requests() const {
    std::vector<ServerRequest> out;
    for (const auto& request : recorder_.Requests()) out.push_back(RequestOf(request));
    return out;
  }

 private:
  static ServerRequest RequestOf(const respond::testing::RecordedRequest& request) {
    const std::string& line = request.request_line;
    const size_t first = line.find(' '), second = line.find(' ', first + 1);
    return {line.substr(0, first), line.substr(first + 1, second - first - 1), request.headers, request.body};
  }
  static respond::testing::Behaviour BehaviourOf(const ServerAnswer& answer) {
    using Kind = respond::testing::Behaviour::Kind;
    const Kind kind = answer.kind == ServerAnswer::Kind::kStall              ? Kind::kHang
                      : answer.kind == ServerAnswer::Kind::kDropAfterReading ? Kind::kCloseAfterReading
                                                                             : Kind::kAnswer;
    return {kind, answer.status, "Content-Type: " + answer.type + "\r\n" + answer.more_headers, answer.body};
  }

  respond::testing::HttpRecorder recorder_;
};

}  // namespace tocsin::act::testing
