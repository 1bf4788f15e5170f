#include "respond/alerts/grouping.h"

#include <algorithm>

#include "stats/state_codec.h"

namespace tocsin::respond {
namespace {

constexpr uint32_t kVersion = 1;

std::string KeyOf(const Route& route, const signal::LabelSet& labels) {
  std::string key = route.key + ":{";
  for (size_t i = 0; i < labels.size(); ++i) {
    if (i > 0) key += ",";
    key += labels[i].first + "=\"";
    for (const char c : labels[i].second) {
      if (c == '"' || c == '\\') key += '\\';
      key += c;
    }
    key += '"';
  }
  return key + "}";
}

bool Subset(const std::vector<GroupAlert>& part, const std::unordered_set<uint64_t>& whole) {
  return std::all_of(part.begin(), part.end(),
                     [&](const GroupAlert& alert) { return whole.contains(alert.fingerprint); });
}

}  // namespace

void Grouping::SetDeadline(Group& group, Time deadline) {
  deadlines_.erase({group.deadline, &group});
  group.deadline = deadline;
  deadlines_.emplace(deadline, &group);
}

Status Grouping::Insert(uint64_t fingerprint, signal::Labels labels, Time starts_at, Time ends_at, Time now) {
  Status status;
  for (const Route* route : tree_->Match(labels)) {
    if (Status one = InsertInto(*route, fingerprint, labels, {starts_at, ends_at}, now); !one.ok()) {
      status = std::move(one);
    }
  }
  return status;
}

Status Grouping::InsertInto(const Route& route, uint64_t fingerprint, signal::Labels labels,
                            const Member& member, Time now) {
  signal::LabelSet group_labels = RoutingTree::GroupLabels(route, labels);
  std::string key = KeyOf(route, group_labels);
  const auto found = groups_.find(key);
  if (found != groups_.end()) {
    Group& group = *found->second;
    if (member.ends_at <= now && !group.alerts.contains(fingerprint)) return {};
    group.alerts[fingerprint] = member;
    if (!group.told_at.known() && member.starts_at + route.group_wait < now && group.deadline > now) {
      SetDeadline(group, now);
    }
    return {};
  }
  if (member.ends_at <= now) return {};
  if (groups_.size() >= limits_.max_groups) {
    return Status(Code::kResourceExhausted,
                  "alert groups: at most " + std::to_string(limits_.max_groups) + "; route " + route.key);
  }
  auto made = std::make_unique<Group>();
  made->key = key;
  made->route = route.index;
  made->labels = std::move(group_labels);
  made->alerts.emplace(fingerprint, member);
  const bool late = member.starts_at + route.group_wait < now;
  made->deadline = late ? now : now + route.group_wait;
  deadlines_.emplace(made->deadline, made.get());
  groups_.emplace(std::move(key), std::move(made));
  return {};
}

std::optional<GroupNotification> Grouping::Look(Group& group, Time now, const Muted& muted) {
  const Route& route = tree_->routes()[group.route];
  GroupNotification out;
  for (const auto& [fingerprint, member] : group.alerts) {
    if (muted && muted(fingerprint)) continue;
    (member.ends_at <= now ? out.resolved : out.firing)
        .push_back({fingerprint, member.starts_at, member.ends_at});
  }
  // Of an alert nobody was told of, nobody is told that it is over.
  std::erase_if(out.resolved, [&](const GroupAlert& alert) {
    return !group.told_firing.contains(alert.fingerprint) && !group.told_resolved.contains(alert.fingerprint);
  });
  const bool resolved_news = !Subset(out.resolved, group.told_resolved);
  if (!Subset(out.firing, group.told_firing)) {
    out.reason = group.told_firing.empty() ? "new" : "changed";
  } else if (out.firing.empty()) {
    if (!resolved_news) return std::nullopt;
    out.reason = "resolved";
  } else if (resolved_news) {
    out.reason = "changed";
  } else if (now - group.told_at >= route.repeat_interval) {
    out.reason = "repeat";
  } else {
    return std::nullopt;
  }
  std::ranges::sort(out.firing, {}, &GroupAlert::fingerprint);
  std::ranges::sort(out.resolved, {}, &GroupAlert::fingerprint);
  out.group_key = group.key;
  out.route = group.route;
  out.receiver = route.receiver;
  out.group_labels = group.labels;
  return out;
}

void Grouping::ForgetResolved(Group& group, const GroupNotification* told, Time now) {
  if (told != nullptr) {
    group.told_at = now;
    // A muted alert that was told of as firing is still open for those who were told.
    std::erase_if(group.told_firing, [&](uint64_t fp) {
      const auto member = group.alerts.find(fp);
      return member == group.alerts.end() || member->second.ends_at <= now;
    });
    for (const GroupAlert& alert : told->firing) group.told_firing.insert(alert.fingerprint);
    group.told_resolved.clear();
    for (const GroupAlert& alert : told->resolved) group.told_resolved.insert(alert.fingerprint);
  }
  std::erase_if(group.alerts, [&](const auto& entry) {
    const auto& [fingerprint, member] = entry;
    if (member.ends_at > now) return false;
    return group.told_resolved.contains(fingerprint) || !group.told_firing.contains(fingerprint);
  });
}

std::vector<GroupNotification> Grouping::Step(Time now, const Muted& muted, const RouteMuted& route_muted) {
  std::vector<GroupNotification> out;
  std::unordered_map<size_t, bool> quiet_routes;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    Group& group = *deadlines_.begin()->second;
    const Route& route = tree_->routes()[group.route];
    bool quiet = false;
    if (route_muted) {
      const auto [known, fresh] = quiet_routes.try_emplace(group.route, false);
      if (fresh) known->second = route_muted(route);
      quiet = known->second;
    }
    std::optional<GroupNotification> told;
    if (!quiet) told = Look(group, now, muted);
    ForgetResolved(group, told ? &*told : nullptr, now);
    if (group.alerts.empty()) {
      deadlines_.erase(deadlines_.begin());
      groups_.erase(std::string(group.key));
    } else {
      SetDeadline(group, now + route.group_interval);
    }
    if (told) out.push_back(std::move(*told));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.group_key < b.group_key; });
  return out;
}

void Grouping::ShiftBack(Duration back) {
  deadlines_.clear();
  for (auto& [key, group] : groups_) {
    group->deadline = group->deadline - back;
    if (group->told_at.known()) group->told_at = group->told_at - back;
    deadlines_.emplace(group->deadline, group.get());
  }
}

std::optional<Time> Grouping::NextDeadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

void Grouping::ForEachGroup(const std::function<void(const GroupView&)>& visit) const {
  for (const auto& [key, group] : groups_) {
    GroupView view{key, &tree_->routes()[group->route], &group->labels, {}};
    for (const auto& [fingerprint, member] : group->alerts) view.fingerprints.push_back(fingerprint);
    std::ranges::sort(view.fingerprints);
    visit(view);
  }
}

std::string Grouping::Save() const {
  stats::StateWriter out;
  out.Put(kVersion);
  out.Put<uint64_t>(groups_.size());
  for (const auto& [key, group] : groups_) {
    out.PutString(tree_->routes()[group->route].key);
    out.Put<uint64_t>(group->labels.size());
    for (const auto& [name, value] : group->labels) {
      out.PutString(name);
      out.PutString(value);
    }
    out.Put(group->told_at.ns);
    out.Put(group->deadline.ns);
    out.Put<uint64_t>(group->alerts.size());
    for (const auto& [fingerprint, member] : group->alerts) {
      out.Put(fingerprint);
      out.Put(member.starts_at.ns);
      out.Put(member.ends_at.ns);
    }
    for (const auto* told : {&group->told_firing, &group->told_resolved}) {
      out.PutVector(std::vector<uint64_t>(told->begin(), told->end()));
    }
  }
  return out.Take();
}

Result<Grouping> Grouping::Load(std::string_view bytes, const RoutingTree& tree, GroupingLimits limits) {
  stats::StateReader reader(bytes);
  if (reader.Get<uint32_t>() != kVersion) return Error(Code::kDataLoss, "group snapshot: not of version 1");
  std::unordered_map<std::string, size_t> routes;
  for (const Route& route : tree.routes()) routes.emplace(route.key, route.index);
  Grouping out(tree, limits);
  const auto count = reader.Get<uint64_t>();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    auto group = std::make_unique<Group>();
    const auto route = routes.find(reader.GetString());
    const auto labels = reader.Get<uint64_t>();
    for (uint64_t l = 0; l < labels && reader.ok(); ++l) {
      std::string name = reader.GetString();
      group->labels.emplace_back(std::move(name), reader.GetString());
    }
    group->told_at.ns = reader.Get<int64_t>();
    group->deadline.ns = reader.Get<int64_t>();
    const auto alerts = reader.Get<uint64_t>();
    for (uint64_t a = 0; a < alerts && reader.ok(); ++a) {
      const auto fingerprint = reader.Get<uint64_t>();
      const Time starts_at{reader.Get<int64_t>()};
      group->alerts[fingerprint] = {starts_at, Time{reader.Get<int64_t>()}};
    }
    for (auto* told : {&group->told_firing, &group->told_resolved}) {
      std::vector<uint64_t> fingerprints;
      reader.GetVector(fingerprints);
      told->insert(fingerprints.begin(), fingerprints.end());
    }
    if (!reader.ok() || route == routes.end()) continue;
    group->route = route->second;
    group->key = KeyOf(tree.routes()[group->route], group->labels);
    const auto [at, fresh] = out.groups_.emplace(group->key, std::move(group));
    if (fresh) out.deadlines_.emplace(at->second->deadline, at->second.get());
  }
  if (!reader.ok() || reader.left() != 0)
    return Error(Code::kDataLoss, "group snapshot: cut short or damaged");
  return out;
}

}  // namespace tocsin::respond
