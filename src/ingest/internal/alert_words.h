// Words and values that decoders of alerts read alike. Thread-safety: pure.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "ingest/internal/json_document.h"

namespace tocsin::ingest::internal {

// `word` in lower case: does it say that an alert is over?
inline bool IsResolvedWord(std::string_view word) {
  static constexpr std::array<std::string_view, 7> kWords = {"resolved", "resolve", "closed",   "ok",
                                                             "cleared",  "clear",   "recovered"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// A JSON value as the text of a label.
inline std::string LabelText(const Json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tocsin::ingest::internal
