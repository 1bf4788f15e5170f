// How commands ask a running server: one GET or POST, with an error a person can act on.
// Errors: kUnavailable when no server answers (says how to start one), kNotFound, or what the problem details
// of the answer say.
#pragma once

#include <string>
#include <string_view>

#include "kernel/status.h"

namespace tocsin::surface {

inline constexpr const char* kDefaultUrl = "http://127.0.0.1:4318";

// The body of a 2xx answer. `path` begins with '/'; `accept` is a media type.
Result<std::string> AskServer(const std::string& url, std::string_view path, std::string_view accept);
Result<std::string> TellServer(const std::string& url, std::string_view path, std::string_view json_body);

}  // namespace tocsin::surface
