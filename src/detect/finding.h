// Finding: what the watcher tells the incident desk: one alarm, or the growth of an earlier one, with the
// evidence gathered. It holds values, no text of an incident page: respond/ renders it.
//
// Value types. Everything is bounded (see evidence.h). Evidence is in logs: log_e_value = ln(e).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detect/stream.h"
#include "kernel/time.h"

namespace tocsin::detect {

enum class FindingKind : uint8_t {
  kBehavior,        // answers changed
  kGrounding,       // answers name identifiers their context does not hold
  kActionClaim,     // answers claim actions no tool performed
  kFeedback,        // people like the answers less
  kRetrieval,       // passages, their scores or their embedding model changed
  kInjection,       // planted instructions were followed, as far as can be seen
  kModelInventory,  // a model is not found, or another one answers
  kEvaluator,       // scores moved, answers did not
  kTrafficMix,      // questions changed, answers to like questions did not: nobody is paged
};
std::string_view FindingKindName(FindingKind kind);  // "behavior", "grounding", …

// One monitor's evidence: a number before and after, in words.
struct EvidenceLine {
  std::string monitor;  // "learned", "length.chars", "grounding.unsupported" …
  std::string words;    // "answers are shorter"
  double before = 0, after = 0;
  uint64_t before_n = 0, after_n = 0;
  std::string unit;  // "share" (0 … 1), "characters", "ms", "usd", "score", "weight" or ""
  double log_e_value = 0;
  double threshold = 0;  // ln of the e-value at which this monitor alarms
  bool alarmed = false;
};

// One value of one recorded attribute.
struct SegmentLine {
  std::string attribute;  // tenant, region …
  std::string value;
  std::string feature;  // the monitor it is judged on
  std::string unit;     // of before and after, as in EvidenceLine
  double before = 0, after = 0;
  uint64_t before_n = 0, after_n = 0;
  double log_e_value = 0;
  bool changed = false;  // found by e-BH over all segments at once
};

// "n-gram or feature → weight": what the learned monitor goes by.
struct WordLine {
  std::string feature;
  std::string words;
  double weight = 0;
  double before = 0, after = 0;
};

struct Exemplar {
  std::string trace_id, span_id, response_id, conversation_id;
  Time time;
  std::string prompt;  // excerpts
  std::string output;
  std::string note;  // why it is shown: "unsupported: 4417 2231"
  bool after = false;
};

// Is this recorded attribute a possible cause?
struct ContrastLine {
  std::string attribute;  // response_model, prompt_version …
  std::string surface;    // model, prompt, retrieval, tools, sampling, traffic, dependency
  std::string verdict;    // "moved", "partly", "refuted", "not_recorded"
  std::string words;
  double association = 0;  // Cramér's V between the attribute and before/after, 0 … 1
};

struct ChangeLine {
  std::string id, kind, subject, summary, before, after;
  Time time;
  std::string verdict;  // "possible", "refuted_after_onset", "other_scope"
  std::string words;
  double lag_seconds = 0;  // onset minus change
};

// Kitagawa's split of the shift of one metric over prompt clusters, and the tests behind the verdict.
struct CompositionLine {
  std::string metric;
  double before = 0, after = 0;
  double mix = 0;        // explained by other shares of the clusters
  double behaviour = 0;  // within the clusters
};
struct Composition {
  std::string verdict = "unknown";  // "behaviour", "traffic_mix", "both", "unknown"
  double p_behaviour = 1;           // permutation within clusters, prompts regressed out
  double p_mix = 1;                 // permutation of cluster shares
  double novel_share = 0;           // of prompts unlike any before
  std::vector<CompositionLine> lines;
};

struct OnsetEstimate {
  Time time, low, high;
  bool known = false;
};

struct Finding {
  FindingKind kind = FindingKind::kBehavior;
  bool update = false;  // the evidence of an alarm raised earlier has grown
  bool page = true;
  std::string family;  // "behavior" for all statistical monitors of a stream, else the kind
  std::string detail;  // tells apart findings of one family that are not the same: model name, document id
  StreamKey stream;
  std::string title;
  Time time;                    // event time of the generation that raised it
  uint64_t generation = 0;      // its number in the stream, from 1
  uint64_t after_count = 0;     // generations since the onset
  double rate_per_hour = 0;     // of the stream, now
  double log_e_value = 0;       // of the strongest monitor; +inf is never given
  double alpha = 0;             // of the whole stream; 0: a recorded fact, not a statistical alarm
  std::string leading_monitor;  // the first that alarmed
  OnsetEstimate onset;
  double affected_share = 1;  // of the stream's traffic
  std::vector<EvidenceLine> lines;
  std::vector<WordLine> words;
  std::vector<SegmentLine> segments;   // changed ones first, then the largest that did not change
  std::vector<ContrastLine> contrast;  // attributes
  std::vector<ChangeLine> changes;
  std::optional<Composition> composition;
  std::vector<Exemplar> exemplars;  // up to 20 before and 20 after
  std::vector<std::string> notes;  // further sentences: conversations that saw a document, a yardstick's word
};

}  // namespace tocsin::detect
