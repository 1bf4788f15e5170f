// CPU and memory. CPU saturation, for: CPUUtilization at its ceiling and staying there, load that waits on
// CPU, a statement that carries it. Against: headroom, a peak that passed, load that waits on something else
// (then CPU is a symptom of storage or of many idle sessions). Memory pressure, for: little FreeableMemory
// left and swap that grows, or the server's own out-of-memory; against: what is free is cache that PostgreSQL
// leaves to the system.
#include <fmt/format.h>

#include <algorithm>

#include "investigate/diagnosis/database_signatures.h"
#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

std::string ScanHint(const Statement& s, const DatabaseView& view) {
  const std::string text = LowerAscii(s.text);
  const SeriesSummary* reads = view.Get("ReadIOPS");
  std::vector<std::string> hints;
  if (text.find("like '%") != std::string::npos || text.find("ilike") != std::string::npos)
    hints.push_back("a LIKE pattern that no b-tree index serves");
  if (text.find(" where ") == std::string::npos && s.verb == "SELECT") hints.push_back("no WHERE clause");
  if (text.find("lower(") != std::string::npos || text.find("date(") != std::string::npos)
    hints.push_back("a function over the filtered column");
  if (text.find("group by") != std::string::npos || text.find("count(") != std::string::npos)
    hints.push_back("an aggregation over many rows");
  if (text.find("order by") != std::string::npos) hints.push_back("a sort");
  if (text.find(" join ") != std::string::npos) hints.push_back("a join");
  if (reads != nullptr && reads->Rose(2, 1)) hints.push_back("ReadIOPS rising with it");
  std::string out;
  for (const std::string& h : hints) out += (out.empty() ? "" : ", ") + h;
  return out;
}

void DescribeDriver(const DatabaseView& view, Finding& out) {
  const Statement* query = view.Heaviest([](const Statement& s) { return s.Waits(WaitKind::kCpu) >= 0.4; });
  if (query == nullptr) query = view.Heaviest([](const Statement& s) { return !s.open_transaction; });
  if (query == nullptr) {
    out.cause += "; which statements run was not available";
    out.chain = {"Queries use all CPU of the instance"};
  } else if (query->share >= 0.4) {
    out.facts.push_back(StatementFact(*query));
    const std::string hint = ScanHint(*query, view);
    out.cause += fmt::format(", driven by one expensive query: {} takes {} of the DB load",
                             Quoted(query->text), Percent(query->share));
    if (!hint.empty())
      out.cause += fmt::format(" ({}; a full table scan or a missing index is likely)", hint);
    out.strength = std::min(1.0, out.strength + 0.05);
    out.chain = {fmt::format("One inefficient query pattern ({}) runs {}", query->verb,
                             query->calls > 0 ? Number(query->calls) + " times a second" : "repeatedly"),
                 "Its executions use all CPU of the instance"};
  } else {
    out.facts.push_back(StatementFact(*query));
    out.cause += ", driven by the workload as a whole: no single query dominates the DB load";
    out.chain = {"More work arrives than the instance's CPUs can do"};
  }
  out.chain.push_back("CPUUtilization saturates, queries wait for CPU and latency rises");
}

}  // namespace

Finding CpuSaturation(const DatabaseView& view) {
  Finding out = MakeFinding("cpu_saturation", "CPU saturation", Category::kCpuSaturation);
  const SeriesSummary* s = view.Get("CPUUtilization");
  const double waits = view.WaitShare(WaitKind::kCpu);
  const bool overload =
      view.cpus && view.sessions.n > 0 && view.sessions.now * std::max(waits, 0.01) > *view.cpus;
  if (s == nullptr && !overload) {
    out.role = Role::kNotAssessed;
    out.remark = "CPUUtilization was not available";
    return out;
  }
  if (s != nullptr) {
    out.onset = s->onset;
    out.facts.push_back(MetricFact(*s));
    const size_t run = s->LongestRunAbove(kCpuSaturated);
    if (s->EndsAbove(kCpuSaturated) && run >= std::min<size_t>(3, s->n))
      out.strength = 0.85;
    else if (s->EndsAbove(85) && waits > 0.5)
      out.strength = 0.6;
    else if (s->EndsAbove(85) && 2 * s->LongestRunAbove(85) >= s->n && view.AlertSays({"cpu"}))
      out.strength = 0.55;
  } else {
    out.strength = 0.6;
  }
  if (view.sessions.n > 0) {
    std::string text = fmt::format("DB load averaged {} active sessions", Number(view.sessions.now));
    if (view.cpus) text += fmt::format(" against {} vCPUs", Number(*view.cpus));
    out.facts.push_back({.kind = FactKind::kLoad,
                         .subject = "db.load",
                         .text = text,
                         .to = view.sessions.now,
                         .n = view.sessions.n});
  }
  if (out.strength < 0.5) {
    const bool over = s->highest > kCpuSaturated && s->now < kCpuElevated;
    const bool lasted = over && s->LongestRunAbove(kCpuSaturated) >= 3;
    out.role = lasted ? Role::kHistory : Role::kAbsent;
    out.remark = fmt::format("CPUUtilization ranged from {} to {} %, no sustained saturation (above {} %)",
                             Number(s->lowest), Number(s->highest), Number(kCpuSaturated));
    if (over)
      out.remark = fmt::format("CPUUtilization peaked at {} %{} and is back at {} %", Number(s->highest),
                               lasted ? "" : " briefly", Number(s->now));
    return out;
  }
  if (view.WaitShare(WaitKind::kCpu) > 0.5) out.strength += 0.1;
  out.cause = fmt::format("CPU saturation on {}", view.instance);
  if (s != nullptr)
    out.cause += fmt::format(": CPUUtilization rose from {} % to {} % and stays there", Number(s->before),
                             Number(s->highest));
  DescribeDriver(view, out);
  return out;
}

Finding MemoryPressure(const DatabaseView& view) {
  Finding out = MakeFinding("memory_pressure", "memory pressure", Category::kResourceExhaustion);
  const SeriesSummary* memory = view.Get("FreeableMemory");
  const SeriesSummary* swap = view.Get("SwapUsage");
  auto said = view.Of(Family::kMemoryLow);
  for (const EvidenceEvent* e : view.Of(Family::kOutOfMemory)) said.push_back(e);
  if (memory == nullptr && swap == nullptr && said.empty()) {
    out.role = Role::kNotAssessed;
    out.remark = "FreeableMemory and SwapUsage were not available";
    return out;
  }
  // 256 MiB: less than one sort and one new backend's caches on any instance that serves traffic.
  const bool low =
      memory != nullptr && memory->now < 268435456.0 && memory->now < 0.5 * std::max(memory->before, 1.0);
  const bool drained = memory != nullptr && memory->now < 0.1 * memory->before;
  const bool swaps = swap != nullptr && swap->now > 1073741824.0 && swap->Rose(3, 67108864.0);
  if (memory != nullptr) out.facts.push_back(MetricFact(*memory)), out.onset = memory->onset;
  if (swap != nullptr) out.facts.push_back(MetricFact(*swap));
  for (const EvidenceEvent* e : said) out.facts.push_back(EventFact(*e));
  if (low || drained) out.strength = 0.6;
  if (swaps) out.strength = out.strength > 0 ? 0.85 : 0.5;
  if (!said.empty() && (low || drained || swaps || memory == nullptr))
    out.strength = std::max(out.strength, 0.8);
  if (out.strength < 0.5) {
    out.remark = memory == nullptr ? "SwapUsage does not grow"
                                   : fmt::format("FreeableMemory never below {}, no swapping",
                                                 Quantity(memory->lowest, memory->unit));
    return out;
  }
  out.cause = fmt::format("Memory exhaustion on {}: FreeableMemory is nearly gone{}", view.instance,
                          swaps ? " and the instance swaps" : "");
  if (const Statement* top = view.Heaviest([](const Statement&) { return true; }); top != nullptr) {
    out.facts.push_back(StatementFact(*top));
    out.cause += fmt::format("; the heaviest statement is {}", Quoted(top->text));
  }
  out.chain = {"Sessions and their work memory use up the instance's memory",
               "The instance swaps or kills processes", "Queries slow down or fail"};
  return out;
}

}  // namespace tocsin::investigate
