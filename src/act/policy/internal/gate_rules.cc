#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "act/policy/internal/rule_table.h"

namespace tocsin::act::internal {
namespace {

using Why = std::optional<std::string>;

Why AutoReachRule(const RuleInput& in) {
  const Reach reach = EffectiveReach(in.rules, in.facts, in.call);
  if (!reach.traffic && !reach.instances && !reach.users) return "nobody has said how far it reaches";
  const auto beyond = Beyond(reach, in.rules.auto_reach);
  if (beyond) return "it may reach " + *beyond + " of an agent by itself";
  // What nobody knows is not within a bound.
  const Reach& most = in.rules.auto_reach;
  if (most.traffic && !reach.traffic) return "what share of the traffic it reaches is not known";
  if (most.instances && !reach.instances) return "how many instances it reaches is not known";
  if (most.users && !reach.users) return "how many users it reaches is not known";
  return {};
}

Why IrreversibleRule(const RuleInput& in) {
  if (!in.call.has_inverse) return "nothing can undo it";
  return {};
}

Why RedundancyRule(const RuleInput& in) {
  for (const Target& target : in.call.targets) {
    const InventoryEntry* entry = EntryOf(in, target);
    const auto it = in.facts.targets.find(target);
    const bool known = it != in.facts.targets.end() && it->second.healthy;
    if (!known) {
      if (entry != nullptr && entry->instances)
        return fmt::format("how many of {} '{}' are healthy is not known", target.kind, target.name);
      continue;  // nothing that has instances
    }
    const std::optional<int> all = it->second.instances ? it->second.instances
                                   : entry != nullptr   ? entry->instances
                                                        : std::nullopt;
    if (*it->second.healthy < 2 || (all && *it->second.healthy < *all))
      return fmt::format("redundancy of {} '{}' is not whole", target.kind, target.name);
  }
  return {};
}

Why PauseRule(const RuleInput& in) {
  for (const PastAction& past : in.facts.history) {
    if (!past.inverse && past.action == in.call.action && in.facts.now - past.at < in.rules.auto_pause)
      return fmt::format("'{}' ran {} min ago", past.action, (in.facts.now - past.at).ns / 60'000'000'000);
  }
  return {};
}

Why ClaimsRule(const RuleInput& in) {
  if (in.facts.claims_verified < in.rules.auto_claims)
    return fmt::format("{} of {} verified claims speak for it", in.facts.claims_verified,
                       in.rules.auto_claims);
  return {};
}

Why GlobalRule(const RuleInput& in) {
  if (in.facts.incident_global) return "the incident is everywhere: people lead";
  return {};
}

Why JustFailedRule(const RuleInput& in) {
  for (const PastAction& past : in.facts.history) {
    if (past.failed && !in.call.incident.empty() && past.incident == in.call.incident &&
        in.facts.now - past.at < in.rules.auto_pause)
      return fmt::format("'{}' has just failed in this incident", past.action);
  }
  return {};
}

Why ReachesPeopleRule(const RuleInput& in) {
  if (in.call.reaches_people) return "it reaches people";
  return {};
}

Why StaleRule(const RuleInput& in) {
  if (in.facts.runbook_stale) return "nobody has validated the runbook in time";
  return {};
}

Why WideReachRule(const RuleInput& in) {
  const auto beyond = Beyond(EffectiveReach(in.rules, in.facts, in.call), in.rules.agent_reach);
  if (beyond) return "it may reach " + *beyond + " of one person alone";
  return {};
}

Why TwoPersonActionRule(const RuleInput& in) {
  if (MatchesAction(in.rules.two_person_actions, in.call.action))
    return fmt::format("'{}' takes two people", in.call.action);
  return {};
}

constexpr std::array kAsking = {
    Rule{"auto_reach", AutoReachRule},
    Rule{"irreversible", IrreversibleRule},
    Rule{"redundancy", RedundancyRule},
    Rule{"pause", PauseRule},
    Rule{"claims", ClaimsRule},
    Rule{"global", GlobalRule},
    Rule{"just_failed", JustFailedRule},
    Rule{"people", ReachesPeopleRule},
    Rule{"stale", StaleRule},
};
constexpr std::array kTwoPerson = {
    Rule{"two_irreversible", IrreversibleRule},
    Rule{"two_reach", WideReachRule},
    Rule{"two_action", TwoPersonActionRule},
};

}  // namespace

std::span<const Rule> AskingRules() { return kAsking; }
std::span<const Rule> TwoPersonRules() { return kTwoPerson; }

const InventoryEntry* EntryOf(const RuleInput& in, const Target& target) {
  return in.rules.inventory.Find(target.kind, target.name);
}

namespace {
// Of the last eight bytes of the name and its length: few different targets share one.
uint64_t Mark(const Target& target) {
  const size_t size = target.name.size(), taken = std::min<size_t>(size, 8);
  uint64_t end = 0;
  std::memcpy(&end, target.name.data() + size - taken, taken);
  end ^= size << 56;
  return end * 0x9e3779b97f4a7c15ULL;
}
// 0 … 511
uint64_t BitOf(uint64_t mark) { return mark >> 55; }
}  // namespace

TargetSet::TargetSet(const std::vector<Target>& targets) : targets_(targets) {
  marks_.reserve(targets.size());
  for (const Target& target : targets) {
    marks_.push_back(Mark(target));
    seen_[BitOf(marks_.back()) / 64] |= uint64_t{1} << BitOf(marks_.back()) % 64;
  }
}

bool TargetSet::Meets(const PastAction& past) const {
  return std::any_of(past.targets.begin(), past.targets.end(), [&](const Target& target) {
    const uint64_t mark = Mark(target), bit = BitOf(mark);
    if ((seen_[bit / 64] >> bit % 64 & 1) == 0) return false;
    for (size_t i = 0; i < marks_.size(); ++i) {
      if (marks_[i] == mark && targets_[i] == target) return true;
    }
    return false;
  });
}

std::optional<std::string> Beyond(const Reach& reach, const Reach& most) {
  const auto over = [](const std::optional<double>& value, const std::optional<double>& bound) {
    return value && bound && !(*value <= *bound);
  };
  if (over(reach.traffic, most.traffic))
    return fmt::format("{:.3g} % of the traffic, the bound is {:.3g} %", *reach.traffic * 100,
                       *most.traffic * 100);
  if (over(reach.instances, most.instances))
    return fmt::format("{:g} instances, the bound is {:g}", *reach.instances, *most.instances);
  if (over(reach.users, most.users))
    return fmt::format("{:.0f} users, the bound is {:.0f}", *reach.users, *most.users);
  if (over(reach.money, most.money))
    return fmt::format("{:g} of money, the bound is {:g}", *reach.money, *most.money);
  return {};
}

}  // namespace tocsin::act::internal
