#include "respond/alerts/service_graph.h"

#include <algorithm>
#include <unordered_set>

#include "stats/state_codec.h"

namespace tocsin::respond {
namespace {

constexpr uint32_t kVersion = 1;
constexpr size_t kMaxReach = 1024;
constexpr int kEnoughOnsets = 3;
constexpr double kEnoughShare = 0.6;
constexpr int32_t kForgetAt = 1000;  // counts are halved here, so that old habits fade

bool AddTo(std::vector<uint32_t>& list, uint32_t value) {
  if (std::find(list.begin(), list.end(), value) != list.end()) return false;
  list.push_back(value);
  return true;
}

}  // namespace

uint32_t ServiceGraph::Number(std::string_view service) {
  if (const uint32_t known = Find(service); known != kNone) return known;
  if (nodes_.size() >= kMaxServices || service.empty()) {
    ++dropped_;
    return kNone;
  }
  nodes_.emplace_back().name = service;
  const auto number = static_cast<uint32_t>(nodes_.size() - 1);
  numbers_.emplace(service, number);
  return number;
}

uint32_t ServiceGraph::Find(std::string_view service) const {
  const auto found = numbers_.find(std::string(service));
  return found == numbers_.end() ? kNone : found->second;
}

void ServiceGraph::AddCall(std::string_view caller, std::string_view callee) {
  const uint32_t from = Number(caller);
  const uint32_t to = Number(callee);
  if (from == kNone || to == kNone || from == to) return;
  if (edges_ >= kMaxEdges) {
    ++dropped_;
    return;
  }
  if (!AddTo(nodes_[from].callees, to)) return;
  nodes_[to].callers.push_back(from);
  ++edges_;
}

std::vector<uint32_t> ServiceGraph::Downstream(uint32_t service, int max_hops) const {
  return Reach(service, max_hops, &Node::callees);
}

std::vector<uint32_t> ServiceGraph::Upstream(uint32_t service, int max_hops) const {
  return Reach(service, max_hops, &Node::callers);
}

std::vector<uint32_t> ServiceGraph::Reach(uint32_t service, int max_hops,
                                          std::vector<uint32_t> Node::* next) const {
  std::vector<uint32_t> out = {service};
  std::unordered_set<uint32_t> seen = {service};
  size_t from = 0;
  for (int hop = 0; hop < max_hops; ++hop) {
    const size_t until = out.size();
    for (; from < until; ++from) {
      for (const uint32_t other : nodes_[out[from]].*next) {
        if (out.size() >= kMaxReach) return out;
        if (seen.insert(other).second) out.push_back(other);
      }
    }
  }
  return out;
}

ServiceGraph::Pair* ServiceGraph::PairOf(uint32_t a, uint32_t b) {
  const auto found = pairs_.find(KeyOf(a, b));
  if (found != pairs_.end()) return &found->second;
  if (pairs_.size() >= kMaxEdges || a == b) {
    ++dropped_;
    return nullptr;
  }
  AddTo(nodes_[a].companions, b);
  AddTo(nodes_[b].companions, a);
  return &pairs_[KeyOf(a, b)];
}

const ServiceGraph::Pair* ServiceGraph::FindPair(uint32_t a, uint32_t b) const {
  const auto found = pairs_.find(KeyOf(a, b));
  return found == pairs_.end() ? nullptr : &found->second;
}

void ServiceGraph::LearnOnset(uint32_t service, const std::vector<uint32_t>& with) {
  Node& node = nodes_[service];
  if (++node.onsets >= kForgetAt) {
    node.onsets /= 2;
    for (const uint32_t other : node.companions) pairs_[KeyOf(service, other)].together /= 2;
  }
  for (const uint32_t other : with) {
    if (Pair* pair = PairOf(service, other)) ++pair->together;
  }
}

void ServiceGraph::LearnTogether(uint32_t a, uint32_t b) {
  if (Pair* pair = PairOf(a, b)) pair->said = std::clamp(pair->said + 1, 1, 100);
}

void ServiceGraph::LearnApart(uint32_t a, uint32_t b) {
  if (Pair* pair = PairOf(a, b)) pair->said = std::clamp(pair->said - 1, -100, -1);
}

bool ServiceGraph::Linked(uint32_t a, uint32_t b) const {
  const Pair* pair = FindPair(a, b);
  if (pair == nullptr || pair->said < 0) return false;
  if (pair->said > 0) return true;
  const int32_t most = std::max(nodes_[a].onsets, nodes_[b].onsets);
  return pair->together >= kEnoughOnsets && pair->together >= kEnoughShare * most;
}

std::vector<uint32_t> ServiceGraph::LinkedTo(uint32_t service) const {
  std::vector<uint32_t> out;
  for (const uint32_t other : nodes_[service].companions) {
    if (Linked(service, other)) out.push_back(other);
  }
  return out;
}

std::vector<uint32_t> ServiceGraph::ApartFrom(uint32_t service) const {
  std::vector<uint32_t> out;
  for (const uint32_t other : nodes_[service].companions) {
    const Pair* pair = FindPair(service, other);
    if (pair != nullptr && pair->said < 0) out.push_back(other);
  }
  return out;
}

int ServiceGraph::TimesTogether(uint32_t a, uint32_t b) const {
  const Pair* pair = FindPair(a, b);
  return pair == nullptr ? 0 : pair->together;
}

std::string ServiceGraph::Save() const {
  stats::StateWriter out;
  out.Put(kVersion);
  out.Put<uint64_t>(nodes_.size());
  for (const Node& node : nodes_) {
    out.PutString(node.name);
    out.Put(node.onsets);
    out.PutVector(node.callees);
  }
  out.Put<uint64_t>(pairs_.size());
  for (const auto& [key, pair] : pairs_) {
    out.Put(key);
    out.Put(pair.together);
    out.Put(pair.said);
  }
  return out.Take();
}

Result<ServiceGraph> ServiceGraph::Load(std::string_view bytes) {
  stats::StateReader reader(bytes);
  ServiceGraph out;
  if (reader.Get<uint32_t>() != kVersion) return Error(Code::kDataLoss, "service graph: not of version 1");
  const auto count = reader.Get<uint64_t>();
  std::vector<std::vector<uint32_t>> callees;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const uint32_t number = out.Number(reader.GetString());
    if (number != i) return Error(Code::kDataLoss, "service graph: a service twice, or too many");
    out.nodes_[number].onsets = reader.Get<int32_t>();
    reader.GetVector(callees.emplace_back());
  }
  for (size_t from = 0; from < callees.size() && reader.ok(); ++from) {
    for (const uint32_t to : callees[from]) {
      if (to >= out.nodes_.size()) return Error(Code::kDataLoss, "service graph: a call to nobody");
      out.AddCall(out.Name(static_cast<uint32_t>(from)), out.Name(to));
    }
  }
  const auto pairs = reader.Get<uint64_t>();
  for (uint64_t i = 0; i < pairs && reader.ok(); ++i) {
    const auto key = reader.Get<uint64_t>();
    const auto a = static_cast<uint32_t>(key >> 32);
    const auto b = static_cast<uint32_t>(key);
    const auto together = reader.Get<int32_t>();
    const auto said = reader.Get<int32_t>();
    if (a >= out.nodes_.size() || b >= out.nodes_.size())
      return Error(Code::kDataLoss, "service graph: a bad pair");
    if (Pair* pair = out.PairOf(a, b)) *pair = {together, said};
  }
  if (!reader.ok() || reader.left() != 0)
    return Error(Code::kDataLoss, "service graph: cut short or damaged");
  return out;
}

}  // namespace tocsin::respond
