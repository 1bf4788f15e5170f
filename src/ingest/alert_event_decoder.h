// CloudEvents of an alert type, to signal::Alert. docs/formats/alerts.md has the members.
// Errors and bounds as alert_decoder.h. Thread-safety: pure; options are only read.
#pragma once

#include <string_view>

#include "ingest/alert_decoder.h"
#include "ingest/change_decoder.h"

namespace tocsin::ingest {

// True for "com.acme.alert.firing" and its like: a word of the type is alert, alerts, alarm or incident.
// Others are changes (change_decoder.h).
bool IsAlertEventType(std::string_view type);

// One CloudEvent or a batch, structured or binary (HeaderList as in change_decoder.h). Events of another type
// are rejected, their neighbours kept.
Result<AlertOutcome> DecodeAlertEvents(std::string_view body, const HeaderList& headers,
                                       const AlertOptions& options);

}  // namespace tocsin::ingest
