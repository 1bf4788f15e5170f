#include "ports/yaml/yaml_json.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "ports/yaml/yaml_value.h"

namespace tocsin::ports {
namespace {

using nlohmann::json;
constexpr size_t kMaxItems = 10'000;
constexpr size_t kMaxScalarBytes = 64u << 10;

json PlainScalar(const std::string& text) {
  if (text == "true" || text == "True") return true;
  if (text == "false" || text == "False") return false;
  const char* end = text.data() + text.size();
  int64_t whole = 0;
  if (const auto r = std::from_chars(text.data(), end, whole); r.ec == std::errc() && r.ptr == end)
    return whole;
  double real = 0;
  if (const auto r = std::from_chars(text.data(), end, real);
      r.ec == std::errc() && r.ptr == end && std::isfinite(real))
    return real;
  return text;
}

Result<json> Convert(const YamlValue& value) {
  if (value.IsNull()) return json();
  if (value.IsList()) {
    json out = json::array();
    TOCSIN_ASSIGN_OR_RETURN(auto items, value.Items(kMaxItems));
    for (const auto& item : items) {
      TOCSIN_ASSIGN_OR_RETURN(json one, Convert(item));
      out.push_back(std::move(one));
    }
    return out;
  }
  if (value.IsMapping()) {
    json out = json::object();
    TOCSIN_ASSIGN_OR_RETURN(auto pairs, value.Pairs(kMaxItems));
    for (const auto& [key, item] : pairs) {
      TOCSIN_ASSIGN_OR_RETURN(json one, Convert(item));
      out[key] = std::move(one);
    }
    return out;
  }
  TOCSIN_ASSIGN_OR_RETURN(std::string text, value.Text(kMaxScalarBytes));
  return value.IsQuoted() ? json(text) : PlainScalar(text);
}

}  // namespace

Result<json> YamlAsJson(const YamlValue& value) { return Convert(value); }

Result<json> ParseYamlAsJson(std::string_view text, const std::string& file) {
  TOCSIN_ASSIGN_OR_RETURN(YamlValue root, YamlValue::Parse(text, file));
  try {
    TOCSIN_ASSIGN_OR_RETURN(json out, Convert(root));
    TOCSIN_RETURN_IF_ERROR(root.FirstProblem());
    return out;
  } catch (const std::exception&) {
    return tl::unexpected(Status::FromException("reading " + file, Code::kInvalidArgument));
  }
}

}  // namespace tocsin::ports
