// What a person is told about an incident: a few lines, worst first, readable on a phone at 3 a.m.
// Pure; thread-safe. Texts of telemetry are cut here and escaped by each channel.
#pragma once

#include <string>

#include "respond/dispatch/dispatch_config.h"
#include "respond/notify/message.h"
#include "signal/incident.h"

namespace tocsin::respond {

// `kind`: "page", "update", "acknowledged", "resolved". `what`: the news itself, put first; may be empty.
NotificationMessage MessageAbout(const signal::Incident& incident, std::string kind, const std::string& what,
                                 const DispatchConfig& config, Time now);

}  // namespace tocsin::respond
