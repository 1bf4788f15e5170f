// Alert decoders: what others send as alerts, to signal::Alert. docs/formats/alerts.md has the fields.
//
//   POST /api/v2/alerts      a JSON array of alerts, as Prometheus sends them   DecodePostedAlerts
//   Alertmanager webhook v4  one JSON object with alerts[]                      DecodeAlertmanagerWebhook
//   PagerDuty Events v2      one event: trigger, acknowledge, resolve           DecodePagerDutyEvent
//   CloudEvents, any JSON    see alert_event_decoder.h
//
// Errors: an error Result means nothing could be read (kInvalidArgument with the byte or field, kOutOfRange
// beyond a bound). Otherwise what could be read is in `alerts` and each other one is in `rejected`: one bad
// alert never costs its neighbours.
// Labels, annotations and links are redacted; secrets are never kept. Bodies are hostile: everything is
// bounded. Thread-safety: pure; options are only read. The outcome owns its texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/decoder.h"
#include "kernel/status.h"
#include "signal/alert.h"

namespace tocsin::ingest {

struct AlertOptions {
  DecodeOptions decode;  // decode.received is "now" and must be known
  Duration resolve_timeout = Duration::Minutes(5);
  size_t max_alerts = 100'000;  // in one body
  size_t max_labels = 128;      // of one alert; annotations likewise
  size_t max_name_bytes = 1024;
  size_t max_value_bytes = 16u << 10;  // of a label: longer is an error, for cutting would rename the alert
  size_t max_annotation_bytes = 64u << 10;  // longer is cut
  size_t max_reasons = 100;                 // rejections told one by one; the others are only counted
};

struct AlertRejection {
  size_t index = 0;  // in the sender's array
  std::string reason;
};

struct AlertOutcome {
  std::vector<signal::Alert> alerts;
  std::vector<AlertRejection> rejected;
  size_t rejected_count = 0;
  size_t truncated = 0;  // alerts the sender itself left out (webhook: truncatedAlerts)
};

Result<AlertOutcome> DecodePostedAlerts(std::string_view body, const AlertOptions& options);
Result<AlertOutcome> DecodeAlertmanagerWebhook(std::string_view body, const AlertOptions& options);

enum class AlertAction { kTrigger, kAcknowledge, kResolve };

struct PagerDutyEvent {
  AlertAction action = AlertAction::kTrigger;
  std::string dedup_key;               // the sender's, or made for a trigger without one
  std::string routing_key;             // a credential: to be compared, never stored or printed
  uint64_t fingerprint = 0;            // of the alert with this dedup_key, whatever its labels
  std::optional<signal::Alert> alert;  // of a trigger only
};

// The body of POST /v2/enqueue.
Result<PagerDutyEvent> DecodePagerDutyEvent(std::string_view body, const AlertOptions& options);
// {"status":"success","message":"Event processed","dedup_key":"…"}
std::string EncodePagerDutyReply(const PagerDutyEvent& event);

}  // namespace tocsin::ingest
