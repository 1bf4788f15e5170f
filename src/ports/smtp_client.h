// SmtpClient: hands a finished message to a mail server (libcurl). One connection a message.
//
// Thread-safe: no state between calls. Bounds: connect and total timeouts. TLS: "smtps://" from the first
// byte, or STARTTLS on "smtp://" as told; certificates are checked. Addresses are checked, because they
// travel in commands. Errors: kInvalidArgument (bad URL or address, or a 5xx answer: final), kUnauthenticated
// (log-in refused: final), kUnavailable (no connection, TLS failed, a 4xx answer), kDeadlineExceeded
// (timeout). Source: RFC 5321, RFC 3207.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"

namespace tocsin::ports {

struct SmtpOptions {
  std::string url = "smtp://127.0.0.1:25";  // "smtp://host:587", "smtps://host:465"
  std::string starttls = "if-offered";      // "required", "if-offered", "never"; of no matter for smtps
  std::string user = {};                    // empty: no log-in
  std::string password = {};
  std::string ca_file = {};  // empty: the system's authorities
  int64_t connect_timeout_ms = 5'000;
  int64_t timeout_ms = 20'000;
};

struct SmtpResult {
  Status status = {};
  int reply_code = 0;  // the server's last; 0 when it said nothing
  // Not ok, but the whole message had been written: the server may have taken it.
  bool possibly_delivered = false;
};

class SmtpClient {
 public:
  explicit SmtpClient(SmtpOptions options) : options_(std::move(options)) {}
  // `message` is the mail as RFC 5322 has it, lines ended by CR LF.
  SmtpResult Send(const std::string& from, const std::vector<std::string>& to,
                  std::string_view message) const;

 private:
  SmtpOptions options_;
};

// local@domain in printable ASCII without blanks, quotes, commas or brackets, at most 254 bytes. Stricter
// than RFC 5321 on purpose: what passes can neither end a command nor add a recipient.
bool IsMailAddress(std::string_view address);

}  // namespace tocsin::ports
