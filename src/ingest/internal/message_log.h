// Messages that come one an event: gen_ai.{system,user,assistant,tool}.message and gen_ai.choice. On a span
// they belong to its call; as log records they are gathered by span until the request ends.
// Thread-safety: none; one request. Memory: the texts of the request's events.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "ingest/internal/generation_reader.h"

namespace tocsin::ingest::internal {

bool IsMessageEvent(std::string_view name);
// The attributes of such an event that carry text.
bool IsMessageContent(std::string_view key);
// Reads the event's attributes, or the body of its log record, into the messages. False when it is no
// message.
bool ReadMessageEvent(std::string_view name, const Node& content, MessageReader& reader, EventMessages& into);

class MessageLog {
 public:
  void Add(std::string_view event, const RawLog& log, const AttributeKeys& keys, const Identity& id,
           const ItemContext& context, MessageReader& reader);
  // A generation for each span whose answer (gen_ai.choice) came in this request.
  void Finish(Workbench& bench, signal::Batch& batch);

 private:
  struct Call {
    EventMessages messages;
    ItemContext context;
    std::string provider;
    Time time;
  };
  std::map<std::pair<std::string, std::string>, Call> calls_;
};

}  // namespace tocsin::ingest::internal
