// Evaluation and Feedback: what a judge or a person said of an answer. Change: what somebody altered.
// Value types. The target of an Evaluation or Feedback is named by any of span, trace, response or
// conversation.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "kernel/time.h"

namespace tocsin::signal {

struct Evaluation {
  Time time;
  std::string trace_id;
  std::string span_id;  // the generation judged (the event's parent span)
  std::string response_id;
  std::string service;
  std::string name;  // relevance, toxicity …
  std::optional<double> score;
  std::string label;
  std::string explanation;
  std::string evaluator;  // name and version of the judge, when recorded
};

struct Feedback {
  std::string id;  // the sender's id, for idempotency; else made from the content
  Time time;
  std::string trace_id;
  std::string span_id;
  std::string response_id;
  std::string conversation_id;
  std::string service;
  std::optional<double> score;  // -1 (bad) … 1 (good)
  std::string label;            // thumbs_up, thumbs_down, csat:2 …
  std::string comment;
  std::string user_id;
};

struct Change {
  std::string id;  // the sender's id, for idempotency; else made from the content
  Time time;
  std::string kind;     // deploy, prompt, model, flag, index, provider, data, config, other
  std::string service;  // "" = concerns everything
  std::string subject;  // what was changed: "support-prompt", "gpt-4o", "kb-index"
  std::string summary;
  std::string before;
  std::string after;
  std::string source;  // who reported it
  std::string link;
  std::map<std::string, std::string> attributes;
};

}  // namespace tocsin::signal
