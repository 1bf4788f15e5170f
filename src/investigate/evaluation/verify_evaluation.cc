#include "investigate/evaluation/verify_evaluation.h"

#include <chrono>

#include "claims/claim_json.h"
#include "claims/claim_text.h"
#include "claims/verifier.h"
#include "detect/behavior_source.h"
#include "investigate/evaluation/claim_plan.h"
#include "investigate/evaluation/partial_store.h"
#include "investigate/evaluation/recorded_world.h"

namespace tocsin::investigate {
namespace {

using claims::Verdict;

class WorldAlerts final : public claims::AlertSource {
 public:
  explicit WorldAlerts(const RecordedWorld& world) : world_(world) {}
  Result<std::vector<Firing>> Alerts(const claims::Window& window, size_t) const override {
    std::vector<Firing> out;
    for (const auto& alert : world_.alerts) {
      if (alert.from < window.to && (!alert.to.known() || alert.to > window.from)) out.push_back(alert);
    }
    return out;
  }

 private:
  const RecordedWorld& world_;
};

void Count(VerifyTally& tally, Verdict::Kind kind) {
  ++tally.n;
  if (kind == Verdict::Kind::kVerified) ++tally.verified;
  if (kind == Verdict::Kind::kRefuted) ++tally.refuted;
  if (kind == Verdict::Kind::kUnverifiable) ++tally.unverifiable;
}

// The window the claim speaks of, when it has one.
std::optional<claims::Window> WindowOf(const claims::Claim& claim) {
  return std::visit(
      [](const auto& c) -> std::optional<claims::Window> {
        if constexpr (requires { c.window.from; }) {
          return c.window;
        } else if constexpr (requires { c.window; }) {
          return c.window;
        } else {
          return std::nullopt;
        }
      },
      claim);
}

// Whether its answer is in telemetry that can be missing; alerts and single answers are not.
bool NeedsTelemetry(const claims::Claim& claim) {
  return !std::holds_alternative<claims::AlertFiring>(claim) &&
         !std::holds_alternative<claims::IdentifierUnsupported>(claim);
}

class Evaluation {
 public:
  explicit Evaluation(VerifyResult& result) : result_(result), behavior_(detect::MakeBehaviorSource({})) {}

  Status World(uint64_t seed) {
    const RecordedWorld world = MakeRecordedWorld(seed);
    const WorldAlerts alerts(world);
    TOCSIN_ASSIGN_OR_RETURN(const auto telemetry, StoreWorld(world, std::nullopt));
    const auto plan = PlantClaims(world, seed);
    claims::Verifier verifier(Sources(*telemetry, alerts), {world.end});
    for (const auto& planted : plan) Whole(planted, verifier.Check(planted.claim));
    PartialStore partial(*telemetry);
    // A tenth of the time after the onset is gone, from every table.
    const Time hole = world.onset + Duration::Minutes(10);
    TOCSIN_ASSIGN_OR_RETURN(const auto holed,
                            StoreWorld(world, claims::Window{hole, hole + Duration::Minutes(8)}));
    claims::Verifier with_hole(Sources(*holed, alerts), {world.end});
    claims::Verifier of_partial(Sources(partial, alerts), {world.end});
    for (const auto& planted : plan) {
      const auto window = WindowOf(planted.claim);
      if (!window || !NeedsTelemetry(planted.claim)) continue;
      if (window->from < hole + Duration::Minutes(4) && window->to > hole + Duration::Minutes(4))
        Part(planted, with_hole.Check(planted.claim));
      Part(planted, of_partial.Check(planted.claim));
      claims::Verifier early(Sources(*telemetry, alerts), {window->to - Duration::Seconds(1)});
      Part(planted, early.Check(planted.claim));
    }
    return Status::Ok();
  }

 private:
  claims::VerifierSources Sources(store::TelemetryStore& telemetry, const WorldAlerts& alerts) const {
    return {telemetry, store::DuckDbDialect(), nullptr, behavior_.get(), &alerts};
  }
  void Miss(const PlantedClaim& planted, const Verdict& v, const char* how) {
    if (result_.misses.size() < 50)
      result_.misses.push_back(
          {claims::RenderClaim(planted.claim), how, std::string(VerdictName(v.kind)), v.why});
  }
  void Whole(const PlantedClaim& planted, const Verdict& v) {
    const std::string kind(claims::KindOf(planted.claim));
    if (planted.is_true) {
      Count(result_.true_claims, v.kind);
      Count(result_.by_kind_true[kind], v.kind);
      if (v.kind == Verdict::Kind::kRefuted) Miss(planted, v, "true, but refuted");
      return;
    }
    Count(result_.false_claims, v.kind);
    Count(result_.by_plant[planted.how], v.kind);
    Count(result_.by_kind_false[kind], v.kind);
    if (v.verified()) Miss(planted, v, planted.how.c_str());
  }
  void Part(const PlantedClaim& planted, const Verdict& v) {
    Count(result_.partial, v.kind);
    if (v.verified()) Miss(planted, v, "over partial data");
  }

  VerifyResult& result_;
  std::unique_ptr<claims::BehaviorSource> behavior_;
};

}  // namespace

double VerifyResult::false_caught() const {
  return false_claims.n == 0
             ? 0
             : 1.0 - static_cast<double>(false_claims.verified) / static_cast<double>(false_claims.n);
}
double VerifyResult::true_refuted() const {
  return true_claims.n == 0 ? 0
                            : static_cast<double>(true_claims.refuted) / static_cast<double>(true_claims.n);
}
stats::Interval VerifyResult::false_caught_interval() const {
  return stats::ClopperPearson(false_claims.n - false_claims.verified, false_claims.n);
}
stats::Interval VerifyResult::true_refuted_interval() const {
  return stats::ClopperPearson(true_claims.refuted, true_claims.n);
}

Result<VerifyResult> EvaluateVerifier(const VerifyOptions& options) {
  VerifyResult result;
  const auto begin = std::chrono::steady_clock::now();
  Evaluation evaluation(result);
  for (size_t i = 0; i < options.worlds; ++i) TOCSIN_RETURN_IF_ERROR(evaluation.World(options.seed + i));
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace tocsin::investigate
