// Load: pre-encoded OTLP batches sent over keep-alive connections, at a rate or as fast as they are taken.
//
// A body is encoded once; its ids are patched in place before each send, so that every span is distinct and
// the sender costs little of the machine it shares with the server. A thread a connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tocsin::bench {

// One export request of `spans` generations with about `text_bytes` of text each.
class Body {
 public:
  Body(int variant, int spans, size_t text_bytes);
  // Gives every span the id of the next number, from `first`.
  void Number(uint64_t first);
  const std::string& bytes() const { return bytes_; }
  int spans() const { return static_cast<int>(id_offsets_.size()); }

 private:
  std::string bytes_;
  std::vector<std::pair<size_t, size_t>> id_offsets_;  // of the low 8 bytes of trace id, and of span id
};

struct LoadResult {
  uint64_t acknowledged = 0;  // generations
  uint64_t refused = 0;       // requests answered 429
  uint64_t failed = 0;        // anything else
  double seconds = 0;
  std::vector<double> ack_ms;  // sorted
};

// rate: generations a second over all connections, 0 = as fast as they are taken. Numbers start at `first`.
LoadResult Run(uint16_t port, int connections, double seconds, double rate, uint64_t first);

}  // namespace tocsin::bench
