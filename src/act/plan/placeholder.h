// Placeholders: "{{ inputs.deployment }}" in a text of a runbook becomes a value, once, and never code: what
// a value contains is not looked at again, and a value cannot become a key.
//
//   {{ inputs.NAME }}   {{ steps.ID.outputs.NAME }}   {{ undo.NAME }}   {{ incident.FIELD }}   {{ run.id }}
//
// A text that is one placeholder and nothing else becomes the value with its type; within a longer text it
// becomes text. Pure; thread-safe. Errors: kInvalidArgument (syntax, with the place), kNotFound (no such
// value, named).
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "act/plan/value.h"
#include "kernel/status.h"

namespace tocsin::act {

// One value that went into a parameter, for the policy.
struct ParameterPart {
  std::string source;  // "inputs.deployment", "steps.a.outputs.y"
  nlohmann::json value;
  Origin origin = Origin::kRunbook;
  ValueType type;
};
struct Parameter {
  std::string name;                  // where: "with.namespace", "with.headers.x", "targets[0]"
  std::vector<ParameterPart> parts;  // those of placeholders; what the runbook spells out is no part
};

// `source` is the placeholder's text without braces and blanks.
using Lookup = std::function<Result<Value>(std::string_view source)>;

struct Resolved {
  nlohmann::json json;
  std::vector<Parameter> parameters;  // one a text that had placeholders
};
// Every text within `json`; `at` is the name's beginning.
Result<Resolved> ResolvePlaceholders(const nlohmann::json& json, const Lookup& lookup, const std::string& at);
// What a template asks for, in order: for lint and plan. Errors as above, but for kNotFound.
Result<std::vector<std::string>> PlaceholdersIn(const nlohmann::json& json);

}  // namespace tocsin::act
