// PagerDuty Events API v2, outgoing: a page triggers, an acknowledgement acknowledges, a resolution resolves
// one alert, which PagerDuty knows by dedup_key = the incident's id; so sending twice changes nothing there.
//
// Destination: secret is the routing key; address is the endpoint, empty for PagerDuty's own. 202 is taken,
// 429 is worth a retry, 400 is final. Thread-safe. Source: PagerDuty "Send an event" (Events API v2).
#pragma once

#include <string>

#include "respond/notify/http_post.h"
#include "respond/notify/message.h"

namespace tocsin::respond {

std::string PagerdutyEvent(const NotificationMessage& message, const std::string& routing_key);

class PagerdutyNotifier : public Notifier {
 public:
  explicit PagerdutyNotifier(HttpNotifierOptions options = {}) : options_(options) {}
  std::string_view channel() const override { return "pagerduty"; }
  bool deduplicates_by_key() const override { return true; }
  bool takes_digests() const override { return false; }
  SendOutcome Send(const NotificationMessage& message, const Destination& destination) override;

 private:
  HttpNotifierOptions options_;
};

}  // namespace tocsin::respond
