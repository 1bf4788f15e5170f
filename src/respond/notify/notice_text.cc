#include "respond/notify/notice_text.h"

#include <cstdint>

namespace tocsin::respond {
namespace {

constexpr std::string_view kEllipsis = "\xe2\x80\xa6";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xc0U) == 0x80U; }

// Length of the valid sequence at the front; 0 when it is not one (RFC 3629).
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool beyond = (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
  return overlong || beyond ? 0 : length;
}

}  // namespace

std::string CutUtf8(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  if (max_bytes < kEllipsis.size()) return "";
  size_t end = max_bytes - kEllipsis.size();
  while (end > 0 && IsContinuation(text[end])) --end;
  return std::string(text.substr(0, end)).append(kEllipsis);
}

std::string CutCharacters(std::string_view text, size_t max) {
  size_t characters = 0;
  size_t keep = 0;  // bytes of the first max - 1 characters
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsContinuation(text[i])) continue;
    ++characters;
    if (characters == max) keep = i;
  }
  if (characters <= max) return std::string(text);
  return std::string(text.substr(0, keep)).append(kEllipsis);
}

std::string CleanText(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    const auto first = static_cast<uint8_t>(text[0]);
    // C1 controls are U+0080 … U+009F.
    const bool c1 = length == 2 && first == 0xc2 && static_cast<uint8_t>(text[1]) < 0xa0;
    if (length == 0) {
      out.append(kReplacement);
    } else if ((length == 1 && (first < 0x20 || first == 0x7f)) || c1) {
      out.push_back(keep_lines && first == '\n' ? '\n' : ' ');
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

bool IsWebUrl(std::string_view url) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) return false;
  for (const char c : url) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '<' || c == '>' || c == '|' || c == '"') return false;
  }
  return url.size() <= 2000;
}

std::string PublicPartOfUrl(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return "(address)";
  std::string_view host = url.substr(scheme + 3);
  const size_t end = host.find_first_of("/?#");
  const bool more = end != std::string_view::npos;
  host = host.substr(0, end);
  if (const size_t at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  return CleanText(std::string(url.substr(0, scheme + 3)).append(host), false) +
         (more ? std::string("/").append(kEllipsis) : "");
}

std::string SeverityWord(std::string_view severity) {
  std::string out = CleanText(severity, false);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

}  // namespace tocsin::respond
