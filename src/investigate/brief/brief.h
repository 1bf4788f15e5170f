// Brief: what a page arrives with. What was stated about an incident, each line with the verdict of running
// it again, and the causes that fit, with what speaks for and against each.
//
// A line belongs to exactly one part:
//   proven     its claim was run and holds
//   refuted    its claim was run and does not hold; shown, so that nobody believes it again
//   unchecked  it has a claim that the data cannot decide
//   recorded   Tocsin's own record of people and alerts, which needs no telemetry
//   prose      words of a model that no claim stands behind; always apart, never among the others
// The text of a line with a claim is RenderClaim of that claim, whoever made it: no words of a model and no
// text of telemetry speak in the proven part. Value types.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "claims/claim.h"
#include "claims/verdict.h"
#include "kernel/time.h"

namespace tocsin::investigate {

enum class BriefPart : uint8_t { kProven, kRefuted, kUnchecked, kRecorded, kProse };
std::string_view BriefPartName(BriefPart part);

struct BriefLine {
  std::string section;  // of kContextSections, "causes" or "model"
  BriefPart part = BriefPart::kProse;
  std::string text;
  std::string note;           // more for people, made by code: "3 min before the onset"
  std::string by = "tocsin";  // or the model's name
  std::optional<claims::Claim> claim;
  claims::Verdict verdict;  // when there is a claim
};

// One thing that may have caused it. Indexes are into Brief::lines.
struct Hypothesis {
  std::string surface;  // model, prompt, retrieval, tools, sampling, traffic, evaluator, dependency, data
  std::string cause;    // one line, made by code; a model's own words are in a prose line
  std::string by = "tocsin";
  std::vector<size_t> supporting, against;
  std::string standing;  // supported, open, refuted
  double score = 0;      // for order
};

struct ModelUse {
  std::string model;    // "" = none was asked
  std::string outcome;  // answered, abstained, unavailable, budget, malformed, cancelled; "" = none was asked
  std::string detail;
  uint64_t calls = 0, input_tokens = 0, output_tokens = 0;
  double cost_usd = 0, seconds = 0;
};

struct Brief {
  std::string incident, title;
  Time made, as_of;
  double seconds = 0;
  std::vector<BriefLine> lines;
  std::vector<Hypothesis> hypotheses;  // best first
  bool no_fault = false;               // what was looked at stayed as it was
  bool abstains = false;               // no cause holds
  std::vector<std::string> not_looked_at;
  std::vector<std::string> runbooks;
  ModelUse model;
};

// docs/formats/brief.md
nlohmann::ordered_json BriefToJson(const Brief& brief);
Result<Brief> BriefFromJson(const nlohmann::json& json);
std::string RenderBrief(const Brief& brief, size_t most_lines = 70);

}  // namespace tocsin::investigate
