// The evidence of an incident that alerts opened, as text: where it probably comes from and why, how far it
// reaches, the first alerts, what to do next. Pure; thread-safe. Hostile text is made safe.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "signal/incident.h"

namespace tocsin::respond {

std::string RenderAlerts(const signal::Incident& incident, const nlohmann::json& document, size_t columns);

}  // namespace tocsin::respond
