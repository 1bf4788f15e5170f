// RecordedAnswer: one row of a file that `tocsin replay` sends, in any of three schemas
// (docs/formats/replay.md): the generic one, alpaca_eval's and LLMDrift's. Value type; parsing is pure and
// thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"
#include "kernel/time.h"
#include "signal/generation.h"

namespace tocsin::surface {

struct RecordedFeedback {
  std::optional<double> score;  // -1 … 1
  std::string label;
  std::string comment;
};

struct RecordedAnswer {
  std::string file;  // where it came from
  uint64_t line = 0;
  size_t file_index = 0;  // which file on the command line

  Time time;  // unknown = not recorded
  std::string service;
  std::string prompt_name;
  std::string prompt_version;
  std::string prompt_id;
  std::string task;     // LLMDrift's
  std::string dataset;  // alpaca_eval's
  std::string system;
  std::string prompt;
  std::string output;
  std::string model;           // as requested
  std::string reported_model;  // as the provider said
  std::string conversation_id;
  std::string error_type;
  std::optional<double> latency_s;
  std::optional<double> cost_usd;
  std::optional<double> temperature;
  std::optional<int64_t> input_tokens;
  std::optional<int64_t> output_tokens;
  std::vector<signal::Document> documents;
  std::vector<signal::ToolCall> tool_calls;
  std::optional<RecordedFeedback> feedback;
  std::map<std::string, std::string> attributes;
};

// One line of JSON. kInvalidArgument names the member that is missing or of the wrong type.
Result<RecordedAnswer> ParseRecordedAnswer(std::string_view line);

// Every row of a .jsonl or .jsonl.zst file, in order; blank lines are skipped. Errors name file and line:
// kNotFound, kInvalidArgument, kOutOfRange (a line over 8 MiB, more than 2 million rows, over 4 GiB of text).
Result<std::vector<RecordedAnswer>> ReadRecordedAnswers(const std::string& path);

}  // namespace tocsin::surface
