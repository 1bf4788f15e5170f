// Percent-encoding of one path segment or query value. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace tocsin::surface {

std::string UrlEncode(std::string_view text);

}  // namespace tocsin::surface
