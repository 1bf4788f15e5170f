// Generation: one answer of a language model, with what it was asked and given, whatever convention it came
// in (OTel GenAI, OpenInference, OpenLLMetry). Retrieval and ToolExecution are its neighbours in the trace.
//
// Value types. Texts are UTF-8 (invalid bytes replaced on ingest), redacted, bounded by Limits.
// "" and nullopt mean "not recorded".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernel/time.h"

namespace tocsin::signal {

struct Document {
  std::string id;
  std::string text;
  std::optional<double> score;  // as the retriever reported it
  friend bool operator==(const Document&, const Document&) = default;
};

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // JSON text as the model wrote it
  std::string result;     // "" when no result was seen
  bool executed = false;  // a result, or an execute_tool span, was seen
  bool failed = false;
  friend bool operator==(const ToolCall&, const ToolCall&) = default;
};

struct Generation {
  std::string trace_id;
  std::string span_id;
  std::string parent_span_id;
  std::string response_id;
  std::string conversation_id;
  Time time;  // start of the call
  Duration duration;
  std::string service;
  std::string operation;       // chat, text_completion, generate_content, invoke_agent …
  std::string agent;           // gen_ai.agent.name
  std::string prompt_name;     // gen_ai.prompt.name or OpenInference template name
  std::string prompt_version;  // explicit version, else "sha:" + 12 hex digits of the system instructions
  std::string provider;
  std::string request_model;
  std::string response_model;
  std::string system_fingerprint;
  std::string system;   // system instructions
  std::string input;    // the last user message
  std::string history;  // earlier messages, "role: text" a line, newest last
  std::string output;   // the answer's text
  std::string reasoning;
  std::string finish_reason;
  std::string output_type;
  std::string error_type;  // error.type, or the HTTP status of the provider's refusal ("404")
  std::optional<int64_t> http_status;
  std::optional<int64_t> input_tokens;
  std::optional<int64_t> output_tokens;
  std::optional<int64_t> max_tokens;
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<double> cost_usd;
  std::optional<double> time_to_first_chunk_s;
  std::string tool_schema_hash;  // of the tool definitions offered
  std::string user_id;
  std::string tenant;
  std::string locale;
  std::string region;
  std::string host;
  std::string service_version;
  std::string environment;
  std::string index_version;
  std::vector<ToolCall> tool_calls;
  std::vector<Document> documents;  // recorded on the call itself; see Retrieval for those of sibling spans
  // Further attributes worth slicing by (metadata, tags, configured keys), short values only.
  std::map<std::string, std::string> attributes;
};

// One retrieval: a query and the passages it returned.
struct Retrieval {
  std::string trace_id;
  std::string span_id;
  std::string parent_span_id;
  std::string conversation_id;
  Time time;
  Duration duration;
  std::string service;
  std::string data_source;
  std::string query;
  std::string query_embedding_model;
  std::string index_embedding_model;
  std::string index_version;
  std::vector<Document> documents;
};

// One tool that really ran.
struct ToolExecution {
  std::string trace_id;
  std::string span_id;
  std::string parent_span_id;
  std::string conversation_id;
  Time time;
  Duration duration;
  std::string service;
  std::string call_id;
  std::string name;
  std::string arguments;
  std::string result;
  bool failed = false;
};

}  // namespace tocsin::signal
