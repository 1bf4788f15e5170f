// RunbookLibrary: the runbooks of a directory, read and checked as a whole. Immutable once made; a reload
// makes a new one. Thread-safe. Bounds: kMaxRunbooks files of 256 KiB.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "act/plan/plan.h"
#include "act/runbook/runbook.h"
#include "kernel/status.h"

namespace tocsin::act {

inline constexpr size_t kMaxRunbooks = 2000;

class RunbookLibrary {
 public:
  // *.yaml and *.yml in `directory`, not below. What is wrong with a file takes nothing from the others:
  // it is in problems(). kNotFound when there is no such directory.
  static Result<std::shared_ptr<const RunbookLibrary>> Read(const std::string& directory);
  static std::shared_ptr<const RunbookLibrary> Of(std::vector<Runbook> runbooks);

  const Runbook* Find(std::string_view id) const;
  std::vector<const Runbook*> All() const;  // by id
  const std::vector<Status>& problems() const { return problems_; }
  // Of the runbook and all it calls; "" when there is none.
  std::string VersionOf(std::string_view id) const;

  // The runbook made flat with these inputs: kInvalidArgument names the input that is missing, unknown or of
  // a wrong type, kNotFound the sub-runbook, kOutOfRange more than kMaxPlanSteps steps or 5 levels.
  // `origin_of` says who chose an input.
  Result<Plan> MakePlan(std::string_view id, const nlohmann::json& inputs,
                        const std::function<Origin(std::string_view input)>& origin_of) const;

 private:
  std::map<std::string, Runbook, std::less<>> by_id_;
  std::vector<Status> problems_;
};

}  // namespace tocsin::act
