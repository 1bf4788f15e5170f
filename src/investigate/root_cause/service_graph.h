// Who calls whom, and what lies below a service.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "investigate/root_cause/root_cause_input.h"

namespace tocsin::investigate {

class ServiceGraph {
 public:
  // Of the input's edges. An endpoint seen from outside lies above what its callers call: what it shows is
  // their view of one of them.
  explicit ServiceGraph(const RootCauseInput& input);

  bool empty() const { return ids_.empty(); }
  bool Has(const std::string& service) const { return ids_.contains(service); }
  // Everything `service` calls, directly or not, and nothing that calls it back. Unknown services: nothing.
  const std::vector<std::string>& Below(const std::string& service) const;
  // `service` and what it reaches through the given edges alone.
  std::vector<std::string> Reach(const std::string& service) const;

 private:
  std::vector<size_t> Closure(size_t from, const std::vector<std::vector<size_t>>& next) const;

  std::unordered_map<std::string, size_t> ids_;
  std::vector<std::string> names_;
  std::vector<std::vector<size_t>> calls_;  // as given
  std::vector<std::vector<std::string>> below_;
};

}  // namespace tocsin::investigate
