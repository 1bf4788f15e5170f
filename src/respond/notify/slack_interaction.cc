#include "respond/notify/slack_interaction.h"

#include <charconv>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>

#include "kernel/id.h"
#include "ports/hmac.h"
#include "respond/notify/notice_text.h"
#include "respond/notify/slack_webhook.h"

namespace tocsin::respond {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxBodyBytes = 256u << 10;
constexpr int64_t kMaxSkewSeconds = 300;
constexpr size_t kMaxFieldBytes = 2000;

// application/x-www-form-urlencoded; nothing when a % is not followed by two hex digits.
std::optional<std::string> FormDecode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] == '%') {
      std::string byte;
      if (i + 2 >= text.size() || !HexDecode(text.substr(i + 1, 2), byte)) return std::nullopt;
      out += byte;
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string Text(const Json& object, const char* name) {
  if (!object.is_object() || !object.contains(name) || !object[name].is_string()) return "";
  return CutUtf8(CleanText(object[name].get<std::string>(), false), kMaxFieldBytes);
}

bool IsBot(const Json& user, const std::string& id) {
  const bool said = user.is_object() && user.contains("is_bot") && user["is_bot"] == true;
  return said || user.contains("bot_id") || id.starts_with('B') || id == "USLACKBOT";
}

}  // namespace

std::optional<std::string> FormField(std::string_view body, std::string_view name) {
  while (!body.empty()) {
    const std::string_view pair = body.substr(0, body.find('&'));
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      return FormDecode(pair.substr(name.size() + 1));
    }
    body.remove_prefix(std::min(body.size(), pair.size() + 1));
  }
  return std::nullopt;
}

Status VerifySlackSignature(std::string_view signing_secret, std::string_view timestamp,
                            std::string_view signature, std::string_view body, Time now) {
  if (signing_secret.empty()) return Status(Code::kUnauthenticated, "no Slack signing secret is set");
  if (body.size() > kMaxBodyBytes) return Status(Code::kOutOfRange, "larger than any click Slack sends");
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), seconds);
  if (error != std::errc() || end != timestamp.data() + timestamp.size() || seconds < 0) {
    return Status(Code::kUnauthenticated, "X-Slack-Request-Timestamp is not a number of seconds");
  }
  const int64_t now_seconds = now.ns / 1'000'000'000;
  if (seconds < now_seconds - kMaxSkewSeconds || seconds > now_seconds + kMaxSkewSeconds) {
    return Status(Code::kUnauthenticated, "X-Slack-Request-Timestamp is more than five minutes from now");
  }
  std::string base = "v0:";
  base.append(timestamp).append(":").append(body);
  const std::string expected = "v0=" + ports::HmacSha256Hex(signing_secret, base);
  if (ports::ConstantTimeEquals(expected, signature)) return Status::Ok();
  return Status(Code::kUnauthenticated, "X-Slack-Signature does not hold: not from Slack, or another secret");
}

Result<SlackClick> ParseSlackClick(std::string_view body) {
  if (body.size() > kMaxBodyBytes) return Error(Code::kOutOfRange, "larger than any click Slack sends");
  const auto payload = FormField(body, "payload");
  if (!payload) return Error(Code::kInvalidArgument, "the form has no readable 'payload'");
  try {
    const Json json = Json::parse(*payload);
    if (Text(json, "type") != "block_actions") {
      return Error(Code::kInvalidArgument, "payload: type is not block_actions");
    }
    if (!json.contains("actions") || !json["actions"].is_array() || json["actions"].empty()) {
      return Error(Code::kInvalidArgument, "payload: actions is empty");
    }
    SlackClick click;
    const Json user = json.value("user", Json::object());
    click.user_id = Text(user, "id");
    if (click.user_id.empty()) return Error(Code::kInvalidArgument, "payload: user.id is missing");
    click.user_name = Text(user, "name").empty() ? Text(user, "username") : Text(user, "name");
    click.team_id = Text(json.value("team", Json::object()), "id");
    const Json& action = json["actions"][0];
    const std::string action_id = Text(action, "action_id");
    click.action =
        action_id.starts_with(kSlackActionPrefix) ? action_id.substr(kSlackActionPrefix.size()) : action_id;
    click.value = Text(action, "value");
    click.response_url = Text(json, "response_url");
    click.by_bot = IsBot(user, click.user_id);
    return click;
  } catch (const std::exception&) {
    return Error(Status::FromException("reading the payload", Code::kInvalidArgument));
  }
}

}  // namespace tocsin::respond
