// Attributes of the GenAI conventions in any mixture. The input is a list of lines: an index into the known
// keys, then the value; "!" starts an event, "+" the next span. Small bounds, so that they are reached.
#include <algorithm>

#include "ingest/internal/text_cleaner.h"
#include "oracle.h"

namespace {

namespace ingest = tocsin::ingest;
using tocsin::fuzz::Require;

constexpr const char* kKeys[] = {"gen_ai.operation.name",
                                 "openinference.span.kind",
                                 "gen_ai.input.messages",
                                 "gen_ai.output.messages",
                                 "gen_ai.system_instructions",
                                 "gen_ai.request.model",
                                 "gen_ai.system",
                                 "gen_ai.prompt.0.content",
                                 "gen_ai.prompt.0.role",
                                 "gen_ai.completion.0.content",
                                 "gen_ai.completion.0.tool_calls.0.name",
                                 "llm.input_messages.0.message.role",
                                 "llm.input_messages.0.message.content",
                                 "llm.input_messages.0.message",
                                 "llm.input_messages.1.message.contents.0.message_content.text",
                                 "llm.output_messages.0.message.content",
                                 "llm.output_messages.0.message.tool_calls.0.tool_call.id",
                                 "llm.output_messages.",
                                 "llm.output_messages..x",
                                 "retrieval.documents.0.document.content",
                                 "retrieval.documents.0.document.score",
                                 "retrieval.documents.0",
                                 "gen_ai.retrieval.documents",
                                 "input.value",
                                 "output.value",
                                 "metadata",
                                 "tag.tags",
                                 "error.type",
                                 "http.response.status_code",
                                 "gen_ai.usage.input_tokens",
                                 "gen_ai.response.finish_reasons",
                                 "llm.invocation_parameters",
                                 "gen_ai.tool.definitions",
                                 "gen_ai.tool.call.arguments",
                                 "tool.parameters",
                                 "traceloop.association.properties.a",
                                 "gen_ai.event.content",
                                 "content",
                                 "message",
                                 "role",
                                 "id",
                                 "gen_ai.evaluation.name",
                                 "gen_ai.evaluation.score.value",
                                 "tocsin.generation",
                                 "tocsin.cost_usd"};
constexpr const char* kEvents[] = {"gen_ai.user.message",
                                   "gen_ai.choice",
                                   "gen_ai.tool.message",
                                   "gen_ai.client.inference.operation.details",
                                   "gen_ai.evaluation.result",
                                   "gen_ai.content.prompt",
                                   "other"};

tocsin::otlp::Span* AddSpan(tocsin::otlp::ScopeSpans& scope) {
  auto* span = scope.add_spans();
  span->set_trace_id(std::string(16, '\x11'));
  span->set_span_id(std::string(7, '\x22') + static_cast<char>(scope.spans_size()));
  return span;
}

tocsin::otlp::ExportTraceRequest Build(std::string_view input) {
  tocsin::otlp::ExportTraceRequest request;
  auto& scope = *request.add_resource_spans()->add_scope_spans();
  auto* span = AddSpan(scope);
  tocsin::otlp::Span::Event* event = nullptr;
  while (!input.empty() && scope.spans_size() < 100) {
    const size_t end = std::min(input.find('\n'), input.size());
    std::string_view line = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    if (line.empty()) continue;
    const auto head = static_cast<unsigned char>(line[0]);
    line.remove_prefix(1);
    if (head == '+') {
      span = AddSpan(scope);
      event = nullptr;
    } else if (head == '!') {
      event = span->add_events();
      event->set_name(kEvents[line.empty() ? 0 : static_cast<unsigned char>(line[0]) % std::size(kEvents)]);
    } else {
      auto* attribute = event != nullptr ? event->add_attributes() : span->add_attributes();
      attribute->set_key(kKeys[head % std::size(kKeys)]);
      attribute->mutable_value()->set_string_value(ingest::internal::ReplaceInvalidUtf8(line));
    }
  }
  return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto request = Build({reinterpret_cast<const char*>(data), size});
  ingest::DecodeOptions options;
  options.limits.max_text_bytes = 500;
  options.limits.max_attribute_bytes = 300;
  options.limits.max_name_bytes = 200;
  options.limits.max_attributes = 40;
  const auto binary = ingest::DecodeTraces(request.SerializeAsString(), ingest::Encoding::kProtobuf, options);
  const auto json = ingest::DecodeTraces(tocsin::fuzz::AsJson(request), ingest::Encoding::kJson, options);
  Require(binary.has_value() && json.has_value(), "a sound request is accepted");
  tocsin::fuzz::CheckBatch(binary->batch, options.limits);
  Require(tocsin::fuzz::AsText(binary->batch) == tocsin::fuzz::AsText(json->batch), "both encodings alike");
  Require(binary->batch.spans.size() ==
              static_cast<size_t>(request.resource_spans(0).scope_spans(0).spans_size()),
          "every span is there", binary->reason);
  Require(binary->batch.generations.size() <= binary->batch.spans.size(), "one answer a span at most");
  return 0;
}
