// The rules one by one, so that each can be tested for being missed. Each gives why it applies, or nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "act/policy/decide.h"

namespace tocsin::act::internal {

struct RuleInput {
  const PolicyRules& rules;
  const PolicyFacts& facts;
  const ActionCall& call;
};

struct Rule {
  const char* name;
  std::optional<std::string> (*applies)(const RuleInput&);
  bool on_inverse = false;    // also holds for an inverse
  bool on_read_only = false;  // also for what only reads
};

// Any of these: refused.
std::span<const Rule> RefusalRules();
// Any of these: an agent at tier auto asks.
std::span<const Rule> AskingRules();
// Any of these: two people must agree.
std::span<const Rule> TwoPersonRules();

// The same decision from other tables.
struct RuleTables {
  std::span<const Rule> refusals = RefusalRules(), asking = AskingRules(), two_person = TwoPersonRules();
};
Decision DecideBy(const RuleTables& tables, const RuleInput& input);

// What rules of several tables share.
const InventoryEntry* EntryOf(const RuleInput& input, const Target& target);
// The targets of a call, to be looked for among those of a day: most are told apart by a few bytes of their
// names.
class TargetSet {
 public:
  explicit TargetSet(const std::vector<Target>& targets);
  bool Meets(const PastAction& past) const;

 private:
  const std::vector<Target>& targets_;
  std::vector<uint64_t> marks_;     // of the end of each name
  std::array<uint64_t, 8> seen_{};  // a bit for each mark
};
// What of `reach` is beyond `most`, in words; nothing when all is within.
std::optional<std::string> Beyond(const Reach& reach, const Reach& most);

}  // namespace tocsin::act::internal
