// The files of a recorded OpenSRE incident, one reader each: from JSON into Evidence. Fields of another shape
// than expected are left out; lists are cut at 100,000 items. Pure, thread-safe.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "investigate/diagnosis/evidence.h"

namespace tocsin::investigate::internal {

struct OpensreSource {
  const char* evidence;  // as scenario.yml names it
  const char* file;
  void (*read)(const nlohmann::json&, Evidence&);
};

std::span<const OpensreSource> OpensreSources();

// Labels and annotations but those that name the failure mode, and from them what the alert is about.
void ReadAlert(const nlohmann::json& from, Evidence& evidence);

}  // namespace tocsin::investigate::internal
