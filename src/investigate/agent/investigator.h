// Investigator: a language model asked about an incident, under rules.
//
// It is given the context pack as data, and tools that only read; it answers with hypotheses whose every
// statement is a typed claim. Each claim is run. What does not hold is told to the model once, with the
// observed values; what then still does not hold stays in the brief as refuted. Words without a claim are
// prose, apart. A model that is down, slow, truncated, lying or taken over by a line of a log can add refuted
// lines and prose; it can take nothing away and prove nothing.
//
// Bounds: turns, tool calls, tokens, time and money (InvestigatorOptions). Every request and answer is given
// back to be stored. Ownership: refers to the model client. Thread-safety: one investigation at a time.
// Errors: none; how it went is in Brief::model.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "claims/verifier.h"
#include "investigate/brief/brief.h"
#include "investigate/context/context_pack.h"
#include "ports/model/model_client.h"

namespace tocsin::investigate {

struct InvestigatorOptions {
  std::string model;  // its name, for people
  ports::ModelBudgetLimits budget = {200'000, 1.0, Duration::Minutes(3)};
  int max_turns = 12;
  int max_tool_calls = 40;
  int64_t max_output_tokens = 4096;   // a turn
  size_t max_tool_bytes = 24u << 10;  // of one tool's answer
  size_t max_claims = 40;             // of the answer
};

struct InvestigationSubject {
  const ContextPack& pack;
  store::TelemetryStore& telemetry;
  claims::Verifier& verifier;
  Time now;
};

class McpTools;

class Investigator {
 public:
  // `others`: tools of other programs that the model may read with; null: none.
  Investigator(ports::ModelClient& client, InvestigatorOptions options, McpTools* others = nullptr)
      : client_(client), options_(std::move(options)), others_(others) {}

  // Adds lines and hypotheses to the brief. Returns what was said, one JSON text an exchange.
  std::vector<std::string> Investigate(const InvestigationSubject& subject, Brief& brief,
                                       std::stop_token stop);

 private:
  ports::ModelClient& client_;
  InvestigatorOptions options_;
  McpTools* others_;
};

}  // namespace tocsin::investigate
