// Which templates a new line shows to be one: those that differ from it in the same places only, with
// evidence (template_evidence.h) that the places hold a variable. Pure; cost: items times templates looked
// at.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "stats/internal/log_template.h"

namespace tocsin::stats::internal {

using Places = std::vector<uint16_t>;  // items, ascending

struct Rivals {
  Places places;
  std::vector<uint32_t> members;
};

// `peers`: indices of the templates to look at, all with as many items as the shape of `line`. Of several
// answers the one with the fewest places, then the most members.
std::optional<Rivals> FindOneTemplate(std::string_view line, const LogShape& shape,
                                      const std::vector<LogTemplate>& templates,
                                      std::span<const uint32_t> peers);

}  // namespace tocsin::stats::internal
