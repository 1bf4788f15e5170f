// A plan for a person at night: what would happen, in which order, with which parameters exactly, how far it
// reaches, what it should bring about and how it is undone. What is only known in the run stays a
// placeholder. Texts are printable; nothing of a parameter is left out. Pure; thread-safe.
#pragma once

#include <string>

#include "act/plan/plan.h"

namespace tocsin::act {

std::string RenderPlan(const Plan& plan);
// "share of error among spans of checkout, over the last 10m: at most 0.02"
std::string RenderClaimTemplate(const nlohmann::json& claim);

}  // namespace tocsin::act
