// AgentTools: what a model may ask while it investigates. Every tool only reads, from a fixed list, with its
// scope fixed by code: the incident's windows, widened by an hour at most. No argument reaches SQL but as a
// parameter, and no text that a tool returns is anything but data.
//
// Bounds: rows, bytes of one answer, calls. Ownership: refers to its subject. Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "claims/verifier.h"
#include "investigate/agent/investigator.h"
#include "ports/model/model_types.h"

namespace tocsin::investigate {

class McpTools;

class AgentTools {
 public:
  // Runs a claim, once however often it is asked for, and keeps its line.
  using Check = std::function<const BriefLine&(const claims::Claim&)>;
  // `others`: tools of other programs, which must outlive it; null: none.
  AgentTools(const InvestigationSubject& subject, size_t max_bytes, Check check, McpTools* others = nullptr)
      : subject_(subject), max_bytes_(max_bytes), check_(std::move(check)), others_(others) {}

  // With submit_findings, by which the model answers.
  static std::vector<ports::ModelTool> Tools();
  struct Answer {
    std::string text;
    bool failed = false;
  };
  // Not for submit_findings.
  Answer Call(const ports::ModelToolCall& call, const std::stop_token& stop = {});

 private:
  Answer GetContext(const nlohmann::json& arguments);
  Answer SearchLogs(const nlohmann::json& arguments);
  Answer GetTrace(const nlohmann::json& arguments);
  Answer ListGenerations(const nlohmann::json& arguments);
  Answer ListNames();
  Answer CheckClaim(const nlohmann::json& arguments);
  Result<claims::Window> ReadWindow(const nlohmann::json& arguments) const;
  Answer Rows(const std::string& sql, const std::vector<store::SqlValue>& parameters, size_t limit);
  Answer Bounded(const nlohmann::json& data) const;

  const InvestigationSubject& subject_;
  size_t max_bytes_;
  Check check_;
  McpTools* others_;
  std::map<std::string, int> asked_;
};

inline constexpr const char* kSubmitTool = "submit_findings";

// JSON Schema of what submit_findings takes.
nlohmann::ordered_json FindingsSchema();

}  // namespace tocsin::investigate
