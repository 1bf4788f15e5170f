// Claims as JSON: {"kind": "metric_change", …}; docs/formats/claim.md and claim.schema.json.
//
// Reading is strict: an unknown key, a wrong type, an empty window or a word outside its list is an error
// that names the place ("claims[2].measure.statistic: …"). Bounds: kMaxClaims claims, texts of 1 KiB, 16
// conditions. Pure; thread-safe. Errors: kInvalidArgument.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "claims/claim.h"
#include "kernel/status.h"

namespace tocsin::claims {

inline constexpr size_t kMaxClaims = 500;
inline constexpr size_t kMaxClaimText = 1024;
inline constexpr size_t kMaxConditions = 16;
inline constexpr size_t kMaxClaimFileBytes = 1u << 20;

Result<Claim> ReadClaim(const nlohmann::json& json, const std::string& at = "claim");
nlohmann::ordered_json WriteClaim(const Claim& claim);
// One claim, a list of claims, or {"claims": […]}.
Result<std::vector<Claim>> ReadClaims(const nlohmann::json& json);
// JSON or YAML text. `name` is the file's name in errors.
Result<std::vector<Claim>> ReadClaimText(std::string_view text, const std::string& name);

std::string_view KindOf(const Claim& claim);
// "c-" and 16 hex digits: the same claim always has the same id.
std::string ClaimIdOf(const Claim& claim);
// JSON Schema (2020-12) of a file of claims.
nlohmann::ordered_json ClaimSchema();
// The same for one claim: what a model is told to answer with.
nlohmann::ordered_json OneClaimSchema();

}  // namespace tocsin::claims
