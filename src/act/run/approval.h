// Approval: a question to people about one step of one run with exactly these parameters. What they answer
// binds to the hash of the call: another parameter, target, reach or inverse is another question. Expires.
// Value types; kept by approval_book.h.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "act/plan/plan.h"
#include "kernel/status.h"
#include "kernel/time.h"

namespace tocsin::act {

struct ApprovalAnswer {
  std::string by, via, reason;
  bool approve = false;
  Time at;
};

struct Approval {
  std::string id;  // "AP-7K2Q"
  std::string run, step, runbook, incident;
  std::string call_hash;  // 64 hex digits, over action, parameters, targets, reach, inverse
  std::string action;
  std::string state;  // open, approved, denied, expired, withdrawn
  // The card, all that is decided upon:
  std::string title;             // of the step
  std::string call;              // the exact call, one line
  std::string preview;           // what the executor says would happen
  std::string inverse;           // the exact inverse, or why there is none
  std::string proposed_by, why;  // `why` in the words of whoever proposed it: not proven
  bool proposed_by_agent = false;
  bool adopts = false;  // an agent may only propose it: whoever approves starts it as their own
  std::vector<Target> targets;
  Reach reach;
  std::vector<std::string> reasons;                   // why it is asked: the policy's
  nlohmann::json evidence = nlohmann::json::array();  // [{text, verdict, why}] of claims run
  int needed = 1;
  Time asked, expires;
  std::vector<ApprovalAnswer> answers;
};

nlohmann::json ApprovalToJson(const Approval& approval);
Result<Approval> ApprovalFromJson(const nlohmann::json& json);
// Everything one decides upon, in the order in which one reads it: a name of at most ten letters, and a line
// without control characters. A name may come again.
struct CardLine {
  std::string name, text;
};
std::vector<CardLine> ApprovalCard(const Approval& approval);
// The same for a terminal, at most 100 columns.
std::string RenderApproval(const Approval& approval);

}  // namespace tocsin::act
