// Speed of the volume. Saturation, for: latency and queue depth up together, load that waits on data-file or
// WAL writes; a checkpoint storm when the log speaks of checkpoints or sessions wait on their flushes; a
// throttled volume when its balance is gone. Against: a disk that answers at once, whatever the rate;
// checkpoints are normal. CPU beside it is often only what the waiting costs.
#include <fmt/format.h>

#include <algorithm>

#include "investigate/diagnosis/database_signatures.h"
#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

double InMilliseconds(double value, const std::string& unit) {
  return LowerAscii(unit) == "milliseconds" ? value : value * 1000;
}

// Slow for any volume, or at half of that when it was an order of magnitude faster before.
bool Slow(const SeriesSummary* s) {
  if (s == nullptr) return false;
  const double now = InMilliseconds(s->now, s->unit);
  return (now > kSlowIoMs && s->Rose(3, 1e-9)) || (now > kSlowIoMs / 2 && s->Rose(8, 1e-9));
}

struct DiskEvidence {
  const SeriesSummary *write, *read, *commit, *queue, *iops, *balance;
  std::vector<const EvidenceEvent*> checkpoints, throttled;
  bool waits = false;  // much of the load waits on writes
  bool slow() const { return Slow(write) || Slow(read) || Slow(commit); }
  // Ten waiting requests are more than any volume works on at once without queueing.
  bool queued() const { return queue != nullptr && queue->now > 10 && queue->Rose(3, 0.1); }
  bool bursts() const { return iops != nullptr && iops->Rose(2, 1); }
  bool limited() const { return balance != nullptr || !throttled.empty(); }
  bool measured() const { return write != nullptr || read != nullptr || queue != nullptr; }
};

DiskEvidence FindDiskEvidence(const DatabaseView& view) {
  DiskEvidence d{view.Get("WriteLatency"),     view.Get("ReadLatency"),    view.Get("CommitLatency"),
                 view.Get("DiskQueueDepth"),   view.Get("WriteIOPS"),      nullptr,
                 view.Of(Family::kCheckpoint), view.Of(Family::kThrottled)};
  for (const char* name : {"BurstBalance", "EBSIOBalance%", "EBSByteBalance%"})
    if (const SeriesSummary* s = view.Get(name); s != nullptr && s->now < 10) d.balance = s;
  d.waits = view.WaitShare(WaitKind::kWriteIo) + view.WaitShare(WaitKind::kWal) > 0.4;
  return d;
}

double DiskStrength(const DiskEvidence& d) {
  const double sum = (d.slow() ? 0.35 : 0) + (d.queued() ? 0.3 : 0) + (d.waits ? 0.2 : 0) +
                     (!d.checkpoints.empty() ? 0.3 : 0) + (d.limited() ? 0.35 : 0) +
                     (d.bursts() && d.waits ? 0.1 : 0);
  // Checkpoints and write waits are normal; they fail somebody only when the disk answers late.
  const bool late = d.slow() || d.queued() || (!d.measured() && d.waits);
  return std::min(sum, late ? 0.95 : 0.45);
}

bool IsStorm(const DatabaseView& view, const DiskEvidence& d) {
  return !d.checkpoints.empty() || std::ranges::any_of(view.waits, [](const NamedLoad& w) {
    const std::string name = LowerAscii(w.name);
    return w.load > 0.15 &&
           (name.find("checkpoint") != std::string::npos || name.find("buffermapping") != std::string::npos ||
            name.find("datafilesync") != std::string::npos);
  });
}

void DescribeSaturation(const DatabaseView& view, const DiskEvidence& d, Finding& out) {
  for (const auto* list : {&d.checkpoints, &d.throttled})
    for (const EvidenceEvent* e : *list) out.facts.push_back(EventFact(*e));
  const bool storm = IsStorm(view, d);
  if (storm) out.mode = "checkpoint_storm", out.name = "checkpoint I/O storm";
  out.cause =
      fmt::format("{} on {}: {}", storm ? "Checkpoint I/O storm" : "Storage I/O saturation", view.instance,
                  storm ? "checkpoints flush dirty buffers in bursts and saturate the volume's write I/O"
                  : d.limited() ? "the volume is throttled, its I/O balance or IOPS limit is used up"
                                : "the volume cannot serve the I/O asked of it");
  const Statement* load = view.Heaviest([](const Statement& s) { return s.writes && s.share > 0.15; });
  if (load == nullptr)
    load = view.Heaviest([](const Statement& s) { return s.Waits(WaitKind::kReadIo) > 0.4; });
  if (load != nullptr) {
    out.facts.push_back(StatementFact(*load));
    out.cause += fmt::format("; the load comes from {}", Quoted(load->text));
  }
  out.chain = {load != nullptr && load->writes ? "A write-heavy workload dirties buffers and produces WAL"
                                               : "The workload asks for more I/O than the volume serves",
               storm ? "Checkpoints come too often and flush in bursts" : "Requests queue at the volume",
               "Read, write and commit latency rise; sessions wait on I/O"};
}

}  // namespace

Finding IoSaturation(const DatabaseView& view) {
  Finding out = MakeFinding("io_saturation", "storage I/O saturation", Category::kResourceExhaustion);
  const DiskEvidence d = FindDiskEvidence(view);
  if (!d.measured() && d.checkpoints.empty() && d.throttled.empty()) {
    out.role = Role::kNotAssessed;
    out.remark = "disk latency and queue depth were not available";
    return out;
  }
  out.strength = DiskStrength(d);
  for (const SeriesSummary* s : {d.write, d.read, d.commit, d.queue, d.iops, d.balance})
    if (s != nullptr && (s->Rose(2, 1e-9) || s == d.balance)) {
      out.facts.push_back(MetricFact(*s));
      if (!out.onset.known() || s->onset < out.onset) out.onset = s->onset;
    }
  if (out.strength >= 0.5) {
    DescribeSaturation(view, d, out);
    return out;
  }
  out.remark = "no queueing at the disk";
  if (const SeriesSummary* s = d.write != nullptr ? d.write : d.read; s != nullptr)
    out.remark = fmt::format("{} at {} ms, no queueing", s->name, Number(InMilliseconds(s->now, s->unit)));
  return out;
}

}  // namespace tocsin::investigate
