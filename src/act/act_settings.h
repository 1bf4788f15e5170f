// What a person configures of acting: the `act` section of tocsin.yaml (docs/formats/configuration.md). Value
// type. Read anew on a reload, but for executors, the switch's key and the runbooks' place.
#pragma once

#include <string>
#include <vector>

#include "act/execute/executor_settings.h"
#include "act/policy/policy_rules.h"
#include "kernel/time.h"
#include "respond/alerts/mute_times.h"

namespace tocsin::act {

// A time in which nothing is done but what `except` names. Without intervals it is always on.
struct Freeze {
  std::string name, reason;
  std::vector<respond::TimeInterval> intervals;
  std::vector<std::string> except;  // patterns of actions
};

// Opens when so many of an agent's actions failed or were refused within the window; stays open for `pause`.
struct BreakerSettings {
  int failures = 3, refusals = 10;
  Duration window = Duration::Minutes(30), pause = Duration::Hours(1);
};

struct ActSettings {
  std::string runbooks;  // directory; "" = none: nothing can be proposed
  PolicyRules rules;
  std::vector<Freeze> freezes;
  BreakerSettings breaker;
  ExecutorSettings executors;
  int workers = 128;       // steps that run at once
  int max_runs = 200;      // under way at once
  std::string switch_key;  // Ed25519, 32 bytes raw: signs the switch for the user's own agents; "" = none
  int switch_seconds = 5;  // how long an answer of the switch may be cached
};

}  // namespace tocsin::act
