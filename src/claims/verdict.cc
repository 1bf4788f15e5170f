#include "claims/verdict.h"

#include <nlohmann/json.hpp>

namespace tocsin::claims {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json ToJson(const store::SqlValue& value) {
  return std::visit(
      [](const auto& v) -> ordered_json {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::monostate>) {
          return nullptr;
        } else {
          return v;
        }
      },
      value);
}

store::SqlValue FromJson(const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  return std::monostate{};
}

}  // namespace

std::string_view VerdictName(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::kVerified:
      return "verified";
    case Verdict::Kind::kRefuted:
      return "refuted";
    default:
      return "unverifiable";
  }
}

ordered_json WriteVerdict(const Verdict& v) {
  ordered_json out{{"verdict", VerdictName(v.kind)}, {"why", v.why}};
  if (v.observed) out["observed"] = *v.observed;
  if (v.baseline) out["baseline"] = *v.baseline;
  if (!v.quantity.empty()) out["quantity"] = v.quantity;
  if (v.interval) {
    out["interval"] = {v.interval->low, v.interval->high};
    out["level"] = v.level;
  }
  out["n"] = v.n;
  if (v.baseline_n > 0) out["baseline_n"] = v.baseline_n;
  ordered_json queries = ordered_json::array();
  for (const auto& q : v.queries) {
    ordered_json parameters = ordered_json::array();
    for (const auto& p : q.parameters) parameters.push_back(ToJson(p));
    queries.push_back({{"sql", q.sql}, {"parameters", std::move(parameters)}});
  }
  out["queries"] = std::move(queries);
  ordered_json exemplars = ordered_json::array();
  for (const auto& e : v.exemplars) {
    ordered_json one{{"kind", e.kind}, {"id", e.id}};
    if (!e.span_id.empty()) one["span_id"] = e.span_id;
    exemplars.push_back(std::move(one));
  }
  out["exemplars"] = std::move(exemplars);
  return out;
}

Result<Verdict> ReadVerdict(const json& in) {
  try {
    Verdict v;
    const auto name = in.at("verdict").get<std::string>();
    v.kind = name == "verified"  ? Verdict::Kind::kVerified
             : name == "refuted" ? Verdict::Kind::kRefuted
                                 : Verdict::Kind::kUnverifiable;
    v.why = in.value("why", "");
    v.quantity = in.value("quantity", "");
    if (in.contains("observed") && in["observed"].is_number()) v.observed = in["observed"].get<double>();
    if (in.contains("baseline") && in["baseline"].is_number()) v.baseline = in["baseline"].get<double>();
    if (in.contains("interval") && in["interval"].is_array() && in["interval"].size() == 2 &&
        in["interval"][0].is_number() && in["interval"][1].is_number())
      v.interval = stats::Interval{in["interval"][0].get<double>(), in["interval"][1].get<double>()};
    v.level = in.value("level", 0.95);
    v.n = in.value("n", uint64_t{0});
    v.baseline_n = in.value("baseline_n", uint64_t{0});
    for (const auto& q : in.value("queries", json::array())) {
      UsedQuery used{q.at("sql").get<std::string>(), {}};
      for (const auto& p : q.at("parameters")) used.parameters.push_back(FromJson(p));
      v.queries.push_back(std::move(used));
    }
    for (const auto& e : in.value("exemplars", json::array()))
      v.exemplars.push_back(
          {e.at("kind").get<std::string>(), e.at("id").get<std::string>(), e.value("span_id", "")});
    return v;
  } catch (const std::exception&) {
    return tl::unexpected(Status::FromException("reading a verdict", Code::kInvalidArgument));
  }
}

}  // namespace tocsin::claims
