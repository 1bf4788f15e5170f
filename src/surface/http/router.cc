#include "surface/http/router.h"

namespace tocsin::surface {
namespace {

// True when the path fits the pattern; `value` is what stood for {name}, `name` its name.
bool Fits(std::string_view pattern, std::string_view path, std::string_view& name, std::string_view& value) {
  const size_t open = pattern.find('{');
  if (open == std::string_view::npos) return pattern == path;
  const size_t close = pattern.find('}', open);
  const std::string_view prefix = pattern.substr(0, open);
  const std::string_view suffix = pattern.substr(close + 1);
  if (path.size() <= prefix.size() + suffix.size() || !path.starts_with(prefix) || !path.ends_with(suffix)) {
    return false;
  }
  name = pattern.substr(open + 1, close - open - 1);
  value = path.substr(prefix.size(), path.size() - prefix.size() - suffix.size());
  return value.find('/') == std::string_view::npos;
}

}  // namespace

Router::Match Router::Find(std::string_view method, std::string_view path) const {
  Match match;
  for (const Route& route : routes_) {
    std::string_view name;
    std::string_view value;
    if (!Fits(route.path, path, name, value)) continue;
    const bool head_of_get = method == "HEAD" && route.method == "GET";
    if (route.method == method || head_of_get) {
      match.route = &route;
      if (!name.empty()) match.params.emplace_back(name, value);
      match.allow.clear();
      return match;
    }
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += route.method;
    if (route.method == "GET") match.allow += ", HEAD";
  }
  return match;
}

}  // namespace tocsin::surface
