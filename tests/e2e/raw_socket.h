// A TCP connection to 127.0.0.1 that sends exactly the bytes it is given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::e2e {

class RawSocket {
 public:
  explicit RawSocket(uint16_t port);
  ~RawSocket();
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  // False when the peer has closed.
  bool Send(std::string_view bytes);
  void CloseSending();
  // One response: header and Content-Length body. What came before the peer closed or 10 s passed.
  std::string ReadResponse();
  // Everything until the peer closes or 10 s have passed.
  std::string ReadAll();
  // True when the peer closes within 10 s.
  bool PeerCloses();

 private:
  bool Fill();  // false at the end or after 10 s without a byte
  int fd_ = -1;
  std::string buffer_;
};

// The status of a response's first line, 0 when it is none.
int StatusOf(std::string_view response);

}  // namespace tocsin::e2e
