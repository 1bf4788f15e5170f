// Value: something a step is given, with who could have chosen it. What an agent wrote, what was read from
// telemetry and what another program answered is untrusted: whoever writes a log line chooses it.
//
// An untrusted value becomes a parameter only when its type is closed: it is in the inventory, is one of the
// choices the runbook names, or is a number within the runbook's bounds, or true or false. Texts by an agent
// never do. Value types.
#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::act {

enum class Origin {
  kRunbook,    // written in the runbook
  kInventory,  // read from the inventory
  kPerson,     // typed by a person
  kUndo,       // what was there before the step, as its executor read it; for the step's own inverse only
  kAgent,      // chosen by an agent
  kTelemetry,  // taken from an incident, a log line, a trace
  kOutput,     // answered by another program in an earlier step
};
std::string_view OriginName(Origin origin);
// False when there is no such origin.
bool ParseOrigin(std::string_view name, Origin& origin);
constexpr bool IsUntrusted(Origin origin) { return origin >= Origin::kAgent; }

struct ValueType {
  std::string kind = "text";  // inventory, choice, integer, number, boolean, text
  std::string inventory;      // with kind inventory: which kind of entry, as "deployment"
  std::vector<std::string> choices;
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  friend bool operator==(const ValueType&, const ValueType&) = default;
};

struct Value {
  nlohmann::json json;  // a text, a number, true or false
  Origin origin = Origin::kRunbook;
  ValueType type;
};

// A value as the text that a placeholder within a longer text becomes.
std::string TextOf(const nlohmann::json& value);

}  // namespace tocsin::act
