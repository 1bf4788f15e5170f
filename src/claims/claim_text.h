// One line a person can read, of a claim and of a quantity. Texts from telemetry are quoted, cut, and have
// their control characters taken out. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "claims/claim.h"
#include "claims/verdict.h"

namespace tocsin::claims {

// "share of error among spans of checkout rose from 14:00–15:00 to 15:00–15:20 UTC, at least 3 times"
std::string RenderClaim(const Claim& claim);
// "4.1 %", "350 ms", "1,250"
std::string FormatQuantity(double value, std::string_view quantity);
// "4.1 % [3.5 %, 4.8 %]"
std::string FormatWithInterval(double value, const std::optional<stats::Interval>& interval,
                               std::string_view quantity);
// Without control characters, at most `most` bytes, cut at a UTF-8 boundary with "…".
std::string Printable(std::string_view text, size_t most = 80);

}  // namespace tocsin::claims
