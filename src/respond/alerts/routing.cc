#include "respond/alerts/routing.h"

#include <algorithm>
#include <unordered_map>

namespace tocsin::respond {
namespace {

Status Wrong(const std::string& path, const std::string& why) {
  return Status(Code::kInvalidArgument, path + ": " + why);
}

Status CheckRoot(const RouteSpec& root) {
  if (root.receiver.empty()) return Wrong("route", "the root route needs a receiver");
  if (!root.matchers.empty()) return Wrong("route", "the root route must not have matchers");
  if (root.continues) return Wrong("route", "the root route cannot continue");
  if (!root.mute_time_intervals.empty() || !root.active_time_intervals.empty()) {
    return Wrong("route", "the root route must not have mute or active times");
  }
  return {};
}

Status SetGrouping(const RouteSpec& spec, const std::string& path, Route& route) {
  if (spec.group_by) {
    route.group_by = *spec.group_by;
    std::sort(route.group_by.begin(), route.group_by.end());
    route.group_by_all = route.group_by == std::vector<std::string>{"..."};
    if (route.group_by_all) {
      route.group_by.clear();
    } else if (std::adjacent_find(route.group_by.begin(), route.group_by.end()) != route.group_by.end()) {
      return Wrong(path, "group_by: a label is named twice");
    } else if (std::find(route.group_by.begin(), route.group_by.end(), "...") != route.group_by.end()) {
      return Wrong(path, "group_by: '...' stands alone");
    }
  }
  if (spec.group_wait) route.group_wait = *spec.group_wait;
  if (spec.group_interval) route.group_interval = *spec.group_interval;
  if (spec.repeat_interval) route.repeat_interval = *spec.repeat_interval;
  if (route.group_wait.ns < 0) return Wrong(path, "group_wait: must not be negative");
  if (route.group_interval.ns <= 0) return Wrong(path, "group_interval: must be above zero");
  if (route.repeat_interval.ns <= 0) return Wrong(path, "repeat_interval: must be above zero");
  return {};
}

}  // namespace

Result<RoutingTree> RoutingTree::Make(const RouteSpec& root) {
  TOCSIN_RETURN_IF_ERROR(CheckRoot(root));
  RoutingTree tree;
  TOCSIN_RETURN_IF_ERROR(tree.Add(root, nullptr, "route", 1));
  std::unordered_map<std::string, size_t> taken;
  for (Route& route : tree.routes_) {
    if (const size_t before = taken[route.key]++; before > 0) route.key += "/" + std::to_string(before);
  }
  return tree;
}

Status RoutingTree::Add(const RouteSpec& spec, const Route* parent, const std::string& path, size_t depth) {
  if (depth > kMaxDepth) return Status(Code::kOutOfRange, path + ": routes nest deeper than 64");
  if (routes_.size() == kMaxRoutes) return Status(Code::kOutOfRange, path + ": more than 10000 routes");
  Route route = parent != nullptr ? *parent : Route{};
  route.index = routes_.size();
  route.key =
      parent != nullptr ? parent->key + "/" + FormatMatchers(spec.matchers) : FormatMatchers(spec.matchers);
  if (!spec.receiver.empty()) route.receiver = spec.receiver;
  route.matchers = spec.matchers;
  route.continues = spec.continues;
  route.mute_time_intervals = spec.mute_time_intervals;
  route.active_time_intervals = spec.active_time_intervals;
  route.children.clear();
  TOCSIN_RETURN_IF_ERROR(SetGrouping(spec, path, route));
  routes_.push_back(route);
  std::vector<size_t> children;
  for (size_t i = 0; i < spec.routes.size(); ++i) {
    children.push_back(routes_.size());
    TOCSIN_RETURN_IF_ERROR(
        Add(spec.routes[i], &route, path + ".routes[" + std::to_string(i) + "]", depth + 1));
  }
  routes_[route.index].children = std::move(children);
  return {};
}

bool RoutingTree::MatchInto(size_t at, signal::Labels labels, std::vector<const Route*>& out) const {
  const Route& route = routes_[at];
  if (!MatchesAll(route.matchers, labels)) return false;
  bool taken = false;
  for (const size_t child : route.children) {
    if (!MatchInto(child, labels, out)) continue;
    taken = true;
    if (!routes_[child].continues) break;
  }
  if (!taken) out.push_back(&route);
  return true;
}

std::vector<const Route*> RoutingTree::Match(signal::Labels labels) const {
  std::vector<const Route*> out;
  MatchInto(0, labels, out);
  return out;
}

signal::LabelSet RoutingTree::GroupLabels(const Route& route, signal::Labels labels) {
  signal::LabelSet out;
  for (const auto& [name, value] : labels) {
    if (route.group_by_all || std::binary_search(route.group_by.begin(), route.group_by.end(), name)) {
      out.emplace_back(name, value);
    }
  }
  return out;
}

}  // namespace tocsin::respond
