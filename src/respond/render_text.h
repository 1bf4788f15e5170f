// Small pieces of a terminal page: safe text, wrapping, numbers for people. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::respond {

// Control characters and newlines become visible or blanks, so that hostile text cannot move the cursor.
std::string Safe(std::string_view text);
// Columns a UTF-8 text takes (one a code point).
size_t Width(std::string_view text);
// Wrapped at blanks; every line begins with `indent` blanks, the first with `first` instead.
std::string Wrap(std::string_view text, size_t columns, std::string_view first, size_t indent);
// One line, cut with "…".
std::string Cut(std::string_view text, size_t columns);
// 1234567 -> "1,234,567"; 1e12 and more -> "10^12".
std::string CountForPeople(double n);

}  // namespace tocsin::respond
