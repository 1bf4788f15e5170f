#include "tests/e2e/raw_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace tocsin::e2e {

RawSocket::RawSocket(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{10, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
  }
}

RawSocket::~RawSocket() { close(fd_); }

bool RawSocket::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

void RawSocket::CloseSending() { shutdown(fd_, SHUT_WR); }

bool RawSocket::Fill() {
  std::array<char, 16384> piece{};
  const ssize_t n = recv(fd_, piece.data(), piece.size(), 0);
  if (n <= 0) return false;
  buffer_.append(piece.data(), static_cast<size_t>(n));
  return true;
}

std::string RawSocket::ReadResponse() {
  size_t head_end = std::string::npos;
  while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) return std::exchange(buffer_, {});
  }
  size_t length = 0;
  if (const size_t at = buffer_.find("Content-Length: "); at < head_end) {
    const char* begin = buffer_.data() + at + 16;
    std::from_chars(begin, buffer_.data() + head_end, length);
  }
  const size_t total = head_end + 4 + length;
  while (buffer_.size() < total) {
    if (!Fill()) return std::exchange(buffer_, {});
  }
  std::string response = buffer_.substr(0, total);
  buffer_.erase(0, total);
  return response;
}

std::string RawSocket::ReadAll() {
  while (Fill()) {
  }
  return std::exchange(buffer_, {});
}

bool RawSocket::PeerCloses() {
  std::array<char, 4096> piece{};
  ssize_t n = 0;
  while ((n = recv(fd_, piece.data(), piece.size(), 0)) > 0) {
  }
  return n == 0 || errno == ECONNRESET;
}

int StatusOf(std::string_view response) {
  if (!response.starts_with("HTTP/1.1 ") || response.size() < 12) return 0;
  int status = 0;
  std::from_chars(response.data() + 9, response.data() + 12, status);
  return status;
}

}  // namespace tocsin::e2e
