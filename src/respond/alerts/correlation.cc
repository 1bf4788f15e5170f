#include "respond/alerts/correlation.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tocsin::respond {
namespace {

constexpr uint32_t kNoService = ServiceGraph::kNone;
constexpr size_t kMaxOnsets = 256;
constexpr size_t kMaxLearned = 16;  // services of each side of a merge or split that are learned from
constexpr Duration kOldestStart = Duration::Hours(1);

void AddOnce(std::vector<uint64_t>& list, uint64_t id) {
  if (id != 0 && std::find(list.begin(), list.end(), id) == list.end()) list.push_back(id);
}

}  // namespace

std::string_view ServiceOf(signal::Labels labels) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "service", "service_name", "service.name", "app", "app_kubernetes_io_name", "component", "job"};
  for (const std::string_view name : kNames) {
    if (const std::string_view value = signal::LabelValue(labels, name); !value.empty()) return value;
  }
  return {};
}

uint64_t Correlator::Open(Time now) {
  if (open_.size() >= settings_.max_open) CloseQuietest();
  const uint64_t id = next_id_++;
  Cluster& cluster = clusters_[id];
  cluster.first_at = cluster.last_at = now;
  open_.insert(id);
  return id;
}

void Correlator::CloseQuietest() {
  // Of the 64 oldest: looking at all of them for each new one would be quadratic in a flood.
  auto quietest = open_.begin();
  size_t seen = 0;
  for (auto at = open_.begin(); at != open_.end() && seen < 64; ++at, ++seen) {
    if (clusters_.at(*at).last_at < clusters_.at(*quietest).last_at) quietest = at;
  }
  if (quietest != open_.end()) Shut(uint64_t{*quietest});
}

void Correlator::Shut(uint64_t id) {
  Cluster& cluster = clusters_.at(id);
  cluster.open = false;
  open_.erase(id);
  for (const auto& [service, failing] : cluster.services) {
    const auto found = by_service_.find(service);
    if (found != by_service_.end() && found->second == id) by_service_.erase(found);
  }
  for (const std::string& name : cluster.nameless) {
    const auto found = by_nameless_.find(name);
    if (found != by_nameless_.end() && found->second == id) by_nameless_.erase(found);
  }
  closed_.push_back(id);
  while (closed_.size() > settings_.max_closed) Forget(uint64_t{closed_.front()});
}

bool Correlator::StillFiring(Cluster& cluster, Time now, const std::function<bool(uint64_t)>& firing) {
  bool any = false;
  for (auto& [service, failing] : cluster.services) {
    if (std::none_of(failing.fingerprints.begin(), failing.fingerprints.end(), firing)) continue;
    failing.last_at = now;
    any = true;
  }
  if (any) cluster.last_at = now;
  return any;
}

std::vector<uint64_t> Correlator::Close(Time now, const std::function<bool(uint64_t)>& firing) {
  std::vector<uint64_t> out;
  for (const uint64_t id : open_) {
    Cluster& cluster = clusters_.at(id);
    if (now - cluster.last_at <= settings_.window) continue;
    if (firing && StillFiring(cluster, now, firing)) continue;
    out.push_back(id);
  }
  for (const uint64_t id : out) Shut(id);
  return out;
}

void Correlator::Forget(uint64_t id) {
  const auto found = clusters_.find(id);
  if (found == clusters_.end()) return;
  if (found->second.open) Shut(id);
  std::erase(closed_, id);
  for (const auto& [service, failing] : found->second.services) {
    for (const uint64_t fp : failing.fingerprints) {
      const auto at = by_fingerprint_.find(fp);
      if (at != by_fingerprint_.end() && at->second == id) by_fingerprint_.erase(at);
    }
  }
  clusters_.erase(found);
}

uint64_t Correlator::LiveClusterOf(uint32_t service, Time now) const {
  const auto found = by_service_.find(service);
  if (found == by_service_.end()) return 0;
  const Failing& failing = clusters_.at(found->second).services.at(service);
  return now - failing.last_at <= settings_.window ? found->second : 0;
}

void Correlator::AddSharedCallees(uint32_t service, Time now, std::vector<uint64_t>& clusters) const {
  for (const uint32_t callee : graph_.Callees(service)) {
    if (LiveClusterOf(callee, now) != 0) continue;
    const std::vector<uint32_t>& callers = graph_.Callers(callee);
    std::vector<uint64_t> of_callers;
    size_t failing = 1;  // the service itself
    for (const uint32_t caller : callers) {
      const uint64_t cluster = caller == service ? 0 : LiveClusterOf(caller, now);
      failing += cluster != 0 ? 1 : 0;
      AddOnce(of_callers, cluster);
    }
    const double needed =
        std::max(2.0, std::ceil(settings_.shared_callee_share * static_cast<double>(callers.size())));
    if (static_cast<double>(failing) < needed) continue;
    for (const uint64_t cluster : of_callers) AddOnce(clusters, cluster);
  }
}

void Correlator::AddBurst(uint32_t service, Time now, std::vector<uint64_t>& clusters) const {
  std::vector<uint32_t> together;
  size_t before = 0;
  for (const auto& [at, other] : onsets_) {
    if (now - at > settings_.window || other == service) continue;
    if (now - at > settings_.burst_window)
      ++before;
    else if (std::find(together.begin(), together.end(), other) == together.end())
      together.push_back(other);
  }
  if (together.size() + 1 < settings_.burst_services) return;
  const double rest = settings_.window.seconds() - settings_.burst_window.seconds();
  const double usual = rest <= 0 ? 0 : static_cast<double>(before) * settings_.burst_window.seconds() / rest;
  if (static_cast<double>(together.size() + 1) < 5 * usual) return;
  for (const uint32_t other : together) AddOnce(clusters, LiveClusterOf(other, now));
}

std::vector<uint64_t> Correlator::LinkedClusters(uint32_t service, Time now) const {
  std::vector<uint64_t> out;
  for (const uint32_t other : graph_.Downstream(service, settings_.max_hops))
    AddOnce(out, LiveClusterOf(other, now));
  for (const uint32_t other : graph_.Upstream(service, settings_.max_hops))
    AddOnce(out, LiveClusterOf(other, now));
  for (const uint32_t other : graph_.LinkedTo(service)) AddOnce(out, LiveClusterOf(other, now));
  AddSharedCallees(service, now, out);
  AddBurst(service, now, out);
  std::erase_if(out, [&](uint64_t id) { return !MayJoin(service, clusters_.at(id)); });
  std::sort(out.begin(), out.end());  // the oldest keeps its id
  return out;
}

bool Correlator::MayJoin(uint32_t service, const Cluster& cluster) const {
  if (cluster.services.size() >= settings_.max_services) return false;
  for (const uint32_t other : graph_.ApartFrom(service)) {
    if (cluster.services.contains(other)) return false;
  }
  return true;
}

bool Correlator::MayMerge(const Cluster& into, const Cluster& from) const {
  if (into.services.size() + from.services.size() > settings_.max_services) return false;
  return std::all_of(from.services.begin(), from.services.end(), [&](const auto& entry) {
    return entry.first == kNoService || MayJoin(entry.first, into);
  });
}

void Correlator::Absorb(uint64_t into, uint64_t from) {
  Cluster& target = clusters_.at(into);
  Cluster source = std::move(clusters_.at(from));
  if (source.open && !target.open) {
    target.open = true;
    open_.insert(into);
    std::erase(closed_, into);
  }
  for (auto& [service, failing] : source.services) {
    for (const uint64_t fp : failing.fingerprints) {
      uint64_t& at = by_fingerprint_[fp];
      if (at == from) at = into;  // else it came back later and is in another cluster
    }
    if (service != kNoService && target.open) {
      const auto [at, fresh] = by_service_.try_emplace(service, into);
      if (!fresh && at->second == from) at->second = into;
    }
    const auto [at, fresh] = target.services.try_emplace(service, std::move(failing));
    if (fresh) continue;
    at->second.first_at = std::min(at->second.first_at, failing.first_at);
    at->second.last_at = std::max(at->second.last_at, failing.last_at);
    at->second.fingerprints.insert(at->second.fingerprints.end(), failing.fingerprints.begin(),
                                   failing.fingerprints.end());
  }
  for (const std::string& name : source.nameless) {
    if (target.open) by_nameless_[name] = into;
    target.nameless.push_back(name);
  }
  target.first_at = std::min(target.first_at, source.first_at);
  target.last_at = std::max(target.last_at, source.last_at);
  open_.erase(from);
  std::erase(closed_, from);
  clusters_.erase(from);
}

void Correlator::LearnOnset(uint32_t service, Time now) {
  while (!onsets_.empty() && now - onsets_.front().first > settings_.window) onsets_.pop_front();
  std::vector<uint32_t> with;
  for (const auto& [at, other] : onsets_) {
    if (other != service && std::find(with.begin(), with.end(), other) == with.end()) with.push_back(other);
  }
  graph_.LearnOnset(service, with);
  onsets_.emplace_back(now, service);
  if (onsets_.size() > kMaxOnsets) onsets_.pop_front();
}

Correlator::Placed Correlator::PlaceService(uint32_t service, Time now) {
  Placed placed;
  placed.cluster = LiveClusterOf(service, now);
  if (placed.cluster != 0) return placed;
  const std::vector<uint64_t> linked = LinkedClusters(service, now);
  LearnOnset(service, now);
  // A service that was quiet for longer than the window leaves its old cluster's alerts where they are.
  by_service_.erase(service);
  if (linked.empty()) {
    placed.cluster = Open(now);
    placed.opened = true;
  } else {
    placed.cluster = linked.front();
    for (size_t i = 1; i < linked.size(); ++i) {
      if (!MayMerge(clusters_.at(placed.cluster), clusters_.at(linked[i]))) continue;
      Absorb(placed.cluster, linked[i]);
      placed.merged.push_back(linked[i]);
    }
  }
  by_service_[service] = placed.cluster;
  return placed;
}

Correlator::Placed Correlator::PlaceNameless(const std::string& alert_name, Time now) {
  Placed placed;
  const auto found = by_nameless_.find(alert_name);
  if (found != by_nameless_.end() && now - clusters_.at(found->second).last_at <= settings_.window) {
    placed.cluster = found->second;
    return placed;
  }
  placed.cluster = Open(now);
  placed.opened = true;
  by_nameless_[alert_name] = placed.cluster;
  clusters_.at(placed.cluster).nameless.push_back(alert_name);
  return placed;
}

Correlator::Placed Correlator::Place(uint64_t fingerprint, signal::Labels labels, Time starts_at, Time now) {
  const Time start = std::clamp(starts_at, now - kOldestStart, now);
  const std::string_view name = ServiceOf(labels);
  const uint32_t service = name.empty() ? kNoService : graph_.Number(name);
  const auto known = by_fingerprint_.find(fingerprint);
  if (known != by_fingerprint_.end() && clusters_.at(known->second).open) {
    Cluster& cluster = clusters_.at(known->second);
    const auto failing = cluster.services.find(service);
    if (failing != cluster.services.end()) {
      failing->second.last_at = std::max(failing->second.last_at, now);
      cluster.last_at = std::max(cluster.last_at, now);
      return {known->second, false, {}};
    }
  }
  Placed placed = service != kNoService
                      ? PlaceService(service, now)
                      : PlaceNameless(std::string(signal::LabelValue(labels, "alertname")), now);
  Cluster& cluster = clusters_.at(placed.cluster);
  const auto [at, fresh] = cluster.services.try_emplace(service, Failing{start, now, {}});
  at->second.first_at = std::min(at->second.first_at, start);
  at->second.last_at = now;
  at->second.fingerprints.push_back(fingerprint);
  cluster.first_at = std::min(cluster.first_at, start);
  cluster.last_at = now;
  by_fingerprint_[fingerprint] = placed.cluster;
  return placed;
}

uint64_t Correlator::Restore(const std::vector<Member>& members) {
  const uint64_t id = Open(Time{});
  Cluster& cluster = clusters_.at(id);
  for (const auto& member : members) {
    if (!by_fingerprint_.try_emplace(member.fingerprint, id).second) continue;
    const uint32_t service = member.service.empty() ? kNoService : graph_.Number(member.service);
    const auto [at, fresh] = cluster.services.try_emplace(service, Failing{member.first_at, {}, {}});
    at->second.first_at = std::min(at->second.first_at, member.first_at);
    at->second.last_at = std::max(at->second.last_at, member.last_at);
    at->second.fingerprints.push_back(member.fingerprint);
    if (service != kNoService) {
      by_service_.try_emplace(service, id);
    } else if (by_nameless_.try_emplace(member.alert_name, id).second) {
      cluster.nameless.push_back(member.alert_name);
    }
    cluster.first_at =
        cluster.first_at.known() ? std::min(cluster.first_at, member.first_at) : member.first_at;
    cluster.last_at = std::max(cluster.last_at, member.last_at);
  }
  return id;
}

std::optional<ClusterView> Correlator::Find(uint64_t id) const {
  const auto found = clusters_.find(id);
  if (found == clusters_.end()) return std::nullopt;
  const Cluster& cluster = found->second;
  ClusterView out{id, cluster.first_at, cluster.last_at, {}, {}, cluster.open};
  std::vector<std::pair<Time, uint32_t>> order;
  for (const auto& [service, failing] : cluster.services) {
    if (service != kNoService) order.emplace_back(failing.first_at, service);
    for (const uint64_t fp : failing.fingerprints) {
      // An alert that came back later is in a later cluster now.
      const auto at = by_fingerprint_.find(fp);
      if (at != by_fingerprint_.end() && at->second == id) out.fingerprints.push_back(fp);
    }
  }
  std::sort(order.begin(), order.end());
  for (const auto& [at, service] : order) out.services.push_back(graph_.Name(service));
  std::sort(out.fingerprints.begin(), out.fingerprints.end());
  out.fingerprints.erase(std::unique(out.fingerprints.begin(), out.fingerprints.end()),
                         out.fingerprints.end());
  return out;
}

uint64_t Correlator::ClusterOf(uint64_t fingerprint) const {
  const auto found = by_fingerprint_.find(fingerprint);
  return found == by_fingerprint_.end() ? 0 : found->second;
}

void Correlator::Learn(const std::vector<uint32_t>& some, const std::vector<uint32_t>& others,
                       bool together) {
  for (size_t i = 0; i < std::min(some.size(), kMaxLearned); ++i) {
    for (size_t j = 0; j < std::min(others.size(), kMaxLearned); ++j) {
      if (some[i] == others[j] || some[i] == kNoService || others[j] == kNoService) continue;
      together ? graph_.LearnTogether(some[i], others[j]) : graph_.LearnApart(some[i], others[j]);
    }
  }
}

Status Correlator::Merge(uint64_t into, uint64_t from) {
  if (into == from) return Status(Code::kInvalidArgument, "a cluster cannot be merged into itself");
  if (!clusters_.contains(into) || !clusters_.contains(from))
    return Status(Code::kNotFound, "no such cluster");
  std::vector<uint32_t> left, right;
  for (const auto& [service, failing] : clusters_.at(into).services) left.push_back(service);
  for (const auto& [service, failing] : clusters_.at(from).services) right.push_back(service);
  Absorb(into, from);
  Learn(left, right, true);
  return {};
}

Result<uint64_t> Correlator::Split(uint64_t id, const std::vector<std::string>& services) {
  const auto found = clusters_.find(id);
  if (found == clusters_.end()) return Error(Code::kNotFound, "no such cluster");
  std::vector<uint32_t> moved, staying;
  for (const std::string& name : services) {
    const uint32_t service = graph_.Find(name);
    if (service == kNoService || !found->second.services.contains(service)) {
      return Error(Code::kInvalidArgument, "'" + name.substr(0, 64) + "' has no alert in this cluster");
    }
    if (std::find(moved.begin(), moved.end(), service) == moved.end()) moved.push_back(service);
  }
  for (const auto& [service, failing] : found->second.services) {
    if (std::find(moved.begin(), moved.end(), service) == moved.end()) staying.push_back(service);
  }
  if (moved.empty() || staying.empty())
    return Error(Code::kInvalidArgument, "a split leaves services on both sides");
  const Time last_at = found->second.last_at;
  const bool open = found->second.open;
  const uint64_t made = next_id_++;
  Cluster& fresh = clusters_[made];  // `found` may be invalid from here on
  Cluster& old = clusters_.at(id);
  fresh.open = open;
  fresh.first_at = fresh.last_at = last_at;
  for (const uint32_t service : moved) {
    auto node = old.services.extract(service);
    fresh.first_at = std::min(fresh.first_at, node.mapped().first_at);
    for (const uint64_t fp : node.mapped().fingerprints) {
      if (by_fingerprint_[fp] == id) by_fingerprint_[fp] = made;
    }
    if (open) by_service_[service] = made;
    fresh.services.insert(std::move(node));
  }
  if (open) {
    open_.insert(made);
  } else {
    closed_.push_back(made);
  }
  Learn(moved, staying, false);
  return made;
}

}  // namespace tocsin::respond
