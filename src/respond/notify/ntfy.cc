#include "respond/notify/ntfy.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "respond/json_text.h"
#include "respond/notify/notice_text.h"

namespace tocsin::respond {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxMessageBytes = 4000;

int PriorityOf(const NotificationMessage& message) {
  const bool loud = message.kind == "page" || message.kind == "digest" || message.kind == "alert";
  if (!loud) return 2;  // no sound: nothing to do now
  if (message.severity == "sev1") return 5;
  if (message.severity == "sev4") return 2;
  return message.severity == "sev3" ? 3 : 4;
}

std::string TagOf(const std::string& kind) {
  if (kind == "resolved") return "white_check_mark";
  if (kind == "acknowledged") return "eyes";
  return kind == "update" ? "memo" : "rotating_light";
}

bool IsTopic(std::string_view topic) {
  return !topic.empty() && topic.size() <= 64 && std::all_of(topic.begin(), topic.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool IsToken(std::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string NtfyBody(const NotificationMessage& message, const std::string& topic,
                     const MessageTemplates& templates) {
  Json body = {{"topic", topic},
               {"title", templates.subject.Render(message, 250, false)},
               {"message", templates.body.Render(message, kMaxMessageBytes, true)},
               {"priority", PriorityOf(message)},
               {"tags", Json::array({TagOf(message.kind)})}};
  Json actions = Json::array();
  for (const NotificationLink& link : message.links) {
    if (!IsWebUrl(link.url) || actions.size() == 3) continue;  // ntfy shows three
    if (actions.empty()) body["click"] = link.url;
    const std::string label = CutUtf8(CleanText(link.text.empty() ? "Open" : link.text, false), 60);
    actions.push_back({{"action", "view"}, {"label", label}, {"url", link.url}});
  }
  if (!actions.empty()) body["actions"] = std::move(actions);
  return DumpJson(body);
}

}  // namespace

NtfyNotifier::NtfyNotifier(HttpNotifierOptions options, MessageTemplates templates)
    : options_(options), templates_(std::move(templates)) {}

SendOutcome NtfyNotifier::Send(const NotificationMessage& message, const Destination& destination) {
  const std::string& url = destination.address;
  const size_t slash = url.rfind('/');
  const bool has_topic = IsWebUrl(url) && slash != std::string::npos && slash > url.find("://") + 2;
  if (!has_topic || !IsTopic(std::string_view(url).substr(slash + 1)) || !IsToken(destination.secret)) {
    SendOutcome refused;
    refused.status =
        Status(Code::kInvalidArgument,
               fmt::format("ntfy {}: the address must be https://server/topic and the token one word",
                           destination.name));
    return refused;
  }
  HttpHeaders headers;
  if (!destination.secret.empty()) headers.emplace_back("Authorization", "Bearer " + destination.secret);
  const std::string body = NtfyBody(message, url.substr(slash + 1), templates_);
  PostResult posted = PostJson(url.substr(0, slash + 1), headers, body, options_);
  if (!posted.outcome.ok()) return std::move(posted.outcome);
  const Json answer = Json::parse(posted.body, nullptr, false);
  if (answer.is_object() && answer.contains("id") && answer["id"].is_string()) {
    posted.outcome.receipt = CutUtf8(CleanText(answer["id"].get<std::string>(), false), 64);
  }
  return std::move(posted.outcome);
}

}  // namespace tocsin::respond
