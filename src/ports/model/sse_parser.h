// SseParser: server-sent events out of pieces of a body, as the WHATWG HTML standard reads them
// (section 9.2.6): lines end with CR, LF or CRLF; a blank line ends an event; `data` lines are joined with
// LF; lines that begin with a colon are comments; a byte order mark at the start is skipped. `id` and `retry`
// are of no use here and ignored.
//
// Bounded: an event of more than max_event_bytes is kOutOfRange, whatever its lines. An event the stream ends
// within is never given out. Ownership: none. Thread-safety: none, one owner.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "kernel/status.h"

namespace tocsin::ports {

struct SseEvent {
  std::string name;  // "" when the stream gave none
  std::string data;
};

class SseParser {
 public:
  using OnEvent = std::function<Status(const SseEvent&)>;

  explicit SseParser(OnEvent on_event, size_t max_event_bytes = 1u << 20);

  // The first error, of on_event or of the stream, is returned from then on.
  Status Feed(std::string_view piece);

 private:
  Status Line(std::string_view line);

  OnEvent on_event_;
  size_t max_event_bytes_;
  std::string line_;
  SseEvent event_;
  bool has_data_ = false;
  bool first_line_ = true;
  bool after_cr_ = false;
  Status status_;
};

}  // namespace tocsin::ports
