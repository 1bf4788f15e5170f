#include "surface/http/internal/target.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <string>

namespace tocsin::surface::internal {
namespace {

constexpr size_t kMaxParameters = 64;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The parser has checked that every % has its two digits.
std::string Decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 && HexDigit(text[i + 2]) >= 0) {
      out += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

Status ParseTarget(std::string_view target, Request& request) {
  const boost::core::string_view text(target.data(), target.size());
  const bool absolute = target.starts_with("http://") || target.starts_with("https://");
  const auto parsed = absolute ? boost::urls::parse_absolute_uri(text) : boost::urls::parse_origin_form(text);
  if (!parsed) return Status(Code::kInvalidArgument, "the request target is not a path with a query");
  const std::string_view path(parsed->encoded_path().data(), parsed->encoded_path().size());
  request.path = Decode(path, false);
  std::string_view query(parsed->encoded_query().data(), parsed->encoded_query().size());
  while (!query.empty() && request.query.size() < kMaxParameters) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const size_t equals = pair.find('=');
    if (!pair.empty()) {
      request.query.emplace_back(
          Decode(pair.substr(0, equals), true),
          equals == std::string_view::npos ? std::string() : Decode(pair.substr(equals + 1), true));
    }
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return Status::Ok();
}

}  // namespace tocsin::surface::internal
