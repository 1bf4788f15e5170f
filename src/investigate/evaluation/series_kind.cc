#include "investigate/evaluation/series_kind.h"

#include <array>
#include <string>
#include <utility>

#include "kernel/ascii.h"

namespace tocsin::investigate {

SeriesKind SeriesKindOf(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, SeriesKind>, 12> kWords{{
      {"latency", SeriesKind::kLatency},
      {"duration", SeriesKind::kLatency},
      {"success", SeriesKind::kAvailability},
      {"availability", SeriesKind::kAvailability},
      {"error", SeriesKind::kErrors},
      {"fail", SeriesKind::kErrors},
      {"fault", SeriesKind::kErrors},
      {"request", SeriesKind::kTraffic},
      {"workload", SeriesKind::kTraffic},
      {"ops", SeriesKind::kTraffic},
      {"bytes", SeriesKind::kTraffic},
      {"packets", SeriesKind::kTraffic},
  }};
  const std::string lower = LowerAscii(name);
  for (const auto& [word, kind] : kWords) {
    if (lower.find(word) != std::string::npos) return kind;
  }
  return SeriesKind::kResource;
}

}  // namespace tocsin::investigate
