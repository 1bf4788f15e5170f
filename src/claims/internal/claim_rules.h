// What must hold within one claim beyond the types of its members. Errors name the place.
#pragma once

#include <string>

#include "claims/claim.h"
#include "kernel/status.h"

namespace tocsin::claims::internal {

Status CheckRules(const MetricLevel& claim, const std::string& at);
Status CheckRules(const MetricChange& claim, const std::string& at);
Status CheckRules(const BehaviorShift& claim, const std::string& at);
Status CheckRules(const Onset& claim, const std::string& at);
Status CheckRules(const ChangePrecedes& claim, const std::string& at);
Status CheckRules(const LogTemplate& claim, const std::string& at);
Status CheckRules(const TracePath& claim, const std::string& at);
Status CheckRules(const ErrorPropagation& claim, const std::string& at);
Status CheckRules(const IdentifierUnsupported& claim, const std::string& at);
Status CheckRules(const Prevalence& claim, const std::string& at);
Status CheckRules(const Equivalence& claim, const std::string& at);
Status CheckRules(const AlertFiring& claim, const std::string& at);
Status CheckRules(const RecordCount& claim, const std::string& at);
Status CheckRules(const Exists& claim, const std::string& at);
Status CheckRules(const Concentration& claim, const std::string& at);

// "5m", "1500ms": what ParseDuration reads back to the same value (down to milliseconds).
std::string ExactDuration(Duration duration);

}  // namespace tocsin::claims::internal
