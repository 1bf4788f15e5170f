// Triage: which surface of a language-model feature moved? One question a surface, each a claim, in the order
// in which answers go wrong: retrieval, tools, the model that serves, the prompt, sampling, traffic.
//
// "The model" is concluded last: an answer that lacked its passage is retrieval's, whatever the model
// (docs/guides/investigation.md). Reads the store for the values attributes took; bounded.
#pragma once

#include <string>
#include <vector>

#include "claims/claim.h"
#include "investigate/context/context_pack.h"
#include "store/telemetry_store.h"

namespace tocsin::investigate {

struct TriageClaim {
  std::string surface;
  bool speaks_for = true;  // when it holds; else it speaks against the surface
  std::string cause;       // one line: what it would mean
  claims::Claim claim;
};

// Of the feature that the incident is about; nothing when no generations are stored of its service.
std::vector<TriageClaim> TriageFeature(const ContextPack& pack, store::TelemetryStore& telemetry);

}  // namespace tocsin::investigate
