// Grouping: alerts of one route with the same group labels are told together, at the right time.
//
//   first alert ── group_wait ──▶ told ── each group_interval: told when something changed,
//                                  ▲      or repeat_interval after the last telling ──┐
//                                  └──────────────────────────────────────────────────┘
//
// A pure state machine: Insert and Step take the time, nothing else moves. An alert that started longer than
// group_wait ago is told at once. Muted alerts are left out of a telling and come up again at the next look.
// Resolved alerts leave their group with the telling that says so; a group without alerts is forgotten.
// A Notification is handed out once: whoever calls Step stores it and the group's state together.
// Source: Alertmanager's dispatcher and deduplication. Errors: kResourceExhausted beyond max_groups.
// Ownership: owns its groups. Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "kernel/status.h"
#include "respond/alerts/routing.h"

namespace tocsin::respond {

struct GroupAlert {
  uint64_t fingerprint = 0;
  Time starts_at, ends_at;
};

struct GroupNotification {
  std::string group_key;  // {}/{severity="critical"}:{alertname="A"}; the same for the life of a group
  size_t route = 0;       // index of the route in the tree
  std::string receiver;
  signal::LabelSet group_labels;
  std::string_view reason;           // "new", "changed", "repeat" or "resolved"
  std::vector<GroupAlert> firing;    // by fingerprint, without the muted
  std::vector<GroupAlert> resolved;  // since the last telling
};

struct GroupingLimits {
  size_t max_groups = 200'000;
};

class Grouping {
 public:
  // True when the alert is not to be told now (silenced or inhibited).
  using Muted = std::function<bool(uint64_t fingerprint)>;
  // True when the whole route is quiet now (mute and active times).
  using RouteMuted = std::function<bool(const Route& route)>;

  // The tree must outlive the grouping.
  explicit Grouping(const RoutingTree& tree, GroupingLimits limits = {}) : tree_(&tree), limits_(limits) {}

  // An alert is new or has news. A resolved alert no group holds is not kept. On error no group is left out
  // that had room.
  Status Insert(uint64_t fingerprint, signal::Labels labels, Time starts_at, Time ends_at, Time now);
  // What is due by now. Cost: the groups that are due.
  std::vector<GroupNotification> Step(Time now, const Muted& muted = {}, const RouteMuted& route_muted = {});
  // The wall clock was put back by this much: groups keep what was left of their waits.
  void ShiftBack(Duration back);
  // When Step has something to look at next.
  std::optional<Time> NextDeadline() const;

  struct GroupView {
    std::string_view key;
    const Route* route = nullptr;
    const signal::LabelSet* labels = nullptr;
    std::vector<uint64_t> fingerprints;
  };
  void ForEachGroup(const std::function<void(const GroupView&)>& visit) const;
  size_t size() const { return groups_.size(); }

  std::string Save() const;
  // Groups whose route is not in the tree are left out; their alerts come back with the next news of them.
  static Result<Grouping> Load(std::string_view bytes, const RoutingTree& tree, GroupingLimits limits = {});

 private:
  struct Member {
    Time starts_at, ends_at;
  };
  struct Group {
    std::string key;
    size_t route = 0;
    signal::LabelSet labels;
    std::unordered_map<uint64_t, Member> alerts;
    std::unordered_set<uint64_t> told_firing;    // in the last telling
    std::unordered_set<uint64_t> told_resolved;  // in the last telling
    Time told_at;                                // 0 = never
    Time deadline;
  };

  Status InsertInto(const Route& route, uint64_t fingerprint, signal::Labels labels, const Member& member,
                    Time now);
  std::optional<GroupNotification> Look(Group& group, Time now, const Muted& muted);
  static void ForgetResolved(Group& group, const GroupNotification* told, Time now);
  void SetDeadline(Group& group, Time deadline);

  const RoutingTree* tree_;
  GroupingLimits limits_;
  std::unordered_map<std::string, std::unique_ptr<Group>> groups_;
  std::set<std::pair<Time, Group*>> deadlines_;
};

}  // namespace tocsin::respond
