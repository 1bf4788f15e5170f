// The access drill: before a bad night, whether the people on call could be told, could open what they are
// sent, and whether every policy reaches somebody at all times of the days to come.
//
// CheckPeople and CheckPolicies are pure. SendTests and CheckLinks speak to the network, each call with its
// own timeout. Thread-safe. A check that is not ok is something to mend before the night.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "respond/dispatch/dispatch_config.h"
#include "respond/notify/directory.h"
#include "store/ledger.h"

namespace tocsin::respond {

struct DrillCheck {
  std::string kind;     // "person", "channel", "policy", "link"
  std::string subject;  // "ada", "ada/ntfy", "default", "https://…"
  bool ok = false;
  std::string detail;
};

struct DrillReport {
  Time from, to;
  std::vector<DrillCheck> checks;
  size_t missing() const;
};

// Everybody with a shift in the range or named by a policy: do they have a channel that is configured?
std::vector<DrillCheck> CheckPeople(const DispatchConfig& config, Time from, Time to);

// At every instant of the range: the last step of each policy must reach somebody who can be told. Exact:
// looked at wherever a shift begins or ends.
std::vector<DrillCheck> CheckPolicies(const DispatchConfig& config, Time from, Time to);

// Sends a message that says it is a test to each channel of these people. PagerDuty's is resolved again.
std::vector<DrillCheck> SendTests(const DispatchConfig& config, const NotifierDirectory& directory, Time from,
                                  Time to, Time now);

struct DrillLink {
  std::string url;
  std::string why;  // "link of INC-2K7Q"
};

inline constexpr size_t kMaxDrillLinks = 200;
inline constexpr size_t kMaxDrillIncidents = 50;

// The incident pages' base, and the links of active incidents: their own page, evidence, runbooks, and what
// people linked. `ledger` may be null.
Result<std::vector<DrillLink>> LinksToCheck(const DispatchConfig& config, store::Ledger* ledger);

// Asks each (http and https only, at most kMaxDrillLinks): 2xx and 3xx are reachable, 401 needs a sign-in;
// redirects are not followed and no credentials are sent.
std::vector<DrillCheck> CheckLinks(const std::vector<DrillLink>& links, Duration timeout);

nlohmann::json DrillToJson(const DrillReport& report);
std::string RenderDrill(const DrillReport& report);

}  // namespace tocsin::respond
