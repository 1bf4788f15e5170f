#include "ingest/internal/alert_builder.h"

namespace tocsin::ingest::internal {
namespace {

std::string Shown(std::string_view name) { return "'" + std::string(Utf8Prefix(name, 64)) + "'"; }

}  // namespace

AlertBuilder::AlertBuilder(const AlertOptions& options)
    : options_(options),
      redactor_(options.decode.redactor != nullptr ? options.decode.redactor : Redactor::BuiltIn()),
      cleaner_(*redactor_) {}

std::string AlertBuilder::AddLabel(signal::Alert& alert, std::string_view name, std::string_view value) {
  if (name.empty()) return "labels: a label without a name";
  if (name.size() > options_.max_name_bytes) {
    return "labels: name " + Shown(name) + "… is longer than " + std::to_string(options_.max_name_bytes) +
           " bytes";
  }
  if (value.size() > options_.max_value_bytes) {
    return "labels." + Shown(name) + ": longer than " + std::to_string(options_.max_value_bytes) + " bytes";
  }
  if (alert.labels.size() >= options_.max_labels) {
    return "labels: more than " + std::to_string(options_.max_labels);
  }
  alert.labels.emplace_back(name,
                            cleaner_.Clean(value, options_.max_value_bytes, Redactor::Kind::kIdentifier));
  return {};
}

std::string AlertBuilder::AddAnnotation(signal::Alert& alert, std::string_view name, std::string_view value) {
  if (name.empty() || value.empty()) return {};
  if (name.size() > options_.max_name_bytes) {
    return "annotations: name " + Shown(name) + "… is longer than " +
           std::to_string(options_.max_name_bytes) + " bytes";
  }
  if (alert.annotations.size() >= options_.max_labels) {
    return "annotations: more than " + std::to_string(options_.max_labels);
  }
  alert.annotations.emplace_back(
      name, IsCredentialKey(name) ? kCredentialMarker : cleaner_.Clean(value, options_.max_annotation_bytes));
  return {};
}

std::string AlertBuilder::ReadTime(std::string_view text, std::string_view field, Time& out) {
  out = Time{};
  if (text.empty() || text.starts_with("0001-01-01T00:00:00")) return {};
  const Result<Time> parsed = ParseTime(text);
  if (!parsed.has_value()) return std::string(field) + ": " + parsed.error().message();
  out = std::min(*parsed, signal::kOpenEnded);
  return {};
}

std::string AlertBuilder::Finish(signal::Alert& alert, Duration timeout) const {
  signal::NormalizeLabels(alert.labels);
  signal::NormalizeLabels(alert.annotations);
  if (alert.labels.empty()) return "labels: at least one with a value is required";
  const Time now = options_.decode.received;
  alert.updated_at = now;
  if (!alert.starts_at.known()) alert.starts_at = alert.ends_at.known() ? alert.ends_at : now;
  if (!alert.ends_at.known()) {
    alert.assumed_end = timeout.ns > 0;
    alert.ends_at = timeout.ns > 0 ? now + timeout : signal::kOpenEnded;
  }
  if (alert.ends_at < alert.starts_at && !alert.assumed_end) return "endsAt: must not be before startsAt";
  alert.fingerprint = signal::FingerprintOf(alert.labels);
  return {};
}

void Reject(AlertOutcome& outcome, const AlertOptions& options, size_t index, std::string reason) {
  ++outcome.rejected_count;
  if (outcome.rejected.size() < options.max_reasons) outcome.rejected.push_back({index, std::move(reason)});
}

}  // namespace tocsin::ingest::internal
