#include "investigate/diagnosis/database_view.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>

#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// A name that continues an instance's ("orders-db-replica-1") is taken for one of its replicas.
bool InScope(const Evidence& e, const std::string& resource) {
  if (e.instances.empty() || resource.empty()) return true;
  return Contains(e.instances, resource) || Contains(e.replicas, resource) ||
         std::ranges::any_of(e.instances,
                             [&](const std::string& i) { return resource.starts_with(i + "-"); });
}

std::string VerbOf(const std::string& text, bool& open) {
  static const RE2 kVerb(
      R"((?is)^\s*(?:(begin|start transaction)\s*;?\s*)?(?:/\*.*?\*/\s*)?(?:explain\s+(?:analyze\s+)?)?(?:with\s.*?\)\s*)?(select|insert|update|delete|copy|vacuum|analyze|alter|create|drop|truncate|merge|call|refresh|reindex|cluster|lock|checkpoint|autovacuum|declare|fetch|commit)\b)");
  std::string begin, verb;
  if (!RE2::PartialMatch(text, kVerb, &begin, &verb)) {
    open = LowerAscii(text).find("idle in transaction") != std::string::npos;
    return {};
  }
  open = !begin.empty() || LowerAscii(text).find("idle in transaction") != std::string::npos;
  for (char& c : verb) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return verb;
}

bool Writes(const std::string& verb) {
  static constexpr std::array kWriting{"INSERT", "UPDATE",   "DELETE",  "COPY",    "MERGE",  "CREATE",
                                       "ALTER",  "TRUNCATE", "REFRESH", "REINDEX", "CLUSTER"};
  return std::ranges::find(kWriting, verb) != kWriting.end();
}

Statement ReadStatement(const StatementLoad& from, double total) {
  Statement out{
      .text = from.text, .share = total > 0 ? from.load / total : 0, .calls = from.calls_per_second};
  out.verb = VerbOf(from.text, out.open_transaction);
  out.writes = Writes(out.verb);
  double sum = 0, top = 0;
  for (const NamedLoad& wait : from.waits) sum += std::max(0.0, wait.load);
  for (const NamedLoad& wait : from.waits) {
    if (sum > 0) out.waits[WaitKindOf(wait.name)] += std::max(0.0, wait.load) / sum;
    if (wait.load > top) top = wait.load, out.top_wait = wait.name;
  }
  return out;
}

void AddLoad(const DatabaseLoad& load, DatabaseView& view) {
  view.load_source = load.source;
  double total = 0, waits = 0;
  for (const StatementLoad& s : load.statements) total += std::max(0.0, s.load);
  for (const StatementLoad& s : load.statements) view.statements.push_back(ReadStatement(s, total));
  for (const NamedLoad& w : load.waits) waits += std::max(0.0, w.load);
  for (const NamedLoad& w : load.waits)
    if (waits > 0) view.waits.push_back({w.name, std::max(0.0, w.load) / waits});
  for (const NamedLoad& u : load.users) view.users.push_back(u);
  if (!load.sessions.values.empty()) view.sessions = Summarize(load.sessions);
}

// AWS's published sizes: vCPUs double with each size, memory per vCPU is the family's. PostgreSQL on RDS
// allows LEAST(memory / 9531392, 5000) connections unless the parameter group says otherwise.
void ReadInstanceClass(const std::string& name, DatabaseView& view) {
  static const RE2 kClass(R"(^(?:db\.)?([a-z])[a-z0-9-]*\.(?:(\d+)?(xlarge)|(large|medium|small|micro))$)");
  std::string family, factor, extra, small;
  if (!RE2::FullMatch(name, kClass, &family, &factor, &extra, &small)) return;
  double cpus = 2;
  if (!extra.empty()) cpus = 4 * (factor.empty() ? 1.0 : std::atof(factor.c_str()));
  double per_cpu_gib = family == "r" || family == "z" ? 8 : family == "x" ? 16 : family == "c" ? 2 : 4;
  if (small == "medium") per_cpu_gib = family == "t" ? 2 : per_cpu_gib / 2;
  if (small == "small") per_cpu_gib = 1;
  if (small == "micro") per_cpu_gib = 0.5;
  if (!view.cpus) view.cpus = cpus;
  if (!view.max_connections)
    view.max_connections = std::min(5000.0, std::floor(cpus * per_cpu_gib * 1073741824.0 / 9531392.0));
}

// "469 of 500" beside the word connection, in an event or a database log line: the server's own count.
void ReadConnectionLimit(const DatabaseView& from, DatabaseView& view) {
  static const RE2 kOf(R"((\d+)\s*(?:of|/|out of)\s*(?:max_connections\s*=?\s*)?(\d+))");
  static const RE2 kLimit(R"((?i)max_connections[^0-9]{0,30}?(\d{2,6})\b)");
  for (const auto* list : {&from.events, &from.past}) {
    for (const EvidenceEvent* event : *list) {
      double used = 0, limit = 0;
      if (LowerAscii(event->message).find("connection") == std::string::npos) continue;
      if ((RE2::PartialMatch(event->message, kOf, &used, &limit) && limit >= used && limit >= 10) ||
          RE2::PartialMatch(event->message, kLimit, &limit)) {
        view.max_connections = limit;
        return;
      }
    }
  }
}

// "98% of max_connections" in the alert: what the alarm measured. It corrects the default of the instance
// class, which a parameter group may override, never a count that the server itself reports.
void ReadAlertRatio(const Evidence& e, DatabaseView& view) {
  static const RE2 kRatio(
      R"((?i)(\d{1,3}(?:\.\d+)?)\s*%\s*of\s+(?:the\s+|its\s+)?(?:max|allowed|available|connection))");
  static const RE2 kCount(
      R"((?i)(\d{2,6})\s*(?:of|/|out of)\s*(\d{2,6})\s*(?:max_)?(?:connections|sessions)?)");
  const SeriesSummary* s = view.Get("DatabaseConnections");
  const std::string text = e.alert.text();
  if (s == nullptr || LowerAscii(text).find("connection") == std::string::npos) return;
  double percent = 0, used = 0, limit = 0;
  if (RE2::PartialMatch(text, kCount, &used, &limit) && limit >= s->highest && used <= limit)
    view.max_connections = limit;
  else if (RE2::PartialMatch(text, kRatio, &percent) && percent > 1 && percent <= 100)
    view.max_connections = std::round(s->highest / (percent / 100));
}

void AddEvents(const Evidence& e, DatabaseView& view) {
  Time start, end;
  for (const auto& [name, s] : view.metrics) {
    if (s.start.known() && (!start.known() || s.start < start)) start = s.start;
    end = std::max(end, s.end);
  }
  for (const EvidenceEvent& event : e.events) {
    const bool about = event.source == "rds" || event.source == "database";
    if (!about || !InScope(e, event.object) || FamilyOf(event.message) == Family::kInstruction) continue;
    // An event half an hour before the window's first point may still be its cause; an older one is history.
    const bool before = start.known() && event.last.known() && event.last < start - Duration::Minutes(30);
    (before ? view.past : view.events).push_back(&event);
  }
  const auto order = [](const EvidenceEvent* a, const EvidenceEvent* b) {
    return std::tie(a->last, a->object, a->message) < std::tie(b->last, b->object, b->message);
  };
  std::ranges::sort(view.events, order);
  std::ranges::sort(view.past, order);
}

// "… returned to OK": the trouble is named because it is over.
bool ReportsAnEnd(const std::string& message) {
  static const RE2 kEnd(
      R"((?i)(returned to|back to|back within|is now) (ok|normal)|recovered|cleared|no longer|has been resolved|caught up)");
  return RE2::PartialMatch(message.substr(0, 4096), kEnd);
}

}  // namespace

WaitKind WaitKindOf(std::string_view wait) {
  const std::string w = LowerAscii(wait);
  const auto has = [&w](std::string_view part) { return w.find(part) != std::string::npos; };
  if (w.starts_with("cpu")) return WaitKind::kCpu;
  if (has("clientread") || has("idle in transaction") || has("idleintransaction"))
    return WaitKind::kClientIdle;
  if (has("buffile")) return WaitKind::kTemporaryFile;
  if (has("wal") || has("xactsync")) return WaitKind::kWal;
  if (has("datafileread") || has("datafileprefetch") || has("read_io")) return WaitKind::kReadIo;
  if (w.starts_with("io:") || has("checkpoint") || has("buffermapping") || has("buffercontent") ||
      has("buffer_io") || has("bufferio"))
    return WaitKind::kWriteIo;
  if (w.starts_with("lock:") || has("lock_manager") || has("lockmanager")) return WaitKind::kLock;
  return WaitKind::kOther;
}

double Statement::Waits(WaitKind kind) const {
  const auto it = waits.find(kind);
  return it == waits.end() ? 0 : it->second;
}

const SeriesSummary* DatabaseView::Get(const std::string& metric) const {
  const auto it = metrics.find(metric);
  return it == metrics.end() || it->second.n == 0 ? nullptr : &it->second;
}

double DatabaseView::WaitShare(WaitKind kind) const {
  double share = 0;
  for (const NamedLoad& w : waits)
    if (WaitKindOf(w.name) == kind) share += w.load;
  return share;
}

std::vector<const EvidenceEvent*> DatabaseView::Of(Family family) const {
  const bool trouble = family != Family::kFailoverFinished && family != Family::kAvailable &&
                       family != Family::kStorageGrown && family != Family::kRestart;
  std::vector<const EvidenceEvent*> out;
  for (const EvidenceEvent* event : events)
    if (MatchesFamily(event->message, family) && !(trouble && ReportsAnEnd(event->message)))
      out.push_back(event);
  return out;
}

bool DatabaseView::AlertSays(std::initializer_list<std::string_view> words) const {
  const std::string text = LowerAscii(evidence->alert.text());
  return std::ranges::any_of(words, [&](std::string_view w) { return text.find(w) != std::string::npos; });
}

const Statement* DatabaseView::Heaviest(const std::function<bool(const Statement&)>& which) const {
  for (const Statement& s : statements)
    if (which(s)) return &s;
  return nullptr;
}

DatabaseView ViewDatabase(const Evidence& e) {
  DatabaseView view{.evidence = &e};
  if (!e.instances.empty()) view.instance = e.instances.front();
  if (!e.replicas.empty()) view.replica = e.replicas.front();
  for (const EvidenceSeries& series : e.series) {
    if (!InScope(e, series.resource)) continue;
    SeriesSummary s = Summarize(series);
    if (s.n == 0) continue;
    auto [it, fresh] = view.metrics.try_emplace(s.name, s);
    // Of several instances the primary's, except for the lag, which is the replica's: the largest.
    const bool primary = s.resource == view.instance && it->second.resource != view.instance;
    const bool larger = s.resource == it->second.resource || s.name == "ReplicaLag"
                            ? s.highest > it->second.highest
                            : it->second.resource != view.instance && s.resource < it->second.resource;
    if (!fresh && (s.name == "ReplicaLag" ? larger : primary || larger)) it->second = s;
  }
  if (const SeriesSummary* lag = view.Get("ReplicaLag"); lag != nullptr && view.replica.empty())
    view.replica = lag->resource == view.instance ? "" : lag->resource;
  for (const DatabaseLoad& load : e.loads)
    if (InScope(e, load.resource)) AddLoad(load, view);
  std::ranges::sort(view.statements, [](const Statement& a, const Statement& b) {
    return std::tie(b.share, a.text) < std::tie(a.share, b.text);
  });
  std::ranges::sort(view.waits, [](const NamedLoad& a, const NamedLoad& b) {
    return std::tie(b.load, a.name) < std::tie(a.load, b.name);
  });
  AddEvents(e, view);
  view.any = !view.metrics.empty() || !view.statements.empty() || !view.events.empty() || !view.past.empty();
  if (view.instance.empty() && !view.metrics.empty()) view.instance = view.metrics.begin()->second.resource;
  for (const DatabaseInstance& d : e.databases) {
    if (d.name != view.instance && e.databases.size() > 1) continue;
    view.cpus = d.cpus;
    view.max_connections = d.max_connections;
    ReadInstanceClass(d.instance_class, view);
  }
  ReadAlertRatio(e, view);
  ReadConnectionLimit(view, view);
  return view;
}

std::string Quoted(std::string_view text, size_t most) {
  std::string out = "\"";
  for (const char c : text.substr(0, most)) out += c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
  return out + (text.size() > most ? "…\"" : "\"");
}

std::string Percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

Fact MetricFact(const SeriesSummary& s) {
  Fact fact{.kind = FactKind::kMetric, .subject = s.name, .resource = s.resource, .n = s.n, .at = s.onset};
  fact.from = s.before, fact.to = s.now;
  const std::string on = s.resource.empty() ? s.name : s.name + " on " + s.resource;
  const double up = s.highest - s.before, down = s.before - s.lowest;
  const double scale = std::max(std::abs(s.before), 1e-9);
  if (std::max(up, down) < 0.25 * scale) {
    fact.text = fmt::format("{} stayed between {} and {} ({} points)", on, Quantity(s.lowest, s.unit),
                            Quantity(s.highest, s.unit), s.n);
    return fact;
  }
  const double extreme = up >= down ? s.highest : s.lowest;
  if (std::abs(s.now - s.before) < 0.35 * std::abs(extreme - s.before)) {
    fact.text =
        fmt::format("{} ranged from {} to {} and stands at {} ({} points)", on, Quantity(s.lowest, s.unit),
                    Quantity(s.highest, s.unit), Quantity(s.now, s.unit), s.n);
    return fact;
  }
  fact.text = fmt::format("{} {} from {} to {}", on, up >= down ? "rose" : "fell", Quantity(s.before, s.unit),
                          Quantity(extreme, s.unit));
  if (std::abs(s.now - extreme) > 0.1 * std::abs(extreme - s.before))
    fact.text += fmt::format(" and stands at {}", Quantity(s.now, s.unit));
  fact.text += fmt::format(" ({} points", s.n);
  if (s.onset.known()) fact.text += ", from " + FormatTimeForPeople(s.onset);
  fact.text += ")";
  return fact;
}

Fact EventFact(const EvidenceEvent& event) {
  const std::string what = event.source == "rds" ? "RDS event" : event.type + " event " + event.reason;
  std::string text = fmt::format("{} for {}: {}", what, event.object, Quoted(event.message, 400));
  if (event.count > 1) text += fmt::format(" ×{}", event.count);
  if (event.last.known()) text += " at " + FormatTimeForPeople(event.last);
  return {.kind = FactKind::kEvent,
          .subject = event.reason.empty() ? event.message.substr(0, 80) : event.reason,
          .resource = event.object,
          .text = text,
          .n = static_cast<size_t>(std::max(1, event.count)),
          .at = event.last};
}

Fact StatementFact(const Statement& s) {
  std::string text =
      fmt::format("Statement {} takes {} of the statements' DB load", Quoted(s.text), Percent(s.share));
  if (!s.top_wait.empty()) text += fmt::format(", mostly on {}", s.top_wait);
  if (s.calls > 0) text += fmt::format(", {} calls/s", Number(s.calls));
  return {.kind = FactKind::kLoad, .subject = s.text.substr(0, 200), .text = text, .to = s.share, .n = 1};
}

}  // namespace tocsin::investigate
