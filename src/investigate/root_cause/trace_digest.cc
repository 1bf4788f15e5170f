#include "investigate/root_cause/trace_digest.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

constexpr size_t kReference = SIZE_MAX;

struct Span {
  uint32_t trace = 0, service = 0, operation = 0;
  int64_t start_ns = 0, end_ns = 0;
  bool error = false, reference = false;
  std::string parent_id;
  std::vector<size_t> children;  // by start
  std::vector<size_t> lines;     // by time
};

struct Line {
  uint32_t trace, service, text;
  int64_t at_ns;
  bool error;
};

class Names {
 public:
  uint32_t Of(std::string_view name) {
    const auto [entry, fresh] = ids_.try_emplace(std::string(name), static_cast<uint32_t>(names_.size()));
    if (fresh) names_.push_back(&entry->first);
    return entry->second;
  }
  const std::string& At(uint32_t id) const { return *names_[id]; }

 private:
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<const std::string*> names_;
};

// Frameworks name what they do on failure after it.
bool NamesFailure(std::string_view name) {
  const std::string lower = LowerAscii(name);
  for (const std::string_view word : {"error", "exception", "fail"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return false;
}

struct Step {
  std::string name;
  bool error = false, end = false;
};

}  // namespace

struct TraceDigest::Data {
  Names names;
  std::vector<Span> spans;
  std::vector<Line> lines;
  std::unordered_map<std::string, size_t> by_id;                   // trace id + span id
  std::set<std::tuple<uint32_t, size_t, int64_t, uint32_t>> seen;  // lines
  std::vector<std::pair<std::string, size_t>> line_spans;          // key of the span, index of the line
};

TraceDigest::TraceDigest() : data_(std::make_unique<Data>()) {}
TraceDigest::~TraceDigest() = default;
TraceDigest::TraceDigest(TraceDigest&&) noexcept = default;
TraceDigest& TraceDigest::operator=(TraceDigest&&) noexcept = default;

namespace {

std::string SpanKey(std::string_view trace_id, std::string_view span_id) {
  std::string key(trace_id);
  key += '/';
  key += span_id;
  return key;
}

}  // namespace

void TraceDigest::AddSpan(const DigestSpan& span, bool reference) {
  Data& d = *data_;
  const auto [entry, fresh] = d.by_id.try_emplace(SpanKey(span.trace_id, span.span_id), d.spans.size());
  if (!fresh) return;
  d.spans.push_back({.trace = d.names.Of(span.trace_id),
                     .service = d.names.Of(span.service),
                     .operation = d.names.Of(span.operation),
                     .start_ns = span.start_ns,
                     .end_ns = std::max(span.start_ns, span.end_ns),
                     .error = span.error || NamesFailure(span.operation),
                     .reference = reference,
                     .parent_id = SpanKey(span.trace_id, span.parent_id),
                     .children = {},
                     .lines = {}});
}

void TraceDigest::AddLine(const DigestLine& line, bool /*reference*/) {
  Data& d = *data_;
  const uint32_t trace = d.names.Of(line.trace_id), text = d.names.Of(line.text);
  const size_t span = std::hash<std::string_view>{}(line.span_id);
  if (!d.seen.emplace(trace, span, line.at_ns, text).second) return;
  d.line_spans.emplace_back(SpanKey(line.trace_id, line.span_id), d.lines.size());
  d.lines.push_back({.trace = trace,
                     .service = d.names.Of(line.service),
                     .text = text,
                     .at_ns = line.at_ns,
                     .error = line.error || NamesFailure(line.text)});
}

namespace {

// One pass over linked spans. Borrows everything.
class Digester {
 public:
  Digester(const Names& names, const std::vector<Span>& spans, const std::vector<Line>& lines,
           RootCauseInput& input)
      : names_(names), spans_(spans), lines_(lines), input_(input), paths_(spans.size(), nullptr) {}

  void Add(size_t index) {
    const Span& span = spans_[index];
    const size_t bucket = BucketOf(span);
    if (bucket != kReference && bucket >= input_.buckets) return;
    AddTime(span, bucket);
    if (IsCallOfOther(span)) return;
    const std::string& path = PathOf(index);
    const std::string& operation = names_.At(span.operation);
    std::vector<Step> steps;
    for (const size_t line : span.lines) {
      steps.push_back({"log " + names_.At(lines_[line].text), lines_[line].error, false});
    }
    AddChain(span, bucket, path, operation + " start", steps);
    steps.clear();
    for (const size_t child : span.children) steps.push_back(StepOf(span, spans_[child]));
    AddChain(span, bucket, path, operation + " calls", steps);
  }

  void Finish() {
    for (auto& [key, times] : times_) input_.spans.push_back(std::move(times));
    for (auto& [key, state] : states_) {
      for (auto& [to, outcome] : state.outcomes) state.flow.outcomes.push_back(std::move(outcome));
      input_.flows.push_back(std::move(state.flow));
    }
    for (const auto& [caller, callee] : edges_) {
      input_.edges.push_back({.caller = names_.At(caller), .callee = names_.At(callee)});
    }
  }

 private:
  struct State {
    FlowState flow;
    std::map<std::string, FlowOutcome> outcomes;
    std::unordered_map<uint32_t, size_t> first_bucket;  // of each trace
    std::set<std::pair<uint32_t, std::string>> taken;
  };

  size_t BucketOf(const Span& span) const {
    if (span.reference) return kReference;
    if (span.start_ns < input_.start_ns) return input_.buckets;
    return static_cast<size_t>((span.start_ns - input_.start_ns) / input_.bucket_ns);
  }

  bool IsCallOfOther(const Span& span) const {
    return span.lines.empty() && span.children.size() == 1 &&
           spans_[span.children.front()].service != span.service;
  }

  Step StepOf(const Span& parent, const Span& child) const {
    const Span* named = &child;
    if (child.service == parent.service && child.children.size() == 1 &&
        spans_[child.children.front()].service != child.service) {
      named = &spans_[child.children.front()];
    }
    const bool error = child.error || named->error;
    if (named->service == parent.service) return {"do " + names_.At(named->operation), error, false};
    return {"call " + names_.At(named->service) + " " + names_.At(named->operation), error, false};
  }

  // The operations at which each service on the way here was entered.
  const std::string& PathOf(size_t index) {
    if (paths_[index] != nullptr) return *paths_[index];
    std::vector<size_t> chain;  // upwards, without recursion: depth is the input's to choose
    size_t at = index;
    while (paths_[at] == nullptr) {
      chain.push_back(at);
      paths_[at] = &kNoPath;  // a cycle ends here
      const size_t parent = parents_.at(at);
      if (parent == SIZE_MAX) break;
      at = parent;
    }
    while (!chain.empty()) {
      const size_t i = chain.back();
      chain.pop_back();
      const size_t parent = parents_.at(i);
      const Span& span = spans_[i];
      std::string path = parent == SIZE_MAX ? std::string() : *paths_[parent];
      if (parent == SIZE_MAX || spans_[parent].service != span.service) {
        if (path.size() < kLongestPath)
          path += '>' + names_.At(span.service) + ' ' + names_.At(span.operation);
      }
      paths_[i] = &*interned_.insert(std::move(path)).first;
    }
    return *paths_[index];
  }

  static void Count(BucketCounts& counts, size_t bucket, size_t buckets) {
    if (bucket == kReference) {
      ++counts.reference;
      return;
    }
    if (counts.buckets.empty()) counts.buckets.resize(buckets, 0);
    ++counts.buckets[bucket];
  }

  void AddChain(const Span& span, size_t bucket, const std::string& path, std::string from,
                const std::vector<Step>& steps) {
    for (size_t i = 0; i <= steps.size(); ++i) {
      const bool last = i == steps.size();
      const Step to = last ? Step{names_.At(span.operation) + " end", span.error, true} : steps[i];
      AddStep(span, bucket, path, from, to);
      from = to.name;
    }
  }

  void AddStep(const Span& span, size_t bucket, const std::string& path, const std::string& from,
               const Step& to) {
    State& state = states_[{span.service, path, from}];
    if (state.flow.from.empty()) {
      state.flow.service = names_.At(span.service);
      state.flow.context = path;
      state.flow.from = from;
    }
    const auto [first, fresh] = state.first_bucket.try_emplace(span.trace, bucket);
    if (fresh) Count(state.flow.traces, bucket, input_.buckets);
    if (!state.taken.emplace(span.trace, to.name).second) return;
    FlowOutcome& outcome = state.outcomes[to.name];
    outcome.to = to.name;
    outcome.error = outcome.error || to.error;
    outcome.end = to.end;
    Count(outcome.traces, first->second, input_.buckets);
  }

  void AddTime(const Span& span, size_t bucket) {
    int64_t covered = 0, reached = span.start_ns;
    uint32_t peer = span.service;
    for (const size_t i : span.children) {
      const Span& child = spans_[i];
      const int64_t from = std::max(child.start_ns, reached), to = std::min(child.end_ns, span.end_ns);
      if (to > from) {
        covered += to - from;
        reached = to;
      }
      if (child.service == span.service) continue;
      if (peer == span.service) peer = child.service;
      edges_.emplace(span.service, child.service);
    }
    SpanTimes& times = times_[{span.service, span.operation, peer}];
    if (times.service.empty()) {
      times.service = names_.At(span.service);
      times.operation = names_.At(span.operation);
      if (peer != span.service) times.peer = names_.At(peer);
    }
    const auto micros = static_cast<double>(span.end_ns - span.start_ns - covered) / 1e3;
    const double value = std::log1p(std::max(0.0, micros));
    if (bucket == kReference) return times.reference.Add(value);
    if (times.buckets.empty()) times.buckets.resize(input_.buckets);
    times.buckets[bucket].Add(value);
  }

 public:
  void SetParents(std::vector<size_t> parents) { parents_ = std::move(parents); }

 private:
  static constexpr size_t kLongestPath = 2000;
  inline static const std::string kNoPath;

  const Names& names_;
  const std::vector<Span>& spans_;
  const std::vector<Line>& lines_;
  RootCauseInput& input_;
  std::vector<const std::string*> paths_;
  std::set<std::string> interned_;
  std::vector<size_t> parents_;
  std::map<std::tuple<uint32_t, std::string, std::string>, State> states_;
  std::map<std::tuple<uint32_t, uint32_t, uint32_t>, SpanTimes> times_;
  std::set<std::pair<uint32_t, uint32_t>> edges_;
};

}  // namespace

void TraceDigest::Finish(RootCauseInput& input) const {
  const Data& d = *data_;
  std::vector<Span> spans = d.spans;
  std::vector<size_t> parents(spans.size(), SIZE_MAX);
  for (size_t i = 0; i < spans.size(); ++i) {
    const auto parent = d.by_id.find(spans[i].parent_id);
    if (parent == d.by_id.end() || parent->second == i) continue;
    parents[i] = parent->second;
    spans[parent->second].children.push_back(i);
  }
  for (const auto& [key, line] : d.line_spans) {
    if (const auto span = d.by_id.find(key); span != d.by_id.end()) spans[span->second].lines.push_back(line);
  }
  for (Span& span : spans) {
    std::sort(span.children.begin(), span.children.end(),
              [&](size_t x, size_t y) { return spans[x].start_ns < spans[y].start_ns; });
    std::sort(span.lines.begin(), span.lines.end(),
              [&](size_t x, size_t y) { return d.lines[x].at_ns < d.lines[y].at_ns; });
  }
  Digester digester(d.names, spans, d.lines, input);
  digester.SetParents(std::move(parents));
  for (size_t i = 0; i < spans.size(); ++i) digester.Add(i);
  digester.Finish();
}

}  // namespace tocsin::investigate
