#include "ingest/alert_mapping.h"

#include <algorithm>

#include "ingest/internal/alert_builder.h"
#include "ingest/internal/alert_words.h"
#include "ingest/internal/cloud_event.h"
#include "ingest/internal/json_document.h"
#include "kernel/ascii.h"

namespace tocsin::ingest {
namespace {

using internal::AlertBuilder;
using internal::Json;
using internal::ObjectReader;

// Null when the pointer leads nowhere, or to null.
const Json* ValueAt(const Json& item, const std::string& pointer) {
  try {
    const Json::json_pointer at(pointer);
    if (!item.contains(at)) return nullptr;
    const Json& value = item.at(at);
    return value.is_null() ? nullptr : &value;
  } catch (const std::exception&) {
    return nullptr;
  }
}

std::string AtPointer(const Json& item, const std::string& pointer) {
  const Json* value = ValueAt(item, pointer);
  return value == nullptr ? std::string() : internal::LabelText(*value);
}

std::string ReadMapped(const Json& item, const AlertMapping& mapping, AlertBuilder& builder,
                       signal::Alert& alert) {
  std::string wrong;
  for (const auto& [name, value] : mapping.fixed_labels) {
    if (wrong.empty()) wrong = builder.AddLabel(alert, name, value);
  }
  for (const auto& [name, pointer] : mapping.labels) {
    const std::string value = AtPointer(item, pointer);
    if (wrong.empty() && !value.empty()) wrong = builder.AddLabel(alert, name, value);
  }
  for (const auto& [name, pointer] : mapping.annotations) {
    if (wrong.empty()) wrong = builder.AddAnnotation(alert, name, AtPointer(item, pointer));
  }
  const auto when = [&](const std::string& pointer, Time& out) {
    const Json* value = pointer.empty() || !wrong.empty() ? nullptr : ValueAt(item, pointer);
    if (value == nullptr || (value->is_string() && value->empty())) return;
    const Json wrapped = {{"time", *value}};
    ObjectReader reader(wrapped, "", builder.options().decode);
    out = std::min(reader.When("time"), signal::kOpenEnded);
    if (!reader.status().ok()) wrong = pointer + ": " + reader.status().message();
  };
  when(mapping.starts_at, alert.starts_at);
  when(mapping.ends_at, alert.ends_at);
  if (!mapping.generator_url.empty()) {
    alert.generator_url =
        builder.Clean(AtPointer(item, mapping.generator_url), builder.options().max_value_bytes);
  }
  return wrong;
}

bool Ended(const Json& item, const AlertMapping& mapping) {
  if (mapping.status.empty()) return false;
  const std::string status = LowerAscii(AtPointer(item, mapping.status));
  if (mapping.resolved_values.empty()) return internal::IsResolvedWord(status);
  return std::any_of(mapping.resolved_values.begin(), mapping.resolved_values.end(),
                     [&](const std::string& value) { return LowerAscii(value) == status; });
}

uint64_t IdentityOf(const signal::Alert& alert, const AlertMapping& mapping) {
  if (mapping.identity.empty()) return alert.fingerprint;
  signal::LabelSet named;
  for (const auto& label : alert.labels) {
    const bool names =
        std::find(mapping.identity.begin(), mapping.identity.end(), label.first) != mapping.identity.end();
    if (names) named.push_back(label);
  }
  return named.empty() ? alert.fingerprint : signal::FingerprintOf(named);
}

Status CheckPointer(const std::string& field, const std::string& pointer) {
  try {
    const Json::json_pointer parsed(pointer);
    return {};
  } catch (const std::exception&) {
    return Status(Code::kInvalidArgument,
                  field + ": '" + pointer.substr(0, 64) + "' is not a JSON pointer such as /host/name");
  }
}

}  // namespace

Status CheckAlertMapping(const AlertMapping& mapping) {
  const auto wrong = [](const std::string& why) { return Status(Code::kInvalidArgument, why); };
  if (mapping.labels.empty() && mapping.fixed_labels.empty())
    return wrong("labels: at least one is required");
  for (const auto* names : {&mapping.labels, &mapping.fixed_labels, &mapping.annotations}) {
    if (names->size() > 64) return wrong("labels: more than 64 names");
    for (const auto& [name, value] : *names) {
      if (name.empty()) return wrong("labels: an empty name");
    }
  }
  for (const auto& [name, pointer] : mapping.labels)
    TOCSIN_RETURN_IF_ERROR(CheckPointer("labels." + name, pointer));
  for (const auto& [name, pointer] : mapping.annotations) {
    TOCSIN_RETURN_IF_ERROR(CheckPointer("annotations." + name, pointer));
  }
  for (const auto& [field, pointer] : {std::pair<std::string, std::string>{"items", mapping.items},
                                       {"starts_at", mapping.starts_at},
                                       {"ends_at", mapping.ends_at},
                                       {"generator_url", mapping.generator_url},
                                       {"status", mapping.status}}) {
    TOCSIN_RETURN_IF_ERROR(CheckPointer(field, pointer));
  }
  for (const std::string& name : mapping.identity) {
    const auto named = [&](const auto& label) { return label.first == name; };
    if (std::none_of(mapping.labels.begin(), mapping.labels.end(), named) &&
        std::none_of(mapping.fixed_labels.begin(), mapping.fixed_labels.end(), named)) {
      return wrong("identity: '" + name.substr(0, 64) + "' is no label of this mapping");
    }
  }
  return {};
}

Result<AlertOutcome> DecodeMappedAlerts(std::string_view body, const AlertMapping& mapping,
                                        const AlertOptions& options) {
  TOCSIN_RETURN_IF_ERROR(CheckAlertMapping(mapping));
  TOCSIN_ASSIGN_OR_RETURN(const Json parsed, internal::ParseDocument(body, options.decode.limits));
  const Json::json_pointer to_items(mapping.items);
  if (!parsed.contains(to_items)) return Error(Code::kInvalidArgument, mapping.items + ": is required");
  const Json& items = parsed.at(to_items);
  if (!items.is_array() && !items.is_object()) {
    return Error(Code::kInvalidArgument, (mapping.items.empty() ? "body" : mapping.items) +
                                             ": must be an array of alerts or one alert");
  }
  const size_t count = items.is_array() ? items.size() : 1;
  if (count > options.max_alerts) return Error(Code::kOutOfRange, "body: too many alerts");
  AlertOutcome outcome;
  AlertBuilder builder(options);
  for (size_t i = 0; i < count; ++i) {
    const Json& item = items.is_array() ? items[i] : items;
    signal::Alert alert;
    std::string wrong = ReadMapped(item, mapping, builder, alert);
    if (wrong.empty() && Ended(item, mapping)) {
      if (!alert.ends_at.known()) alert.ends_at = options.decode.received;
      alert.starts_at = alert.starts_at.known() ? std::min(alert.starts_at, alert.ends_at) : alert.ends_at;
    }
    if (wrong.empty()) wrong = builder.Finish(alert, mapping.timeout);
    if (!wrong.empty()) {
      internal::Reject(outcome, options, i, "items[" + std::to_string(i) + "]: " + wrong);
      continue;
    }
    alert.source = mapping.source;
    alert.fingerprint = IdentityOf(alert, mapping);
    outcome.alerts.push_back(std::move(alert));
  }
  return outcome;
}

}  // namespace tocsin::ingest
