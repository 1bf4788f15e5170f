// Which statement wrote a log line, as well as its text tells.
//
// Docker and structured lines (JSON with log, message or msg; severity or level) are opened first. A source
// position in the line (Class#31, main.go:77) names the statement; otherwise the first words do, with what
// varies (numbers, identifiers, times) masked. Lines of warning level and above are errors here and differ in
// their text. Pure, thread-safe; at most kScanned bytes of a line are looked at.
#pragma once

#include <string>
#include <string_view>

namespace tocsin::investigate {

struct LogStatement {
  std::string text;
  bool error = false;
};

LogStatement StatementOf(std::string_view line);

}  // namespace tocsin::investigate
