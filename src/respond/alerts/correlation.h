// Correlation: alerts that are one failure, in one cluster that names where it probably comes from, and why.
//
// An alert joins an open cluster (its last alert at most `window` ago) when its service
//   is in it already; calls, itself or through others, one that is, or is called so; began to fail together
//   with one often before; or calls a service most of whose callers fail too, though it is silent itself; or
//   begins within a burst of others.
// Clusters that an alert links become one. An alert without a service joins by its alert name.
// The probable source is the service whose failure explains most of the others: they call it, itself or
// through others; it calls nobody who fails; it began early. Reasons are given in words.
// Every alert given is in exactly one cluster. What a person moves stays moved.
// Cost of an alert: constant for a service known to the cluster, else its callees within max_hops.
// Ownership: owns graph and clusters. Thread-safety: none.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kernel/status.h"
#include "respond/alerts/service_graph.h"
#include "signal/alert.h"

namespace tocsin::respond {

struct CorrelationSettings {
  Duration window = Duration::Minutes(5);
  int max_hops = 4;
  // A burst: so many services begin to fail within so short a time, and five times faster than in the window
  // before it. They are one failure, though nobody knows yet how they hang together.
  size_t burst_services = 5;
  Duration burst_window = Duration::Minutes(1);
  double shared_callee_share = 0.5;  // of a silent service's callers that must fail, at least 2 of them
  size_t max_open = 10'000;          // beyond it one of the oldest that is quiet is closed
  size_t max_services = 2'000;       // of one cluster
  size_t max_closed = 10'000;        // remembered; the oldest are forgotten beyond it
};

// The service an alert is about: the first of these labels it has: service, service_name, service.name, app,
// app_kubernetes_io_name, component, job. "" when it has none.
std::string_view ServiceOf(signal::Labels labels);

struct ProbableSource {
  std::string service;
  double score = 0;  // 0 … 1
  std::vector<std::string> reasons;
};

struct ClusterView {
  uint64_t id = 0;
  Time first_at, last_at;
  std::vector<std::string> services;  // by their first alert
  std::vector<uint64_t> fingerprints;
  bool open = false;
};

class Correlator {
 public:
  explicit Correlator(CorrelationSettings settings = {}, ServiceGraph graph = {})
      : settings_(settings), graph_(std::move(graph)) {}

  struct Placed {
    uint64_t cluster = 0;
    bool opened = false;           // the alert is the first of its cluster
    std::vector<uint64_t> merged;  // clusters that this alert made part of `cluster`
  };
  // A firing alert, once or again: a known fingerprint stays where it is while its cluster is open.
  Placed Place(uint64_t fingerprint, signal::Labels labels, Time starts_at, Time now);
  // An open cluster as it was before a restart; its id. What is in a cluster already stays there.
  struct Member {
    uint64_t fingerprint = 0;
    std::string service, alert_name;  // the name counts when there is no service
    Time first_at, last_at;
  };
  uint64_t Restore(const std::vector<Member>& members);
  // Closes clusters that were quiet for longer than the window; returns their ids. With `firing`, a cluster
  // of which an alert still fires stays open, however quiet its sender is.
  std::vector<uint64_t> Close(Time now, const std::function<bool(uint64_t fingerprint)>& firing = {});
  // Forgets a cluster and its alerts.
  void Forget(uint64_t cluster);

  // Where the cluster probably comes from, most probable first; at most 5. Empty when it has no services.
  std::vector<ProbableSource> Sources(uint64_t cluster) const;
  std::optional<ClusterView> Find(uint64_t cluster) const;
  // The cluster that an alert is in, following merges; 0 when it is in none.
  uint64_t ClusterOf(uint64_t fingerprint) const;

  // What people do, and what is learned from it. kNotFound, kInvalidArgument.
  Status Merge(uint64_t into, uint64_t from);
  // Takes these services out of the cluster into a new one, whose id is returned.
  Result<uint64_t> Split(uint64_t cluster, const std::vector<std::string>& services);

  ServiceGraph& graph() { return graph_; }
  const ServiceGraph& graph() const { return graph_; }
  size_t open_clusters() const { return open_.size(); }

 private:
  struct Failing {
    Time first_at, last_at;
    std::vector<uint64_t> fingerprints;
  };
  struct Cluster {
    Time first_at, last_at;
    std::map<uint32_t, Failing> services;  // kNone holds alerts without a service
    std::vector<std::string> nameless;     // alert names of those
    bool open = true;
  };

  uint64_t Open(Time now);
  void CloseQuietest();
  static bool StillFiring(Cluster& cluster, Time now, const std::function<bool(uint64_t)>& firing);
  void Shut(uint64_t id);
  uint64_t LiveClusterOf(uint32_t service, Time now) const;
  std::vector<uint64_t> LinkedClusters(uint32_t service, Time now) const;
  void AddBurst(uint32_t service, Time now, std::vector<uint64_t>& clusters) const;
  void AddSharedCallees(uint32_t service, Time now, std::vector<uint64_t>& clusters) const;
  bool MayJoin(uint32_t service, const Cluster& cluster) const;
  bool MayMerge(const Cluster& into, const Cluster& from) const;
  Placed PlaceService(uint32_t service, Time now);
  Placed PlaceNameless(const std::string& alert_name, Time now);
  void Absorb(uint64_t into, uint64_t from);
  void Learn(const std::vector<uint32_t>& some, const std::vector<uint32_t>& others, bool together);
  void LearnOnset(uint32_t service, Time now);

  CorrelationSettings settings_;
  ServiceGraph graph_;
  uint64_t next_id_ = 1;
  std::unordered_map<uint64_t, Cluster> clusters_;
  std::set<uint64_t> open_;                                // ids of open clusters
  std::unordered_map<uint32_t, uint64_t> by_service_;      // the open cluster a service fails in
  std::unordered_map<std::string, uint64_t> by_nameless_;  // likewise by alert name
  std::unordered_map<uint64_t, uint64_t> by_fingerprint_;
  std::deque<uint64_t> closed_;                   // by when they closed
  std::deque<std::pair<Time, uint32_t>> onsets_;  // of the last window, at most 256
};

}  // namespace tocsin::respond
