// How an incident is shown. Text is plain, 80 columns, for a terminal at 3 a.m.; JSON is what the API gives.
// Pure functions; thread-safe. Control characters of hostile text are made visible, never printed.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "signal/incident.h"

namespace tocsin::respond {

struct RenderOptions {
  size_t exemplars = 3;  // before, and after
  size_t columns = 80;
};

// One page: what, since when, for whom, how sure, what moved with it, what did not, changes, exemplars, next.
std::string RenderIncident(const signal::Incident& incident, const RenderOptions& options = {});
// One line each; says so when there are none.
std::string RenderIncidentList(std::span<const signal::Incident> incidents);

// Row and document as one object (docs/formats/incident.md). `with_evidence` false: without `evidence`.
nlohmann::json IncidentToJson(const signal::Incident& incident, bool with_evidence = true);

}  // namespace tocsin::respond
