#include "respond/timeline.h"

#include <nlohmann/json.hpp>

#include "respond/json_text.h"

namespace tocsin::respond {

Status AppendEvent(store::LedgerTransaction& transaction, const std::string& kind, const std::string& subject,
                   const std::string& actor, const nlohmann::json& body, Time now) {
  signal::Event event;
  event.time = now;
  event.kind = kind;
  event.subject = subject;
  event.actor = actor;
  event.body_json = DumpJson(body);
  const auto seq = transaction.AppendEvent(event);
  return seq ? Status() : Status(seq.error());
}

}  // namespace tocsin::respond
