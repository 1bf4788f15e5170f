// RunState: everything the engine knows of one run, as it is stored after every transition (ledger documents
// "runs", with the plan beside it in "run_plans", which never changes). What has been committed here is what
// a new process goes on from. Value types. Thread-safety: none of its own.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "act/execute/executor.h"
#include "act/plan/plan.h"
#include "act/run/run.h"
#include "kernel/status.h"

namespace tocsin::act {

// A call that was decided upon, stored before it leaves. Without a receipt it may or may not have left.
struct CommittedCall {
  CallTemplate call;  // resolved
  std::string key;    // idempotency key
  std::string hash;   // CallHash
  Time at;
  std::optional<Receipt> receipt;
};

struct StepState {
  // As RunStepView: waiting, asking, manual, refused, running, proving, done, failed, skipped, stopped,
  // unknown, undoing, undone, undo_failed.
  std::string state = "waiting";
  std::string what;
  std::string approval;    // the open question, or the one that was answered
  std::string adopted_by;  // the person who started what an agent may only propose
  std::vector<std::string> reasons;
  std::vector<Target> targets;  // resolved
  int tries = 0;                // that ended without anything having left
  int questions = 0;            // asked so far
  Time began, ended;
  Time not_before;     // waits until then before it is tried again
  Time prove_until;    // of the expected effect
  bool moved = false;  // the effect was there when it ended: an undo has something to take back
  std::optional<CommittedCall> effect, undo;
  std::optional<CallTemplate> inverse;  // resolved before the effect left
};

struct RunState {
  std::string id, incident, by, via, why;
  bool by_agent = false;
  std::shared_ptr<const Plan> plan;                   // never null
  nlohmann::json evidence = nlohmann::json::array();  // [{claim, text, verdict, why}]
  int evidence_held = 0;                              // distinct claims about the incident that were verified
  std::string state = "running";                      // as RunView
  std::string what;
  Time began, ended;
  std::string stop_reason;  // no further step begins
  std::string undo_by, undo_reason;
  std::string escalation;  // the incident by which a person was called
  std::map<std::string, StepState> steps;
  nlohmann::json outputs = nlohmann::json::object();
};

bool IsStepOver(const std::string& state);
bool IsRunOver(const std::string& state);
const PlanStep* FindStep(const Plan& plan, const std::string& id);

// Without the plan.
nlohmann::json RunStateToJson(const RunState& run);
// kDataLoss when it is no such document.
Result<RunState> RunStateFromJson(const nlohmann::json& json, std::shared_ptr<const Plan> plan);
RunView ViewOf(const RunState& run);

}  // namespace tocsin::act
