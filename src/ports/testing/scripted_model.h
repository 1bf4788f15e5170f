// ScriptedModel: a language model that does as it is told: a real HTTP/1.1 server on a loopback port that
// speaks OpenAI's /v1/chat/completions and Anthropic's /v1/messages, streaming and not, and can fail in every
// way a provider does.
//
//   ScriptedModel model;
//   model.Next(ScriptedTurn::Status(429, 1)).Next(ScriptedTurn::Answer("disk is full"));
//   settings.base_url = model.Url();
//
// Turns are used in the order in which requests arrive; when none is left, the function given to Otherwise
// decides, and without one the answer is "ok". A request that lacks what the protocol requires is answered
// 400. Ownership: owns its threads and sockets. Thread-safety: all methods. Header only: for tests of any
// folder.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ports/testing/scripted_turn.h"

namespace tocsin::ports::testing {

struct ModelHttpRequest {
  std::string path;
  std::map<std::string, std::string> headers;  // names in lower case
  nlohmann::json body;                         // discarded when it is no JSON
  bool anthropic() const { return path == "/v1/messages"; }
  bool streamed() const { return body.is_object() && body.value("stream", false); }
};

class ScriptedModel {
 public:
  using Decide = std::function<ScriptedTurn(const ModelHttpRequest&)>;

  ScriptedModel() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(listener_, 64);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { AcceptLoop(); });
  }
  ~ScriptedModel() {
    stop_ = true;
    acceptor_.join();
    for (std::thread& connection : connections_) connection.join();
    close(listener_);
  }
  ScriptedModel(const ScriptedModel&) = delete;
  ScriptedModel& operator=(const ScriptedModel&) = delete;

  std::string Url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  ScriptedModel& Next(ScriptedTurn turn) {
    const std::lock_guard lock(mutex_);
    script_.push_back(std::move(turn));
    return *this;
  }
  void Otherwise(Decide decide) {
    const std::lock_guard lock(mutex_);
    otherwise_ = std::move(decide);
  }
  std::vector<ModelHttpRequest> Requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void AcceptLoop() {
    while (!stop_) {
      if (!Readable(listener_)) continue;
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection >= 0) connections_.emplace_back([this, connection] { Serve(connection); });
    }
  }
  static bool Readable(int fd) {
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    return poll(&wait, 1, 20) > 0;
  }
  // Reads until the buffer holds `bytes`, or "\r\n\r\n" when 0.
  bool ReadUntil(int fd, std::string& buffer, size_t bytes) const {
    const auto done = [&] {
      return bytes > 0 ? buffer.size() >= bytes : buffer.find("\r\n\r\n") != std::string::npos;
    };
    while (!done()) {
      if (stop_) return false;
      if (!Readable(fd)) continue;
      char chunk[65536];
      const ssize_t count = read(fd, chunk, sizeof chunk);
      if (count <= 0) return false;
      buffer.append(chunk, static_cast<size_t>(count));
    }
    return true;
  }
  bool ReadRequest(int fd, ModelHttpRequest& request) const {
    std::string buffer;
    if (!ReadUntil(fd, buffer, 0)) return false;
    const size_t head = buffer.find("\r\n\r\n");
    size_t at = buffer.find("\r\n");
    const size_t path = buffer.find(' ') + 1;
    request.path = buffer.substr(path, buffer.find(' ', path) - path);
    while (at < head) {
      const size_t end = buffer.find("\r\n", at + 2);
      const std::string line = buffer.substr(at + 2, end - at - 2);
      const size_t colon = line.find(':');
      std::string name = line.substr(0, colon);
      for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
      request.headers[name] = line.substr(std::min(line.size(), line.find_first_not_of(' ', colon + 1)));
      at = end;
    }
    const size_t length =
        request.headers.contains("content-length") ? std::stoul(request.headers["content-length"]) : 0;
    if (length > 0 && !ReadUntil(fd, buffer, head + 4 + length)) return false;
    request.body = nlohmann::json::parse(buffer.substr(head + 4, length), nullptr, false);
    return true;
  }
  void Serve(int fd) {
    ModelHttpRequest request;
    if (ReadRequest(fd, request)) {
      ScriptedTurn turn = ScriptedTurn::Answer("ok");
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        if (!script_.empty()) {
          turn = std::move(script_.front());
          script_.pop_front();
        } else if (otherwise_) {
          turn = otherwise_(request);
        }
      }
      const std::string wrong = Wrong(request);
      Play(fd, request, wrong.empty() ? turn : ScriptedTurn::Status(400, 0, wrong));
    }
    shutdown(fd, SHUT_WR);
    close(fd);
  }
  // What the request lacks.
  static std::string Wrong(const ModelHttpRequest& request) {
    if (request.path != "/v1/messages" && request.path != "/v1/chat/completions") return "no such endpoint";
    if (!request.body.is_object()) return "the body is no JSON object";
    for (const char* member : {"model", "messages"}) {
      if (!request.body.contains(member)) return std::string(member) + ": Field required";
    }
    if (request.body["messages"].empty()) return "messages: at least one message is required";
    if (!request.anthropic()) return "";
    if (!request.headers.contains("anthropic-version")) return "anthropic-version: header is required";
    if (!request.body.contains("max_tokens")) return "max_tokens: Field required";
    if (request.body["messages"][0]["role"] != "user")
      return "messages: first message must use the user role";
    return "";
  }

  using Kind = ScriptedTurn::Kind;

  void Play(int fd, const ModelHttpRequest& request, const ScriptedTurn& turn) {
    switch (turn.kind) {
      case Kind::kStatus: {
        const nlohmann::json error = {{"type", request.anthropic() ? ErrorType(turn.status) : "server_error"},
                                      {"code", nullptr},
                                      {"message", turn.text}};
        return Whole(fd, turn.status, "application/json",
                     nlohmann::json{{"type", "error"}, {"error", error}}.dump(), turn.retry_after_s);
      }
      case Kind::kMalformedJson:
        return Whole(fd, 200, "application/json", R"({"id":"chatcmpl-1","choices":[{"mess)");
      case Kind::kMalformedStream:
        return Whole(fd, 200, "text/event-stream",
                     "event: message_start\ndata: {not json}\n\ndata: \xff\xfe\n\n");
      case Kind::kWrongType:
        return Whole(fd, 200, "text/html", "<html><body>Welcome to the wifi</body></html>");
      case Kind::kHuge:
        return Huge(fd, turn.bytes);
      default:
        return request.streamed() ? Streamed(fd, request, turn) : NotStreamed(fd, request, turn);
    }
  }
  static std::string ErrorType(int status) {
    if (status == 429) return "rate_limit_error";
    if (status == 529) return "overloaded_error";
    if (status == 401) return "authentication_error";
    return status >= 500 ? "api_error" : "invalid_request_error";
  }
  void Whole(int fd, int status, const std::string& type, const std::string& body,
             int64_t retry_after_s = 0) const {
    std::string head = "HTTP/1.1 " + std::to_string(status) + " Told\r\nContent-Type: " + type + "\r\n";
    if (retry_after_s > 0) head += "Retry-After: " + std::to_string(retry_after_s) + "\r\n";
    Send(fd,
         head + "Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  void Huge(int fd, size_t bytes) const {
    Send(fd, "HTTP/1.1 200 Told\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n");
    const std::string piece(65536, 'x');
    for (size_t sent = 0; sent < bytes && !stop_ && Send(fd, piece); sent += piece.size()) continue;
  }
  void NotStreamed(int fd, const ModelHttpRequest& request, const ScriptedTurn& turn) const {
    const std::string body = (request.anthropic() ? AnthropicBody(turn) : OpenAiBody(turn)).dump();
    if (turn.kind == Kind::kAnswer) return Whole(fd, 200, "application/json", body);
    Send(fd, "HTTP/1.1 200 Told\r\nContent-Type: application/json\r\nContent-Length: " +
                 std::to_string(body.size()) + "\r\n\r\n" + body.substr(0, body.size() / 2));
    if (turn.kind == Kind::kStall) Wait(fd);
  }
  void Streamed(int fd, const ModelHttpRequest& request, const ScriptedTurn& turn) const {
    Send(fd,
         "HTTP/1.1 200 Told\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: "
         "chunked\r\n"
         "Connection: close\r\n\r\n");
    const auto [begin, end] = request.anthropic() ? AnthropicEvents(turn) : OpenAiEvents(turn);
    std::string events;
    for (const std::string& event : begin) events += event;
    if (turn.kind == Kind::kStreamError) {
      events +=
          "event: error\ndata: "
          "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    }
    if (turn.kind == Kind::kAnswer) {
      for (const std::string& event : end) events += event;
    }
    // In pieces that end anywhere, as a network cuts them.
    for (size_t at = 0; at < events.size() && !stop_; at += kPiece) Chunk(fd, events.substr(at, kPiece));
    if (turn.kind == Kind::kStall) return Wait(fd);
    if (turn.kind != Kind::kCut) Send(fd, "0\r\n\r\n");
  }
  static void Chunk(int fd, const std::string& data) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", data.size());
    Send(fd, size + data + "\r\n");
  }
  // Until the other side has had enough.
  void Wait(int fd) const {
    char ignored[256];
    while (!stop_) {
      if (Readable(fd) && read(fd, ignored, sizeof ignored) <= 0) return;
    }
  }
  static bool Send(int fd, const std::string& data) {
    size_t sent = 0;
    while (sent < data.size()) {
      const ssize_t count = send(fd, data.data() + sent, data.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return false;
      sent += static_cast<size_t>(count);
    }
    return true;
  }

  static constexpr size_t kPiece = 61;

  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::thread acceptor_;
  std::vector<std::thread> connections_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::deque<ScriptedTurn> script_;
  Decide otherwise_;
  std::vector<ModelHttpRequest> requests_;
};

}  // namespace tocsin::ports::testing
