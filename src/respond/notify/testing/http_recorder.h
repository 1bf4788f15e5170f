// HttpRecorder: a real HTTP/1.1 peer on a loopback socket, for tests: records each request and answers as
// told.
//
// Owns its threads and sockets; the port is the system's choice. Thread-safe. Behaviours are used in the
// order in which requests arrive; when none is left, `otherwise` answers, or what Decide was given.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tocsin::respond::testing {

struct Behaviour {
  enum class Kind { kAnswer, kHang, kCloseAfterReading } kind = Kind::kAnswer;
  int status = 200;
  std::string headers = {};  // "Retry-After: 7\r\n"
  std::string body = "ok";
};

struct RecordedRequest {
  std::string request_line;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class HttpRecorder {
 public:
  HttpRecorder() {
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
  ~HttpRecorder() {
    stop_ = true;
    acceptor_.join();
    for (auto& thread : connections_) thread.join();
    close(listener_);
  }
  HttpRecorder(const HttpRecorder&) = delete;
  HttpRecorder& operator=(const HttpRecorder&) = delete;

  std::string Url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  void Next(const Behaviour& behaviour) {
    const std::lock_guard lock(mutex_);
    script_.push_back(behaviour);
  }
  void Otherwise(const Behaviour& behaviour) {
    const std::lock_guard lock(mutex_);
    otherwise_ = behaviour;
  }
  // Called on a connection's thread.
  void Decide(std::function<Behaviour(const RecordedRequest&)> decide) {
    const std::lock_guard lock(mutex_);
    decide_ = std::move(decide);
  }
  std::vector<RecordedRequest> Requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  bool WaitFor(size_t requests, std::chrono::milliseconds at_most = std::chrono::seconds(10)) const {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, at_most, [&] { return requests_.size() >= requests; });
  }

 private:
  void AcceptLoop() {
    while (!stop_) {
      if (!Readable(listener_)) continue;
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection >= 0) connections_.emplace_back([this, connection] { Serve(connection); });
    }
  }
  bool Readable(int fd) const {
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    return poll(&wait, 1, 20) > 0;
  }
  // Reads until `done` says so; false when the other side closed or the test ends.
  template <class Done>
  bool ReadUntil(int fd, std::string& buffer, Done done) {
    while (!done()) {
      if (stop_) return false;
      if (!Readable(fd)) continue;
      char chunk[4096];
      const ssize_t count = read(fd, chunk, sizeof chunk);
      if (count <= 0) return false;
      buffer.append(chunk, static_cast<size_t>(count));
    }
    return true;
  }
  bool ReadRequest(int fd, RecordedRequest& request) {
    std::string buffer;
    if (!ReadUntil(fd, buffer, [&] { return buffer.find("\r\n\r\n") != std::string::npos; })) return false;
    const size_t head_end = buffer.find("\r\n\r\n");
    size_t at = buffer.find("\r\n");
    request.request_line = buffer.substr(0, at);
    while (at < head_end) {
      const size_t end = buffer.find("\r\n", at + 2);
      const std::string line = buffer.substr(at + 2, end - at - 2);
      const size_t colon = line.find(':');
      std::string name = line.substr(0, colon);
      for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
      request.headers[name] = line.substr(line.find_first_not_of(' ', colon + 1));
      at = end;
    }
    const size_t length =
        request.headers.contains("content-length") ? std::stoul(request.headers["content-length"]) : 0;
    if (!ReadUntil(fd, buffer, [&] { return buffer.size() >= head_end + 4 + length; })) return false;
    request.body = buffer.substr(head_end + 4, length);
    return true;
  }
  void Serve(int fd) {
    RecordedRequest request;
    if (ReadRequest(fd, request)) {
      Behaviour behaviour;
      {
        const std::lock_guard lock(mutex_);
        behaviour = script_.empty() ? otherwise_ : script_.front();
        if (script_.empty() && decide_) behaviour = decide_(request);
        if (!script_.empty()) script_.pop_front();
        requests_.push_back(request);
      }
      arrived_.notify_all();
      if (behaviour.kind == Behaviour::Kind::kAnswer) {
        const std::string answer =
            "HTTP/1.1 " + std::to_string(behaviour.status) + " Told\r\n" + behaviour.headers +
            "Connection: close\r\nContent-Length: " + std::to_string(behaviour.body.size()) + "\r\n\r\n" +
            behaviour.body;
        [[maybe_unused]] const auto sent = send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
      } else if (behaviour.kind == Behaviour::Kind::kHang) {
        std::string rest;
        ReadUntil(fd, rest, [] { return false; });
      }
    }
    close(fd);
  }

  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::thread acceptor_;
  std::vector<std::thread> connections_;
  mutable std::mutex mutex_;
  mutable std::condition_variable arrived_;
  std::deque<Behaviour> script_;
  Behaviour otherwise_;
  std::function<Behaviour(const RecordedRequest&)> decide_;
  std::vector<RecordedRequest> requests_;
};

}  // namespace tocsin::respond::testing
