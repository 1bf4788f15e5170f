// A webhook of Tocsin's own: the message as JSON, signed, with its idempotency key.
//
//   Idempotency-Key: <key>                       a receiver that keeps them drops what it has seen
//   X-Tocsin-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256(secret, "<t>." + body)>
//
// Format and how to check it: docs/formats/notifications.md. Thread-safe. A destination without a secret is
// refused: an unsigned page could come from anyone.
#pragma once

#include <string>

#include "ports/clock.h"
#include "respond/notify/http_post.h"
#include "respond/notify/message.h"

namespace tocsin::respond {

std::string WebhookBody(const NotificationMessage& message);
std::string WebhookSignature(const std::string& secret, Time now, const std::string& body);

class SignedWebhookNotifier : public Notifier {
 public:
  // The clock must outlive the notifier.
  explicit SignedWebhookNotifier(const ports::Clock& clock, HttpNotifierOptions options = {})
      : clock_(clock), options_(options) {}
  std::string_view channel() const override { return "webhook"; }
  bool deduplicates_by_key() const override { return true; }
  bool takes_digests() const override { return false; }
  SendOutcome Send(const NotificationMessage& message, const Destination& destination) override;

 private:
  const ports::Clock& clock_;
  HttpNotifierOptions options_;
};

}  // namespace tocsin::respond
