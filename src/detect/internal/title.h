// The one line of a finding a tired person reads first. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "detect/finding.h"
#include "detect/internal/evidence.h"

namespace tocsin::detect {

struct TitleFacts {
  FindingKind kind = FindingKind::kBehavior;
  StreamKey stream;
  Time onset;
  std::vector<NamedChange> changes;    // largest first
  std::optional<NamedChange> leading;  // of the named monitor that alarmed first
  std::optional<Concentration> concentration;
  std::string score_name;  // evaluator, or "" for feedback
  double score_before = 0, score_after = 0;
};
std::string MakeTitle(const TitleFacts& facts);

// "2 % → 31 %", "712 → 340 characters".
std::string BeforeAfter(double before, double after, std::string_view unit);
// "support-bot (refund-prompt)".
std::string WhoAnswers(const StreamKey& stream);

}  // namespace tocsin::detect
