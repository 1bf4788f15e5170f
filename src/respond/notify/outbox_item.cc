#include "respond/notify/outbox_item.h"

#include <exception>
#include <nlohmann/json.hpp>

#include "respond/json_text.h"

namespace tocsin::respond {
namespace {

using Json = nlohmann::json;

Json MessageJson(const NotificationMessage& message) {
  Json buttons = Json::array();
  for (const NotificationButton& button : message.buttons)
    buttons.push_back(
        {{"text", button.text}, {"action", button.action}, {"value", button.value}, {"style", button.style}});
  Json links = Json::array();
  for (const NotificationLink& link : message.links)
    links.push_back({{"text", link.text}, {"url", link.url}});
  return {{"kind", message.kind},
          {"incident_id", message.incident_id},
          {"title", message.title},
          {"severity", message.severity},
          {"source", message.source},
          {"lines", message.lines},
          {"links", std::move(links)},
          {"buttons", std::move(buttons)},
          {"idempotency_key", message.idempotency_key},
          {"at_ns", message.at.ns}};
}

NotificationMessage MessageFrom(const Json& json) {
  NotificationMessage message;
  message.kind = json.at("kind").get<std::string>();
  message.incident_id = json.at("incident_id").get<std::string>();
  message.title = json.at("title").get<std::string>();
  message.severity = json.at("severity").get<std::string>();
  message.source = json.at("source").get<std::string>();
  message.lines = json.at("lines").get<std::vector<std::string>>();
  // Items written before there were buttons have none.
  if (const auto buttons = json.find("buttons"); buttons != json.end()) {
    for (const Json& button : *buttons)
      message.buttons.push_back({button.at("text").get<std::string>(), button.at("action").get<std::string>(),
                                 button.at("value").get<std::string>(),
                                 button.at("style").get<std::string>()});
  }
  for (const Json& link : json.at("links")) {
    message.links.push_back({link.at("text").get<std::string>(), link.at("url").get<std::string>()});
  }
  message.idempotency_key = json.at("idempotency_key").get<std::string>();
  message.at = {json.at("at_ns").get<int64_t>()};
  return message;
}

OutboxItem ItemFrom(const Json& json) {
  OutboxItem item;
  item.key = json.at("key").get<std::string>();
  item.step = json.at("step").get<std::string>();
  item.person = json.at("person").get<std::string>();
  item.message = MessageFrom(json.at("message"));
  item.destinations = json.at("destinations").get<std::vector<std::string>>();
  item.place = json.at("place").get<uint32_t>();
  item.state = json.at("state").get<std::string>();
  item.attempts = json.at("attempts").get<uint32_t>();
  item.created = {json.at("created_ns").get<int64_t>()};
  item.next_attempt = {json.at("next_attempt_ns").get<int64_t>()};
  item.finished = {json.at("finished_ns").get<int64_t>()};
  item.digest_key = json.at("digest_key").get<std::string>();
  item.unwanted = json.at("unwanted").get<bool>();
  item.last_error = json.at("last_error").get<std::string>();
  item.receipt = json.at("receipt").get<std::string>();
  item.revision = json.at("revision").get<uint64_t>();
  return item;
}

}  // namespace

std::string ToJson(const OutboxItem& item) {
  return DumpJson({{"key", item.key},
                   {"step", item.step},
                   {"person", item.person},
                   {"message", MessageJson(item.message)},
                   {"destinations", item.destinations},
                   {"place", item.place},
                   {"state", item.state},
                   {"attempts", item.attempts},
                   {"created_ns", item.created.ns},
                   {"next_attempt_ns", item.next_attempt.ns},
                   {"finished_ns", item.finished.ns},
                   {"digest_key", item.digest_key},
                   {"unwanted", item.unwanted},
                   {"last_error", item.last_error},
                   {"receipt", item.receipt},
                   {"revision", item.revision}});
}

Result<OutboxItem> OutboxItemFromJson(std::string_view json) {
  try {
    OutboxItem item = ItemFrom(Json::parse(json));
    if (item.place >= item.destinations.size()) {
      return Error(Code::kDataLoss,
                   "outbox item " + item.key + ": its place is not in its list of destinations");
    }
    return item;
  } catch (const std::exception&) {
    return Error(Status::FromException("reading an outbox item", Code::kDataLoss));
  }
}

std::string ToJson(const DestinationState& state) {
  return DumpJson({{"name", state.name},
                   {"tokens", state.tokens},
                   {"refilled_ns", state.refilled.ns},
                   {"alerted_ns", state.alerted.ns},
                   {"failures", state.failures},
                   {"revision", state.revision}});
}

Result<DestinationState> DestinationStateFromJson(std::string_view json) {
  try {
    const Json parsed = Json::parse(json);
    DestinationState state;
    state.name = parsed.at("name").get<std::string>();
    state.tokens = parsed.at("tokens").get<double>();
    state.refilled = {parsed.at("refilled_ns").get<int64_t>()};
    state.alerted = {parsed.at("alerted_ns").get<int64_t>()};
    state.failures = parsed.at("failures").get<uint64_t>();
    state.revision = parsed.at("revision").get<uint64_t>();
    return state;
  } catch (const std::exception&) {
    return Error(Status::FromException("reading a destination's state", Code::kDataLoss));
  }
}

}  // namespace tocsin::respond
