// A click on a button in Slack, as Slack posts it back: checked, then read.
//
//   X-Slack-Request-Timestamp: <unix seconds>       within five minutes of now, else a replay
//   X-Slack-Signature: v0=<hex HMAC-SHA256(signing secret, "v0:" + timestamp + ":" + body)>
//   body: payload=<form-encoded JSON>
//
// Pure; thread-safe. Input is hostile: nothing is parsed before the signature holds. Errors: kUnauthenticated
// (signature, timestamp), kInvalidArgument (no click in it), kOutOfRange (too large).
// Source: Slack "Verifying requests" and "block_actions payload".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernel/status.h"
#include "kernel/time.h"

namespace tocsin::respond {

struct SlackClick {
  std::string user_id;    // "U024BE7LH"
  std::string user_name;  // for people only; it can be changed by its owner
  std::string team_id;
  std::string action;  // "acknowledge", "approve", "deny", "kill"; or an action_id that is not Tocsin's own
  std::string value;   // the button's: an incident's id, an approval's id and hash, a scope
  std::string response_url;
  bool by_bot = false;  // an app or workflow: never an acknowledgement
};

Status VerifySlackSignature(std::string_view signing_secret, std::string_view timestamp,
                            std::string_view signature, std::string_view body, Time now);
// A field of application/x-www-form-urlencoded; nothing when it is absent or not readable.
std::optional<std::string> FormField(std::string_view body, std::string_view name);
// Only for a body whose signature holds.
Result<SlackClick> ParseSlackClick(std::string_view body);

}  // namespace tocsin::respond
