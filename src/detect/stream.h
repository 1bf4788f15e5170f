// Stream: what one set of monitors watches, one LLM feature of one service: (service, operation, prompt name
// or agent). Streams are independent; a change in one is judged against that stream's own past.
// Value types.
#pragma once

#include <string>

#include "signal/generation.h"

namespace tocsin::detect {

struct StreamKey {
  std::string service;
  std::string operation;  // chat, invoke_agent …
  std::string feature;    // prompt name, else agent name, else ""

  // "support-bot/chat/refund-prompt"; parts are cut at 64 bytes. Stable: it is part of an incident's key.
  std::string Name() const;
  auto operator<=>(const StreamKey&) const = default;
};

StreamKey StreamOf(const signal::Generation& generation);

}  // namespace tocsin::detect
