// The few words of HTML the pages need. Every text goes through EscapeHtml; no script, so the content
// security policy forbids all. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "surface/http/message.h"

namespace tocsin::surface {

// What a phone shows of a <pre> without breaking its lines.
inline constexpr size_t kPhoneColumns = 48;

std::string EscapeHtml(std::string_view text);
// A whole page that reads well on a phone, light or dark. `body` is HTML already.
Response HtmlPage(std::string_view title, std::string_view body, int status = 200);

}  // namespace tocsin::surface
