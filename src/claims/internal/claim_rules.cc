#include "claims/internal/claim_rules.h"

#include <fmt/format.h>

#include "claims/internal/measure_table.h"

namespace tocsin::claims::internal {
namespace {

constexpr Duration kLongestWindow = Duration::Hours(24 * 90);

Status Wrong(const std::string& at, std::string_view what) {
  return Status(Code::kInvalidArgument, fmt::format("{}: {}", at, what));
}

Status CheckWindow(const Window& window, const std::string& at) {
  if (window.length() <= kLongestWindow) return Status::Ok();
  return Wrong(at, "is longer than 90 days");
}

Status CheckMeasure(const Measure& measure, const std::string& at) {
  TOCSIN_RETURN_IF_ERROR(FindValue(measure).ok ? Status::Ok() : Wrong(at + ".value", FindValue(measure).why));
  return CheckConditions(measure.of, measure.where, at + ".where");
}

Status CheckPair(const Measure& measure, const Window& window, const Window& baseline, const std::string& at,
                 const std::vector<Condition>& against = {}) {
  TOCSIN_RETURN_IF_ERROR(CheckMeasure(measure, at + ".measure"));
  const auto& how = measure.statistic;
  if (how == "count")
    return Wrong(at + ".measure.statistic", "counts of two windows are compared per_minute");
  if (how == "min" || how == "max" || how == "sum")
    return Wrong(at + ".measure.statistic", "has no interval, so two of them cannot be compared");
  TOCSIN_RETURN_IF_ERROR(CheckWindow(window, at + ".window"));
  TOCSIN_RETURN_IF_ERROR(CheckWindow(baseline, at + ".baseline"));
  TOCSIN_RETURN_IF_ERROR(CheckConditions(measure.of, against, at + ".against"));
  if (against.empty() && baseline.from < window.to && window.from < baseline.to)
    return Wrong(at + ".baseline", "overlaps the window");
  return Status::Ok();
}

Status CheckFactor(const std::optional<Bounds>& factor, const std::string& at) {
  if (factor && factor->high < 0) return Wrong(at, "a factor is not negative");
  return Status::Ok();
}

Status CheckScoped(const std::string& of, const std::vector<Condition>& where, const Window& window,
                   const std::string& at, const char* list) {
  TOCSIN_RETURN_IF_ERROR(CheckWindow(window, at + ".window"));
  return CheckConditions(of, where, fmt::format("{}.{}", at, list));
}

}  // namespace

std::string ExactDuration(Duration duration) {
  const int64_t ms = duration.ns / 1'000'000;
  if (ms % 3'600'000 == 0) return fmt::format("{}h", ms / 3'600'000);
  if (ms % 60'000 == 0) return fmt::format("{}m", ms / 60'000);
  if (ms % 1000 == 0) return fmt::format("{}s", ms / 1000);
  return fmt::format("{}ms", ms);
}

Status CheckRules(const MetricLevel& claim, const std::string& at) {
  TOCSIN_RETURN_IF_ERROR(CheckMeasure(claim.measure, at + ".measure"));
  return CheckWindow(claim.window, at + ".window");
}

Status CheckRules(const MetricChange& claim, const std::string& at) {
  TOCSIN_RETURN_IF_ERROR(CheckPair(claim.measure, claim.window, claim.baseline, at, claim.against));
  return CheckFactor(claim.factor, at + ".factor");
}

Status CheckRules(const BehaviorShift& claim, const std::string& at) {
  if (claim.measure.of != "generations") return Wrong(at + ".measure.of", "a behaviour is of generations");
  if (!FindValue(claim.measure).behavior)
    return Wrong(at + ".measure.value", "is no behaviour: claim it as metric_change");
  const auto& s = claim.measure.statistic;
  if (s != "mean" && s != "share")
    return Wrong(at + ".measure.statistic", "is mean or share for a behaviour");
  TOCSIN_RETURN_IF_ERROR(CheckPair(claim.measure, claim.window, claim.baseline, at, claim.against));
  return CheckFactor(claim.factor, at + ".factor");
}

Status CheckRules(const Onset& claim, const std::string& at) {
  TOCSIN_RETURN_IF_ERROR(CheckMeasure(claim.measure, at + ".measure"));
  TOCSIN_RETURN_IF_ERROR(CheckWindow(claim.window, at + ".window"));
  if (claim.at < claim.window.from || claim.at >= claim.window.to)
    return Wrong(at + ".at", "is outside the window");
  return Status::Ok();
}

Status CheckRules(const ChangePrecedes& claim, const std::string& at) {
  const bool measured = claim.measure && claim.window;
  if (measured == !claim.incident.empty() || (claim.measure.has_value() != claim.window.has_value()))
    return Wrong(at, "needs measure and window, or incident");
  if (!measured) return Status::Ok();
  TOCSIN_RETURN_IF_ERROR(CheckMeasure(*claim.measure, at + ".measure"));
  return CheckWindow(*claim.window, at + ".window");
}

Status CheckRules(const LogTemplate& claim, const std::string& at) {
  if (claim.template_id.empty() == claim.text.empty()) return Wrong(at, "needs either template or text");
  const bool compares = claim.state != "present" && claim.state != "absent";
  if (compares && !claim.baseline) return Wrong(at, fmt::format("'{}' needs a baseline", claim.state));
  TOCSIN_RETURN_IF_ERROR(CheckWindow(claim.window, at + ".window"));
  if (claim.baseline) TOCSIN_RETURN_IF_ERROR(CheckWindow(*claim.baseline, at + ".baseline"));
  return CheckFactor(claim.factor, at + ".factor");
}

Status CheckRules(const TracePath& claim, const std::string& at) {
  if (claim.path.size() < 2 || claim.path.size() > 6) return Wrong(at + ".path", "is two to six services");
  return CheckWindow(claim.window, at + ".window");
}

Status CheckRules(const ErrorPropagation& claim, const std::string& at) {
  if (claim.service == claim.callee) return Wrong(at + ".callee", "is the service itself");
  return CheckWindow(claim.window, at + ".window");
}

Status CheckRules(const IdentifierUnsupported& claim, const std::string& at) {
  if (claim.identifier.empty()) return Wrong(at + ".identifier", "is empty");
  return claim.trace_id.empty() ? Wrong(at + ".trace_id", "is empty") : Status::Ok();
}

Status CheckRules(const Prevalence& claim, const std::string& at) {
  TOCSIN_RETURN_IF_ERROR(CheckScoped("generations", claim.match, claim.window, at, "match"));
  if (claim.match.empty()) return Wrong(at + ".match", "is empty");
  return CheckConditions("generations", claim.where, at + ".where");
}

Status CheckRules(const Equivalence& claim, const std::string& at) {
  if (!(claim.delta > 0)) return Wrong(at + ".delta", "is not above zero");
  return CheckPair(claim.measure, claim.window, claim.baseline, at);
}

Status CheckRules(const AlertFiring& claim, const std::string& at) {
  if (claim.labels.empty()) return Wrong(at + ".labels", "is empty");
  return CheckWindow(claim.window, at + ".window");
}

Status CheckRules(const RecordCount& claim, const std::string& at) {
  return CheckScoped(claim.of, claim.where, claim.window, at, "where");
}

Status CheckRules(const Exists& claim, const std::string& at) {
  // "There is a log" says nothing: a claim that something exists must say what.
  if (claim.where.empty()) return Wrong(at + ".where", "is empty: that something exists says nothing");
  return CheckScoped(claim.of, claim.where, claim.window, at, "where");
}

Status CheckRules(const Concentration& claim, const std::string& at) {
  if (claim.bad.empty()) return Wrong(at + ".bad", "is empty");
  if (claim.have.empty()) return Wrong(at + ".have", "is empty");
  TOCSIN_RETURN_IF_ERROR(CheckScoped(claim.of, claim.bad, claim.window, at, "bad"));
  return CheckConditions(claim.of, claim.have, at + ".have");
}

}  // namespace tocsin::claims::internal
