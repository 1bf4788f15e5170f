// A mail as RFC 5322 has it: plain UTF-8 text, every header encoded and folded so that no text can add a
// header, a recipient or an attachment. Pure; thread-safe.
//
//   Message-ID  follows from the idempotency key alone, so a repetition is the same mail to the reader's
//   server References  one identifier an incident, so that a mail program shows its messages as one
//   conversation
// Source: RFC 5322, RFC 2047 (words in headers), RFC 2045 (base64), RFC 3834 (Auto-Submitted).
#pragma once

#include <string>
#include <string_view>

#include "respond/notify/message.h"

namespace tocsin::respond {

struct EmailParts {
  std::string from_name = "Tocsin";
  std::string from;  // checked by the caller: ports::IsMailAddress
  std::string to;    // the same
  std::string subject;
  std::string body;
};

std::string BuildEmail(const EmailParts& parts, const NotificationMessage& message, Time now);
// "<0123…@example.org>"; the domain is the sender's.
std::string MessageIdOf(std::string_view idempotency_key, std::string_view from);
std::string Base64(std::string_view bytes);

}  // namespace tocsin::respond
