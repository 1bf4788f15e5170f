// AlertBuilder: the rules every alert passes whatever format it came in: bounds, redaction, times, identity.
// Ownership: borrows the options. Thread-safety: none; one decoder owns it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ingest/alert_decoder.h"
#include "ingest/internal/text_cleaner.h"

namespace tocsin::ingest::internal {

class AlertBuilder {
 public:
  explicit AlertBuilder(const AlertOptions& options);

  // Each returns "" or what is wrong. `where` is "labels" or "annotations".
  std::string AddLabel(signal::Alert& alert, std::string_view name, std::string_view value);
  std::string AddAnnotation(signal::Alert& alert, std::string_view name, std::string_view value);
  // A text with secrets taken out, cut at `max_bytes`.
  std::string Clean(std::string_view text, size_t max_bytes) {
    return std::string(cleaner_.Clean(text, max_bytes));
  }
  // RFC 3339; the zero time of Go and "" are "not given" (0).
  static std::string ReadTime(std::string_view text, std::string_view field, Time& out);

  // Sorts the labels, fills in times and the fingerprint. A missing start is the end or now; a missing end is
  // now + `timeout`, or open when `timeout` is zero. Returns "" or why the alert cannot be taken.
  std::string Finish(signal::Alert& alert, Duration timeout) const;

  const AlertOptions& options() const { return options_; }

 private:
  const AlertOptions& options_;
  std::shared_ptr<const Redactor> redactor_;
  TextCleaner cleaner_;
};

// Keeps a rejection, or only counts it beyond the bound.
void Reject(AlertOutcome& outcome, const AlertOptions& options, size_t index, std::string reason);

}  // namespace tocsin::ingest::internal
