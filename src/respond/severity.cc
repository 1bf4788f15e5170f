#include "respond/severity.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tocsin::respond {
namespace {

using detect::FindingKind;

double AfterOf(const detect::Finding& f, std::string_view monitor) {
  for (const auto& line : f.lines) {
    if (line.monitor == monitor) return line.after;
  }
  return 0;
}

bool LargeNamedEffect(const detect::Finding& f) {
  constexpr std::array<std::string_view, 5> kLoud{"stance.refusal", "output.empty", "error.rate",
                                                  "format.json", "finish.truncated"};
  return std::ranges::any_of(f.lines, [&](const detect::EvidenceLine& line) {
    const bool loud = std::ranges::find(kLoud, line.monitor) != kLoud.end();
    const double shift = line.after > line.before ? line.after - line.before : line.before - line.after;
    return loud && line.alarmed && shift >= 0.2;
  });
}

}  // namespace

std::string SeverityOf(const detect::Finding& f) {
  if (!f.page) return "sev4";
  switch (f.kind) {
    case FindingKind::kInjection:
      return "sev1";
    case FindingKind::kGrounding:
      return AfterOf(f, "grounding.unsupported") >= 0.1 ? "sev1" : "sev2";
    case FindingKind::kActionClaim:
      return AfterOf(f, "action.unmatched_claim") >= 0.1 ? "sev1" : "sev2";
    case FindingKind::kModelInventory:
      return f.detail.starts_with("not_found:") ? "sev2" : "sev3";
    case FindingKind::kFeedback:
      return "sev2";
    case FindingKind::kTrafficMix:
    case FindingKind::kEvaluator:
      return "sev4";
    case FindingKind::kBehavior:
      return f.affected_share >= 0.5 && LargeNamedEffect(f) ? "sev2" : "sev3";
    case FindingKind::kRetrieval:
      return "sev3";
  }
  return "sev3";
}

}  // namespace tocsin::respond
