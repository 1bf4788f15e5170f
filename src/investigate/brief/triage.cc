#include "investigate/brief/triage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "claims/claim_text.h"
#include "store/sql_cell.h"

namespace tocsin::investigate {
namespace {

using namespace claims;

// A value seen in so small a share is no candidate.
constexpr double kShareOfNote = 0.05;
constexpr size_t kMaxValues = 50;

struct AttributeSurface {
  const char* column;
  const char* surface;
  const char* words;
};
constexpr std::array<AttributeSurface, 6> kAttributes{{
    {"response_model", "model", "another model answers"},
    {"system_fingerprint", "model", "the provider serves another build of the model"},
    {"prompt_version", "prompt", "another prompt version is used"},
    {"tool_schema_hash", "tools", "the tools are described differently"},
    {"index_version", "retrieval", "another index is searched"},
    {"service_version", "dependency", "another version of the service runs"},
}};

struct Shift {
  const char* feature;
  const char* direction;
  const char* surface;
  const char* words;
};
constexpr std::array<Shift, 5> kShifts{{
    {"retrieval.support", "down", "retrieval", "retrieved passages hold less of the answer"},
    {"retrieval.empty", "up", "retrieval", "more retrievals return nothing"},
    {"retrieval.top_score", "down", "retrieval", "the best passages fit the question worse"},
    {"tools.empty_result", "up", "tools", "more tool calls return nothing"},
    {"finish.truncated", "up", "sampling", "more answers are cut at the token limit"},
}};

class Triage {
 public:
  Triage(const ContextPack& pack, store::TelemetryStore& telemetry)
      : service_(pack.incident.service),
        window_(pack.windows.window),
        baseline_(pack.windows.baseline),
        telemetry_(telemetry) {}

  std::vector<TriageClaim> Run() {
    for (const auto& shift : kShifts) {
      const Measure m{"generations", shift.feature, "mean", service_, {}};
      out_.push_back({shift.surface, true, shift.words,
                      BehaviorShift{m, window_, baseline_, shift.direction, std::nullopt, std::nullopt, {}}});
    }
    const Measure failed{"tool_executions", "failed", "share", service_, {}};
    out_.push_back({"tools", true, "more tool calls fail",
                    MetricChange{failed, window_, baseline_, "up", std::nullopt, std::nullopt, {}}});
    for (const auto& attribute : kAttributes) Attribute(attribute);
    Traffic();
    return std::move(out_);
  }

 private:
  using Shares = std::map<std::string, std::pair<double, double>>;  // value → share in baseline, in window

  Shares Values(const char* column, double& before, double& after) const {
    Shares out;
    store::QueryLimits limits;
    limits.max_rows = kMaxValues;
    limits.timeout = Duration::Seconds(3);
    for (const bool now : {false, true}) {
      const Window& w = now ? window_ : baseline_;
      const auto rows = telemetry_.Query(fmt::format("SELECT {0}, count(*) FROM generations WHERE time_ns >= "
                                                     "? AND time_ns < ? AND service = ? AND {0} <> '' "
                                                     "GROUP BY {0} ORDER BY count(*) DESC, {0} LIMIT {1}",
                                                     column, kMaxValues),
                                         {w.from.ns, w.to.ns, service_}, limits);
      if (!rows) return {};
      double total = 0;
      for (const auto& row : rows->rows) total += store::Number(row[1]);
      (now ? after : before) = total;
      for (const auto& row : rows->rows) {
        auto& share = out[store::Text(row[0])];
        (now ? share.second : share.first) = store::Number(row[1]) / std::max(1.0, total);
      }
    }
    return out;
  }

  void Attribute(const AttributeSurface& a) {
    double before = 0, after = 0;
    const Shares shares = Values(a.column, before, after);
    if (before == 0 || after == 0) return;
    bool moved = false;
    for (const auto& [value, share] : shares) {
      if (share.first > 0 || share.second < kShareOfNote) continue;
      moved = true;
      const std::vector<Condition> is{{a.column, "is", value}};
      const std::string cause =
          fmt::format("{}: \"{}\", which was not seen before", a.words, Printable(value, 60));
      out_.push_back({a.surface, true, cause, RecordCount{"generations", service_, is, baseline_, {0, 0}}});
      out_.push_back(
          {a.surface, true, cause,
           Prevalence{service_, is, {{a.column, "is_not", ""}}, window_, {share.second * 0.8, 1}}});
    }
    if (moved || shares.size() != 1) return;
    // One value before and after: what did not vary cannot be the cause, as far as it is recorded.
    const std::vector<Condition> other{
        {"service", "is", service_}, {a.column, "is_not", shares.begin()->first}, {a.column, "is_not", ""}};
    out_.push_back({a.surface, false, fmt::format("{} is the same before and after", a.column),
                    RecordCount{"generations", service_, other, {baseline_.from, window_.to}, {0, 0}}});
  }

  void Traffic() {
    const Measure rate{"generations", "", "per_minute", service_, {}};
    out_.push_back({"traffic", true, "many more questions are asked",
                    MetricChange{rate, window_, baseline_, "up", Bounds{2}, std::nullopt, {}}});
  }

  std::string service_;
  Window window_, baseline_;
  store::TelemetryStore& telemetry_;
  std::vector<TriageClaim> out_;
};

}  // namespace

std::vector<TriageClaim> TriageFeature(const ContextPack& pack, store::TelemetryStore& telemetry) {
  if (pack.incident.service.empty() || pack.windows.window.length().ns <= 0 ||
      pack.windows.baseline.length().ns <= 0)
    return {};
  store::QueryLimits limits;
  limits.timeout = Duration::Seconds(3);
  const auto any = telemetry.Query(
      "SELECT count(*) FROM generations WHERE time_ns >= ? AND time_ns < ? AND service = ?",
      {pack.windows.baseline.from.ns, pack.windows.window.to.ns, pack.incident.service}, limits);
  if (!any || any->rows.empty() || store::Whole(any->rows[0][0]) == 0) return {};
  return Triage(pack, telemetry).Run();
}

}  // namespace tocsin::investigate
