#include "act/plan/plan.h"

#include <array>

namespace tocsin::act {
namespace {
constexpr std::array<std::string_view, 5> kTiers = {"never", "observe", "advise", "approve", "auto"};
}  // namespace

std::string_view TierName(Tier tier) { return kTiers.at(static_cast<size_t>(tier)); }
bool ParseTier(std::string_view name, Tier& tier) {
  for (size_t i = 0; i < kTiers.size(); ++i) {
    if (kTiers[i] != name) continue;
    tier = static_cast<Tier>(i);
    return true;
  }
  return false;
}

}  // namespace tocsin::act
