// KillSwitch: what must not have any further effect, checked before every one and watched by all that run.
//
// A scope is all, agents (every agent, people go on), agent:NAME, runbook:ID, action:NAME, incident:ID.
// Engaged in the ledger (durable, on the chain) or by a file in the data directory named KILL, which is
// looked for every 100 ms and works when everything else is down: each of its lines is a scope, an empty file
// is all. A file that is there and cannot be read is all. Released only by a person with a reason; a file
// only by removing it, which is recorded.
//
// Thread-safety: Blocks and Watch from any thread, without locks held long; the others are serialised.
// Ownership: refers to ledger and clock. Errors: kInvalidArgument (scope, reason), kPermissionDenied (not a
// person), kFailedPrecondition (not engaged; engaged by the file), the ledger's.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"
#include "kernel/time.h"
#include "ports/clock.h"
#include "store/ledger.h"

namespace tocsin::act {

struct Caller;

struct KillScope {
  std::string kind = "all";  // all, agents, agent, runbook, action, incident
  std::string name;          // "" for all and agents
  std::string ToText() const;
  friend auto operator<=>(const KillScope&, const KillScope&) = default;
};
Result<KillScope> ParseKillScope(std::string_view text);

struct KillState {
  KillScope scope;
  bool engaged = true;
  std::string by, reason;
  bool by_file = false;
  Time at;
};

// As the ledger, the chain and the API have it.
nlohmann::json KillStateToJson(const KillState& state);

// What is about to have an effect.
struct KillSubject {
  std::string agent;  // "" = a person's
  std::string runbook, action, incident;
};
bool Covers(const KillScope& scope, const KillSubject& subject);

class KillSwitch {
 public:
  // Reads what is engaged. `file`: the path of KILL.
  static Result<std::unique_ptr<KillSwitch>> Open(store::Ledger& ledger, const ports::Clock& clock,
                                                  std::string file);
  virtual ~KillSwitch() = default;

  // The scope that forbids it; nothing when none does. Looks at the file's state of the last 100 ms; with
  // `look_now`, at the file itself: before an effect.
  virtual std::optional<KillState> Blocks(const KillSubject& subject, bool look_now = false) const = 0;
  virtual Result<KillState> Engage(const KillScope& scope, const std::string& reason, const Caller& by) = 0;
  virtual Result<KillState> Release(const KillScope& scope, const std::string& reason, const Caller& by) = 0;
  virtual std::vector<KillState> Engaged() const = 0;
  // Called whenever something is engaged, on the thread that found it; must not block.
  virtual void Watch(std::function<void()> on_engaged) = 0;
};

}  // namespace tocsin::act
