#include "investigate/evaluation/claim_plan.h"

#include <algorithm>
#include <cmath>

#include "kernel/rng.h"

namespace tocsin::investigate {
namespace {

using namespace claims;

class Planter {
 public:
  Planter(const RecordedWorld& world, uint64_t seed) : w_(world), rng_(seed ^ 0x7061746368ULL) {}

  std::vector<PlantedClaim> All() {
    for (int round = 0; round < 4; ++round) {
      Draw();
      Levels();
      Changes();
      Behaviours();
      Times();
      Lines();
      Traces();
      Answers();
      Rates();
      Alerts();
      Counts();
    }
    return std::move(out_);
  }

 private:
  Time At(double minutes_after_onset) const {
    return w_.onset + Duration{static_cast<int64_t>(minutes_after_onset * 60e9)};
  }
  Window Between(double from, double to) const { return {At(from), At(to)}; }
  double Real(double low, double high) { return low + (high - low) * rng_.Uniform(); }
  void Draw() {
    const double length = Real(12, 20), begin = Real(1, 8);
    after_ = Between(begin, begin + length);
    const double before = -Real(25, 60);
    before_ = Between(before, before + length);
    const double earlier = before - length - 1;
    stale_ = Between(std::max(earlier, -69.0), std::max(earlier, -69.0) + length);
  }
  void Plant(Claim claim, bool is_true, const char* how) { out_.push_back({std::move(claim), is_true, how}); }

  Measure Errors(const std::string& service) const { return {"spans", "error", "share", service, {}}; }
  Measure Slowness(const std::string& service, const char* statistic = "median") const {
    return {"spans", "duration_ms", statistic, service, {}};
  }
  // What moved in the faulty service.
  Measure Moved(const std::string& service) const { return w_.fails ? Errors(service) : Slowness(service); }
  double Factor(const Measure& m, const Window& now, const Window& then) const {
    const double before = OracleOf(w_, m, then).value;
    return before > 0 ? OracleOf(w_, m, now).value / before : 0;
  }

  void Levels() {
    for (const auto& service : {w_.faulty, std::string("search"), std::string("web")}) {
      for (const Measure& m : {Errors(service), Slowness(service, "p95"), Slowness(service, "mean"),
                               Measure{"spans", "", "per_minute", service, {}}}) {
        const double seen = OracleOf(w_, m, after_).value;
        if (seen <= 0) continue;
        Plant(MetricLevel{m, after_, {seen * 0.9, seen * 1.1}}, true, "true");
        Plant(MetricLevel{m, after_, {seen * Real(1.2, 3), seen * 100}}, false, "exaggerated");
        Plant(MetricLevel{m, after_, {-1, seen * Real(0.3, 0.85)}}, false, "false");
      }
    }
    const Measure moved = Moved(w_.faulty);
    const double now = OracleOf(w_, moved, after_).value, then = OracleOf(w_, moved, stale_).value;
    if (then < now * 0.7) Plant(MetricLevel{moved, stale_, {now * 0.9, now * 1.1}}, false, "stale");
    const double other = OracleOf(w_, Moved("search"), after_).value;
    if (other < now * 0.7)
      Plant(MetricLevel{Moved("search"), after_, {now * 0.9, now * 1.1}}, false, "mis_scoped");
  }

  void Change(const Measure& m, const Measure& elsewhere) {
    const double factor = Factor(m, after_, before_);
    if (factor < 1.3) return;
    Plant(MetricChange{m, after_, before_, "up", std::nullopt, std::nullopt, {}}, true, "true");
    Plant(MetricChange{m, after_, before_, "up", Bounds{1 + (factor - 1) * Real(0.4, 0.9)}, std::nullopt, {}},
          true, "true");
    Plant(MetricChange{m, after_, before_, "down", std::nullopt, std::nullopt, {}}, false, "false");
    Plant(MetricChange{m, after_, before_, "up", Bounds{factor * Real(1.3, 4)}, std::nullopt, {}}, false,
          "exaggerated");
    if (Factor(m, stale_, before_) < factor * 0.6)
      Plant(MetricChange{m, stale_, before_, "up", Bounds{factor * 0.8}, std::nullopt, {}}, false, "stale");
    if (Factor(elsewhere, after_, before_) < factor * 0.6)
      Plant(MetricChange{elsewhere, after_, before_, "up", Bounds{factor * 0.8}, std::nullopt, {}}, false,
            "mis_scoped");
  }

  void Changes() {
    Change(Moved(w_.faulty), Moved("search"));
    Change({"metrics", "process.cpu.utilization", "mean", w_.faulty, {}},
           {"metrics", "process.cpu.utilization", "mean", "search", {}});
    Change({"logs", "error", "per_minute", w_.faulty, {}}, {"logs", "error", "per_minute", "search", {}});
    const Measure calm = Slowness("search");
    const double base = OracleOf(w_, calm, before_).value;
    if (std::abs(OracleOf(w_, calm, after_).value - base) < base * 0.2)
      Plant(Equivalence{calm, after_, before_, base * 0.6}, true, "true");
    const Measure moved = Slowness(w_.faulty);
    if (!w_.fails)
      Plant(Equivalence{moved, after_, before_, OracleOf(w_, moved, before_).value * 0.3}, false, "false");
  }

  void Behaviours() {
    for (const char* feature : {"grounding.unsupported", "stance.refusal"}) {
      const Measure eu{"generations", feature, "share", "bot", {{"region", "is", "eu"}}};
      const Measure us{"generations", feature, "share", "bot", {{"region", "is", "us"}}};
      const double factor = Factor(eu, after_, before_);
      const double now = OracleOf(w_, eu, after_).value, then = OracleOf(w_, eu, before_).value;
      Plant(BehaviorShift{eu, after_, before_, "up", std::nullopt, Bounds{(now - then) * 0.7}, {}}, true,
            "true");
      Plant(BehaviorShift{eu, after_, before_, "down", std::nullopt, std::nullopt, {}}, false, "false");
      Plant(BehaviorShift{eu, after_, before_, "up", std::nullopt, Bounds{(now - then) * Real(1.4, 2.5)}, {}},
            false, "exaggerated");
      Plant(BehaviorShift{eu, stale_, before_, "up", std::nullopt, Bounds{(now - then) * 0.7}, {}}, false,
            "stale");
      Plant(BehaviorShift{us, after_, before_, "up", std::nullopt, Bounds{(now - then) * 0.7}, {}}, false,
            "mis_scoped");
      if (factor > 0) Plant(MetricLevel{eu, after_, {now * 0.9, now * 1.1}}, true, "true");
      Plant(MetricLevel{us, after_, {now * 0.9, now * 1.1}}, false, "mis_scoped");
    }
  }

  void Times() {
    const Measure moved = Moved(w_.faulty);
    const Window around = Between(-40, 30);
    Plant(Onset{moved, around, At(Real(-1, 1)), Duration::Minutes(6)}, true, "true");
    Plant(Onset{moved, around, At(Real(15, 25)), Duration::Minutes(3)}, false, "false");
    Plant(Onset{moved, around, At(-Real(15, 30)), Duration::Minutes(3)}, false, "stale");
    Plant(Onset{Moved("search"), around, At(0), Duration::Minutes(4)}, false, "mis_scoped");
    Plant(ChangePrecedes{w_.culprit_change, moved, around, "", Duration::Minutes(30)}, true, "true");
    Plant(ChangePrecedes{w_.later_change, moved, around, "", {}}, false, "false");
    Plant(ChangePrecedes{"deploy-of-nobody", moved, around, "", {}}, false, "false");
    Plant(ChangePrecedes{w_.culprit_change, moved, around, "", Duration::Seconds(20)}, false, "exaggerated");
  }

  void Lines() {
    const auto claim = [&](const std::string& service, const char* text, const char* state, const Window& now,
                           const Window& then) {
      return LogTemplate{service, "", text, state, now, then, std::nullopt};
    };
    const char* fresh = "connection pool exhausted";
    Plant(claim(w_.faulty, fresh, "new", after_, before_), true, "true");
    Plant(LogTemplate{w_.faulty, "d4d4d4d4d4d4d4d4", "", "new", after_, before_, std::nullopt}, true, "true");
    Plant(claim(w_.faulty, "cache refreshed", "vanished", after_, before_), true, "true");
    Plant(claim(w_.faulty, "handled request", "new", after_, before_), false, "false");
    Plant(claim(w_.faulty, fresh, "new", stale_, before_), false, "stale");
    Plant(claim("search", fresh, "new", after_, before_), false, "mis_scoped");
    Plant(claim("search", "cache refreshed", "vanished", after_, before_), false, "mis_scoped");
    Plant(claim(w_.faulty, fresh, "absent", after_, before_), false, "false");
    const Measure lines{"logs", "", "per_minute", w_.faulty, {{"body", "contains", "failed: upstream"}}};
    const double factor = Factor(lines, after_, before_);
    if (factor > 3) {
      LogTemplate more{w_.faulty, "", "failed: upstream", "more", after_, before_, Bounds{factor * 0.5}};
      Plant(more, true, "true");
      more.factor = Bounds{factor * Real(3, 8)};
      Plant(more, false, "exaggerated");
      more.state = "fewer";
      more.factor.reset();
      Plant(more, false, "false");
    }
  }

  void Traces() {
    const double calls = OracleOf(w_, {"spans", "", "count", "db", {}}, after_).value;
    Plant(TracePath{{"web", "checkout", "payment", "db"}, after_, std::nullopt, {calls * 0.9}}, true, "true");
    Plant(TracePath{{"web", "checkout", "payment", "db"}, after_, std::nullopt, {calls * Real(1.3, 3)}},
          false, "exaggerated");
    Plant(TracePath{{"web", "search", "db"}, after_, std::nullopt, {1}}, false, "mis_scoped");
    Plant(TracePath{{"db", "payment"}, after_, std::nullopt, {1}}, false, "false");
    Plant(ErrorPropagation{"web", "search", after_, {0.9}}, false, "mis_scoped");
    if (w_.fails) {
      Plant(ErrorPropagation{"web", w_.faulty, after_, {0.5}}, true, "true");
      Plant(ErrorPropagation{"web", w_.faulty, after_, {-1, 0.2}}, false, "false");
    }
  }

  void Answers() {
    if (w_.invented_trace.empty() || w_.grounded_trace.empty()) return;
    Plant(IdentifierUnsupported{w_.invented_identifier, w_.invented_trace, ""}, true, "true");
    Plant(IdentifierUnsupported{w_.grounded_identifier, w_.grounded_trace, ""}, false, "false");
    Plant(IdentifierUnsupported{w_.invented_identifier, w_.grounded_trace, ""}, false, "mis_scoped");
  }

  void Rates() {
    const Measure sorry{"generations", "stance.refusal", "share", "bot", {{"region", "is", "eu"}}};
    const Sample seen = OracleOf(w_, sorry, after_);
    if (seen.n < 100 || seen.value <= 0) return;
    const std::vector<Condition> match{{"output", "contains", "can't help"}}, where{{"region", "is", "eu"}};
    Plant(Prevalence{"bot", match, where, after_, {seen.value * 0.5, seen.value * 2}}, true, "true");
    Plant(Prevalence{"bot", match, where, after_, {0, seen.value * 0.3}}, false, "false");
    Plant(Prevalence{"bot", match, where, after_, {std::min(1.0, seen.value * 2.5), 1}}, false,
          "exaggerated");
    Plant(Prevalence{"bot", match, where, before_, {seen.value * 0.7, seen.value * 1.5}}, false, "stale");
    Plant(Concentration{"generations",
                        "bot",
                        {{"output", "contains", "account"}},
                        {{"region", "is", "eu"}},
                        after_,
                        {0.8}},
          true, "true");
    Plant(Concentration{"generations",
                        "bot",
                        {{"output", "contains", "account"}},
                        {{"region", "is", "us"}},
                        after_,
                        {0.5}},
          false, "mis_scoped");
    Plant(Concentration{"generations",
                        "bot",
                        {{"output", "contains", "warehouse"}},
                        {{"region", "is", "eu"}},
                        after_,
                        {0.8}},
          false, "false");
  }

  void Alerts() {
    const std::vector<Condition> labels{{"alertname", "is", "ErrorRate"}, {"service", "is", w_.faulty}};
    Plant(AlertFiring{labels, after_, true}, true, "true");
    Plant(AlertFiring{labels, before_, true}, false, "stale");
    Plant(AlertFiring{labels, after_, false}, false, "false");
    Plant(AlertFiring{{{"alertname", "is", "ErrorRate"}, {"service", "is", "search"}}, after_, true}, false,
          "mis_scoped");
  }

  void Counts() {
    const std::vector<Condition> failed{{"status", "is", "error"}};
    const double count = OracleOf(w_, {"spans", "", "count", w_.faulty, failed}, after_).value;
    Plant(RecordCount{"spans", w_.faulty, failed, after_, {count, count}}, true, "true");
    Plant(RecordCount{"spans", w_.faulty, failed, after_, {count + 1}}, false, "exaggerated");
    Plant(RecordCount{"changes", "", {{"kind", "is", "deploy"}}, Between(-30, 30), {1, 1}}, true, "true");
    Plant(RecordCount{"changes", "", {{"kind", "is", "prompt"}}, Between(-30, 30), {1}}, false, "false");
    Plant(Exists{"logs", w_.faulty, {{"body", "contains", "pool exhausted"}}, after_, true}, true, "true");
    Plant(Exists{"logs", w_.faulty, {{"body", "contains", "out of memory"}}, after_, true}, false, "false");
    Plant(Exists{"logs", "search", {{"body", "contains", "pool exhausted"}}, after_, true}, false,
          "mis_scoped");
    Plant(Exists{"logs", "search", {{"body", "contains", "pool exhausted"}}, after_, false}, true, "true");
    Plant(Exists{"logs", w_.faulty, {{"body", "contains", "pool exhausted"}}, stale_, true}, false, "stale");
  }

  const RecordedWorld& w_;
  Rng rng_;
  Window after_, before_, stale_;
  std::vector<PlantedClaim> out_;
};

}  // namespace

std::vector<PlantedClaim> PlantClaims(const RecordedWorld& world, uint64_t seed) {
  return Planter(world, seed).All();
}

}  // namespace tocsin::investigate
