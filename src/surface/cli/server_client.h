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
// `token`: a person's or an agent's, "" = none.
Result<std::string> TellServer(const std::string& url, std::string_view path, std::string_view json_body,
                               const std::string& token = "");
// Of a file, else of TOCSIN_TOKEN, else of ~/.config/tocsin/token. kUnauthenticated says how to make one.
Result<std::string> FindToken(const std::string& file);

}  // namespace tocsin::surface
