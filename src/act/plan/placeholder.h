// Placeholders: "{{ inputs.deployment }}" in a text of a runbook becomes a value, once, and never code: what
// a value contains is not looked at again, and a value cannot become a key.
//
//   {{ inputs.NAME }}   {{ steps.ID.outputs.NAME }}   {{ undo.NAME }}   {{ incident.FIELD }}   {{ run.id }}
//
// Names are letters, digits, "-", "_" and "/". "{{" is never literal. A text that is one placeholder and
// nothing else becomes the value with its type, whatever that is; within a longer text it becomes text, and
// must be a text, a number, true or false. An executor's usual inverse also has {{ with.NAME }}.
//
// Pure; thread-safe. Bounds: 32 levels, a resolved text of 64 KiB. Errors: kInvalidArgument (syntax, with the
// place); those of the lookup as they are (kNotFound: no such value, named).
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

// A template in the place of each placeholder: "{{ inputs.STEP/x }}" for "inputs.x", or any other text with
// placeholders of its own. What is no text can only take the place of a whole text. Gives a template.
using Substitute = std::function<Result<nlohmann::json>(std::string_view source)>;
Result<nlohmann::json> SubstitutePlaceholders(const nlohmann::json& json, const Substitute& substitute,
                                              const std::string& at);
// Within sub-runbook `step`: inputs.x is inputs.STEP/x, steps.a is steps.STEP/a; all else stays.
std::string SourceWithin(std::string_view step, std::string_view source);
// "{{ source }}"
std::string PlaceholderOf(std::string_view source);

// What a source names, when it is well formed.
struct SourceParts {
  std::string root;  // inputs, steps, undo, incident, run, with
  std::string name;  // of the input, output, field
  std::string step;  // with root steps
};
// kInvalidArgument: no such form.
Result<SourceParts> PartsOfSource(std::string_view source);
// The source, when the text is one placeholder and nothing else; "" otherwise.
std::string SoleSource(const nlohmann::json& text);

}  // namespace tocsin::act
