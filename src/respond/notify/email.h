// E-mail over SMTP. The destination's address is the recipient; the server is set once for all.
// The Message-ID follows from the idempotency key: a mail sent twice is the same mail to servers and mail
// programs that look. A 4xx answer is worth a retry, a 5xx is final. Thread-safe.
#pragma once

#include <string>

#include "ports/clock.h"
#include "ports/smtp_client.h"
#include "respond/notify/message.h"
#include "respond/notify/templates.h"

namespace tocsin::respond {

class EmailNotifier : public Notifier {
 public:
  // The clock must outlive the notifier. `from`: the sender's address.
  EmailNotifier(ports::SmtpOptions server, std::string from, const ports::Clock& clock,
                MessageTemplates templates = MessageTemplates::Default());
  std::string_view channel() const override { return "email"; }
  bool deduplicates_by_key() const override { return true; }
  bool takes_digests() const override { return true; }
  SendOutcome Send(const NotificationMessage& message, const Destination& destination) override;

 private:
  ports::SmtpClient client_;
  std::string from_;
  const ports::Clock& clock_;
  MessageTemplates templates_;
};

}  // namespace tocsin::respond
