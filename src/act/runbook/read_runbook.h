// Reads a runbook from YAML; the format is docs/formats/runbook.md.
//
// Strict: an unknown key, one that comes twice, a wrong type, a placeholder that is none, a claim that does
// not read, is an error with its place ("runbooks/x.yaml:12: steps[2].with.replicas: …"). What the file alone
// cannot tell (actions, other runbooks, people) is for lint. Bounds: 256 KiB, 16 levels, kMaxPlanSteps steps
// in a list. Pure; thread-safe. Errors: kInvalidArgument.
#pragma once

#include <string>
#include <string_view>

#include "act/runbook/runbook.h"
#include "kernel/status.h"
#include "ports/yaml/yaml_value.h"

namespace tocsin::act {

inline constexpr size_t kMaxRunbookBytes = 256u << 10;

// The first of what is wrong, by line.
Result<Runbook> ReadRunbook(std::string_view text, const std::string& file);
// All that is wrong is noted at the document; then what is returned is not whole.
Runbook ReadRunbookDocument(const ports::YamlValue& root);

// Letters, digits, - and _, at most 64: what runbooks, steps, inputs and outputs are called.
bool IsRunbookName(std::string_view name);
// A value against the type a runbook gives: kInvalidArgument says what is wanted. Whether an entry is in the
// inventory is for the policy.
Status CheckValue(const ValueType& type, const nlohmann::json& value);

}  // namespace tocsin::act
