// E-mail to a real mail server, read back by another program's parser.
#include "respond/notify/email.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "respond/notify/email_message.h"
#include "respond/notify/testing/smtp_peer.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;
using testing::SmtpPeer;

class FixedClock : public ports::Clock {
 public:
  Time Now() const override { return {1'700'000'000'000'000'000}; }
  Time Monotonic() const override { return Now(); }
};
const FixedClock kClock;

NotificationMessage Page() {
  NotificationMessage message;
  message.incident_id = "INC-2K7Q";
  message.title =
      "R\xc3\xa9ponses invent\xc3\xa9"
      "es \xf0\x9f\x94\xa5";
  message.severity = "sev1";
  message.lines = {"12 % of answers", ".", std::string(300, 'w')};
  message.idempotency_key = "INC-2K7Q/page/1/ada/0";
  return message;
}

Destination Mailbox(const std::string& address) {
  return {.name = "mail", .channel = "email", .address = address};
}

std::string Header(const json& mail, const std::string& name) {
  std::string value = "(absent)";
  for (const json& header : mail["headers"]) {
    if (header[0] != name) continue;
    if (value != "(absent)") return "(twice)";
    value = header[1];
  }
  return value;
}

class Email : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!SmtpPeer::Available()) {
      GTEST_SKIP() << "no mail server to deliver to: ./x setup installs python3-aiosmtpd";
    }
  }
  // A certificate for localhost, made on the spot.
  static std::pair<std::string, std::string> Certificate() {
    const std::string base = ::testing::TempDir() + "/smtp-peer-" + std::to_string(getpid());
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout '" +
        base + ".key' -out '" + base + ".crt' >/dev/null 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return {base + ".crt", base + ".key"};
  }
};

TEST_F(Email, ArrivesReadableWithAStableMessageId) {
  SmtpPeer peer({"plain"});
  EmailNotifier email({.url = peer.Url()}, "tocsin@ops.example", kClock);
  for (int i = 0; i < 2; ++i) {
    const auto outcome = email.Send(Page(), Mailbox("ada@example.org"));
    ASSERT_TRUE(outcome.ok()) << outcome.status.ToString();
    const json mail = json::parse(peer.Line());
    EXPECT_EQ(mail["from"], "tocsin@ops.example");
    EXPECT_EQ(mail["to"], json::array({"ada@example.org"}));
    EXPECT_EQ(Header(mail, "Subject"),
              "[SEV1] R\xc3\xa9ponses invent\xc3\xa9"
              "es \xf0\x9f\x94\xa5 (INC-2K7Q)");
    EXPECT_EQ(Header(mail, "From"), "Tocsin <tocsin@ops.example>");
    EXPECT_EQ(Header(mail, "Date"), "Tue, 14 Nov 2023 22:13:20 +0000");
    EXPECT_EQ(Header(mail, "Message-ID"), MessageIdOf("INC-2K7Q/page/1/ada/0", "tocsin@ops.example"));
    EXPECT_EQ(Header(mail, "Message-ID"), outcome.receipt);
    EXPECT_EQ(Header(mail, "Auto-Submitted"), "auto-generated");
    EXPECT_NE(mail["body"].get<std::string>().find("- 12 % of answers\r\n- .\r\n"), std::string::npos)
        << mail["body"];
    EXPECT_EQ(mail["defects"], json::array());
    EXPECT_LE(mail["longest_line"].get<int>(), 78);
    EXPECT_EQ(mail["ascii"], true);
  }
}

TEST_F(Email, NoTextCanAddAHeaderARecipientOrASecondMail) {
  SmtpPeer peer({"plain"});
  EmailNotifier email({.url = peer.Url()}, "tocsin@ops.example", kClock);
  NotificationMessage hostile = Page();
  hostile.title = "x\r\nBcc: eve@example.org\r\n\r\nbody =?UTF-8?B?aGFjaw==?=";
  hostile.incident_id = "INC-1\r\nX-Injected: 1";
  hostile.idempotency_key = "k\r\nX-Injected: 2";
  hostile.lines = {"\r\n.\r\nMAIL FROM:<eve@example.org>\r\n", "\xff\xfe"};
  ASSERT_TRUE(email.Send(hostile, Mailbox("ada@example.org")).ok());
  const json mail = json::parse(peer.Line());
  EXPECT_EQ(mail["to"], json::array({"ada@example.org"}));
  EXPECT_EQ(Header(mail, "Bcc"), "(absent)");
  EXPECT_EQ(Header(mail, "X-Injected"), "(absent)");
  EXPECT_EQ(peer.Line(300), "");
  for (const std::string address : {"ada@example.org>\r\nRCPT TO:<eve@example.org", "a b@example.org", "ada",
                                    "@x", "a@b@c", "a,b@example.org", "ada@example.org\r\n", ""}) {
    const auto outcome = email.Send(Page(), Mailbox(address));
    EXPECT_EQ(outcome.status.code(), Code::kInvalidArgument) << address;
    EXPECT_FALSE(outcome.retryable);
  }
  EXPECT_EQ(peer.Line(300), "");
}

TEST_F(Email, BusyIsRetriedRefusedIsFinalAndSilenceMayHaveDelivered) {
  SmtpPeer peer({"plain"});
  EmailNotifier email({.url = peer.Url(), .timeout_ms = 5'000}, "tocsin@ops.example", kClock);
  const auto busy = email.Send(Page(), Mailbox("busy@example.org"));
  EXPECT_TRUE(busy.retryable) << busy.status.ToString();
  EXPECT_FALSE(busy.possibly_delivered);
  const auto refused = email.Send(Page(), Mailbox("refuse@example.org"));
  EXPECT_FALSE(refused.ok());
  EXPECT_FALSE(refused.retryable) << refused.status.ToString();
  EXPECT_FALSE(refused.possibly_delivered);
  const auto vanished = email.Send(Page(), Mailbox("vanish@example.org"));
  EXPECT_TRUE(vanished.retryable) << vanished.status.ToString();
  EXPECT_TRUE(vanished.possibly_delivered);
  std::string closed;
  {
    closed = SmtpPeer({"plain"}).Url();
  }
  EmailNotifier nowhere({.url = closed}, "tocsin@ops.example", kClock);
  const auto unreachable = nowhere.Send(Page(), Mailbox("ada@example.org"));
  EXPECT_TRUE(unreachable.retryable);
  EXPECT_FALSE(unreachable.possibly_delivered);
}

TEST_F(Email, StarttlsIsRequiredWhenSaidAndCertificatesAreChecked) {
  const auto [certificate, key] = Certificate();
  SmtpPeer secure({"starttls", certificate, key});
  ports::SmtpOptions options{.url = secure.Url("localhost"), .starttls = "required", .ca_file = certificate};
  EmailNotifier email(options, "tocsin@ops.example", kClock);
  const auto outcome = email.Send(Page(), Mailbox("ada@example.org"));
  ASSERT_TRUE(outcome.ok()) << outcome.status.ToString();
  EXPECT_EQ(json::parse(secure.Line())["tls"], true);

  options.ca_file.clear();  // nobody vouches for it
  EXPECT_FALSE(
      EmailNotifier(options, "tocsin@ops.example", kClock).Send(Page(), Mailbox("a@example.org")).ok());
  SmtpPeer plain({"plain"});
  options.url = plain.Url();
  EXPECT_FALSE(
      EmailNotifier(options, "tocsin@ops.example", kClock).Send(Page(), Mailbox("a@example.org")).ok());
  EXPECT_EQ(plain.Line(300), "");
}

TEST_F(Email, LogsInAndARefusedLoginIsFinal) {
  const auto [certificate, key] = Certificate();
  SmtpPeer peer({"auth", certificate, key});
  ports::SmtpOptions options{.url = peer.Url("localhost"),
                             .starttls = "required",
                             .user = "tocsin",
                             .password = "pass word",
                             .ca_file = certificate};
  const auto taken =
      EmailNotifier(options, "tocsin@ops.example", kClock).Send(Page(), Mailbox("a@example.org"));
  ASSERT_TRUE(taken.ok()) << taken.status.ToString();
  EXPECT_EQ(json::parse(peer.Line())["user"], "tocsin");
  options.password = "wrong";
  const auto refused =
      EmailNotifier(options, "tocsin@ops.example", kClock).Send(Page(), Mailbox("a@example.org"));
  EXPECT_EQ(refused.status.code(), Code::kUnauthenticated) << refused.status.ToString();
  EXPECT_FALSE(refused.retryable);
  EXPECT_EQ(refused.status.message().find("wrong"), std::string::npos);
}

TEST(EmailMessage, Base64OfTheRfc4648Vectors) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foob"), "Zm9vYg==");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
}

}  // namespace
}  // namespace tocsin::respond
