#include "respond/notify/signed_webhook.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ports/hmac.h"
#include "respond/json_text.h"
#include "respond/notify/notice_text.h"

namespace tocsin::respond {
namespace {

using Json = nlohmann::json;

// A header's value must be one line of printable ASCII; any other byte is written as %XX.
std::string HeaderSafe(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '%') {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

}  // namespace

std::string WebhookBody(const NotificationMessage& message) {
  Json links = Json::array();
  for (const NotificationLink& link : message.links)
    links.push_back({{"text", link.text}, {"url", link.url}});
  const Json body = {{"version", "1"},
                     {"kind", message.kind},
                     {"incident_id", message.incident_id},
                     {"title", message.title},
                     {"severity", message.severity},
                     {"source", message.source},
                     {"lines", message.lines},
                     {"links", std::move(links)},
                     {"idempotency_key", message.idempotency_key},
                     {"at", message.at.known() ? Json(FormatTime(message.at)) : Json(nullptr)}};
  return DumpJson(body);
}

std::string WebhookSignature(const std::string& secret, Time now, const std::string& body) {
  const int64_t seconds = now.ns / 1'000'000'000;
  return fmt::format("t={},v1={}", seconds,
                     ports::HmacSha256Hex(secret, fmt::format("{}.{}", seconds, body)));
}

SendOutcome SignedWebhookNotifier::Send(const NotificationMessage& message, const Destination& destination) {
  SendOutcome refused;
  if (destination.secret.empty()) {
    refused.status = Status(Code::kFailedPrecondition,
                            fmt::format("webhook {} has no signing secret; set one", destination.name));
    return refused;
  }
  const std::string body = WebhookBody(message);
  const HttpHeaders headers = {
      {"Idempotency-Key", HeaderSafe(message.idempotency_key)},
      {"X-Tocsin-Signature", WebhookSignature(destination.secret, clock_.Now(), body)}};
  PostResult posted = PostJson(destination.address, headers, body, options_);
  if (posted.outcome.ok()) posted.outcome.receipt = fmt::format("answered {}", posted.status);
  return std::move(posted.outcome);
}

}  // namespace tocsin::respond
