// Run: one runbook under way, from step to step. RunView is what people and programs are shown of it; the
// whole state is in run_state.h. Value types.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernel/time.h"

namespace tocsin::act {

struct RunStepView {
  std::string id, title, action;
  // waiting (for others), asking (for approval), manual (a person's to do), refused, running, proving (the
  // effect by claim), done, failed, skipped, stopped, unknown (a person must look), undoing, undone,
  // undo_failed
  std::string state;
  std::string what;                  // one line: what happened, or why not
  std::string approval;              // id of the question that is open
  std::vector<std::string> reasons;  // the policy's, of its last decision
  Time began, ended;
};

struct RunView {
  std::string id;  // "RUN-7K2Q"
  std::string runbook, title, version, incident;
  // running, waiting (for people or time), done, failed, refused, stopped, unknown (a person must look),
  // undoing, undone
  std::string state;
  std::string what;  // one line a tired person understands
  std::string by, why;
  bool by_agent = false;
  Time began, ended;
  std::vector<RunStepView> steps;
  nlohmann::json outputs = nlohmann::json::object();
};

bool IsOver(const RunView& run);
nlohmann::json RunToJson(const RunView& run);
// For people, at most so many columns but for commands, which stay whole.
std::string RenderRun(const RunView& run, size_t columns = 100);

}  // namespace tocsin::act
