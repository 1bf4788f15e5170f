#include "detect/finding.h"

namespace tocsin::detect {

std::string_view FindingKindName(FindingKind kind) {
  switch (kind) {
    case FindingKind::kBehavior:
      return "behavior";
    case FindingKind::kGrounding:
      return "grounding";
    case FindingKind::kActionClaim:
      return "action_claim";
    case FindingKind::kFeedback:
      return "feedback";
    case FindingKind::kRetrieval:
      return "retrieval";
    case FindingKind::kInjection:
      return "injection";
    case FindingKind::kModelInventory:
      return "model_inventory";
    case FindingKind::kEvaluator:
      return "evaluator";
    case FindingKind::kTrafficMix:
      return "traffic_mix";
  }
  return "behavior";
}

}  // namespace tocsin::detect
