#include "respond/notify/email_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kernel/id.h"
#include "respond/notify/notice_text.h"

namespace tocsin::respond {
namespace {

constexpr size_t kMaxSubjectBytes = 500;

std::string DomainOf(std::string_view address) {
  const size_t at = address.find('@');
  return std::string(at == std::string_view::npos ? "localhost" : address.substr(at + 1));
}

// RFC 2047 words of at most 75 characters, parted at UTF-8 boundaries and folded; plain ASCII too, so that
// there is one way and a subject that looks like an encoded word stays what it says.
std::string EncodedWords(std::string_view text) {
  constexpr size_t kBytesAWord = 39;  // 52 in base64, 12 around it, and "Subject: " before the first
  std::string out;
  while (!text.empty()) {
    size_t take = std::min(kBytesAWord, text.size());
    while (take > 0 && take < text.size() && (static_cast<unsigned char>(text[take]) & 0xc0U) == 0x80U)
      --take;
    if (take == 0) take = std::min(kBytesAWord, text.size());
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + Base64(text.substr(0, take)) + "?=";
    text.remove_prefix(take);
  }
  return out;
}

// RFC 5322 date, always in UTC.
std::string MailDate(Time now) {
  static constexpr std::array<const char*, 7> kDays = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const int64_t seconds = std::max<int64_t>(0, now.ns / 1'000'000'000);
  const std::string iso = FormatTime({seconds * 1'000'000'000});  // 2026-11-24T02:10:05Z
  const auto month = static_cast<size_t>((iso[5] - '0') * 10 + (iso[6] - '0'));
  return fmt::format("{}, {} {} {} {} +0000", kDays[static_cast<size_t>(seconds / 86'400 % 7)],
                     iso.substr(8, 2), kMonths[(month + 11) % 12], iso.substr(0, 4), iso.substr(11, 8));
}

std::string FoldedBase64(std::string_view bytes) {
  const std::string all = Base64(bytes);
  std::string out;
  for (size_t at = 0; at < all.size(); at += 76) out += all.substr(at, 76) + "\r\n";
  return out;
}

std::string WithCrLf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out.push_back('\r');
    out.push_back(c);
  }
  return out;
}

}  // namespace

std::string Base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t have = std::min<size_t>(3, bytes.size() - at);
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i) {
      group = group << 8U | (i < have ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (size_t i = 0; i < 4; ++i) {
      out.push_back(i <= have ? kDigits[group >> (18U - 6U * static_cast<uint32_t>(i)) & 63U] : '=');
    }
  }
  return out;
}

std::string MessageIdOf(std::string_view idempotency_key, std::string_view from) {
  return fmt::format("<{:016x}{:016x}@{}>", StableHash(idempotency_key), StableHash(idempotency_key, 1),
                     DomainOf(from));
}

std::string BuildEmail(const EmailParts& parts, const NotificationMessage& message, Time now) {
  const std::string subject = CutUtf8(CleanText(parts.subject, false), kMaxSubjectBytes);
  std::string out;
  out += "Date: " + MailDate(now) + "\r\n";
  out += "From: " + EncodedWords(CutUtf8(CleanText(parts.from_name, false), 100)) + "\r\n <" + parts.from +
         ">\r\n";
  out += "To: <" + parts.to + ">\r\n";
  out += "Message-ID: " + MessageIdOf(message.idempotency_key, parts.from) + "\r\n";
  if (!message.incident_id.empty()) {
    out += "References: " + MessageIdOf("incident/" + message.incident_id, parts.from) + "\r\n";
  }
  out += "Subject: " + EncodedWords(subject.empty() ? "Tocsin" : subject) + "\r\n";
  out += "Auto-Submitted: auto-generated\r\n";
  if (message.kind == "page") out += "X-Priority: 1\r\nImportance: high\r\n";
  out += "MIME-Version: 1.0\r\n";
  out += "Content-Type: text/plain; charset=utf-8\r\n";
  out += "Content-Transfer-Encoding: base64\r\n\r\n";
  out += FoldedBase64(WithCrLf(CleanText(parts.body, true)) + "\r\n");
  return out;
}

}  // namespace tocsin::respond
