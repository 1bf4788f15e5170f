// Who calls whom, and how that went before and since: from spans whose parent is another service's, and from
// calls that name a peer which sends no spans of its own (a database).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <span>
#include <unordered_map>

#include "claims/claim_text.h"
#include "investigate/context/internal/gather.h"
#include "kernel/id.h"
#include "respond/json_text.h"

namespace tocsin::investigate::internal {
namespace {

using claims::FormatQuantity;
using claims::Printable;

constexpr size_t kMaxEdges = 200;    // of the pack
constexpr size_t kMaxPeers = 5'000;  // calls to peers read of each window

struct Calls {
  std::vector<double> ms[2];  // before, after
  uint64_t errors[2] = {0, 0};
  std::set<uint64_t> failed_traces;  // since the onset
  std::set<uint64_t> traces;
};
using Edges = std::map<std::pair<std::string, std::string>, Calls>;

double Percentile95(std::vector<double>& values) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(static_cast<double>(values.size() - 1) * 0.95);
  std::ranges::nth_element(values, at);
  return *at;
}

struct ReadSpan {
  uint64_t trace = 0, id = 0, parent = 0;
  uint32_t service = 0;
  bool after = false, error = false;
  double ms = 0;
};

struct ReadSpans {
  std::vector<std::string> names;
  std::vector<ReadSpan> spans;
};

// Where in a window slices begin, as shares of it: closer together after the onset, because what is over soon
// must be seen too. A slice is longer than most traces, so that few are cut.
constexpr double kSlicesBefore[] = {0.1, 0.4, 0.7, 0.95};
constexpr double kSlicesAfter[] = {0.01, 0.08, 0.2, 0.45, 0.8};
constexpr Duration kSlice = Duration::Minutes(2);

void AddSlices(const claims::Window& w, std::span<const double> places, std::vector<claims::Window>& out) {
  if (w.length().ns <= 0) return;
  if (w.length().ns <= 2 * kSlice.ns * static_cast<int64_t>(places.size())) {
    out.push_back(w);
    return;
  }
  for (const double place : places) {
    const Time from = w.from + Duration{static_cast<int64_t>(place * static_cast<double>(w.length().ns))};
    out.push_back({from, std::min(w.to, from + kSlice)});
  }
}

// What is read of the spans: all, or slices of time, and of those a fixed share of the traces. The store
// skips what lies outside a slice without reading it.
struct Selection {
  std::vector<claims::Window> slices;
  uint64_t one_in = 1;
  std::string words;
};

Selection Select(const Gather& g) {
  const auto& w = g.pack.windows;
  Selection out;
  if (g.spans <= g.options.max_spans) {
    for (const auto& window : {w.baseline, w.window}) {
      if (window.length().ns > 0) out.slices.push_back(window);
    }
    return out;
  }
  AddSlices(w.baseline, kSlicesBefore, out.slices);
  AddSlices(w.window, kSlicesAfter, out.slices);
  double covered = 0;
  for (const auto& slice : out.slices) covered += slice.length().seconds();
  const double share = covered / (w.baseline.length().seconds() + w.window.length().seconds());
  const double expected = static_cast<double>(g.spans) * share;
  out.one_in =
      static_cast<uint64_t>(std::ceil(std::max(1.0, expected / static_cast<double>(g.options.max_spans))));
  if (out.slices.size() > 2)
    out.words = fmt::format("{} slices of {}", out.slices.size(), FormatDuration(kSlice));
  if (out.one_in > 1)
    out.words += fmt::format("{}one trace in {}", out.words.empty() ? "" : ", ", out.one_in);
  return out;
}

// The last digits of a trace id are random in every scheme in use; the first are a time in some.
std::string SampledSql(const Selection& selection) {
  if (selection.one_in <= 1) return "";
  return fmt::format(" AND substr(trace_id, 29) < '{:04x}'", std::max<uint64_t>(1, 65536 / selection.one_in));
}

void TakeSpan(const std::vector<store::SqlValue>& row, std::unordered_map<std::string, uint32_t>& numbers,
              ReadSpans& out) {
  ReadSpan s;
  s.trace = StableHash(Text(row[0]));
  s.id = StableHash(Text(row[1]), s.trace);
  const std::string parent = Text(row[2]);
  if (!parent.empty()) s.parent = StableHash(parent, s.trace);
  const auto [at, fresh] = numbers.emplace(Text(row[3]), static_cast<uint32_t>(out.names.size()));
  if (fresh) out.names.push_back(at->first);
  s.service = at->second;
  s.after = Whole(row[4]) == 1;
  s.error = Text(row[5]) == "error";
  s.ms = Number(row[6]) / 1e6;
  out.spans.push_back(s);
}

Result<ReadSpans> Read(Gather& g, bool* cut) {
  const Selection selection = Select(g);
  g.spans_sampled = !selection.words.empty();
  g.Section("calls").sampled = selection.words;
  const std::string sampled = SampledSql(selection);
  ReadSpans out;
  std::unordered_map<std::string, uint32_t> numbers;
  const size_t most = g.options.max_spans + g.options.max_spans / 2;
  // One query a slice: of a UNION ALL the engine would read everything that lies outside too.
  for (const auto& slice : selection.slices) {
    TOCSIN_ASSIGN_OR_RETURN(
        const auto rows,
        g.Ask(
            fmt::format("SELECT trace_id, span_id, parent_span_id, service, {} AS phase, status, duration_ns "
                        "FROM spans WHERE time_ns >= {} AND time_ns < {}{}",
                        g.Phase(), slice.from.ns, slice.to.ns, sampled),
            {}, most - std::min(most, out.spans.size()), cut));
    for (const auto& row : rows.rows) TakeSpan(row, numbers, out);
  }
  return out;
}

Edges Join(Gather& g, const ReadSpans& read) {
  std::unordered_map<uint64_t, uint32_t> service_of;
  service_of.reserve(read.spans.size());
  std::vector<std::vector<double>> ms(read.names.size() * 2);
  for (const auto& s : read.spans) {
    service_of.emplace(s.id, s.service);
    ms[s.service * 2 + (s.after ? 1 : 0)].push_back(s.ms);
  }
  for (size_t i = 0; i < read.names.size(); ++i) {
    SpanStats& stats = g.services[read.names[i]];
    stats.before_p95_ms = Percentile95(ms[i * 2]);
    stats.after_p95_ms = Percentile95(ms[i * 2 + 1]);
  }
  Edges edges;
  for (const auto& s : read.spans) {
    const auto parent = s.parent == 0 ? service_of.end() : service_of.find(s.parent);
    if (parent == service_of.end() || parent->second == s.service) continue;
    Calls& calls = edges[{read.names[parent->second], read.names[s.service]}];
    const size_t phase = s.after ? 1 : 0;
    calls.ms[phase].push_back(s.ms);
    if (s.error) ++calls.errors[phase];
    if (s.after) calls.traces.insert(s.trace);
    if (s.after && s.error) calls.failed_traces.insert(s.trace);
  }
  return edges;
}

// By the same names as alerts are correlated (respond/dispatch/call_tracker.h).
std::string PeerOf(const std::string& attributes_json) {
  const auto attributes = nlohmann::json::parse(attributes_json, nullptr, false);
  for (const char* name :
       {"peer.service", "server.address", "net.peer.name", "db.system.name", "db.system"}) {
    std::string peer = respond::JsonText(attributes, name);
    if (!peer.empty()) return peer;
  }
  return "";
}

// Calls of affected services to what sends no spans, from the same slices and traces.
Status AddPeers(Gather& g, Edges& edges) {
  const auto services = g.AffectedServices();
  if (services.empty()) return {};
  const Selection selection = Select(g);
  for (const auto& slice : selection.slices) {
    const size_t phase = slice.from < g.pack.windows.window.from ? 0 : 1;
    std::vector<store::SqlValue> values{slice.from.ns, slice.to.ns};
    const std::string marks = Marks(services, values);
    TOCSIN_ASSIGN_OR_RETURN(
        const auto rows,
        g.Ask(
            fmt::format("SELECT service, attributes_json, status, duration_ns FROM spans WHERE time_ns >= ? "
                        "AND time_ns < ? AND kind = 'client' AND service IN ({}){} AND "
                        "(position('\"peer.service\"' IN attributes_json) > 0 OR "
                        "position('\"db.system' IN attributes_json) > 0) LIMIT {}",
                        marks, SampledSql(selection), kMaxPeers),
            values, kMaxPeers));
    for (const auto& row : rows.rows) {
      const std::string caller = Text(row[0]), peer = Kept(PeerOf(Text(row[1])));
      if (peer.empty() || peer == caller || g.services.contains(peer)) continue;
      Calls& calls = edges[{caller, peer}];
      calls.ms[phase].push_back(Number(row[3]) / 1e6);
      if (Text(row[2]) == "error") ++calls.errors[phase];
    }
  }
  return {};
}

// Services by how many calls they are away from the affected ones, along the calls and against them.
std::map<std::string, int> Distances(const Gather& g, const Edges& edges, bool callers) {
  std::map<std::string, std::vector<std::string>> next;
  for (const auto& [pair, calls] : edges)
    next[callers ? pair.second : pair.first].push_back(callers ? pair.first : pair.second);
  std::map<std::string, int> out;
  std::deque<std::string> queue;
  for (const auto& a : g.pack.affected) {
    if (out.emplace(a.service, 0).second) queue.push_back(a.service);
  }
  while (!queue.empty()) {
    const std::string at = queue.front();
    queue.pop_front();
    const int hops = out.at(at);
    if (hops >= g.options.hops) continue;
    for (const auto& to : next[at]) {
      if (out.emplace(to, hops + 1).second) queue.push_back(to);
    }
  }
  return out;
}

double ScoreOf(const CallEdge& e) {
  const double n = static_cast<double>(std::min(e.before_n, e.after_n));
  const double errors = (e.after_errors - e.before_errors) * std::sqrt(std::min(n, 400.0));
  double slower = 0;
  if (e.before_p95_ms > 0 && e.after_p95_ms > 0 && n >= 20)
    slower = std::log2(e.after_p95_ms / e.before_p95_ms);
  return std::max(0.0, errors) + std::max(0.0, slower);
}

std::string Describe(const CallEdge& e) {
  std::string text =
      fmt::format("{} → {}: {} calls (before {})", Printable(e.caller, 60), Printable(e.callee, 60),
                  FormatQuantity(static_cast<double>(e.after_n), "calls"),
                  FormatQuantity(static_cast<double>(e.before_n), "calls"));
  if (e.before_n == 0) {
    return text + fmt::format(", errors {}, p95 {}", FormatQuantity(e.after_errors, "share"),
                              FormatQuantity(e.after_p95_ms, "ms"));
  }
  if (e.after_n == 0) return text + ": none any more";
  return text + fmt::format(", errors {}, p95 {}", FromTo(e.before_errors, e.after_errors, "share"),
                            FromTo(e.before_p95_ms, e.after_p95_ms, "ms"));
}

void AddEdge(Gather& g, const std::pair<std::string, std::string>& pair, Calls& calls, int hops) {
  CallEdge e;
  e.caller = pair.first;
  e.callee = pair.second;
  e.hops = hops;
  e.before_n = calls.ms[0].size();
  e.after_n = calls.ms[1].size();
  e.before_errors = Ratio(calls.errors[0], e.before_n);
  e.after_errors = Ratio(calls.errors[1], e.after_n);
  e.before_p95_ms = Percentile95(calls.ms[0]);
  e.after_p95_ms = Percentile95(calls.ms[1]);
  e.score = ScoreOf(e);
  ContextLine line;
  line.text = Describe(e);
  line.weight = e.score - 0.5 * (hops - 1);
  if (!calls.traces.empty()) {
    claims::TracePath path;
    path.path = {e.caller, e.callee};
    path.window = g.pack.windows.window;
    const bool failing =
        ClearlyMoved(calls.errors[0], e.before_n, calls.errors[1], e.after_n) && !calls.failed_traces.empty();
    if (failing) path.failed = true;
    // Of a sample: there are at least so many.
    path.expect.low = static_cast<double>(failing ? calls.failed_traces.size() : calls.traces.size());
    line.claim = std::move(path);
  }
  g.Section("calls").lines.push_back(std::move(line));
  g.pack.calls.push_back(std::move(e));
}

// Nobody named a service that sends spans: those whose errors rose most.
void GuessAffected(Gather& g) {
  const bool any = std::ranges::any_of(g.pack.affected, &AffectedService::has_spans);
  if (any) return;
  std::vector<std::pair<double, std::string>> worse;
  for (const auto& [service, s] : g.services) {
    if (!ClearlyMoved(s.before_errors, s.before_n, s.after_errors, s.after_n)) continue;
    const double rise = Ratio(s.after_errors, s.after_n) - Ratio(s.before_errors, s.before_n);
    if (rise > 0) worse.emplace_back(rise, service);
  }
  std::ranges::sort(worse, std::ranges::greater{});
  for (size_t i = 0; i < std::min<size_t>(3, worse.size()); ++i)
    g.pack.affected.push_back({.service = worse[i].second, .why = "its errors rose most", .has_spans = true});
}

void AddAffected(Gather& g, const std::string& service, const std::string& why) {
  if (service.empty() || g.pack.affected.size() >= g.options.max_services || g.Affected(service)) return;
  g.pack.affected.push_back({.service = service, .why = why, .has_spans = g.services.contains(service)});
}

void NameAffected(Gather& g) {
  AddAffected(g, g.pack.incident.service, "the incident names it");
  for (const auto& s : respond::JsonList(g.document, "sources"))
    AddAffected(g, respond::JsonText(s, "service"), "probable source of the alerts");
  for (const auto& a : g.pack.alerts) AddAffected(g, a.service, "an alert names it");
  for (const auto& s : g.pack.cluster_services) AddAffected(g, s, "it fails in the same cluster of alerts");
  GuessAffected(g);
}

}  // namespace

Status GatherCalls(Gather& g) {
  NameAffected(g);
  TOCSIN_RETURN_IF_ERROR(NeedsWindow(g));
  auto& section = g.Section("calls");
  bool cut = false;
  TOCSIN_ASSIGN_OR_RETURN(const auto read, Read(g, &cut));
  if (read.spans.empty()) return Status(Code::kNotFound, "no spans are stored of this time");
  Edges edges = Join(g, read);
  TOCSIN_RETURN_IF_ERROR(AddPeers(g, edges));
  const auto up = Distances(g, edges, true), down = Distances(g, edges, false);
  const auto near = [](const std::map<std::string, int>& distances, const std::string& service) {
    const auto at = distances.find(service);
    return at == distances.end() ? 99 : at->second;
  };
  for (const auto* side : {&up, &down}) {
    for (const auto& [service, hops] : *side) {
      if (hops > 0) g.neighbours.insert(service);
    }
  }
  for (auto& [pair, calls] : edges) {
    // Along the calls the caller is nearer, against them the callee is.
    const int hops = std::min(near(down, pair.first), near(up, pair.second)) + 1;
    if (hops > g.options.hops) continue;
    if (g.pack.calls.size() < kMaxEdges) AddEdge(g, pair, calls, hops);
  }
  std::ranges::stable_sort(g.pack.calls, std::ranges::greater{}, &CallEdge::score);
  Settle(section, g.options.max_lines);
  section.cut = section.cut || cut;
  return {};
}

}  // namespace tocsin::investigate::internal
