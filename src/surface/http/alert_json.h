// Alerts and silences as Alertmanager's API v2 writes and reads them (docs/formats/alerts.md). Written into a
// growing text: lists of a hundred thousand alerts are answered at once.
// Pure; thread-safe. Errors of reading: kInvalidArgument names the field.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "kernel/status.h"
#include "respond/alerts/alert_desk.h"

namespace tocsin::surface {

// Quoted and escaped; bytes that are not UTF-8 become U+FFFD.
void AppendJsonText(std::string& out, std::string_view text);
void AppendAlert(std::string& out, const respond::ShownAlert& shown);
void AppendLabels(std::string& out, const signal::LabelSet& labels);
void AppendSilence(std::string& out, const respond::Silence& silence, Time now);
Result<respond::Silence> ReadSilence(const nlohmann::json& json);

}  // namespace tocsin::surface
