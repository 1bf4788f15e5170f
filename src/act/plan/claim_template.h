// A claim in a runbook: as docs/formats/claim.md, but its texts may hold placeholders and its windows may be
// relative to when it is run:
//
//   window: {last: 10m}                 the ten minutes before now
//   baseline: {last: 1h, ago: 24h}      the hour that ended a day ago
//   window: {since: step}               from when the step's effect began until now
//
// The claim that comes out is whole and absolute, so that anybody can run it again. Pure; thread-safe.
// Errors: kInvalidArgument with the place, kNotFound (a placeholder's value).
#pragma once

#include <nlohmann/json.hpp>

#include "act/plan/placeholder.h"
#include "claims/claim.h"
#include "kernel/time.h"

namespace tocsin::act {

struct ClaimMoment {
  Time now;
  Time step_began;  // unknown: {since: step} is an error
};

Result<claims::Claim> ResolveClaim(const nlohmann::json& claim_template, const Lookup& lookup,
                                   const ClaimMoment& moment);

}  // namespace tocsin::act
