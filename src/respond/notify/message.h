// What is told to a person or to another program, where to, and what came of it.
//
// NotificationMessage is data, not text: each notifier writes it in its channel's own form, escaped and
// bounded there. Destination is a configured place with its secret: it is looked up by name when something is
// sent and is never stored with the message. Value types. A Notifier must be thread-safe; it blocks for at
// most its timeout.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"
#include "kernel/time.h"

namespace tocsin::respond {

struct NotificationLink {
  std::string text = {};
  std::string url = {};  // http or https; others are left out when written
};

// Something to click on where a channel can bring the click back, signed; elsewhere it is left out.
struct NotificationButton {
  std::string text = {};
  std::string action = {};  // "approve", "deny", "kill"
  std::string value = {};   // what about, as it comes back
  std::string style = {};   // "primary", "danger" or ""
};

struct NotificationMessage {
  // "page", "acknowledged", "update", "resolved", "digest", "alert", "approval"
  std::string kind = "page";
  std::string incident_id = {};  // "INC-2K7Q"; empty in a digest
  std::string title = {};        // one line
  std::string severity = {};     // "sev1" … "sev4"
  std::string source = {};       // the service, stream or host it is about
  std::vector<std::string> lines = {};
  std::vector<NotificationLink> links = {};
  std::vector<NotificationButton> buttons = {};
  std::string idempotency_key = {};  // the same for every try of one send, different for every other
  Time at = {};                      // when it was decided
};

// How many messages a destination takes: `burst` at once, then one each `every`. burst 0: no limit.
struct RateLimit {
  int burst = 0;
  Duration every = Duration::Seconds(30);
};

struct Destination {
  std::string name = {};     // unique: "ada-phone"; in preferences, the outbox and what is reported
  std::string channel = {};  // "slack", "pagerduty", "webhook", "ntfy", "email"
  std::string address = {};  // URL (empty: the service's own), or an e-mail address
  std::string secret = {};   // routing key (pagerduty), signing secret (webhook), token (ntfy); else empty
  RateLimit limit = {};
};

// What came of one try.
struct SendOutcome {
  Status status = {};        // ok: the other side has taken it
  std::string receipt = {};  // what the other side called it, for the timeline
  bool retryable = false;
  Duration retry_after = {};  // ns = 0: the other side named no time
  // Not ok, but it may have been delivered all the same: the answer never came.
  bool possibly_delivered = false;

  bool ok() const { return status.ok(); }
};

class Notifier {
 public:
  virtual ~Notifier() = default;
  virtual std::string_view channel() const = 0;
  // True when the other side drops a second message with the same idempotency key, so that sending again
  // after an unanswered try is safe.
  virtual bool deduplicates_by_key() const = 0;
  // True when people read it, who prefer one message about ten things to ten messages.
  virtual bool takes_digests() const = 0;
  virtual SendOutcome Send(const NotificationMessage& message, const Destination& destination) = 0;
};

}  // namespace tocsin::respond
