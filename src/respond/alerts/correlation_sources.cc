// Where a cluster probably comes from: the ranking of Correlator.
#include <algorithm>

#include "respond/alerts/correlation.h"

namespace tocsin::respond {
namespace {

constexpr uint32_t kNoService = ServiceGraph::kNone;
constexpr size_t kMaxSources = 5;
// What each kind of evidence is worth; together 1.
constexpr double kExplains = 0.55;
constexpr double kEarly = 0.2;
constexpr double kCallsNobodyFailing = 0.2;
constexpr double kCalledByMany = 0.05;
// A service that says nothing itself must explain much to come before one that does.
constexpr double kSilent = 0.75;
constexpr double kSilentShare = 0.5;

struct Evidence {
  size_t explained = 0;      // other failing services that call it, itself or through others
  size_t failing_below = 0;  // failing services that it calls, itself or through others
  bool silent = true;
  Time first_at;
};

std::string Counted(size_t part, size_t whole) {
  return std::to_string(part) + " of " + std::to_string(whole);
}

class Ranking {
 public:
  Ranking(const ServiceGraph& graph, int max_hops) : graph_(graph), max_hops_(max_hops) {}

  void Add(uint32_t service, Time first_at) {
    first_.emplace_back(first_at, service);
    Evidence& own = evidence_[service];
    own.silent = false;
    own.first_at = first_at;
  }

  std::vector<ProbableSource> Run() {
    if (first_.empty()) return {};
    std::sort(first_.begin(), first_.end());
    for (const auto& [at, service] : first_) {
      for (const uint32_t below : graph_.Downstream(service, max_hops_)) {
        if (below == service) continue;
        Evidence& evidence = evidence_[below];
        ++evidence.explained;
        if (!evidence.silent) ++evidence_[service].failing_below;
      }
    }
    std::vector<std::pair<double, uint32_t>> order;
    for (const auto& [service, evidence] : evidence_) {
      if (evidence.silent &&
          static_cast<double>(evidence.explained) < kSilentShare * static_cast<double>(Failing()))
        continue;
      if (evidence.silent && evidence.explained < 2) continue;
      order.emplace_back(Score(service, evidence), service);
    }
    std::sort(order.begin(), order.end(), [this](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : graph_.Name(a.second) < graph_.Name(b.second);
    });
    std::vector<ProbableSource> out;
    for (size_t i = 0; i < std::min(order.size(), kMaxSources); ++i) {
      out.push_back({graph_.Name(order[i].second), order[i].first, Reasons(order[i].second)});
    }
    return out;
  }

 private:
  size_t Failing() const { return first_.size(); }
  size_t Others(const Evidence& evidence) const { return Failing() - (evidence.silent ? 0 : 1); }

  double Score(uint32_t service, const Evidence& evidence) const {
    const size_t others = Others(evidence);
    const double explains =
        others == 0 ? 1 : static_cast<double>(evidence.explained) / static_cast<double>(others);
    const double span = (first_.back().first - first_.front().first).seconds();
    const double early = span <= 0 ? 0.5 : (first_.back().first - evidence.first_at).seconds() / span;
    const double below = 1.0 / (1.0 + static_cast<double>(evidence.failing_below));
    const double callers = static_cast<double>(graph_.Callers(service).size());
    const double score = kExplains * explains + (evidence.silent ? 0 : kEarly * early) +
                         kCallsNobodyFailing * below + kCalledByMany * callers / (callers + 10);
    return evidence.silent ? score * kSilent : score;
  }

  std::vector<std::string> Reasons(uint32_t service) const {
    const Evidence& evidence = evidence_.at(service);
    const size_t others = Others(evidence);
    std::vector<std::string> out;
    if (evidence.explained > 0) {
      out.push_back(Counted(evidence.explained, others) +
                    (evidence.silent
                         ? " failing services call it, itself or through others; it has no alert of its own"
                         : " other failing services call it, itself or through others"));
    }
    if (!evidence.silent && others > 0) {
      const Duration after_first = evidence.first_at - first_.front().first;
      if (after_first.ns > 0) {
        out.push_back("began " + FormatDuration(after_first) + " after the first");
      } else if (const Duration lead = first_[1].first - evidence.first_at; lead.ns > 0) {
        out.push_back("was the first to fail, " + FormatDuration(lead) + " before the next");
      }
      out.push_back(evidence.failing_below == 0
                        ? "calls nobody who fails"
                        : "itself calls " + std::to_string(evidence.failing_below) + " that fail");
    }
    AddHabit(service, out);
    if (others == 0 && !evidence.silent) out.push_back("is the only service that fails");
    return out;
  }

  void AddHabit(uint32_t service, std::vector<std::string>& out) const {
    uint32_t companion = kNoService;
    int most = 2;
    for (const auto& [at, other] : first_) {
      const int times = other == service ? 0 : graph_.TimesTogether(service, other);
      if (times <= most || !graph_.Linked(service, other)) continue;
      most = times;
      companion = other;
    }
    if (companion == kNoService) return;
    out.push_back("began to fail together with " + graph_.Name(companion) + " " + std::to_string(most) +
                  " times");
  }

  const ServiceGraph& graph_;
  int max_hops_;
  std::vector<std::pair<Time, uint32_t>> first_;
  std::unordered_map<uint32_t, Evidence> evidence_;
};

}  // namespace

std::vector<ProbableSource> Correlator::Sources(uint64_t cluster) const {
  const auto found = clusters_.find(cluster);
  if (found == clusters_.end()) return {};
  Ranking ranking(graph_, settings_.max_hops);
  for (const auto& [service, failing] : found->second.services) {
    if (service != kNoService) ranking.Add(service, failing.first_at);
  }
  return ranking.Run();
}

}  // namespace tocsin::respond
