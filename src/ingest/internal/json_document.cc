#include "ingest/internal/json_document.h"

#include <cmath>

#include "ingest/internal/text_cleaner.h"

namespace tocsin::ingest::internal {
namespace {

std::string Dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

Result<Json> ParseDocument(std::string_view body, const Limits& limits) {
  if (body.size() > limits.max_request_bytes) {
    return Error(Code::kOutOfRange, "body: " + std::to_string(body.size()) + " bytes, at most " +
                                        std::to_string(limits.max_request_bytes));
  }
  bool too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > limits.max_depth) too_deep = true;
    return !too_deep;
  };
  try {
    const std::string text = ReplaceInvalidUtf8(body);
    Json json = Json::parse(text, watch);
    if (too_deep) {
      return Error(Code::kOutOfRange, "body: JSON nested deeper than " + std::to_string(limits.max_depth));
    }
    return json;
  } catch (const Json::parse_error& error) {
    return Error(Code::kInvalidArgument, "body is not JSON, near byte " + std::to_string(error.byte));
  } catch (const std::exception& error) {
    return Error(Code::kInvalidArgument, std::string("body is not JSON: ") + error.what());
  }
}

ObjectReader::ObjectReader(const Json& object, std::string path, const DecodeOptions& options)
    : object_(object),
      path_(std::move(path)),
      options_(options),
      redactor_(options.redactor != nullptr ? options.redactor : Redactor::BuiltIn()) {
  if (!object.is_object()) {
    status_ = Status(Code::kInvalidArgument, (path_.empty() ? "body" : path_) + ": must be an object");
  }
}

void ObjectReader::Fail(std::string_view name, const std::string& why) {
  if (!status_.ok()) return;
  status_ =
      Status(Code::kInvalidArgument, (path_.empty() ? "" : path_ + ".") + std::string(name) + ": " + why);
}

const Json* ObjectReader::Find(const char* name) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::string ObjectReader::Text(const char* name, Redactor::Kind kind) {
  const Json* value = Find(name);
  if (value == nullptr) return {};
  if (!value->is_string()) {
    Fail(name, "must be a string");
    return {};
  }
  TextCleaner cleaner(*redactor_);
  return std::string(
      cleaner.Clean(value->get_ref<const std::string&>(), options_.limits.max_text_bytes, kind));
}

std::string ObjectReader::Required(const char* name, Redactor::Kind kind) {
  std::string text = Text(name, kind);
  if (text.empty()) Fail(name, "is required and must not be empty");
  return text;
}

std::optional<double> ObjectReader::Number(const char* name) {
  const Json* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number() || !std::isfinite(value->get<double>())) {
    Fail(name, "must be a number");
    return std::nullopt;
  }
  return value->get<double>();
}

Time ObjectReader::When(const char* name) {
  const Json* value = Find(name);
  if (value == nullptr) return {};
  if (value->is_string()) {
    const auto time = ParseTime(value->get_ref<const std::string&>());
    if (time.has_value()) return *time;
    Fail(name, "must be an RFC 3339 time such as 2026-11-24T02:10:05Z");
    return {};
  }
  const double number = value->is_number() ? value->get<double>() : -1;
  if (!(number > 0) || number > 9.2e18) {
    Fail(name, "must be an RFC 3339 time, or seconds, milliseconds or nanoseconds since 1970");
    return {};
  }
  // Seconds until the year 5138, milliseconds until 33658: no overlap for times since 2000.
  const double scale = number < 1e11 ? 1e9 : (number < 1e15 ? 1e6 : 1);
  if (scale == 1 && value->is_number_integer()) return {value->get<int64_t>()};
  if (number * scale > 9.2e18) {
    Fail(name, "is too far in the future");
    return {};
  }
  return {std::llround(number * scale)};
}

std::string ObjectReader::AsText(const Json& value, size_t max_bytes) {
  TextCleaner cleaner(*redactor_);
  const std::string text = value.is_string() ? value.get<std::string>() : Dump(value);
  return std::string(cleaner.Clean(text, max_bytes));
}

}  // namespace tocsin::ingest::internal
