// Kinds of log line that appeared, vanished, became more or fewer, and how many lines and errors there are.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "claims/claim_text.h"
#include "investigate/context/internal/gather.h"

namespace tocsin::investigate::internal {
namespace {

using claims::Printable;

constexpr size_t kMaxKinds = 20'000;  // of line, in a service
constexpr size_t kMaxMerges = 20'000;
constexpr size_t kKept = 60;
constexpr int64_t kError = 17, kWarning = 13;  // OTLP severity numbers
constexpr double kLeast =
    3;  // lines that must have been expected before none means something: 1 - e^-3 = 95 %
constexpr double kClear = 5;  // standard deviations of a count

struct Kind {
  uint64_t before = 0, after = 0, late = 0;  // late: since the onset itself, of `after`
  int64_t severity = 0, first = 0;
  int ids = 0;       // template ids that are this kind now
  std::string same;  // the one id, when there is one
};
using Kinds = std::map<std::pair<std::string, std::string>, Kind>;  // by service and template

struct Rate {
  uint64_t before = 0, after = 0, late = 0, before_errors = 0, after_errors = 0;
};

// Templates that became another.
Result<std::map<std::string, std::string>> ReadMerges(Gather& g) {
  TOCSIN_ASSIGN_OR_RETURN(
      const auto rows,
      g.Ask("SELECT DISTINCT template_id, merged_into FROM log_templates WHERE merged_into <> ''", {},
            kMaxMerges));
  std::map<std::string, std::string> out;
  for (const auto& row : rows.rows) out[Text(row[0])] = Text(row[1]);
  return out;
}

std::string Present(const std::map<std::string, std::string>& merges, std::string id) {
  for (int step = 0; step < 20; ++step) {
    const auto at = merges.find(id);
    if (at == merges.end()) break;
    id = at->second;
  }
  return id;
}

// The window may begin a little before the onset; what stopped then is looked for from the onset on.
Time LateFrom(const Gather& g) { return std::max(g.pack.windows.window.from, g.pack.onset); }

Status CountKinds(Gather& g, Kinds& kinds, std::map<std::string, Rate>& rates) {
  TOCSIN_ASSIGN_OR_RETURN(const auto merges, ReadMerges(g));
  const auto& d = g.sources.dialect;
  const std::string from = std::to_string(g.pack.windows.window.from.ns);
  const std::string before = "time_ns < " + from, after = "time_ns >= " + from;
  TOCSIN_ASSIGN_OR_RETURN(
      const auto rows,
      g.Ask(fmt::format(
                "SELECT service, template_id, {}, {}, max(severity), {}, {}, min(CASE WHEN {} THEN "
                "time_ns END), {} FROM logs WHERE {} GROUP BY service, template_id ORDER BY count(*) DESC",
                d.CountIf(before), d.CountIf(after), d.CountIf(before + " AND severity >= 17"),
                d.CountIf(after + " AND severity >= 17"), after,
                d.CountIf("time_ns >= " + std::to_string(LateFrom(g).ns)), g.InWindows()),
            {}, kMaxKinds, &g.Section("logs").cut));
  for (const auto& row : rows.rows) {
    const std::string service = Text(row[0]), id = Text(row[1]);
    Rate& rate = rates[service];
    rate.before += Count(row[2]);
    rate.after += Count(row[3]);
    rate.late += Count(row[8]);
    rate.before_errors += Count(row[5]);
    rate.after_errors += Count(row[6]);
    if (id.empty()) continue;
    Kind& kind = kinds[{service, Present(merges, id)}];
    kind.before += Count(row[2]);
    kind.after += Count(row[3]);
    kind.late += Count(row[8]);
    kind.severity = std::max(kind.severity, Whole(row[4]));
    const int64_t first = Whole(row[7]);
    if (first != 0 && (kind.first == 0 || first < kind.first)) kind.first = first;
    ++kind.ids;
    kind.same = id;
  }
  return {};
}

struct Judged {
  std::string state;  // "" = nothing to say
  double deviations = 0, factor = 0;
};

// `longer`: how much longer the baseline is than the window.
Judged Judge(uint64_t before_n, uint64_t after_n, double longer) {
  const auto before = static_cast<double>(before_n), after = static_cast<double>(after_n);
  Judged j;
  j.factor = before > 0 ? after * longer / before : 0;
  if (before_n == 0 && after_n == 0) return j;
  const double expected = before / longer;
  // Both counts are Poisson's; the second term is the baseline's own error.
  j.deviations = (after - expected) / std::sqrt(expected + expected / longer + 1);
  if (before_n == 0 && after >= 2 && after * longer >= kLeast) j.state = "new";
  if (after_n == 0 && before >= 2 && expected >= kLeast) j.state = "vanished";
  if (before_n > 0 && after_n > 0 && std::abs(j.deviations) >= kClear) {
    if (j.factor >= 2) j.state = "more";
    if (j.factor <= 0.5) j.state = "fewer";
  }
  return j;
}

// An error that appears tells more than chatter that grows; what is near the failure more than what is far.
double ScoreOf(const Gather& g, const LogShift& s, double deviations) {
  double score = std::log1p(std::abs(deviations));
  if (s.severity >= kError)
    score *= 2.5;
  else if (s.severity >= kWarning)
    score *= 1.6;
  if (s.state == "new") score *= 2;
  if (s.state == "vanished" || s.state == "returned") score *= 1.3;
  if (g.Affected(s.service))
    score *= 1.5;
  else if (!g.neighbours.contains(s.service))
    score *= 0.6;
  return score;
}

struct Found {
  LogShift shift;
  claims::Window window;
  bool silent = false;   // the service has no lines at all any more
  std::string claim_id;  // "" = not one template
};

std::vector<Found> FindShifts(const Gather& g, const Kinds& kinds, const std::map<std::string, Rate>& rates) {
  const auto& w = g.pack.windows;
  const double longer = w.baseline.length().seconds() / w.window.length().seconds();
  std::vector<Found> out;
  const claims::Window late{LateFrom(g), w.window.to};
  const double longer_late =
      late.length().ns > 0 ? w.baseline.length().seconds() / late.length().seconds() : 0;
  for (const auto& [key, kind] : kinds) {
    Judged judged = Judge(kind.before, kind.after, longer);
    Found f;
    f.window = w.window;
    if (kind.after > 0 && kind.late == 0 && kind.before > 0 && longer_late > 0) {
      judged = Judge(kind.before, 0, longer_late);
      f.window = late;
    }
    if (judged.state.empty()) continue;
    f.silent = judged.state == "vanished" && rates.at(key.first).late == 0;
    f.shift.service = key.first;
    f.shift.template_id = key.second;
    f.shift.severity = kind.severity;
    f.shift.state = judged.state;
    f.shift.before = kind.before;
    f.shift.after = judged.state == "vanished" ? 0 : kind.after;
    f.shift.factor = judged.factor;
    f.shift.first_in_window = Time{kind.first};
    f.shift.score = ScoreOf(g, f.shift, judged.deviations);
    if (kind.ids == 1) f.claim_id = kind.same;
    out.push_back(std::move(f));
  }
  std::ranges::stable_sort(out, std::ranges::greater{}, [](const Found& f) { return f.shift.score; });
  return out;
}

// What the templates are, and when they were first seen.
Status ReadTexts(Gather& g, std::vector<Found>& shifts) {
  std::vector<std::string> ids;
  for (const auto& f : shifts) ids.push_back(f.shift.template_id);
  if (ids.empty()) return {};
  std::vector<store::SqlValue> values;
  const std::string marks = Marks(ids, values);
  TOCSIN_ASSIGN_OR_RETURN(
      const auto rows,
      g.Ask(fmt::format(
                "SELECT template_id, service, text, first_seen_ns FROM log_templates WHERE template_id IN "
                "({}) ORDER BY position, ordinal",
                marks),
            values, kMaxKinds));
  for (const auto& row : rows.rows) {
    for (auto& f : shifts) {
      if (f.shift.template_id != Text(row[0])) continue;
      const bool own = f.shift.service == Text(row[1]);
      if (own || f.shift.text.empty()) f.shift.text = Kept(Text(row[2]));  // the last row holds
      if (own) f.shift.first_seen = Time{Whole(row[3])};
    }
  }
  for (auto& f : shifts) {
    const auto& seen = f.shift.first_seen;
    if (f.shift.state == "new" && seen.known() && seen < g.pack.windows.baseline.from)
      f.shift.state = "returned";
  }
  return {};
}

std::optional<claims::Claim> ClaimOf(const Gather& g, const Found& f) {
  if (f.claim_id.empty()) return std::nullopt;
  if (f.silent) {  // that one kind vanished would say too much
    claims::Exists none;
    none.of = "logs";
    none.service = f.shift.service;
    none.window = {LateFrom(g), f.window.to};
    none.exists = false;
    none.where = {{"template_id", "is", f.claim_id}};
    return none;
  }
  claims::LogTemplate claim;
  claim.service = f.shift.service;
  claim.template_id = f.claim_id;
  claim.state = f.shift.state == "returned" ? "new" : f.shift.state;
  claim.window = f.window;
  claim.baseline = g.pack.windows.baseline;
  if (claim.state == "more") claim.factor = AtLeastFactor(f.shift.factor, false);
  if (claim.state == "fewer") claim.factor = AtMostFactor(f.shift.factor, false);
  return claim;
}

std::string Describe(const LogShift& s) {
  const std::string what = s.text.empty() ? "lines of template " + Printable(s.template_id, 32)
                                          : "\"" + Printable(s.text, 110) + "\"";
  const std::string loud = s.severity >= kError ? " (error)" : s.severity >= kWarning ? " (warning)" : "";
  std::string how;
  if (s.state == "new")
    how = fmt::format("new: {} lines since {}", s.after, FormatTimeForPeople(s.first_in_window));
  if (s.state == "returned")
    how = fmt::format("{} lines, none in the baseline, but known from before", s.after);
  if (s.state == "vanished") how = fmt::format("gone: {} lines before, none since", s.before);
  if (s.state == "more" || s.state == "fewer")
    how = fmt::format("{} times as many: {} → {} lines",
                      s.factor >= 10 ? fmt::format("{:.0f}", s.factor) : fmt::format("{:.2g}", s.factor),
                      s.before, s.after);
  return fmt::format("{}{} {}: {}", Printable(s.service, 60), loud, what, how);
}

void RateLine(Gather& g, const std::string& service, const Rate& rate, bool errors) {
  const auto& w = g.pack.windows;
  const double longer = w.baseline.length().seconds() / w.window.length().seconds();
  const uint64_t before = errors ? rate.before_errors : rate.before,
                 after = errors ? rate.after_errors : rate.after;
  const Judged judged = Judge(before, after, longer);
  if (judged.state.empty() || before + after < 10) return;
  const double per_minute_before = static_cast<double>(before) / w.baseline.length().seconds() * 60;
  const double per_minute_after = static_cast<double>(after) / w.window.length().seconds() * 60;
  ContextLine line;
  line.text = fmt::format("{}: {:.3g} → {:.3g} {} a minute", Printable(service, 60), per_minute_before,
                          per_minute_after, errors ? "log lines with errors" : "log lines");
  claims::Measure m;
  m.of = "logs";
  m.value = errors ? "error" : "";
  m.statistic = "per_minute";
  m.service = service;
  const bool up = per_minute_after > per_minute_before;
  claims::MetricChange claim{m, w.window, w.baseline, up ? "up" : "down", std::nullopt, std::nullopt, {}};
  if (before > 0)
    claim.factor = up ? AtLeastFactor(judged.factor, false) : AtMostFactor(judged.factor, false);
  line.claim = std::move(claim);
  line.weight =
      std::log1p(std::abs(judged.deviations)) * (errors ? 2.2 : 1) * (g.Affected(service) ? 1.5 : 0.6);
  g.Section("logs").lines.push_back(std::move(line));
}

void RateLines(Gather& g, const std::map<std::string, Rate>& rates) {
  const auto& w = g.pack.windows;
  const double longer = w.baseline.length().seconds() / w.window.length().seconds();
  for (const auto& [service, rate] : rates) {
    if (!g.Affected(service) && !g.neighbours.contains(service)) continue;
    LogRate out;
    out.service = service;
    out.before = rate.before;
    out.after = rate.after;
    out.before_errors = rate.before_errors;
    out.after_errors = rate.after_errors;
    out.factor = Judge(rate.before, rate.after, longer).factor;
    out.error_factor = Judge(rate.before_errors, rate.after_errors, longer).factor;
    g.pack.log_rates.push_back(std::move(out));
    RateLine(g, service, rate, false);
    RateLine(g, service, rate, true);
  }
}

}  // namespace

Status GatherLogs(Gather& g) {
  TOCSIN_RETURN_IF_ERROR(NeedsBoth(g));
  Kinds kinds;
  std::map<std::string, Rate> rates;
  TOCSIN_RETURN_IF_ERROR(CountKinds(g, kinds, rates));
  if (rates.empty()) return Status(Code::kNotFound, "no log lines are stored of this time");
  auto& section = g.Section("logs");
  std::vector<Found> shifts = FindShifts(g, kinds, rates);
  if (shifts.size() > kKept) {
    shifts.resize(kKept);
    section.cut = true;
  }
  const Status texts = ReadTexts(g, shifts);
  for (auto& f : shifts) {
    section.lines.push_back({Describe(f.shift), ClaimOf(g, f), f.shift.score,
                             f.silent ? "the service writes nothing any more" : ""});
    g.pack.logs.push_back(std::move(f.shift));
  }
  RateLines(g, rates);
  if (kinds.empty())
    section.lines.push_back(
        {"Lines are stored without their kind (template): only rates are compared.", std::nullopt, -1, ""});
  Settle(section, g.options.max_lines);
  return texts;
}

}  // namespace tocsin::investigate::internal
