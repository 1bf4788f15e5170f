// Text as far as ASCII goes; all other bytes stay as they are. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace tocsin {

inline std::string LowerAscii(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

}  // namespace tocsin
