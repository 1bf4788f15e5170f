#include "respond/config/alert_rules_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "respond/config/time_interval_reader.h"

namespace tocsin::respond {
namespace {

using ports::YamlValue;

struct Names {
  const std::set<std::string>& receivers;
  std::set<std::string> intervals;
};

// Each text may hold several.
Status ReadMatcherList(const YamlValue& yaml, Matchers& out) {
  TOCSIN_ASSIGN_OR_RETURN(const auto items, yaml.Items(kMaxMatchers));
  for (const auto& item : items) {
    TOCSIN_ASSIGN_OR_RETURN(const std::string text, item.Text(kMaxMatcherText));
    auto matchers = ParseMatchers(text);
    if (!matchers) return item.Wrong(matchers.error().message());
    std::ranges::move(*matchers, std::back_inserter(out));
  }
  return Status::Ok();
}

Status ReadMatchMap(const YamlValue& yaml, MatchOp op, Matchers& out) {
  TOCSIN_ASSIGN_OR_RETURN(const auto entries, yaml.Pairs(kMaxMatchers));
  for (const auto& [name, value] : entries) {
    TOCSIN_ASSIGN_OR_RETURN(std::string text, value.Text(Matcher::kMaxValue));
    auto matcher = Matcher::Make(op, name, std::move(text));
    if (!matcher) return value.Wrong(matcher.error().message());
    out.push_back(*std::move(matcher));
  }
  return Status::Ok();
}

// PREFIXmatchers, PREFIXmatch and PREFIXmatch_re, of which all must hold.
void ReadMatchers(const YamlValue& yaml, const std::string& prefix, Matchers& out) {
  if (const auto equal = yaml.Find(prefix + "match")) yaml.Note(ReadMatchMap(*equal, MatchOp::kEqual, out));
  if (const auto regex = yaml.Find(prefix + "match_re"))
    yaml.Note(ReadMatchMap(*regex, MatchOp::kRegex, out));
  if (const auto list = yaml.Find(prefix + "matchers")) yaml.Note(ReadMatcherList(*list, out));
}

Result<std::vector<std::string>> ReadGroupBy(const YamlValue& yaml) {
  TOCSIN_ASSIGN_OR_RETURN(auto out, yaml.Texts(100));
  auto sorted = out;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) return Error(yaml.Wrong("names a label twice"));
  if (out.size() > 1 && std::ranges::find(out, "...") != out.end())
    return Error(yaml.Wrong("'...' (all labels) stands alone"));
  return out;
}

void ReadWait(const YamlValue& yaml, std::string_view key, bool zero, std::optional<Duration>& out) {
  const auto at = yaml.Find(key);
  if (!at) return;
  const auto read = at->Span();
  if (!read) return yaml.Note(read.error());
  if (read->ns == 0 && !zero) return yaml.Note(at->Wrong("is not above zero"));
  out = *read;
}

void ReadIntervalNames(const YamlValue& yaml, std::string_view key, const Names& names,
                       std::vector<std::string>& out) {
  const auto at = yaml.Find(key);
  if (!at) return;
  const auto items = at->Items(kMaxTimeIntervals);
  if (!items) return yaml.Note(items.error());
  for (const auto& item : *items) {
    const auto name = item.Text();
    if (!name) {
      yaml.Note(name.error());
    } else if (!names.intervals.contains(*name)) {
      yaml.Note(item.Wrong(fmt::format("no time interval is called '{}'", name->substr(0, 64))));
    } else {
      out.push_back(*name);
    }
  }
}

void ReadReceiver(const YamlValue& yaml, const Names& names, std::string& out) {
  const auto at = yaml.Find("receiver");
  if (!at) return;
  auto name = at->Text();
  if (!name) return yaml.Note(name.error());
  if (!names.receivers.contains(*name))
    return yaml.Note(at->Wrong(fmt::format("no receiver is called '{}'", name->substr(0, 64))));
  out = *std::move(name);
}

RouteSpec ReadRoute(const YamlValue& yaml, const Names& names) {
  RouteSpec out;
  const Status keys = yaml.Keys({"receiver", "matchers", "match", "match_re", "continue", "group_by",
                                 "group_wait", "group_interval", "repeat_interval", "mute_time_intervals",
                                 "active_time_intervals", "routes"});
  if (!keys.ok()) {
    yaml.Note(keys);
    return out;
  }
  ReadReceiver(yaml, names, out.receiver);
  ReadMatchers(yaml, "", out.matchers);
  if (const auto on = yaml.Find("continue")) {
    const auto flag = on->Flag();
    if (!flag) yaml.Note(flag.error());
    out.continues = flag.value_or(false);
  }
  if (const auto group_by = yaml.Find("group_by")) {
    auto labels = ReadGroupBy(*group_by);
    if (labels)
      out.group_by = *std::move(labels);
    else
      yaml.Note(labels.error());
  }
  ReadWait(yaml, "group_wait", true, out.group_wait);
  ReadWait(yaml, "group_interval", false, out.group_interval);
  ReadWait(yaml, "repeat_interval", false, out.repeat_interval);
  ReadIntervalNames(yaml, "mute_time_intervals", names, out.mute_time_intervals);
  ReadIntervalNames(yaml, "active_time_intervals", names, out.active_time_intervals);
  if (const auto routes = yaml.Find("routes")) {
    const auto items = routes->Items(RoutingTree::kMaxRoutes);
    if (!items) yaml.Note(items.error());
    if (items) {
      for (const auto& item : *items) out.routes.push_back(ReadRoute(item, names));
    }
  }
  return out;
}

// The root takes everything, always.
void CheckRoot(const YamlValue& yaml) {
  if (!yaml.Find("receiver")) yaml.Note(yaml.Wrong("the root route needs a 'receiver'"));
  for (const char* key :
       {"matchers", "match", "match_re", "continue", "mute_time_intervals", "active_time_intervals"}) {
    if (const auto at = yaml.Find(key))
      yaml.Note(at->Wrong("is not for the root route, which takes everything"));
  }
}

void ReadInhibitRules(const YamlValue& yaml, std::vector<InhibitRule>& out) {
  const auto items = yaml.Items(kMaxInhibitRules);
  if (!items) return yaml.Note(items.error());
  for (const auto& item : *items) {
    InhibitRule rule;
    const Status keys = item.Keys({"name", "source_matchers", "source_match", "source_match_re",
                                   "target_matchers", "target_match", "target_match_re", "equal"});
    yaml.Note(keys);
    if (!keys.ok()) continue;
    ReadMatchers(item, "source_", rule.source_matchers);
    ReadMatchers(item, "target_", rule.target_matchers);
    if (const auto equal = item.Find("equal")) {
      auto labels = equal->Texts(100);
      if (!labels) yaml.Note(labels.error());
      rule.equal = labels.value_or(std::vector<std::string>{});
    }
    out.push_back(std::move(rule));
  }
}

}  // namespace

void ReadAlertRules(ports::YamlSection& root, const std::set<std::string>& receivers, AlertRules& rules) {
  for (const char* key : {"time_intervals", "mute_time_intervals"}) {
    if (const auto at = root.Value(key)) ReadTimeIntervals(*at, rules.time_intervals);
  }
  Names names{receivers, {}};
  for (const auto& one : rules.time_intervals) names.intervals.insert(one.name);
  if (const auto at = root.Value("inhibit_rules")) {
    rules.inhibit.clear();
    ReadInhibitRules(*at, rules.inhibit);
  }
  const auto route = root.Value("route");
  if (!route) return;
  rules.route = ReadRoute(*route, names);
  if (!route->IsMapping()) return;
  CheckRoot(*route);
  if (!route->FirstProblem().ok()) return;
  if (const auto tree = RoutingTree::Make(rules.route); !tree)
    route->Note(route->Wrong(tree.error().message()));
}

}  // namespace tocsin::respond
