#include "stats/template_evidence.h"

#include <algorithm>
#include <cmath>

namespace tocsin::stats {
namespace {

// Variants needed, by constant words for each place.
double Needed(size_t constants) {
  if (constants >= 10) return 2;
  if (constants >= 6) return 4;
  if (constants >= 3) return 6;
  return 40;
}

}  // namespace

bool AreOneTemplate(const TemplateEvidence& e) {
  if (e.constants < 2 * e.places) return false;
  if (e.variable_seen) return true;
  double needed = Needed(e.constants / e.places);
  if (e.capitals) {
    needed *= 4;
  } else if (e.expected == Expected::kMaybeName) {
    needed /= 2;
  } else if (e.expected == Expected::kName) {
    needed = 2;
  }
  if (e.opening) needed *= 2;
  needed *= 1 + std::log10(std::max(1.0, static_cast<double>(e.lines) / 100));
  return static_cast<double>(e.variants) >= needed;
}

}  // namespace tocsin::stats
