// KeepAlive: one HTTP/1.1 connection that sends and receives, and costs little of the machine it shares with
// the server that is measured.
//
// Ownership: owns its socket. Thread-safety: none, one owner. Errors: the constructor throws
// std::runtime_error when nobody listens; afterwards a status of 0 means that the connection broke or the
// time was up, and the connection is of no further use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::bench {

struct Answer {
  int status = 0;
  std::string body;  // as it came: the frames of a chunked body are taken out
};

class KeepAlive {
 public:
  // timeout_s: of silence of the other side; 0 = none.
  explicit KeepAlive(uint16_t port, int timeout_s = 0);
  ~KeepAlive();
  KeepAlive(const KeepAlive&) = delete;
  KeepAlive& operator=(const KeepAlive&) = delete;

  Answer Post(std::string_view path, std::string_view content_type, std::string_view body);
  Answer Get(std::string_view path);

 private:
  bool SendAll(std::string_view bytes);
  Answer Read();
  bool More();
  bool ReadChunks(size_t at, std::string& body);

  int fd_;
  std::string in_;
};

}  // namespace tocsin::bench
