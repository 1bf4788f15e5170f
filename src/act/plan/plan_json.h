// A plan as JSON, whole: what the engine keeps in the ledger and `tocsin runbook plan --json` prints. Lengths
// of time are nanoseconds (`_ns`); what is not set is left out.
//
// Reading is strict about what a run relies on. Pure; thread-safe. Errors: kInvalidArgument with the place;
// kOutOfRange: more than kMaxPlanSteps steps.
#pragma once

#include <nlohmann/json.hpp>

#include "act/plan/plan.h"
#include "kernel/status.h"

namespace tocsin::act {

nlohmann::json PlanToJson(const Plan& plan);
Result<Plan> PlanFromJson(const nlohmann::json& json);

nlohmann::json ValueTypeToJson(const ValueType& type);
Result<ValueType> ValueTypeFromJson(const nlohmann::json& json, const std::string& at);

// Ids differ, and each step comes after what it is after, and after the steps its conditions look at.
Status CheckPlanOrder(const Plan& plan);

}  // namespace tocsin::act
