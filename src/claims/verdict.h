// Verdict: what running a claim showed. `unverifiable` is no weak `verified`: it says the data cannot tell.
// Value types.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "stats/clopper_pearson.h"
#include "store/telemetry_store.h"

namespace tocsin::claims {

struct UsedQuery {
  std::string sql;  // with ? for parameters
  std::vector<store::SqlValue> parameters;
};

// What a person can open: a trace, a span of it, a change, an alert.
struct ExemplarId {
  std::string kind;  // trace, change, alert, incident
  std::string id;
  std::string span_id;
};

struct Verdict {
  enum class Kind : uint8_t { kVerified, kRefuted, kUnverifiable };
  Kind kind = Kind::kUnverifiable;
  std::string why;  // one line
  std::optional<double> observed, baseline;
  std::optional<stats::Interval> interval;  // of observed; of the factor or difference when one is claimed
  double level = 0.95;                      // of the interval
  std::string quantity;                     // what observed and interval are of: "share", "ms", "factor" …
  uint64_t n = 0, baseline_n = 0;
  std::vector<UsedQuery> queries;
  std::vector<ExemplarId> exemplars;
  bool verified() const { return kind == Kind::kVerified; }
};

std::string_view VerdictName(Verdict::Kind kind);  // verified, refuted, unverifiable
nlohmann::ordered_json WriteVerdict(const Verdict& verdict);
// Reads what WriteVerdict wrote, without the queries' parameters' types. kInvalidArgument.
Result<Verdict> ReadVerdict(const nlohmann::json& json);

}  // namespace tocsin::claims
