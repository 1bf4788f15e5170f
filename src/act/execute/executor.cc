#include "act/execute/executor.h"

#include <array>

namespace tocsin::act {
namespace {
constexpr std::array<std::string_view, 4> kOutcomes = {"done", "failed", "not_done", "unknown"};
}  // namespace

std::string_view OutcomeName(Receipt::Outcome outcome) { return kOutcomes.at(static_cast<size_t>(outcome)); }
bool ParseOutcome(std::string_view name, Receipt::Outcome& outcome) {
  for (size_t i = 0; i < kOutcomes.size(); ++i) {
    if (kOutcomes[i] != name) continue;
    outcome = static_cast<Receipt::Outcome>(i);
    return true;
  }
  return false;
}

bool ActionParameter::Takes(const nlohmann::json& value) const {
  if (type == "text") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  if (type == "object") return value.is_object();
  return value.is_array();
}

void ExecutorDirectory::Add(std::unique_ptr<Executor> executor) {
  for (ActionSpec& spec : executor->Actions()) {
    const std::string name = spec.name;
    by_action_.insert_or_assign(name, Entry{std::move(spec), executor.get()});
  }
  owned_.push_back(std::move(executor));
}

Executor* ExecutorDirectory::Find(std::string_view action) const {
  const auto it = by_action_.find(action);
  return it == by_action_.end() ? nullptr : it->second.executor;
}

const ActionSpec* ExecutorDirectory::Spec(std::string_view action) const {
  const auto it = by_action_.find(action);
  return it == by_action_.end() ? nullptr : &it->second.spec;
}

std::vector<const ActionSpec*> ExecutorDirectory::Specs() const {
  std::vector<const ActionSpec*> specs;
  for (const auto& [name, entry] : by_action_) specs.push_back(&entry.spec);
  return specs;
}

}  // namespace tocsin::act
