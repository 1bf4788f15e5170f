#include "ports/mcp/mcp_wire.h"

#include <algorithm>
#include <cstdint>

#include "ports/model/internal/bounded_json.h"

namespace tocsin::ports::mcp {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kEncodedBegin = "=?base64?";
constexpr std::string_view kEncodedEnd = "?=";

bool IsPlainHeader(std::string_view value) {
  return !value.starts_with(kEncodedBegin) && !value.starts_with(' ') && !value.ends_with(' ') &&
         std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7F; });
}

}  // namespace

const char* NameParameter(std::string_view method) {
  if (method == "tools/call" || method == "prompts/get") return "name";
  if (method == "resources/read") return "uri";
  return nullptr;
}

std::optional<std::string> DecodeHeaderValue(std::string_view value) {
  if (!value.starts_with(kEncodedBegin)) return std::string(value);
  value.remove_prefix(kEncodedBegin.size());
  if (!value.ends_with(kEncodedEnd)) return std::nullopt;
  value.remove_suffix(kEncodedEnd.size());
  if (value.size() % 4 != 0) return std::nullopt;
  while (value.ends_with('=')) value.remove_suffix(1);
  std::string out;
  uint32_t bits = 0;
  int have = 0;
  for (const char c : value) {
    const size_t digit = kBase64.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6u) | static_cast<uint32_t>(digit);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    out += static_cast<char>((bits >> static_cast<uint32_t>(have)) & 0xFFu);
  }
  return out;
}

std::string EncodeHeaderValue(std::string_view value) {
  if (IsPlainHeader(value)) return std::string(value);
  std::string out(kEncodedBegin);
  for (size_t i = 0; i < value.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j)
      bits = (bits << 8u) | (i + j < value.size() ? static_cast<unsigned char>(value[i + j]) : 0u);
    for (uint32_t j = 0; j < 4; ++j)
      out += i + j <= value.size() ? kBase64[(bits >> (18u - 6u * j)) & 63u] : '=';
  }
  return out.append(kEncodedEnd);
}

nlohmann::json ReadBoundedJson(std::string_view text, int max_depth) {
  nlohmann::json parsed = internal::ParseBoundedJson(text, max_depth);
  return parsed.is_discarded() ? nlohmann::json() : parsed;
}

}  // namespace tocsin::ports::mcp
