#include "surface/http/html.h"

#include <fmt/format.h>

namespace tocsin::surface {
namespace {

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:46rem}"
    "pre{font:clamp(10px,3vw,15px)/1.45 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}"
    "a{color:inherit}li{margin:.8rem 0}.sev{font-weight:700}.dim{opacity:.7;font-size:.9em}"
    "ul{list-style:none;padding:0}h1{font-size:1.5rem;line-height:1.25}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.4rem 1rem;overflow-wrap:anywhere}"
    "dt{opacity:.7}dd{margin:0}"
    "input,button{font:inherit;padding:.5rem .8rem;max-width:100%;box-sizing:border-box}"
    "input{width:24rem}button{margin:0 .5rem .5rem 0}";

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

Response HtmlPage(std::string_view title, std::string_view body, int status) {
  Response response;
  response.status = status;
  response.content_type = "text/html; charset=utf-8";
  response.headers.emplace_back(
      "Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{}</title>"
      "<style>{}</style></head>\n<body>\n{}</body></html>\n",
      EscapeHtml(title), kStyle, body);
  return response;
}

}  // namespace tocsin::surface
