// What the behaviour features read of one generation: views only, so that any
// caller (live service, replay, evaluation, tests) can fill it without copying.
//
// Ownership: every view belongs to the caller and must outlive the call.
#pragma once

#include <limits>
#include <span>
#include <string_view>

namespace tocsin::behavior {

struct DocumentView {
  std::string_view id;  // as the retriever names it
  std::string_view text;
};

struct ToolCallView {
  std::string_view name;
  std::string_view arguments;  // JSON text, as sent
  std::string_view result;     // what the tool answered, empty if unknown
};

struct GenerationInput {
  std::string_view system;  // system prompt
  std::string_view prompt;  // the user's turn (earlier turns may be joined in front)
  std::string_view output;  // the answer
  std::span<const DocumentView> documents{};
  std::span<const ToolCallView> tool_calls{};
  std::string_view finish_reason{};
  // Absent numbers are NaN.
  double latency_ms = std::numeric_limits<double>::quiet_NaN();
  double output_tokens = std::numeric_limits<double>::quiet_NaN();
  double cost_usd = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace tocsin::behavior
