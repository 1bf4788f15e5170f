// Who may act: people and agents, each with a token of 256 random bits of which the configuration holds the
// SHA-256 only. An agent's token says which agent it is; a person's, which person. Slack's signature says it
// for a person who clicks.
//
// Value types; Authenticate compares in constant time. Errors: kUnauthenticated.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "act/plan/plan.h"
#include "kernel/status.h"

namespace tocsin::act {

// Whoever asks, as proven.
struct Caller {
  std::string name;  // the person's id in tocsin.yaml, or the agent's name
  bool person = false;
  std::string via;  // cli, http, mcp, slack, page
};

// How many actions, and how much money, within `window`.
struct Budget {
  int actions = 0;  // 0 = no bound of this kind
  double money = 0;
  Duration window = Duration::Hours(1);
};

struct AgentAccess {
  std::string token_sha256;          // 64 hex digits
  Tier ceiling = Tier::kApprove;     // nothing freer than this, whatever a runbook says
  std::vector<std::string> actions;  // names, or "kubernetes.*"; empty = none but what only reads
  bool may_reach_people = false;
  Budget budget{20, 0, Duration::Hours(1)};
};

struct PersonAccess {
  std::string token_sha256;
  bool may_approve = true;
  std::vector<std::string> actions = {"*"};  // what this person may run and approve
};

struct Access {
  std::map<std::string, PersonAccess> people;
  std::map<std::string, AgentAccess> agents;
};

// 43 characters of base64url after "tcs_": 256 random bits.
std::string NewToken();
std::string TokenHash(std::string_view token);
Result<Caller> Authenticate(const Access& access, std::string_view token);
// "kubernetes.*" and "*" match by prefix.
bool MatchesAction(const std::vector<std::string>& patterns, std::string_view action);

}  // namespace tocsin::act
