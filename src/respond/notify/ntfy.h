// ntfy (phones and browsers, also self-hosted): title, text, priority, tags, a link to open and, for a page,
// what to press. Published as JSON to the server's root, so that no text travels in a header.
//
// Destination: address is "https://server/topic"; secret is an access token, or empty. ntfy keeps no
// idempotency keys. Bounds: a message of 4096 bytes (ntfy makes a longer one an attachment). Thread-safe.
// Source: ntfy documentation, "Publish as JSON".
#pragma once

#include <string>

#include "respond/notify/http_post.h"
#include "respond/notify/message.h"
#include "respond/notify/templates.h"

namespace tocsin::respond {

class NtfyNotifier : public Notifier {
 public:
  explicit NtfyNotifier(HttpNotifierOptions options = {},
                        MessageTemplates templates = MessageTemplates::Default());
  std::string_view channel() const override { return "ntfy"; }
  bool deduplicates_by_key() const override { return false; }
  bool takes_digests() const override { return true; }
  SendOutcome Send(const NotificationMessage& message, const Destination& destination) override;

 private:
  HttpNotifierOptions options_;
  MessageTemplates templates_;
};

}  // namespace tocsin::respond
