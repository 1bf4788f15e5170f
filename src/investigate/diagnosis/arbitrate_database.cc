// Which of the database findings that hold is the cause. Those another one explains become symptoms, those
// that only happen beside it confounders. Two that hold at once and share neither statement nor mechanism are
// both causes. Time order: a failover explains what begins with it, not what was there before.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "investigate/diagnosis/database_signatures.h"
#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

bool Holds(const Finding& f) { return f.role == Role::kAbsent && f.strength >= 0.5; }

bool Says(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view w) { return text.find(w) != std::string::npos; });
}

bool SpeaksOf(const std::string& text, const std::string& mode) {
  if (mode == "connection_exhaustion") return Says(text, {"connection", "too many clients", "pool"});
  if (mode == "cpu_saturation") return Says(text, {"cpu"});
  if (mode == "replication_lag") return Says(text, {"replica", "lag"});
  if (mode == "storage_exhaustion") return Says(text, {"storage", "disk space", "disk full", "disk usage"});
  if (mode == "checkpoint_storm" || mode == "io_saturation")
    return Says(text, {"checkpoint", "latency", "iops", "i/o", "disk queue"});
  if (mode == "memory_pressure") return Says(text, {"memory", "swap"});
  if (mode == "deadlocks" || mode == "lock_contention") return Says(text, {"lock"});
  if (mode == "failover" || mode == "instance_restart")
    return Says(text, {"failover", "fail-over", "availab", "unreachable", "restart", "reboot", "outage",
                       "connectivity", "interrupt"});
  return mode == "wraparound_pressure" && Says(text, {"transaction id", "wraparound", "vacuum"});
}

bool About(const Finding& f, const DatabaseView& view) {
  return SpeaksOf(LowerAscii(view.evidence->alert.text()), f.mode);
}

// The rule's own name says what it watches; the rest of an alert tells what else was seen.
bool Named(const Finding& f, const DatabaseView& view) {
  return SpeaksOf(LowerAscii(view.evidence->alert.name), f.mode);
}

bool ReadOnlyCpu(const DatabaseView& view) {
  const Statement* s = view.Heaviest([](const Statement& q) { return q.Waits(WaitKind::kCpu) >= 0.5; });
  return s != nullptr && !s->writes;
}

// A failover explains what begins with it. When nobody was seen to be cut off, the alert's own subject comes
// first.
bool FailoverExplains(const Finding& failover, const Finding& other, const DatabaseView& view) {
  if (About(failover, view)) return true;
  const SeriesSummary* connections = view.Get("DatabaseConnections");
  const bool cut =
      connections != nullptr && connections->lowest < 0.5 * std::max(connections->values.front(), 1.0);
  if (!cut && About(other, view)) return false;
  if (!other.onset.known() || !failover.onset.known()) return cut || !About(other, view);
  const Duration after = other.onset - failover.onset;
  return after >= Duration::Minutes(-1) && after <= Duration::Minutes(10);
}

bool BusyQueue(const std::string& a) {
  return a == "cpu_saturation" || a == "io_saturation" || a == "checkpoint_storm" || a == "lock_contention" ||
         a == "deadlocks" || a == "storage_exhaustion" || a == "memory_pressure";
}

// Sessions that wait for their client hold slots whatever the database does.
bool IdleHolders(const DatabaseView& view) {
  return view.WaitShare(WaitKind::kClientIdle) >= 0.3 || view.Heaviest([](const Statement& s) {
    return s.Waits(WaitKind::kClientIdle) > 0.5 && s.share >= 0.1;
  }) != nullptr;
}

// A queue forms behind what is slow, not before it.
bool QueuesBehind(const Finding& slow, const Finding& connections, const DatabaseView& view) {
  if (!BusyQueue(slow.mode) || IdleHolders(view)) return false;
  return !slow.onset.known() || !connections.onset.known() ||
         connections.onset >= slow.onset - Duration::Minutes(1);
}

// Whether `a`, when it holds, brings `b` about.
bool Explains(const Finding& a, const Finding& b, const DatabaseView& view) {
  const double idle = view.WaitShare(WaitKind::kClientIdle), cpu = view.WaitShare(WaitKind::kCpu);
  const bool io_b = b.mode == "io_saturation" || b.mode == "checkpoint_storm";
  if (a.mode == "failover" || a.mode == "instance_restart") return FailoverExplains(a, b, view);
  if (b.mode == "failover" || b.mode == "instance_restart") return !FailoverExplains(b, a, view);
  if (a.mode == "connection_exhaustion")
    return (b.mode == "cpu_saturation" && idle >= 0.3 && cpu < 0.3) ||
           (b.mode == "memory_pressure" && idle >= 0.3);
  if (b.mode == "connection_exhaustion") return QueuesBehind(a, b, view);
  if (a.mode == "storage_exhaustion") return io_b || (b.mode == "replication_lag" && !About(b, view));
  if (a.mode == "replication_lag")
    return io_b || (b.mode == "cpu_saturation" && (!ReadOnlyCpu(view) && !view.statements.empty())) ||
           (b.mode == "storage_exhaustion" && About(a, view) && !About(b, view));
  if (a.mode == "checkpoint_storm" || a.mode == "io_saturation")
    return b.mode == "cpu_saturation" && !view.waits.empty() && cpu < 0.5;
  if (a.mode == "lock_contention" || a.mode == "deadlocks") return b.mode == "cpu_saturation" && cpu < 0.4;
  if (a.mode == "memory_pressure") return io_b;
  if (a.mode == "cpu_saturation") return b.mode == "io_saturation" && cpu >= 0.5;
  return false;
}

// Not at its ceiling or not asked about, and not of the cause's making.
bool OnlyBeside(const Finding& main, const Finding& other, const DatabaseView& view) {
  if (main.mode == "replication_lag" && other.mode == "cpu_saturation")
    return ReadOnlyCpu(view) && !Named(other, view);
  return !About(other, view) && other.strength < 0.8;
}

void RemarkCpu(const Finding& main, Finding& cpu, const DatabaseView& view) {
  const SeriesSummary* s = view.Get("CPUUtilization");
  if (s == nullptr || !s->Rose(1.3, 1) || s->highest < 30 || cpu.role == Role::kCause) return;
  const std::string rose =
      fmt::format("CPUUtilization rose from {} to {} %", Number(s->before), Number(s->highest));
  const Statement* reader =
      view.Heaviest([](const Statement& q) { return q.Waits(WaitKind::kCpu) >= 0.5 && !q.writes; });
  const Statement* writer = view.Heaviest([](const Statement& q) { return q.writes && q.share > 0.15; });
  const bool separate = reader != nullptr && reader != writer && reader->share >= 0.1;
  if ((main.mode == "replication_lag" || main.mode == "storage_exhaustion") && separate) {
    cpu.role = Role::kConfounder;
    cpu.remark = fmt::format(
        "{}, but its load comes from an unrelated read-only query ({}), which writes no WAL and no data: "
        "the CPU load "
        "and the {} are causally independent, CPU is a confounder and not the cause",
        rose, Quoted(reader->text), main.name);
  } else {
    cpu.role = Role::kSymptom;
    cpu.remark = fmt::format("{}: a symptom of the {}, not an independent CPU saturation", rose, main.name);
    if (main.mode == "connection_exhaustion")
      cpu.remark += "; the accumulated client sessions run periodic light queries";
  }
  if (s->onset.known() && main.onset.known() && s->onset > main.onset)
    cpu.remark += fmt::format(" (it began at {}, after the {})", FormatTimeForPeople(s->onset), main.name);
}

void GiveRoles(const DatabaseView& view, std::vector<Finding*>& live) {
  for (Finding* b : live)
    for (const Finding* a : live)
      if (a != b && a->role != Role::kSymptom && Explains(*a, *b, view) && b->role == Role::kAbsent) {
        const bool restart = b->mode == "failover" || b->mode == "instance_restart";
        const bool later = a->onset.known() && b->onset.known() && b->onset > a->onset;
        const std::string what = b->facts.empty() ? "" : b->facts.front().text;
        b->role = restart && !later ? Role::kConfounder : Role::kSymptom;
        b->remark = restart && !later
                        ? fmt::format("it does not coincide with the onset of the {} or cut nobody off: {}",
                                      a->name, what)
                        : fmt::format("follows from the {}: {}", a->name, what);
      }
  std::erase_if(live, [](const Finding* f) { return f->role != Role::kAbsent; });
  std::ranges::stable_sort(live, [&](const Finding* a, const Finding* b) {
    return std::make_tuple(Named(*a, view), About(*a, view), a->strength) >
           std::make_tuple(Named(*b, view), About(*b, view), b->strength);
  });
}

// Where the database spent its time, whatever the cause: the reader checks the rest against it.
void AddLoadFacts(const DatabaseView& view, Finding& out) {
  const auto add = [&out](Fact fact) {
    if (std::ranges::none_of(out.facts, [&](const Fact& f) { return f.text == fact.text; }))
      out.facts.push_back(std::move(fact));
  };
  const std::string source = view.load_source.empty() ? "" : view.load_source + ": ";
  std::string waits;
  for (size_t i = 0; i < view.waits.size() && i < 4; ++i)
    waits += fmt::format("{}{} {}", i == 0 ? "" : ", ", view.waits[i].name, Percent(view.waits[i].load));
  if (!waits.empty())
    add({.kind = FactKind::kLoad,
         .subject = "waits",
         .text = fmt::format("{}top wait events by DB load: {}", source, waits),
         .n = view.waits.size()});
  for (size_t i = 0; i < view.statements.size() && i < 3; ++i) add(StatementFact(view.statements[i]));
  if (view.sessions.n == 0) return;
  std::string text = fmt::format("{}DB load went from {} to {} average active sessions", source,
                                 Number(view.sessions.before), Number(view.sessions.now));
  if (view.cpus) text += fmt::format(" against {} vCPUs", Number(*view.cpus));
  if (std::ranges::none_of(out.facts, [](const Fact& f) { return f.subject == "db.load"; }))
    add({.kind = FactKind::kLoad, .subject = "db.load", .text = text, .n = view.sessions.n});
}

// Events the cause does not rest on yet: of unknown wording they are told with it; those that are routine, or
// speak of another failure that the data do not confirm, are named so that nobody takes them for it.
void AddOtherEvents(const DatabaseView& view, Finding& cause, std::vector<Finding>& findings) {
  size_t n = 0;
  for (const auto* list : {&view.events, &view.past})
    for (const EvidenceEvent* e : *list) {
      const Fact fact = EventFact(*e);
      const auto holds = [&](const Finding& f) {
        return std::ranges::any_of(f.facts, [&](const Fact& x) { return x.text == fact.text; });
      };
      if (holds(cause) || ++n > 8) continue;
      const Family family = FamilyOf(e->message);
      if (family == Family::kNone && list == &view.events) {
        cause.facts.push_back(fact);
        continue;
      }
      Finding f = MakeFinding("other_event", "other event", Category::kUnknown);
      f.role = list == &view.past ? Role::kHistory : Role::kConfounder;
      const bool routine = family == Family::kBackup || family == Family::kMaintenance ||
                           family == Family::kParameters || family == Family::kAvailable;
      f.remark =
          fmt::format("{}: {}", fact.text,
                      routine ? "routine, a coincidence"
                              : "the data do not confirm it as the cause, it is coincidental or an effect");
      findings.push_back(std::move(f));
    }
}

Finding Joined(const std::vector<Finding*>& causes) {
  Finding out = *causes.front();
  out.role = Role::kCause;
  if (causes.size() == 1) return out;
  out.category = Category::kResourceExhaustion;
  out.cause = fmt::format("{} independent faults at the same time: ", causes.size() == 2 ? "Two" : "Several");
  out.mode.clear();
  out.chain.clear();
  out.facts.clear();
  size_t number = 0;
  for (const Finding* f : causes) {
    out.mode += (out.mode.empty() ? "" : "+") + f->mode;
    out.strength = std::min(out.strength, f->strength);
    out.cause += fmt::format("{}({}) {}", number == 0 ? "" : ". ", number + 1, f->cause);
    ++number;
    out.chain.insert(out.chain.end(), f->chain.begin(), f->chain.end());
    out.facts.insert(out.facts.end(), f->facts.begin(), f->facts.end());
  }
  out.cause += ". Neither explains the other; both have to be resolved";
  return out;
}

}  // namespace

Finding MakeFinding(const char* mode, const char* name, Category category) {
  Finding out;
  out.mode = mode;
  out.name = name;
  out.category = category;
  return out;
}

std::string Sentence(std::string text) {
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z')
    text.front() = static_cast<char>(text.front() - 32);
  return text;
}

std::vector<Finding> DatabaseFindings(const DatabaseView& view) {
  return {ConnectionExhaustion(view), CpuSaturation(view), ReplicationLag(view),
          StorageExhaustion(view),    IoSaturation(view),  MemoryPressure(view),
          LockContention(view),       Failover(view),      WraparoundPressure(view)};
}

Finding ArbitrateDatabase(const DatabaseView& view, std::vector<Finding>& findings) {
  std::vector<Finding*> live;
  for (Finding& f : findings)
    if (Holds(f)) live.push_back(&f);
  if (live.empty()) return MakeFinding("healthy", "no failure", Category::kHealthy);
  GiveRoles(view, live);
  std::vector<Finding*> causes;
  for (Finding* f : live) {
    if (!causes.empty() && OnlyBeside(*causes.front(), *f, view)) {
      f->role = Role::kConfounder;
      f->remark = fmt::format("it moved as well, but does not explain the {}: {}", causes.front()->name,
                              f->facts.empty() ? "" : f->facts.front().text);
      continue;
    }
    f->role = Role::kCause;
    causes.push_back(f);
  }
  for (Finding& f : findings)
    if (f.mode == "cpu_saturation") RemarkCpu(*causes.front(), f, view);
  Finding cause = Joined(causes);
  AddLoadFacts(view, cause);
  if (const std::string& title = view.evidence->alert.title; !title.empty())
    cause.chain.push_back(fmt::format("The alert fired: {}", Quoted(title)));
  AddOtherEvents(view, cause, findings);
  return cause;
}

}  // namespace tocsin::investigate
