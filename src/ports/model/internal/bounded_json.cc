#include "ports/model/internal/bounded_json.h"

#include <algorithm>
#include <string>

namespace tocsin::ports::internal {
namespace {

using nlohmann::json;

bool IsTooDeep(std::string_view text, int max_depth) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_depth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

json ParseBoundedJson(std::string_view text, int max_depth) {
  if (IsTooDeep(text, max_depth)) return json(json::value_t::discarded);
  return json::parse(text, nullptr, false);
}

const json& MemberOf(const json& object, const char* member) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto it = object.find(member);
  return it == object.end() ? kNull : *it;
}

std::string TextOf(const json& object, const char* member) {
  const json& value = MemberOf(object, member);
  return value.is_string() ? value.get<std::string>() : std::string();
}

int64_t CountOf(const json& object, const char* member) {
  const json& value = MemberOf(object, member);
  if (!value.is_number_integer()) return 0;
  constexpr int64_t kMost = int64_t{1} << 40;  // more tokens than that are not true
  if (value.is_number_unsigned()) {
    return static_cast<int64_t>(std::min<uint64_t>(value.get<uint64_t>(), uint64_t{1} << 40));
  }
  return std::clamp<int64_t>(value.get<int64_t>(), 0, kMost);
}

}  // namespace tocsin::ports::internal
