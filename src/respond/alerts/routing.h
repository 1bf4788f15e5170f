// RoutingTree: from an alert's labels to the routes that want it: who is told, grouped by what, how often.
//
// The first matching child takes the alert; one with `continue` lets its later siblings see it too; a route
// none of whose children match takes it itself. Receiver, group_by and the three times are inherited; mute
// and active times are not. Source: Alertmanager's routing tree. Errors: kInvalidArgument naming the route
// ("route.routes[2]: …"); kOutOfRange beyond a bound. Ownership: owns its routes; a Route pointer lives as
// long as the tree. Thread-safety: immutable.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/status.h"
#include "respond/alerts/matcher.h"

namespace tocsin::respond {

// As written in the configuration; what is not given is inherited.
struct RouteSpec {
  std::string receiver;
  Matchers matchers;
  bool continues = false;
  std::optional<std::vector<std::string>> group_by;  // {"..."} groups by all labels
  std::optional<Duration> group_wait, group_interval, repeat_interval;
  std::vector<std::string> mute_time_intervals, active_time_intervals;
  std::vector<RouteSpec> routes;
};

struct Route {
  size_t index = 0;  // in the tree, the root first: stable for one configuration
  std::string
      key;  // the matchers on the way from the root: {}/{severity="critical"}; with a number when taken
  std::string receiver;
  Matchers matchers;
  bool continues = false;
  std::vector<std::string> group_by;  // sorted
  bool group_by_all = false;
  Duration group_wait = Duration::Seconds(30);
  Duration group_interval = Duration::Minutes(5);
  Duration repeat_interval = Duration::Hours(4);
  std::vector<std::string> mute_time_intervals, active_time_intervals;
  std::vector<size_t> children;
};

class RoutingTree {
 public:
  static constexpr size_t kMaxRoutes = 10'000;
  static constexpr size_t kMaxDepth = 64;

  static Result<RoutingTree> Make(const RouteSpec& root);

  // At least one: the root takes what nobody else does.
  std::vector<const Route*> Match(signal::Labels labels) const;
  const std::vector<Route>& routes() const { return routes_; }
  // The labels an alert is grouped by on this route: those of group_by that it has.
  static signal::LabelSet GroupLabels(const Route& route, signal::Labels labels);

 private:
  Status Add(const RouteSpec& spec, const Route* parent, const std::string& path, size_t depth);
  bool MatchInto(size_t at, signal::Labels labels, std::vector<const Route*>& out) const;

  std::vector<Route> routes_;
};

}  // namespace tocsin::respond
