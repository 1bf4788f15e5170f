#include "ingest/alert_decoder.h"

#include <simdjson.h>

#include <algorithm>

#include "ingest/internal/alert_builder.h"

namespace tocsin::ingest {
namespace {

namespace dom = simdjson::dom;
using internal::AlertBuilder;

// A JSON text and the tree simdjson made of it.
class Document {
 public:
  Status Parse(std::string_view body, const Limits& limits) {
    if (body.size() > limits.max_request_bytes) {
      return Status(Code::kOutOfRange, "body: " + std::to_string(body.size()) + " bytes, at most " +
                                           std::to_string(limits.max_request_bytes));
    }
    simdjson::error_code error = Try(body, limits);
    if (error == simdjson::UTF8_ERROR) error = Try(internal::ReplaceInvalidUtf8(body), limits);
    if (error == simdjson::DEPTH_ERROR) {
      return Status(Code::kOutOfRange, "body: JSON nested deeper than " + std::to_string(limits.max_depth));
    }
    if (error != simdjson::SUCCESS) {
      return Status(Code::kInvalidArgument,
                    std::string("body is not JSON: ") + simdjson::error_message(error));
    }
    return {};
  }
  const dom::element& root() const { return root_; }

 private:
  simdjson::error_code Try(std::string_view text, const Limits& limits) {
    const size_t capacity = std::max<size_t>(text.size(), 64);
    const auto error = parser_.allocate(capacity, static_cast<size_t>(limits.max_depth));
    return error != simdjson::SUCCESS ? error : parser_.parse(text.data(), text.size()).get(root_);
  }

  dom::parser parser_;
  dom::element root_;
};

// Calls add(name, value) for each pair of an object of texts. Returns "" or what is wrong.
template <class Add>
std::string ReadTexts(const dom::element& value, std::string_view field, Add add) {
  if (value.is_null()) return {};
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return std::string(field) + ": must be an object of texts";
  for (const dom::key_value_pair pair : object) {
    std::string_view text;
    if (pair.value.get(text) != simdjson::SUCCESS) {
      return std::string(field) + ".'" + std::string(internal::Utf8Prefix(pair.key, 64)) +
             "': must be a text";
    }
    if (std::string wrong = add(pair.key, text); !wrong.empty()) return wrong;
  }
  return {};
}

std::string ReadText(const dom::element& value, std::string_view field, std::string_view& text) {
  text = {};
  if (value.is_null() || value.get(text) == simdjson::SUCCESS) return {};
  return std::string(field) + ": must be a text";
}

std::string ReadTimeField(const dom::element& value, std::string_view field, Time& out) {
  std::string_view text;
  if (std::string wrong = ReadText(value, field, text); !wrong.empty()) return wrong;
  return AlertBuilder::ReadTime(text, field, out);
}

struct RawAlert {
  signal::Alert alert;
  std::string_view status;  // of a webhook's alert
};

// One element of either array: the same members, of which the posted one has no status.
std::string ReadAlert(const dom::element& item, AlertBuilder& builder, RawAlert& raw) {
  dom::object object;
  if (item.get(object) != simdjson::SUCCESS) return "must be an object";
  signal::Alert& alert = raw.alert;
  alert.labels.reserve(12);
  alert.annotations.reserve(4);
  for (const dom::key_value_pair pair : object) {
    std::string wrong;
    if (pair.key == "labels") {
      wrong = ReadTexts(pair.value, pair.key, [&](std::string_view name, std::string_view value) {
        return value.empty() ? std::string() : builder.AddLabel(alert, name, value);
      });
    } else if (pair.key == "annotations") {
      wrong = ReadTexts(pair.value, pair.key, [&](std::string_view name, std::string_view value) {
        return builder.AddAnnotation(alert, name, value);
      });
    } else if (pair.key == "startsAt") {
      wrong = ReadTimeField(pair.value, pair.key, alert.starts_at);
    } else if (pair.key == "endsAt") {
      wrong = ReadTimeField(pair.value, pair.key, alert.ends_at);
    } else if (pair.key == "generatorURL") {
      std::string_view text;
      wrong = ReadText(pair.value, pair.key, text);
      alert.generator_url = builder.Clean(text, builder.options().max_value_bytes);
    } else if (pair.key == "status") {
      if (pair.value.is_string()) wrong = ReadText(pair.value, pair.key, raw.status);
    }
    if (!wrong.empty()) return wrong;
  }
  return {};
}

std::string Located(size_t index, const std::string& wrong) {
  return "alerts[" + std::to_string(index) + "]" + (wrong.starts_with("must") ? ": " : ".") + wrong;
}

Result<AlertOutcome> TooMany(size_t count, size_t bound) {
  return Error(Code::kOutOfRange,
               "body: " + std::to_string(count) + " alerts, at most " + std::to_string(bound));
}

// simdjson caps an array's own count at 2^24.
size_t CountOf(const dom::array& array, size_t bound) {
  size_t count = array.size();
  return count == 0xFFFFFF ? std::max(count, bound + 1) : count;
}

}  // namespace

Result<AlertOutcome> DecodePostedAlerts(std::string_view body, const AlertOptions& options) {
  Document document;
  TOCSIN_RETURN_IF_ERROR(document.Parse(body, options.decode.limits));
  dom::array items;
  if (document.root().get(items) != simdjson::SUCCESS) {
    return Error(Code::kInvalidArgument, "body: must be an array of alerts");
  }
  const size_t count = CountOf(items, options.max_alerts);
  if (count > options.max_alerts) return TooMany(count, options.max_alerts);
  AlertOutcome outcome;
  outcome.alerts.reserve(count);
  AlertBuilder builder(options);
  size_t index = 0;
  for (const dom::element item : items) {
    RawAlert raw;
    std::string wrong = ReadAlert(item, builder, raw);
    if (wrong.empty()) wrong = builder.Finish(raw.alert, options.resolve_timeout);
    if (wrong.empty()) {
      raw.alert.source = "prometheus";
      outcome.alerts.push_back(std::move(raw.alert));
    } else {
      internal::Reject(outcome, options, index, Located(index, wrong));
    }
    ++index;
  }
  return outcome;
}

Result<AlertOutcome> DecodeAlertmanagerWebhook(std::string_view body, const AlertOptions& options) {
  Document document;
  TOCSIN_RETURN_IF_ERROR(document.Parse(body, options.decode.limits));
  dom::object top;
  if (document.root().get(top) != simdjson::SUCCESS) {
    return Error(Code::kInvalidArgument, "body: must be an object");
  }
  std::string_view version;
  if (top["version"].get(version) != simdjson::SUCCESS || version != "4") {
    return Error(Code::kInvalidArgument, "version: must be \"4\"");
  }
  dom::array items;
  if (top["alerts"].get(items) != simdjson::SUCCESS) {
    return Error(Code::kInvalidArgument, "alerts: must be an array");
  }
  const size_t count = CountOf(items, options.max_alerts);
  if (count > options.max_alerts) return TooMany(count, options.max_alerts);
  AlertOutcome outcome;
  outcome.alerts.reserve(count);
  uint64_t truncated = 0;
  if (top["truncatedAlerts"].get(truncated) == simdjson::SUCCESS)
    outcome.truncated = static_cast<size_t>(truncated);
  AlertBuilder builder(options);
  size_t index = 0;
  for (const dom::element item : items) {
    RawAlert raw;
    std::string wrong = ReadAlert(item, builder, raw);
    if (wrong.empty() && raw.status != "firing" && raw.status != "resolved")
      wrong = "status: must be firing or resolved";
    if (wrong.empty()) {
      const Time now = options.decode.received;
      // A firing alert's end is unknown: the Alertmanager that sent it says when it is over.
      if (raw.status == "firing") raw.alert.ends_at = Time{};
      if (raw.status == "resolved" && (!raw.alert.ends_at.known() || raw.alert.ends_at > now))
        raw.alert.ends_at = now;
      wrong = builder.Finish(raw.alert, Duration{});
    }
    if (wrong.empty()) {
      raw.alert.source = "alertmanager";
      outcome.alerts.push_back(std::move(raw.alert));
    } else {
      internal::Reject(outcome, options, index, Located(index, wrong));
    }
    ++index;
  }
  return outcome;
}

}  // namespace tocsin::ingest
