#include "respond/notify/slack_webhook.h"

#include <nlohmann/json.hpp>

#include "respond/json_text.h"
#include "respond/notify/notice_text.h"

namespace tocsin::respond {
namespace {

using Json = nlohmann::json;

constexpr size_t kSectionCharacters = 3000;
constexpr size_t kHeaderCharacters = 150;
constexpr size_t kMaxBlocks = 50;
constexpr size_t kMaxBodyBytes = 60'000;
constexpr size_t kMaxButtons = 5;

std::string EscapeMrkdwn(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

Json Section(const std::string& escaped) {
  return {{"type", "section"}, {"text", {{"type", "mrkdwn"}, {"text", escaped}, {"verbatim", true}}}};
}

// The text in sections that Slack takes, parted at line ends where there are some. A line that is too long by
// itself is cut before it is escaped, so that no "&amp;" is halved.
void AddSections(const std::string& body, size_t room, Json& blocks) {
  constexpr size_t kLineBytes = kSectionCharacters / 5;  // "&amp;" is five for one
  std::string section;
  size_t at = 0;
  while (at < body.size() && room > 0) {
    const size_t end = std::min(body.find('\n', at), body.size());
    const std::string line = EscapeMrkdwn(CutUtf8(std::string_view(body).substr(at, end - at), kLineBytes));
    if (!section.empty() && section.size() + 1 + line.size() > kSectionCharacters) {
      blocks.push_back(Section(section));
      section.clear();
      --room;
    }
    if (!section.empty()) section.push_back('\n');
    section += line;
    at = end + 1;
  }
  if (room > 0 && section.find_first_not_of(" \n") != std::string::npos) blocks.push_back(Section(section));
}

Json PlainText(std::string_view text, size_t characters) {
  return {{"type", "plain_text"}, {"text", CutCharacters(text, characters)}, {"emoji", false}};
}

Json Buttons(const NotificationMessage& message) {
  Json elements = Json::array();
  const bool asks = message.kind == "page" || message.kind == "digest";
  if (asks && !message.incident_id.empty()) {
    elements.push_back({{"type", "button"},
                        {"style", "primary"},
                        {"text", PlainText("Acknowledge", 75)},
                        {"action_id", kSlackAcknowledgeAction},
                        {"value", CutUtf8(CleanText(message.incident_id, false), 2000)}});
  }
  for (const NotificationButton& button : message.buttons) {
    if (elements.size() == kMaxButtons) break;
    Json element = {{"type", "button"},
                    {"text", PlainText(CleanText(button.text, false), 75)},
                    {"action_id", std::string(kSlackActionPrefix) + button.action},
                    {"value", CutUtf8(CleanText(button.value, false), 2000)}};
    if (!button.style.empty()) element["style"] = button.style;
    elements.push_back(std::move(element));
  }
  for (const NotificationLink& link : message.links) {
    if (elements.size() == kMaxButtons) break;
    if (!IsWebUrl(link.url)) continue;
    elements.push_back({{"type", "button"},
                        {"text", PlainText(CleanText(link.text.empty() ? "Open" : link.text, false), 75)},
                        {"action_id", "tocsin_link_" + std::to_string(elements.size())},
                        {"url", link.url}});
  }
  return elements;
}

}  // namespace

std::string SlackPayload(const NotificationMessage& message, const MessageTemplates& templates) {
  const std::string subject = templates.subject.Render(message, 1000, false);
  const std::string body = templates.body.Render(message, kMaxBodyBytes, true);
  Json blocks = Json::array();
  blocks.push_back(
      {{"type", "header"}, {"text", PlainText(subject.empty() ? "Tocsin" : subject, kHeaderCharacters)}});
  AddSections(body, kMaxBlocks - 2, blocks);
  if (Json elements = Buttons(message); !elements.empty()) {
    blocks.push_back(
        {{"type", "actions"}, {"block_id", "tocsin_actions"}, {"elements", std::move(elements)}});
  }
  const Json payload = {
      {"text", EscapeMrkdwn(subject)}, {"blocks", std::move(blocks)}, {"unfurl_links", false}};
  return DumpJson(payload);
}

SlackWebhookNotifier::SlackWebhookNotifier(HttpNotifierOptions options, MessageTemplates templates)
    : options_(options), templates_(std::move(templates)) {}

SendOutcome SlackWebhookNotifier::Send(const NotificationMessage& message, const Destination& destination) {
  PostResult posted = PostJson(destination.address, {}, SlackPayload(message, templates_), options_);
  if (posted.outcome.ok()) posted.outcome.receipt = "slack took it";
  return std::move(posted.outcome);
}

}  // namespace tocsin::respond
