// Reads who is told of what: `people`, `teams`, `schedules`, `policies`, `destinations`, `receivers`,
// `incidents`, `url`, `mail`, `templates`, `slack`, `pages_per_shift` at the root of the configuration.
//
// A person's channels become destinations "ada/ntfy", "ada/ntfy-2", or "ada/NAME" where one is given, and
// every person with a channel has preferences. Without `receivers` there is one, "on-call", that does what
// `incidents` does; without a policy under `incidents`, the policy called "default" where there is one.
// What is wrong is noted; secrets are never in it. Source: docs/formats/configuration.md,
// docs/formats/oncall.md. Thread-safety: as YamlValue.
#pragma once

#include "ports/yaml/yaml_section.h"
#include "respond/dispatch/dispatch_config.h"

namespace tocsin::respond {

inline constexpr size_t kMaxDestinations = 4096;  // of teams
inline constexpr size_t kMaxReceivers = 4096;
inline constexpr size_t kMaxTemplateBytes = 16u << 10;
inline constexpr size_t kMaxTold = 64;  // destinations of one receiver
inline constexpr std::string_view kDefaultReceiver = "on-call";
inline constexpr std::string_view kDefaultPolicy = "default";

DispatchConfig ReadDispatch(ports::YamlSection& root);

}  // namespace tocsin::respond
