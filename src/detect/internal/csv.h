// Reads CSV as RFC 4180 has it: quoted fields, doubled quotes, line breaks inside quotes. Pure; takes any
// bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::detect::internal {

std::vector<std::vector<std::string>> ParseCsv(std::string_view text);

}  // namespace tocsin::detect::internal
