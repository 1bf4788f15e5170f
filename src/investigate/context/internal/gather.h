// Gather: one context pack in the making, and the pieces that fill it, one section a function. Each asks what
// it needs, fills typed values and lines, and returns an error when its section could not be had.
// One owner, one thread.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "investigate/context/build_context.h"
#include "respond/lifecycle/incident_view.h"
#include "store/sql_cell.h"

namespace tocsin::investigate::internal {

// Of one service's spans in the pack's windows, as sampled.
struct SpanStats {
  uint64_t before_n = 0, after_n = 0, before_errors = 0, after_errors = 0;
  double before_p95_ms = 0, after_p95_ms = 0;
};

struct Gather {
  const ContextSources& sources;
  const ContextOptions& options;
  Time started;  // of the monotonic clock
  ContextPack pack = {};
  nlohmann::json document = {};
  respond::IncidentView view = {};
  uint64_t spans = 0;          // stored of both windows
  bool spans_sampled = false;  // not all of them were read
  std::map<std::string, SpanStats> services = {};
  std::set<std::string> neighbours = {};  // of the affected services
  bool partial = false;                   // the last answer lacked a part of the data

  bool has_window() const { return pack.windows.window.length().ns > 0; }
  bool has_baseline() const { return pack.windows.baseline.length().ns > 0; }
  Duration elapsed() const { return sources.clock.Monotonic() - started; }
  ContextSection& Section(std::string_view name);
  // kDeadlineExceeded when the budget is spent. At most max_rows rows; `cut` is set when there were more.
  Result<store::Rows> Ask(const std::string& sql, const std::vector<store::SqlValue>& values, size_t max_rows,
                          bool* cut = nullptr);
  // "time_ns >= … AND …": both windows. And 0 or 1: in which a record lies.
  std::string InWindows() const;
  std::string Phase() const;
  bool Affected(const std::string& service) const;
  // Affected services with spans, then all affected; each in its order.
  std::vector<std::string> AffectedServices() const;
};

// kFailedPrecondition with why, when there is nothing to look at.
Status NeedsWindow(const Gather& g);
Status NeedsBoth(const Gather& g);

// In the order in which they need each other.
Status FindOnset(Gather& g);
Status GatherAlerts(Gather& g);
Status FindWindows(Gather& g);
Status GatherCalls(Gather& g);
Status GatherAffected(Gather& g);
Status GatherChanges(Gather& g);
Status GatherLogs(Gather& g);
Status GatherMetrics(Gather& g);
Status GatherBehavior(Gather& g);
Status GatherExemplars(Gather& g);
Status GatherSimilar(Gather& g);
Status GatherRunbooks(Gather& g);
Status GatherPeople(Gather& g);

// Cells. What is not finite counts as nothing.
using store::Text;
using store::Whole;
double Number(const store::SqlValue& value);
uint64_t Count(const store::SqlValue& value);
// Telemetry as it is kept in typed values: whole characters, at most kMaxContextText bytes.
std::string Kept(std::string_view text);
// "?, ?, ?" and the values.
std::string Marks(const std::vector<std::string>& texts, std::vector<store::SqlValue>& values);
// "0.2 % → 38 %"
std::string FromTo(double before, double after, std::string_view quantity);
// How much less than what was seen is claimed: what is counted over a sample may be off.
claims::Bounds AtLeastFactor(double factor, bool sampled);
claims::Bounds AtMostFactor(double factor, bool sampled);
// Share of bad ones moved beyond chance.
bool ClearlyMoved(uint64_t bad_before, uint64_t before, uint64_t bad_after, uint64_t after);
double Ratio(uint64_t part, uint64_t whole);
// Sorts by weight, keeps the first `most` and says whether more were there.
void Settle(ContextSection& section, size_t most);

}  // namespace tocsin::investigate::internal
