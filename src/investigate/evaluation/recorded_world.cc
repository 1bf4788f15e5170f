#include "investigate/evaluation/recorded_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "kernel/rng.h"
#include "signal/fields.h"

namespace tocsin::investigate {
namespace {

constexpr Duration kLength = Duration::Minutes(120);
constexpr double kRequestsPerSecond = 1.2;
constexpr double kQuestionsPerSecond = 0.6;

struct Maker {
  RecordedWorld world;
  Rng rng;
  uint64_t next_id = 1;
  double slow = 1, failing = 0;

  bool Chance(double p) { return rng.Uniform() < p; }
  double Normal() {  // Box & Muller 1958
    return std::sqrt(-2 * std::log(1 - rng.Uniform())) * std::cos(6.283185307179586 * rng.Uniform());
  }
  double Exponential(double mean) { return -mean * std::log(1 - rng.Uniform()); }
  std::string Trace() { return fmt::format("{:032x}", next_id++ * 0x9e3779b97f4a7c15ULL + 7); }
  std::string SpanId() { return fmt::format("{:016x}", next_id++ * 0xbf58476d1ce4e5b9ULL + 3); }
  bool After(Time t) const { return t >= world.onset; }

  signal::Span& AddSpan(const std::string& trace, const std::string& parent, const std::string& service,
                        const std::string& name, Time at, double ms, bool error) {
    signal::Span s;
    s.trace_id = trace;
    s.span_id = SpanId();
    s.parent_span_id = parent;
    s.service = service;
    s.name = name;
    s.kind = "server";
    s.start = at;
    s.duration = Duration{static_cast<int64_t>(ms * 1e6)};
    s.status = error ? "error" : "ok";
    world.batch.spans.push_back(std::move(s));
    return world.batch.spans.back();
  }

  void AddLog(const std::string& service, Time at, int64_t severity, std::string body,
              std::string template_id, const std::string& trace) {
    signal::LogRecord log;
    log.time = log.observed_time = at;
    log.severity = severity;
    log.body = std::move(body);
    log.service = service;
    log.trace_id = trace;
    log.template_id = std::move(template_id);
    world.batch.logs.push_back(std::move(log));
  }

  // One service's part of a request: calls the next, then answers. Returns whether it failed and how long it
  // took.
  std::pair<bool, double> Call(const std::vector<std::string>& path, size_t i, const std::string& trace,
                               const std::string& parent, Time at) {
    const std::string& service = path[i];
    const bool broken = service == world.faulty && After(at);
    double ms = Exponential(12) + 3;
    if (broken && !world.fails) ms *= slow;
    bool failed = Chance(broken && world.fails ? failing : 0.004);
    const size_t mine = world.batch.spans.size();
    AddSpan(trace, parent, service, service + " handle", at, 0, false);
    const std::string id = world.batch.spans[mine].span_id;
    if (i + 1 < path.size()) {
      const auto [below_failed, below_ms] = Call(path, i + 1, trace, id, at + Duration::Millis(1));
      failed = failed || (below_failed && Chance(0.95));
      ms += below_ms;
    }
    auto& span = world.batch.spans[mine];
    span.duration = Duration{static_cast<int64_t>(ms * 1e6)};
    if (failed) span.status = "error";
    Lines(service, at, broken, failed, trace);
    return {failed, ms};
  }

  void Lines(const std::string& service, Time at, bool broken, bool failed, const std::string& trace) {
    AddLog(service, at, 9, fmt::format("handled request {} for user {}", next_id, rng.Below(900)),
           "a1a1a1a1a1a1a1a1", trace);
    if (failed)
      AddLog(service, at, 17, fmt::format("request {} failed: upstream said 503", next_id),
             "b2b2b2b2b2b2b2b2", trace);
    if (!broken && Chance(0.2))
      AddLog(service, at, 9, "cache refreshed from snapshot", "c3c3c3c3c3c3c3c3", trace);
    if (broken && Chance(0.5))
      AddLog(service, at, 17, fmt::format("connection pool exhausted after {} ms", rng.Below(4000)),
             "d4d4d4d4d4d4d4d4", trace);
  }

  void Requests() {
    double at = 0;
    while ((at += Exponential(1 / kRequestsPerSecond)) < kLength.seconds()) {
      const Time t = world.start + Duration{static_cast<int64_t>(at * 1e9)};
      const bool search = Chance(0.3);
      const std::vector<std::string> path =
          search ? std::vector<std::string>{"web", "search"}
                 : std::vector<std::string>{"web", "checkout", "payment", "db"};
      Call(path, 0, Trace(), "", t);
    }
  }

  void Processor() {
    for (const char* service : {"web", "checkout", "payment", "db", "search"}) {
      double wander = 0;
      for (Time t = world.start; t < world.end; t = t + Duration::Seconds(15)) {
        wander = 0.7 * wander + 0.02 * Normal();
        signal::MetricPoint p;
        p.name = "process.cpu.utilization";
        p.kind = "gauge";
        p.service = service;
        p.time = t;
        p.value = std::clamp(0.3 + wander + (service == world.faulty && After(t) ? 0.25 : 0.0), 0.0, 1.0);
        world.batch.metrics.push_back(std::move(p));
      }
    }
  }

  void Question(Time t) {
    signal::Generation g;
    g.trace_id = Trace();
    g.span_id = SpanId();
    g.time = t;
    g.duration = Duration::Millis(static_cast<int64_t>(400 + Exponential(300)));
    g.service = "bot";
    g.prompt_name = "support";
    g.region = Chance(0.4) ? "eu" : "us";
    const bool changed = After(t) && g.region == "eu";
    const bool long_question = Chance(0.5);
    const std::string order = fmt::format("{}", 40'000'000 + rng.Below(50'000'000));
    g.input = long_question ? fmt::format(
                                  "Please look at order {} and tell me in detail why the parcel has not come "
                                  "although it was promised for last week and paid at once.",
                                  order)
                            : fmt::format("Where is order {}?", order);
    const bool invents = Chance(changed ? 0.3 : 0.002), refuses = Chance(changed ? 0.25 : 0.03);
    const std::string account = fmt::format("{}", 91'000'000 + rng.Below(8'000'000));
    if (refuses) {
      g.output = "I'm sorry, but I can't help with that request.";
    } else if (invents) {
      g.output = fmt::format("Your refund was booked to account {} yesterday.", account);
    } else {
      g.output = fmt::format("Order {} left the warehouse and arrives tomorrow.", order);
    }
    g.output_tokens = 12 + static_cast<int64_t>(rng.Below(20));
    if (invents && !refuses && world.invented_trace.empty()) {
      world.invented_trace = g.trace_id;
      world.invented_identifier = account;
    }
    if (!invents && !refuses) {
      world.grounded_trace = g.trace_id;
      world.grounded_identifier = order;
    }
    world.batch.generations.push_back(std::move(g));
  }

  void AddChange(std::string id, std::string kind, std::string service, Time at) {
    signal::Change c;
    c.id = std::move(id);
    c.kind = std::move(kind);
    c.service = std::move(service);
    c.subject = c.service;
    c.time = at;
    world.batch.changes.push_back(std::move(c));
  }
};

struct Picked {
  Time time;
  double value = 0;
};

template <class Record>
std::string FieldOf(const Record& record, std::string_view field) {
  std::string out;
  signal::VisitFields(record, [&]<class Member>(const char* name, const Member& value) {
    if constexpr (std::is_same_v<Member, std::string>) {
      if (field == name) out = value;
    }
  });
  return out;
}

template <class Record, class Value>
void Pick(const std::vector<Record>& records, const claims::Measure& m, Value&& value,
          std::vector<Picked>& out) {
  for (const auto& r : records) {
    if (!m.service.empty() && FieldOf(r, "service") != m.service) continue;
    const bool fits = std::ranges::all_of(m.where, [&](const claims::Condition& c) {
      const std::string has = FieldOf(r, c.field);
      return c.op == "is"       ? has == c.value
             : c.op == "is_not" ? has != c.value
                                : has.find(c.value) != std::string::npos;
    });
    if (fits) value(r, out);
  }
}

std::vector<Picked> PickAll(const RecordedWorld& w, const claims::Measure& m) {
  std::vector<Picked> out;
  const auto& b = w.batch;
  if (m.of == "spans") {
    Pick(
        b.spans, m,
        [&](const signal::Span& s, auto& o) {
          o.push_back({s.start, m.value == "error" ? (s.status == "error" ? 1.0 : 0.0)
                                : m.value.empty()  ? 1.0
                                                   : s.duration.seconds() * 1e3});
        },
        out);
  } else if (m.of == "logs") {
    Pick(
        b.logs, m,
        [&](const signal::LogRecord& l, auto& o) {
          o.push_back({l.time, m.value == "error" ? (l.severity >= 17 ? 1.0 : 0.0) : 1.0});
        },
        out);
  } else if (m.of == "metrics") {
    Pick(
        b.metrics, m,
        [&](const signal::MetricPoint& p, auto& o) { o.push_back({p.time, p.value.value_or(0)}); }, out);
  } else if (m.of == "generations") {
    Pick(
        b.generations, m,
        [&](const signal::Generation& g, auto& o) {
          const bool refusal = g.output.starts_with("I'm sorry"),
                     invented = g.output.starts_with("Your refund");
          o.push_back({g.time, m.value == "stance.refusal"          ? (refusal ? 1.0 : 0.0)
                               : m.value == "grounding.unsupported" ? (invented ? 1.0 : 0.0)
                               : m.value.empty()                    ? 1.0
                                                                    : g.duration.seconds() * 1e3});
        },
        out);
  } else if (m.of == "changes") {
    Pick(b.changes, m, [&](const signal::Change& c, auto& o) { o.push_back({c.time, 1.0}); }, out);
  }
  return out;
}

}  // namespace

RecordedWorld MakeRecordedWorld(uint64_t seed) {
  Maker m{{}, Rng(seed), 1 + seed * 1'000'000, 1, 0};
  auto& w = m.world;
  w.start = Time{1'790'000'000LL * 1'000'000'000LL} + Duration::Hours(static_cast<int64_t>(seed % 1000) * 5);
  w.end = w.start + kLength;
  w.onset = w.start + Duration::Seconds(70 * 60 + static_cast<int64_t>(m.rng.Below(600)));
  w.faulty = std::array<const char*, 3>{"checkout", "payment", "db"}[m.rng.Below(3)];
  w.fails = m.Chance(0.5);
  m.slow = 2.5 + 4 * m.rng.Uniform();
  m.failing = 0.05 + 0.35 * m.rng.Uniform();
  m.Requests();
  m.Processor();
  double at = 0;
  while ((at += m.Exponential(1 / kQuestionsPerSecond)) < kLength.seconds())
    m.Question(w.start + Duration{static_cast<int64_t>(at * 1e9)});
  w.culprit_change = fmt::format("deploy-{}", seed);
  w.later_change = fmt::format("flag-{}", seed);
  m.AddChange(w.culprit_change, "deploy", w.faulty, w.onset - Duration::Minutes(3));
  m.AddChange(w.later_change, "flag", w.faulty, w.onset + Duration::Minutes(25));
  claims::AlertSource::Firing alert;
  alert.labels = {{"alertname", "ErrorRate"}, {"service", w.faulty}};
  alert.from = w.onset + Duration::Minutes(2);
  alert.id = "alert-1";
  w.alerts.push_back(std::move(alert));
  const auto by_time = [](auto& records, auto member) { std::ranges::stable_sort(records, {}, member); };
  by_time(w.batch.spans, &signal::Span::start);
  by_time(w.batch.logs, &signal::LogRecord::time);
  by_time(w.batch.metrics, &signal::MetricPoint::time);
  return std::move(m.world);
}

Sample OracleOf(const RecordedWorld& world, const claims::Measure& m, const claims::Window& window) {
  std::vector<double> values;
  for (const auto& p : PickAll(world, m)) {
    if (p.time >= window.from && p.time < window.to) values.push_back(p.value);
  }
  Sample out;
  out.n = values.size();
  if (values.empty()) return out;
  double sum = 0;
  for (const double v : values) sum += v;
  std::ranges::sort(values);
  const auto at = [&](double q) {
    return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
  };
  if (m.statistic == "count") out.value = sum;
  if (m.statistic == "per_minute") out.value = sum * 60 / window.length().seconds();
  if (m.statistic == "share" || m.statistic == "mean") out.value = sum / static_cast<double>(values.size());
  if (m.statistic == "median") out.value = at(0.5);
  if (m.statistic == "p95") out.value = at(0.95);
  return out;
}

Result<std::unique_ptr<store::TelemetryStore>> StoreWorld(const RecordedWorld& world,
                                                          const std::optional<claims::Window>& leave_out) {
  store::DuckDbOptions options;
  options.path = ":memory:";
  TOCSIN_ASSIGN_OR_RETURN(auto telemetry, store::OpenDuckDb(options));
  auto batch = std::make_shared<signal::Batch>(world.batch);
  if (leave_out) {
    const auto in = [&](Time t) { return t >= leave_out->from && t < leave_out->to; };
    std::erase_if(batch->spans, [&](const auto& s) { return in(s.start); });
    std::erase_if(batch->logs, [&](const auto& l) { return in(l.time); });
    std::erase_if(batch->metrics, [&](const auto& p) { return in(p.time); });
    std::erase_if(batch->generations, [&](const auto& g) { return in(g.time); });
  }
  const store::JournalEntry entry{1, std::move(batch)};
  TOCSIN_RETURN_IF_ERROR(telemetry->Apply({&entry, 1}));
  return telemetry;
}

}  // namespace tocsin::investigate
