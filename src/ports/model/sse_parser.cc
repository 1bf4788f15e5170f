#include "ports/model/sse_parser.h"

#include <fmt/format.h>

#include <utility>

namespace tocsin::ports {

SseParser::SseParser(OnEvent on_event, size_t max_event_bytes)
    : on_event_(std::move(on_event)), max_event_bytes_(max_event_bytes) {}

Status SseParser::Feed(std::string_view piece) {
  while (!piece.empty() && status_.ok()) {
    if (std::exchange(after_cr_, false) && piece.front() == '\n') {
      piece.remove_prefix(1);
      continue;
    }
    const size_t end = piece.find_first_of("\r\n");
    if (line_.size() + event_.data.size() + std::min(end, piece.size()) > max_event_bytes_) {
      status_ = Status(Code::kOutOfRange,
                       fmt::format("an event of the stream has more than {} bytes", max_event_bytes_));
      break;
    }
    if (end == std::string_view::npos) {
      line_ += piece;
      break;
    }
    line_ += piece.substr(0, end);
    after_cr_ = piece[end] == '\r';
    piece.remove_prefix(end + 1);
    status_ = Line(line_);
    line_.clear();
  }
  return status_;
}

Status SseParser::Line(std::string_view line) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  if (std::exchange(first_line_, false) && line.starts_with(kMark)) line.remove_prefix(kMark.size());
  if (line.empty()) {
    SseEvent event = std::exchange(event_, {});
    return std::exchange(has_data_, false) ? on_event_(event) : Status::Ok();
  }
  const size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") {
    event_.name = value;
  } else if (field == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  }
  return Status::Ok();
}

}  // namespace tocsin::ports
