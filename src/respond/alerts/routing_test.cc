#include "respond/alerts/routing.h"

#include <gtest/gtest.h>

namespace tocsin::respond {
namespace {

RouteSpec Child(const std::string& matchers, const std::string& receiver, bool continues = false) {
  RouteSpec spec;
  spec.matchers = ParseMatchers(matchers).value();
  spec.receiver = receiver;
  spec.continues = continues;
  return spec;
}

std::string Receivers(const RoutingTree& tree, const signal::LabelSet& labels) {
  std::string out;
  for (const Route* route : tree.Match(signal::LabelViews(labels))) out += route->receiver + " ";
  return out;
}

TEST(Routing, TheDeepestMatchTakesIt) {
  RouteSpec root;
  root.receiver = "everyone";
  root.group_by = {{"service", "alertname"}};
  root.group_wait = Duration::Seconds(10);
  root.routes = {Child("audit=yes", "audit", true), Child("team=db", "db"),
                 Child("team=~\"db|web\"", "never-for-db")};
  root.routes[1].routes = {Child("severity=critical", "")};
  root.routes[1].routes[0].group_wait = Duration::Seconds(0);
  root.routes[1].routes[0].group_by = {{"..."}};
  root.routes[1].mute_time_intervals = {"nights"};
  const auto tree = RoutingTree::Make(root);
  ASSERT_TRUE(tree.has_value()) << tree.error().ToString();
  EXPECT_EQ(Receivers(*tree, {{"x", "1"}}), "everyone ");
  EXPECT_EQ(Receivers(*tree, {{"team", "db"}}), "db ");
  EXPECT_EQ(Receivers(*tree, {{"audit", "yes"}, {"team", "web"}}), "audit never-for-db ");
  const signal::LabelSet critical = {{"alertname", "A"}, {"severity", "critical"}, {"team", "db"}};
  const signal::LabelViews labels(critical);
  const auto routes = tree->Match(labels);
  ASSERT_EQ(routes.size(), 1u);
  EXPECT_EQ(routes[0]->receiver, "db");
  EXPECT_EQ(routes[0]->key, R"({}/{team="db"}/{severity="critical"})");
  EXPECT_EQ(routes[0]->group_wait, Duration::Seconds(0));
  EXPECT_TRUE(routes[0]->mute_time_intervals.empty());
  EXPECT_EQ(RoutingTree::GroupLabels(*routes[0], labels), critical);
  EXPECT_EQ(RoutingTree::GroupLabels(tree->routes()[0], labels), (signal::LabelSet{{"alertname", "A"}}));
}

TEST(Routing, ErrorsNameTheRoute) {
  const auto message = [](const RouteSpec& spec) { return RoutingTree::Make(spec).error().message(); };
  RouteSpec root;
  EXPECT_EQ(message(root), "route: the root route needs a receiver");
  root.receiver = "r";
  root.routes = {Child("a=1", ""), Child("b=1", "")};
  root.routes[1].routes = {Child("c=1", "")};
  root.routes[1].routes[0].group_interval = Duration{};
  EXPECT_EQ(message(root), "route.routes[1].routes[0]: group_interval: must be above zero");
  root.routes[1].routes[0] = Child("c=1", "");
  root.routes[1].routes[0].group_by = {{"a", "a"}};
  EXPECT_EQ(message(root), "route.routes[1].routes[0]: group_by: a label is named twice");
  RouteSpec deep = Child("a=1", "");
  for (int i = 0; i < 100; ++i) {
    RouteSpec outer = Child("a=1", "");
    outer.routes.push_back(std::move(deep));
    deep = std::move(outer);
  }
  root.routes = {deep};
  EXPECT_EQ(RoutingTree::Make(root).error().code(), Code::kOutOfRange);
}

}  // namespace
}  // namespace tocsin::respond
