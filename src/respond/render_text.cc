#include "respond/render_text.h"

#include <cmath>

namespace tocsin::respond {
namespace {

bool Continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

}  // namespace

std::string Safe(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F) {
      if (out.empty() || out.back() != ' ') out += ' ';
    } else if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      ++i;  // C1 controls
      out += '?';
    } else if (c == 0xE2 && i + 2 < text.size() && static_cast<unsigned char>(text[i + 1]) == 0x80 &&
               static_cast<unsigned char>(text[i + 2]) >= 0xAA &&
               static_cast<unsigned char>(text[i + 2]) <= 0xAE) {
      i += 2;  // bidirectional overrides
      out += '?';
    } else {
      out += static_cast<char>(c);
    }
  }
  return out;
}

size_t Width(std::string_view text) {
  size_t width = 0;
  for (const char c : text) width += Continues(c) ? size_t{0} : size_t{1};
  return width;
}

std::string Cut(std::string_view text, size_t columns) {
  if (Width(text) <= columns) return std::string(text);
  size_t width = 0;
  size_t i = 0;
  while (i < text.size() && (width + 1 < columns || Continues(text[i]))) {
    if (!Continues(text[i])) ++width;
    ++i;
  }
  while (i < text.size() && Continues(text[i])) ++i;
  return std::string(text.substr(0, i)) + "…";
}

std::string Wrap(std::string_view text, size_t columns, std::string_view first, size_t indent) {
  std::string out(first);
  size_t at = Width(first);
  const std::string blanks(indent, ' ');
  bool fresh = true;
  size_t i = 0;
  while (i < text.size()) {
    while (i < text.size() && text[i] == ' ') ++i;
    size_t end = text.find(' ', i);
    if (end == std::string_view::npos) end = text.size();
    if (end == i) break;
    const std::string word = Cut(text.substr(i, end - i), columns - indent);
    const size_t width = Width(word);
    if (!fresh && at + 1 + width > columns) {
      out += '\n' + blanks;
      at = indent;
      fresh = true;
    }
    if (!fresh) {
      out += ' ';
      ++at;
    }
    out += word;
    at += width;
    fresh = false;
    i = end;
  }
  return out + '\n';
}

std::string CountForPeople(double n) {
  if (!(n >= 0)) return "0";
  if (n >= 1e12) return "10^" + std::to_string(static_cast<int>(std::log10(n)));
  std::string digits = std::to_string(static_cast<uint64_t>(std::llround(n)));
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

}  // namespace tocsin::respond
