// Answers in plain text, for terminals. Pure; thread-safe.
#pragma once

#include <string>
#include <utility>

#include "surface/http/message.h"

namespace tocsin::surface {

// By ?format=text, or by an Accept header that names text/plain.
inline bool WantsText(const Request& request) {
  return request.Query("format") == "text" || request.Accepts("text/plain");
}

inline Response TextResponse(std::string text) {
  Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

}  // namespace tocsin::surface
