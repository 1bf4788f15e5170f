// GenerationReader: decides what a span or event is (an answer, a retrieval, a tool that ran, a verdict) and
// makes the record. docs/formats/generation-mapping.md says the rules in words.
// Ownership: borrows the workbench of its builder. Thread-safety: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ingest/internal/attribute_keys.h"
#include "ingest/internal/batch_builder.h"
#include "ingest/internal/messages.h"

namespace tocsin::ingest::internal {

// Who and when: common to all records made of one span or log record.
struct Identity {
  std::string_view trace_id, span_id, parent_span_id;
  Time time;
  Duration duration;
  bool failed = false;  // span status error
};

// Messages that came as events of their own (gen_ai.user.message, gen_ai.choice).
struct EventMessages {
  std::vector<Message> input, output;
  bool empty() const { return input.empty() && output.empty(); }
};

class GenerationReader {
 public:
  GenerationReader(Workbench& bench, const ItemContext& context)
      : bench_(bench),
        context_(context),
        messages_(bench.json, bench.writer, bench.arena, bench.options.limits) {}

  // Adds what the item is to the batch. Returns which Content bits were taken.
  uint8_t AddSpanRecords(const AttributeKeys& keys, const Identity& id, EventMessages events,
                         signal::Batch& batch);
  // A log event that carries a whole call (gen_ai.client.inference.operation.details).
  void AddGeneration(const AttributeKeys& keys, const Identity& id, EventMessages events,
                     signal::Batch& batch);
  // gen_ai.evaluation.result; also a Feedback when its name says it is the user's.
  void AddEvaluation(const AttributeKeys& keys, const Identity& id, signal::Batch& batch);
  MessageReader& messages() { return messages_; }

 private:
  bool IsGeneration(const AttributeKeys& keys, bool has_event_messages) const;
  bool IsRetrieval(const AttributeKeys& keys) const;
  bool IsTool(const AttributeKeys& keys) const;
  void AddRetrieval(const AttributeKeys& keys, const Identity& id, signal::Batch& batch);
  void AddTool(const AttributeKeys& keys, const Identity& id, signal::Batch& batch);

  void ReadIdentity(const AttributeKeys& keys, const Identity& id, signal::Generation& g);
  void ReadNumbers(const AttributeKeys& keys, signal::Generation& g);
  void ReadInvocation(const AttributeKeys& keys, signal::Generation& g);
  void ReadError(const AttributeKeys& keys, const Identity& id, signal::Generation& g);
  void ReadContent(const AttributeKeys& keys, EventMessages events, signal::Generation& g);
  void ReadSlices(const AttributeKeys& keys, signal::Generation& g);
  void CleanTexts(signal::Generation& g);
  void NamePromptVersion(signal::Generation& g);
  std::vector<signal::Document> Documents(const AttributeKeys& keys);

  std::string Id(const AttributeKeys& keys, Key key);
  std::string Short(const AttributeKeys& keys, Key key);
  std::string Content(const Node* node);

  Workbench& bench_;
  const ItemContext& context_;
  MessageReader messages_;
};

// Numbers, also written as text. nullopt when it is neither.
std::optional<int64_t> IntegerOf(const Node* node);
std::optional<double> NumberOf(const Node* node);

}  // namespace tocsin::ingest::internal
