// One exchange of the simulated support assistant: a question, what was looked up, and the answer in a given
// voice. The same rng state gives the same exchange. Pure; thread-safe for distinct rngs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kernel/rng.h"
#include "signal/generation.h"
#include "surface/simulate/support_topics.h"

namespace tocsin::surface {

// How a model writes. Shares are probabilities of one answer.
struct Voice {
  double greeting = 0.45;
  double apology = 0.25;
  double list = 0.2;    // steps as a list rather than a sentence
  double hedge = 0.15;  // "usually", "it seems"
  double closing = 0.5;
  double formal = 0.1;  // each plain word becomes its formal twin
  size_t max_details = 2;
  size_t max_steps = 3;
  double invents = 0.002;  // the answer names numbers that are nowhere in its context
  double pretends = 0.0;   // says an action is done that was not
};
Voice UsualVoice();
Voice SwappedVoice();  // another model: longer, listing, flattering
Voice BriefVoice();    // the same model under a prompt that asks for brevity

struct Exchange {
  std::string topic;
  std::string question;
  std::string answer;
  std::vector<signal::Document> documents;
  std::vector<signal::ToolCall> tool_calls;
  bool sound = true;  // nothing invented, nothing pretended
};

Exchange MakeExchange(const Topic& topic, const Voice& voice, Rng& rng);

}  // namespace tocsin::surface
