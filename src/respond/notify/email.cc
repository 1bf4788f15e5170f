#include "respond/notify/email.h"

#include "respond/notify/email_message.h"

namespace tocsin::respond {

constexpr size_t kMaxBodyBytes = 64u << 10;

EmailNotifier::EmailNotifier(ports::SmtpOptions server, std::string from, const ports::Clock& clock,
                             MessageTemplates templates)
    : client_(std::move(server)), from_(std::move(from)), clock_(clock), templates_(std::move(templates)) {}

SendOutcome EmailNotifier::Send(const NotificationMessage& message, const Destination& destination) {
  SendOutcome outcome;
  if (!ports::IsMailAddress(from_) || !ports::IsMailAddress(destination.address)) {
    outcome.status =
        Status(Code::kInvalidArgument,
               "e-mail " + destination.name + ": the sender's or recipient's address is not usable");
    return outcome;
  }
  EmailParts parts;
  parts.from = from_;
  parts.to = destination.address;
  parts.subject = templates_.subject.Render(message, 400, false);
  parts.body = templates_.body.Render(message, kMaxBodyBytes, true);
  const ports::SmtpResult sent =
      client_.Send(from_, {destination.address}, BuildEmail(parts, message, clock_.Now()));
  outcome.status = sent.status;
  outcome.retryable = sent.status.retryable();
  outcome.possibly_delivered = sent.possibly_delivered;
  if (outcome.ok()) outcome.receipt = MessageIdOf(message.idempotency_key, from_);
  return outcome;
}

}  // namespace tocsin::respond
