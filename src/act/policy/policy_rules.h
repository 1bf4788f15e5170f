// PolicyRules: what people have allowed, from the `act` section of tocsin.yaml. Defaults are where a team can
// begin: an agent by itself reaches at most 5 % of requests, waits half an hour before it does the same
// again, and has three verified claims. Value type.
#pragma once

#include <string>
#include <vector>

#include "act/access.h"
#include "act/plan/plan.h"
#include "act/policy/inventory.h"

namespace tocsin::act {

// At most so many executions within the window, counted by: all, agent, action, target, incident.
struct RateLimit {
  std::string per = "all";
  int count = 0;
  Duration window;
};

struct PolicyRules {
  Access access;
  Inventory inventory;
  Reach auto_reach{0.05, {}, {}, {}};        // beyond it, or not known, an agent asks; not set: no bound
  Reach agent_reach{0.25, {}, {}, {}};       // beyond it an agent is refused, and a person needs a second one
  Duration cooldown = Duration::Minutes(5);  // same action, same target; a step may say otherwise
  Duration auto_pause = Duration::Minutes(30);  // same action, whatever target: within it an agent asks
  int auto_claims = 3;                          // verified claims an agent needs to go ahead by itself
  std::vector<RateLimit> rates = {{"all", 30, Duration::Hours(1)},
                                  {"agent", 10, Duration::Hours(1)},
                                  {"target", 4, Duration::Hours(1)},
                                  {"incident", 20, Duration::Hours(24)}};
  std::vector<std::string> two_person_actions;  // patterns
  std::vector<std::string> never_actions;       // patterns: nobody's, whatever a runbook says
  Duration approval_expires = Duration::Minutes(15);
};

}  // namespace tocsin::act
