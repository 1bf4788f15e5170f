// ServiceGraph: who calls whom, from traces or given by hand, and who fails when whom fails, learned.
//
// Edges go from caller to callee. Calls say where a failure can come from: a callee's failure shows in its
// callers. Co-occurrence says that two services have begun to fail within one window again and again; it
// counts beginnings only, so that a service that always complains is linked to nobody.
// Bounds: kMaxServices and kMaxEdges; what comes after is not kept and counted in dropped().
// Ownership: owns its names. Thread-safety: none; const methods from many threads when nobody writes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernel/status.h"

namespace tocsin::respond {

class ServiceGraph {
 public:
  static constexpr size_t kMaxServices = 20'000;
  static constexpr size_t kMaxEdges = 200'000;
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  void AddCall(std::string_view caller, std::string_view callee);
  // The number of a service, made when it is new; kNone beyond the bound.
  uint32_t Number(std::string_view service);
  uint32_t Find(std::string_view service) const;
  const std::string& Name(uint32_t service) const { return nodes_[service].name; }
  const std::vector<uint32_t>& Callers(uint32_t service) const { return nodes_[service].callers; }
  const std::vector<uint32_t>& Callees(uint32_t service) const { return nodes_[service].callees; }
  // The service and all it calls, itself or through others, at most max_hops away, nearest first; at most
  // 1024.
  std::vector<uint32_t> Downstream(uint32_t service, int max_hops) const;
  // Likewise all that call it.
  std::vector<uint32_t> Upstream(uint32_t service, int max_hops) const;

  // One more time that `service` began to fail, together with those that began shortly before.
  void LearnOnset(uint32_t service, const std::vector<uint32_t>& with);
  // What people said: these two belong together (a merge), or do not (a split).
  void LearnTogether(uint32_t a, uint32_t b);
  void LearnApart(uint32_t a, uint32_t b);
  // True when they began together at least 3 times and in most of the onsets of either, or a person said so.
  bool Linked(uint32_t a, uint32_t b) const;
  // Those linked to the service.
  std::vector<uint32_t> LinkedTo(uint32_t service) const;
  // Those a person said it does not belong with.
  std::vector<uint32_t> ApartFrom(uint32_t service) const;
  int TimesTogether(uint32_t a, uint32_t b) const;

  size_t services() const { return nodes_.size(); }
  int64_t dropped() const { return dropped_; }

  std::string Save() const;
  static Result<ServiceGraph> Load(std::string_view bytes);

 private:
  struct Node {
    std::string name;
    std::vector<uint32_t> callers, callees, companions;
    int32_t onsets = 0;
  };
  struct Pair {
    int32_t together = 0;
    int32_t said = 0;  // merges less splits
  };
  static uint64_t KeyOf(uint32_t a, uint32_t b) { return uint64_t{a < b ? a : b} << 32 | (a < b ? b : a); }
  std::vector<uint32_t> Reach(uint32_t service, int max_hops, std::vector<uint32_t> Node::* next) const;
  Pair* PairOf(uint32_t a, uint32_t b);
  const Pair* FindPair(uint32_t a, uint32_t b) const;

  std::vector<Node> nodes_;
  std::unordered_map<std::string, uint32_t> numbers_;
  std::unordered_map<uint64_t, Pair> pairs_;
  size_t edges_ = 0;
  int64_t dropped_ = 0;
};

}  // namespace tocsin::respond
