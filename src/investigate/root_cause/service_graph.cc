#include "investigate/root_cause/service_graph.h"

#include <algorithm>
#include <set>
#include <unordered_set>

namespace tocsin::investigate {

ServiceGraph::ServiceGraph(const RootCauseInput& input) {
  const auto id = [this](const std::string& name) {
    const auto [entry, fresh] = ids_.try_emplace(name, names_.size());
    if (fresh) {
      names_.push_back(name);
      calls_.emplace_back();
    }
    return entry->second;
  };
  for (const ServiceEdge& edge : input.edges) {
    const size_t caller = id(edge.caller), callee = id(edge.callee);
    if (caller != callee) calls_[caller].push_back(callee);
  }
  const std::unordered_set<std::string> outside(input.seen_from_outside.begin(),
                                                input.seen_from_outside.end());
  std::vector<std::vector<size_t>> explains = calls_;
  for (size_t caller = 0; caller < calls_.size(); ++caller) {
    for (const size_t seen : calls_[caller]) {
      if (!outside.contains(names_[seen])) continue;
      for (const size_t sibling : calls_[caller]) {
        if (!outside.contains(names_[sibling])) explains[seen].push_back(sibling);
      }
    }
  }
  std::vector<std::set<size_t>> reached(names_.size());
  for (size_t i = 0; i < names_.size(); ++i) {
    for (const size_t j : Closure(i, explains)) reached[i].insert(j);
  }
  below_.resize(names_.size());
  for (size_t i = 0; i < names_.size(); ++i) {
    for (const size_t j : reached[i]) {
      if (j != i && !reached[j].contains(i)) below_[i].push_back(names_[j]);
    }
  }
}

std::vector<size_t> ServiceGraph::Closure(size_t from, const std::vector<std::vector<size_t>>& next) const {
  std::vector<bool> seen(names_.size(), false);
  std::vector<size_t> todo{from}, found;
  while (!todo.empty()) {
    const size_t at = todo.back();
    todo.pop_back();
    for (const size_t to : next[at]) {
      if (seen[to]) continue;
      seen[to] = true;
      found.push_back(to);
      todo.push_back(to);
    }
  }
  return found;
}

const std::vector<std::string>& ServiceGraph::Below(const std::string& service) const {
  static const std::vector<std::string> kNothing;
  const auto entry = ids_.find(service);
  return entry == ids_.end() ? kNothing : below_[entry->second];
}

std::vector<std::string> ServiceGraph::Reach(const std::string& service) const {
  std::vector<std::string> reach{service};
  if (const auto entry = ids_.find(service); entry != ids_.end()) {
    for (const size_t i : Closure(entry->second, calls_)) {
      if (names_[i] != service) reach.push_back(names_[i]);
    }
  }
  return reach;
}

}  // namespace tocsin::investigate
