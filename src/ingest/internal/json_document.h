// JsonDocument: small JSON bodies (changes, feedback) with errors that name the field.
// Off the hot path: nlohmann. Ownership: value types. Thread-safety: as any value.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "ingest/decoder.h"
#include "kernel/status.h"

namespace tocsin::ingest::internal {

using Json = nlohmann::ordered_json;

// kInvalidArgument with the byte; kOutOfRange beyond limits.max_request_bytes or max_depth.
Result<Json> ParseDocument(std::string_view body, const Limits& limits);

// One object being read: remembers the first thing wrong, so that a reader is a list of fields.
class ObjectReader {
 public:
  ObjectReader(const Json& object, std::string path, const DecodeOptions& options);

  // Texts are cleaned: valid UTF-8, redacted, at most max_text_bytes. "" when absent or null.
  std::string Text(const char* name, Redactor::Kind kind = Redactor::Kind::kText);
  std::string Required(const char* name, Redactor::Kind kind = Redactor::Kind::kText);
  std::optional<double> Number(const char* name);
  // RFC 3339, or nanoseconds, seconds or milliseconds since the epoch as a number. 0 when absent.
  Time When(const char* name);
  const Json* Find(const char* name) const;
  // Any value as text: strings as they are, the rest as JSON. Cleaned.
  std::string AsText(const Json& value, size_t max_bytes);
  void Fail(std::string_view name, const std::string& why);

  const Status& status() const { return status_; }

 private:
  const Json& object_;
  std::string path_;
  const DecodeOptions& options_;
  std::shared_ptr<const Redactor> redactor_;
  Status status_;
};

}  // namespace tocsin::ingest::internal
