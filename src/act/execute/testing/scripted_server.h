// ScriptedServer: a real HTTP/1.1 server on a loopback port whose answers a test decides, and which can fail
// as servers do: never answer, close after it has read the request, close at once. One request a connection.
// Ownership: owns its threads and sockets. Thread-safety: all methods; `decide` is called from several
// threads. Header only: for tests.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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

  explicit ScriptedServer(Decide decide) : decide_(std::move(decide)) {
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
  ~ScriptedServer() {
    stop_ = true;
    acceptor_.join();
    for (std::thread& connection : connections_) connection.join();
    close(listener_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string Url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<ServerRequest> Requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }

 private:
  bool Readable(int fd) const {
    while (!stop_) {
      pollfd wait{fd, POLLIN, 0};
      if (poll(&wait, 1, 20) > 0) return true;
    }
    return false;
  }
  void AcceptLoop() {
    while (Readable(listener_)) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) connections_.emplace_back([this, fd] { Serve(fd); });
    }
  }
  // False when the other side went away first.
  bool Read(int fd, ServerRequest& request) const {
    std::string text;
    size_t end = std::string::npos, length = 0;
    while (end == std::string::npos || text.size() < end + 4 + length) {
      char buffer[16384];
      if (!Readable(fd)) return false;
      const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0) return false;
      text.append(buffer, static_cast<size_t>(got));
      if (end != std::string::npos || (end = text.find("\r\n\r\n")) == std::string::npos) continue;
      ReadHead(text.substr(0, end + 2), request);
      if (const auto it = request.headers.find("content-length"); it != request.headers.end())
        length = std::stoul(it->second);
    }
    request.body = text.substr(end + 4, length);
    return true;
  }
  static void ReadHead(const std::string& head, ServerRequest& request) {
    const size_t first = head.find(' '), second = head.find(' ', first + 1);
    request.method = head.substr(0, first);
    request.target = head.substr(first + 1, second - first - 1);
    for (size_t at = head.find("\r\n") + 2; at < head.size();) {
      const size_t end = head.find("\r\n", at), colon = head.find(':', at);
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      size_t value = colon + 1;
      while (value < end && head[value] == ' ') ++value;
      request.headers[name] = head.substr(value, end - value);
      at = end + 2;
    }
  }
  void Serve(int fd) {
    ServerRequest request;
    if (Read(fd, request)) {
      {
        const std::scoped_lock lock(mutex_);
        requests_.push_back(request);
      }
      const ServerAnswer answer = decide_(request);
      if (answer.kind == ServerAnswer::Kind::kStall) (void)Readable(fd);  // until the other side gives up
      if (answer.kind == ServerAnswer::Kind::kAnswer) {
        const std::string text = "HTTP/1.1 " + std::to_string(answer.status) +
                                 " X\r\nContent-Type: " + answer.type +
                                 "\r\nContent-Length: " + std::to_string(answer.body.size()) +
                                 "\r\nConnection: close\r\n" + answer.more_headers + "\r\n" + answer.body;
        for (size_t at = 0; at < text.size();) {
          const ssize_t sent = send(fd, text.data() + at, text.size() - at, MSG_NOSIGNAL);
          if (sent <= 0) break;
          at += static_cast<size_t>(sent);
        }
      }
    }
    shutdown(fd, SHUT_RDWR);
    close(fd);
  }

  Decide decide_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_{false};
  std::thread acceptor_;
  std::vector<std::thread> connections_;
  mutable std::mutex mutex_;
  std::vector<ServerRequest> requests_;
};

}  // namespace tocsin::act::testing
