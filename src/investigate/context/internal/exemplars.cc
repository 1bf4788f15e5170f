// Traces to open: the worst since the onset, and a good one of the same kind beside it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "claims/claim_text.h"
#include "investigate/context/internal/gather.h"
#include "respond/json_text.h"

namespace tocsin::investigate::internal {
namespace {

using claims::FormatQuantity;
using claims::Printable;

constexpr size_t kMaxSpans = 2'000;  // of the traces shown
constexpr size_t kShownSpans = 40;
constexpr Duration kReach = Duration::Minutes(10);  // spans of a trace lie this near its first
constexpr size_t kCandidates = 5;

struct Candidate {
  std::string trace;
  Time at;
};

Result<std::vector<Candidate>> Ask(Gather& g, const std::string& condition, const std::string& having,
                                   const std::string& order, const std::vector<std::string>& services,
                                   const claims::Window& window) {
  std::vector<store::SqlValue> values{window.from.ns, window.to.ns};
  const std::string marks = Marks(services, values);
  TOCSIN_ASSIGN_OR_RETURN(
      const auto rows,
      g.Ask(fmt::format(
                "SELECT trace_id, min(time_ns), count(*), max(duration_ns) FROM spans WHERE time_ns >= ? "
                "AND time_ns < ? AND service IN ({}){} AND trace_id <> '' GROUP BY trace_id{} ORDER BY {}, "
                "trace_id LIMIT {}",
                marks, condition, having, order, kCandidates),
            values, kCandidates));
  std::vector<Candidate> out;
  for (const auto& row : rows.rows) out.push_back({Text(row[0]), Time{Whole(row[1])}});
  return out;
}

// In the order of a tree; a span whose parent is not there begins one.
void Arrange(ExemplarTrace& trace, std::vector<ExemplarSpan> spans) {
  std::ranges::stable_sort(spans, {}, &ExemplarSpan::start);
  std::map<std::string, std::vector<size_t>> children;
  std::set<std::string> ids;
  for (const auto& s : spans) ids.insert(s.span_id);
  for (size_t i = 0; i < spans.size(); ++i) {
    const bool inner = ids.contains(spans[i].parent_span_id) && spans[i].parent_span_id != spans[i].span_id;
    children[inner ? spans[i].parent_span_id : ""].push_back(i);
  }
  std::vector<std::pair<size_t, int>> stack;
  std::set<size_t> seen;
  const auto push = [&](const std::string& parent, int depth) {
    const auto at = children.find(parent);
    if (at == children.end()) return;
    for (size_t i = at->second.size(); i-- > 0;) stack.emplace_back(at->second[i], depth);
  };
  push("", 0);
  while (!stack.empty() && trace.shown.size() < kShownSpans) {
    const auto [i, depth] = stack.back();
    stack.pop_back();
    if (!seen.insert(i).second) continue;
    spans[i].depth = depth;
    trace.shown.push_back(spans[i]);
    if (!spans[i].span_id.empty()) push(spans[i].span_id, depth + 1);
  }
}

// The traces of the candidates that are there, in their order.
Result<std::vector<ExemplarTrace>> ReadTraces(Gather& g, const std::vector<Candidate>& candidates,
                                              const char* kind) {
  std::vector<ExemplarTrace> out;
  if (candidates.empty()) return out;
  const auto [first, last] = std::ranges::minmax_element(candidates, {}, &Candidate::at);
  std::vector<store::SqlValue> values{(first->at - kReach).ns, (last->at + kReach).ns};
  std::vector<std::string> ids;
  for (const auto& c : candidates) ids.push_back(c.trace);
  const std::string marks = Marks(ids, values);
  TOCSIN_ASSIGN_OR_RETURN(
      const auto rows,
      g.Ask(fmt::format(
                "SELECT trace_id, span_id, parent_span_id, service, name, status, status_message, time_ns, "
                "duration_ns FROM spans WHERE time_ns >= ? AND time_ns < ? AND trace_id IN ({}) ORDER BY "
                "time_ns, span_id",
                marks),
            values, kMaxSpans));
  for (const auto& id : ids) {
    ExemplarTrace trace;
    trace.kind = kind;
    trace.trace_id = Kept(id);
    std::vector<ExemplarSpan> spans;
    Time end;
    for (const auto& row : rows.rows) {
      if (Text(row[0]) != id) continue;
      spans.push_back({Kept(Text(row[1])), Kept(Text(row[2])), Kept(Text(row[3])), Kept(Text(row[4])),
                       Kept(Text(row[5])), Kept(Text(row[6])), Time{Whole(row[7])}, Number(row[8]) / 1e6, 0});
      const auto& s = spans.back();
      if (s.status == "error") ++trace.errors;
      if (!trace.start.known() || s.start < trace.start) trace.start = s.start;
      end = std::max(end, s.start + Duration{Whole(row[8])});
    }
    if (spans.empty()) continue;
    trace.spans = spans.size();
    trace.duration_ms = (end - trace.start).seconds() * 1e3;
    Arrange(trace, std::move(spans));
    out.push_back(std::move(trace));
  }
  return out;
}

std::string Describe(const ExemplarTrace& t) {
  const ExemplarSpan* deepest = nullptr;
  for (const auto& s : t.shown) {
    if (s.status == "error" && (deepest == nullptr || s.depth > deepest->depth)) deepest = &s;
  }
  std::string text =
      fmt::format("{} trace {}: {}, {} spans, {} with errors", t.kind == "good" ? "a good" : "the worst",
                  Printable(t.trace_id, 40), FormatQuantity(t.duration_ms, "ms"), t.spans, t.errors);
  if (deepest != nullptr)
    text += fmt::format("; deepest error in {} {}{}", Printable(deepest->service, 40),
                        Printable(deepest->name, 40),
                        deepest->status_message.empty() ? "" : ": " + Printable(deepest->status_message, 60));
  return text;
}

void Show(Gather& g, ExemplarTrace trace, double weight) {
  ContextLine line;
  line.text = Describe(trace);
  line.weight = weight;
  claims::Exists claim;
  claim.of = "spans";
  claim.where = {{"trace_id", "is", trace.trace_id}};
  if (trace.errors > 0) claim.where.push_back({"status", "is", "error"});
  claim.window = {trace.start, trace.start + kReach};
  if (claim.window.to > g.options.now) claim.window.to = g.options.now;
  if (claim.window.from < claim.window.to) line.claim = std::move(claim);
  g.Section("exemplars").lines.push_back(std::move(line));
  g.pack.exemplars.push_back(std::move(trace));
}

// Of the same entry: what begins as the bad one did and has no error, as fast as most before.
Status AddGood(Gather& g, const std::vector<std::string>& services, const ExemplarTrace& bad) {
  const auto& w = g.pack.windows;
  const claims::Window window = g.has_baseline() ? w.baseline : w.window;
  // The last minutes are enough, and less to read.
  claims::Window recent{std::max(window.from, window.to - Duration::Minutes(5)), window.to};
  const std::string root = bad.shown.empty() ? "" : bad.shown.front().service;
  std::vector<std::string> asked = services;
  if (std::ranges::find(asked, root) == asked.end() && !root.empty()) asked.insert(asked.begin(), root);
  std::set<std::string> through;
  for (const auto& s : bad.shown) through.insert(s.service);
  const std::string healthy = fmt::format(" HAVING {} = 0", g.sources.dialect.CountIf("status = 'error'"));
  TOCSIN_ASSIGN_OR_RETURN(const auto candidates, Ask(g, "", healthy, "3 DESC, 4", asked, recent));
  TOCSIN_ASSIGN_OR_RETURN(auto traces, ReadTraces(g, candidates, "good"));
  std::optional<ExemplarTrace> best;
  size_t most = 0;
  for (auto& trace : traces) {
    if (trace.errors > 0) continue;
    std::set<std::string> common;
    for (const auto& s : trace.shown) {
      if (through.contains(s.service)) common.insert(s.service);
    }
    if (best && common.size() <= most) continue;
    most = common.size();
    best = std::move(trace);
  }
  if (best) Show(g, *std::move(best), 1);
  return {};
}

void DocumentExemplars(Gather& g) {
  double weight = 10;
  for (const auto& [list, words] : {std::pair{"exemplars_after", "an answer since"},
                                    std::pair{"exemplars_before", "an answer before, for contrast"}}) {
    size_t shown = 0;
    for (const auto& e : respond::JsonList(g.document, list)) {
      if (shown++ == 2) break;
      const std::string trace = respond::JsonText(e, "trace_id"), note = respond::JsonText(e, "note");
      g.Section("exemplars")
          .lines.push_back(
              {fmt::format("{}: \"{}\" to \"{}\"{}{}", words, Printable(respond::JsonText(e, "output"), 100),
                           Printable(respond::JsonText(e, "prompt"), 60),
                           note.empty() ? "" : " — " + Printable(note, 60),
                           trace.empty() ? "" : ", trace " + Printable(trace, 40)),
               std::nullopt, weight--, ""});
    }
  }
}

}  // namespace

Status GatherExemplars(Gather& g) {
  DocumentExemplars(g);
  auto& section = g.Section("exemplars");
  const Status ready = NeedsWindow(g);
  if (!ready.ok()) return section.lines.empty() ? ready : Status();
  std::vector<std::string> services;
  for (const auto& a : g.pack.affected) {
    if (a.has_spans) services.push_back(a.service);
  }
  if (services.empty()) {
    return section.lines.empty() ? Status(Code::kNotFound, "no affected service sends spans") : Status();
  }
  TOCSIN_ASSIGN_OR_RETURN(
      auto bad, Ask(g, " AND status = 'error'", "", "3 DESC, 4 DESC", services, g.pack.windows.window));
  if (bad.empty()) {
    claims::Window first = g.pack.windows.window;
    first.to = std::min(first.to, first.from + kReach);
    TOCSIN_ASSIGN_OR_RETURN(bad, Ask(g, "", "", "4 DESC", services, first));
  }
  if (bad.empty()) return {};
  bad.resize(1);
  TOCSIN_ASSIGN_OR_RETURN(auto worst, ReadTraces(g, bad, "worst"));
  if (worst.empty()) return {};
  const ExemplarTrace copy = worst.front();
  Show(g, std::move(worst.front()), 2);
  return AddGood(g, services, copy);
}

}  // namespace tocsin::investigate::internal
