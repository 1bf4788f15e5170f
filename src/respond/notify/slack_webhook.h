// Slack incoming webhook: a message of blocks, with a button to acknowledge a page.
//
// Bounds are Slack's: header 150 characters, section 3000, at most 50 blocks, button value 2000. The text is
// escaped as mrkdwn asks (& < >), so that nothing in it becomes a link or calls a channel (@here).
// Slack's webhook has no idempotency key: an unanswered try must not be repeated there. Thread-safe.
// Source: Slack "Block Kit" and "Sending messages using incoming webhooks" references.
#pragma once

#include <string>

#include "respond/notify/http_post.h"
#include "respond/notify/message.h"
#include "respond/notify/templates.h"

namespace tocsin::respond {

// What the button says it is when it comes back (slack_interaction.h).
inline constexpr std::string_view kSlackAcknowledgeAction = "tocsin_acknowledge";
inline constexpr std::string_view kSlackActionPrefix = "tocsin_";  // of all buttons that are Tocsin's own

// The JSON document sent; its own function so that a preview shows exactly it.
std::string SlackPayload(const NotificationMessage& message, const MessageTemplates& templates);

class SlackWebhookNotifier : public Notifier {
 public:
  explicit SlackWebhookNotifier(HttpNotifierOptions options = {},
                                MessageTemplates templates = MessageTemplates::Default());
  std::string_view channel() const override { return "slack"; }
  bool deduplicates_by_key() const override { return false; }
  bool takes_digests() const override { return true; }
  SendOutcome Send(const NotificationMessage& message, const Destination& destination) override;

 private:
  HttpNotifierOptions options_;
  MessageTemplates templates_;
};

}  // namespace tocsin::respond
