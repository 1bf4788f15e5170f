#include "bench/wire/keep_alive.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace tocsin::bench {
namespace {

constexpr size_t kStep = 1u << 20;

// "" when there is no such header; names in any case.
std::string_view Header(std::string_view head, std::string_view lower_name) {
  for (size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= lower_name.size() || line[lower_name.size()] != ':') continue;
    const bool same = std::equal(lower_name.begin(), lower_name.end(), line.begin(), [](char low, char any) {
      return low == (any >= 'A' && any <= 'Z' ? static_cast<char>(any - 'A' + 'a') : any);
    });
    if (!same) continue;
    line.remove_prefix(lower_name.size() + 1);
    while (line.starts_with(' ')) line.remove_prefix(1);
    return line;
  }
  return {};
}

size_t Number(std::string_view text, int base) {
  size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

}  // namespace

KeepAlive::KeepAlive(uint16_t port, int timeout_s) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval wait{timeout_s, 0};
  if (timeout_s > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const std::string why = std::strerror(errno);
    close(fd_);
    throw std::runtime_error("connect: " + why);
  }
}

KeepAlive::~KeepAlive() { close(fd_); }

Answer KeepAlive::Post(std::string_view path, std::string_view content_type, std::string_view body) {
  const std::string head =
      fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
                  path, content_type, body.size());
  return SendAll(head) && SendAll(body) ? Read() : Answer{};
}

Answer KeepAlive::Get(std::string_view path) {
  return SendAll(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", path)) ? Read() : Answer{};
}

bool KeepAlive::SendAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

bool KeepAlive::More() {
  const size_t before = in_.size();
  in_.resize(before + std::clamp(before, size_t{16} << 10, kStep));
  const ssize_t n = recv(fd_, in_.data() + before, in_.size() - before, 0);
  in_.resize(before + static_cast<size_t>(std::max<ssize_t>(n, 0)));
  return n > 0;
}

bool KeepAlive::ReadChunks(size_t at, std::string& body) {
  body.reserve(size_t{128} << 20);  // address space only
  while (true) {
    if (at > kStep) {
      in_.erase(0, at);
      at = 0;
    }
    size_t line = std::string::npos;
    while ((line = in_.find("\r\n", at)) == std::string::npos) {
      if (!More()) return false;
    }
    const size_t size = Number(std::string_view(in_).substr(at, line - at), 16);
    while (in_.size() < line + 2 + size + 2) {
      if (!More()) return false;
    }
    body.append(in_, line + 2, size);
    at = line + 2 + size + 2;
    if (size == 0) return true;
  }
}

Answer KeepAlive::Read() {
  in_.clear();
  size_t end = std::string::npos;
  while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
    if (!More()) return {};
  }
  const std::string head = in_.substr(0, end + 2);
  Answer answer;
  if (Header(head, "transfer-encoding") == "chunked") {
    if (!ReadChunks(end + 4, answer.body)) return {};
  } else {
    const size_t total = end + 4 + Number(Header(head, "content-length"), 10);
    in_.reserve(total + kStep);
    while (in_.size() < total) {
      if (!More()) return {};
    }
    in_.erase(0, end + 4);
    answer.body = std::move(in_);
  }
  answer.status = static_cast<int>(Number(std::string_view(head).substr(9, 3), 10));
  return answer;
}

}  // namespace tocsin::bench
