// Severity: how loud an incident is. A rubric simple enough to say aloud
// (docs/guides/reading-an-incident.md):
//   sev1  content that can hurt and reaches many: planted instructions followed; invented identifiers or
//         unperformed actions in at least 10 % of answers
//   sev2  the same in fewer answers; a model that is not found; at least half of a stream's answers changed
//         with a named, large effect (refusals, empty, errors, broken format, satisfaction)
//   sev3  any other behaviour change; retrieval; another model answers
//   sev4  recorded, wakes nobody: traffic mix, evaluator, latency and cost, first-seen models
// Pure; thread-safe.
#pragma once

#include <string>

#include "detect/finding.h"

namespace tocsin::respond {

std::string SeverityOf(const detect::Finding& finding);

}  // namespace tocsin::respond
