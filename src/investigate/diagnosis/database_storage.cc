// Room on the volume. Exhaustion, for: FreeStorageSpace near zero or draining towards it, writes that
// fail with "no space left"; who fills it: an INSERT-heavy load, WAL kept by a replication slot, temporary
// files of a sort. Against: room, or storage that was grown since (history).
#include <fmt/format.h>

#include <algorithm>

#include "investigate/diagnosis/database_signatures.h"
#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

void DescribeFiller(const DatabaseView& view, Finding& out) {
  const auto slots = view.Of(Family::kReplicationSlot);
  const SeriesSummary* slot = view.Get("OldestReplicationSlotLag");
  const SeriesSummary* wal = view.Get("TransactionLogsDiskUsage");
  const Statement* writer = view.Heaviest([](const Statement& s) { return s.writes && s.share > 0.15; });
  const bool temporary = view.WaitShare(WaitKind::kTemporaryFile) > 0.2;
  if (!slots.empty() || (slot != nullptr && slot->Rose(3, 1)) || (wal != nullptr && wal->Rose(3, 1))) {
    out.cause += "; WAL that a replication slot keeps fills it";
    for (const EvidenceEvent* e : slots) out.facts.push_back(EventFact(*e));
    if (slot != nullptr) out.facts.push_back(MetricFact(*slot));
    if (wal != nullptr) out.facts.push_back(MetricFact(*wal));
    out.chain.push_back("A replication slot retains WAL on the volume");
  } else if (writer != nullptr) {
    out.cause += fmt::format("; the write-heavy workload ({}, {} of the DB load) fills it",
                             Quoted(writer->text), Percent(writer->share));
    out.facts.push_back(StatementFact(*writer));
    out.chain.push_back(
        fmt::format("A write-heavy workload of {} statements adds data and WAL", writer->verb));
  } else if (temporary) {
    out.cause += "; temporary files of large sorts or hashes fill it";
    out.chain.push_back("Queries spill temporary files to the volume");
  } else {
    out.chain.push_back("Data, WAL or temporary files grow");
  }
  const SeriesSummary* writes = view.Get("WriteIOPS");
  if (writes != nullptr && (writes->Rose(1.8, 1) || writes->now < 0.5 * writes->before))
    out.facts.push_back(MetricFact(*writes));
  if (const SeriesSummary* latency = view.Get("WriteLatency"); latency != nullptr && latency->Rose(2, 1e-9))
    out.facts.push_back(MetricFact(*latency));
}

// Of what the volume had at the window's start, or 1 GiB: nothing on a production instance fits into that.
bool NearlyFull(const SeriesSummary& s) { return s.now < 1073741824.0 || s.now < 0.05 * s.before; }

// At the rate seen from the onset on, seconds until nothing is left; large when it does not drain.
double SecondsLeft(const SeriesSummary& s) {
  const double seconds = (s.end - s.start).seconds();
  const double used = s.before - s.now;
  return seconds > 0 && used > 0 ? s.now / (used / seconds) : 1e12;
}

bool WritesSuffer(const DatabaseView& view) {
  const SeriesSummary* latency = view.Get("WriteLatency");
  const SeriesSummary* writes = view.Get("WriteIOPS");
  const Statement* writer = view.Heaviest([](const Statement& s) { return s.writes && s.share > 0.3; });
  return (latency != nullptr && latency->Rose(3, 1e-9)) ||
         (writes != nullptr && (writes->Rose(2, 1) || writes->now < 0.5 * writes->before)) ||
         writer != nullptr;
}

std::string StorageRemark(const SeriesSummary* s, const std::vector<const EvidenceEvent*>& grown) {
  if (s == nullptr) return "FreeStorageSpace was not available and no event speaks of full storage";
  if (!grown.empty() || s->now > 2 * s->lowest)
    return fmt::format("FreeStorageSpace is back at {} after a low of {}: the storage has recovered",
                       Quantity(s->now, s->unit), Quantity(s->lowest, s->unit));
  return fmt::format("FreeStorageSpace {} at {}, enough room", s->Rose(1.05, 1) ? "stands" : "steady",
                     Quantity(s->now, s->unit));
}

struct StorageEvents {
  std::vector<const EvidenceEvent*> full, low, grown;
  explicit StorageEvents(const DatabaseView& view)
      : full(view.Of(Family::kStorageFull)),
        low(view.Of(Family::kStorageLow)),
        grown(view.Of(Family::kStorageGrown)) {
    // What grew must be the storage, not its use.
    std::erase_if(grown, [](const EvidenceEvent* e) {
      const std::string text = LowerAscii(e->message);
      return text.find("usage") != std::string::npos || text.find("utiliz") != std::string::npos ||
             text.find("consum") != std::string::npos || text.find(" used") != std::string::npos;
    });
  }
  bool grown_last() const {
    return !grown.empty() && (full.empty() || grown.back()->last >= full.back()->last);
  }
};

double StorageStrength(const DatabaseView& view, const SeriesSummary* s, const StorageEvents& events) {
  const bool said = !events.full.empty() || !events.low.empty();
  if (s != nullptr) {
    if (NearlyFull(*s) || (!events.full.empty() && s->now < 0.2 * s->before)) return 0.95;
    if (s->now < 0.5 * s->before && SecondsLeft(*s) < 3600) return 0.8;
    return s->now < 0.7 * s->before && SecondsLeft(*s) < 7200 && said ? 0.7 : 0;
  }
  if (said) return events.full.empty() ? 0.65 : 0.8;
  // Without the metric, the alarm's own measurement counts when the mechanism is there.
  return view.AlertSays({"storage", "disk space", "disk full"}) && WritesSuffer(view) ? 0.6 : 0;
}

void AddStorageFacts(const SeriesSummary* s, const StorageEvents& events, Finding& out) {
  if (s != nullptr) out.facts.push_back(MetricFact(*s)), out.onset = s->onset;
  for (const auto* list : {&events.full, &events.low, &events.grown})
    for (const EvidenceEvent* e : *list) {
      Fact fact = EventFact(*e);
      if (s == nullptr && !out.onset.known()) out.onset = e->last;
      if (std::ranges::none_of(out.facts, [&](const Fact& f) { return f.text == fact.text; }))
        out.facts.push_back(std::move(fact));
    }
}

}  // namespace

Finding StorageExhaustion(const DatabaseView& view) {
  Finding out = MakeFinding("storage_exhaustion", "storage exhaustion", Category::kResourceExhaustion);
  const SeriesSummary* s = view.Get("FreeStorageSpace");
  const StorageEvents events(view);
  const bool silent = events.full.empty() && events.low.empty();
  const bool recovered = s != nullptr ? s->now > 2 * s->lowest && !NearlyFull(*s) : events.grown_last();
  out.strength = StorageStrength(view, s, events);
  AddStorageFacts(s, events, out);
  if (recovered || out.strength < 0.5) {
    const bool was_low = recovered && (s == nullptr || s->lowest < 0.5 * s->highest);
    out.role = was_low ? Role::kHistory : s == nullptr && silent ? Role::kNotAssessed : Role::kAbsent;
    out.remark = StorageRemark(s, events.grown);
    out.strength = 0;
    return out;
  }
  out.cause = fmt::format("Storage exhaustion on {}", view.instance);
  if (s != nullptr)
    out.cause += fmt::format(": FreeStorageSpace fell from {} to {}", Quantity(s->before, s->unit),
                             Quantity(s->lowest, s->unit));
  else
    out.cause += fmt::format(
        ": the {} that storage is running out; the FreeStorageSpace metric itself was missing, so "
        "the course is inferred from the events and the write load",
        silent ? "alert reports" : "events report");
  DescribeFiller(view, out);
  out.chain.push_back("FreeStorageSpace approaches zero: the disk is full");
  out.chain.push_back("Writes fail with no space left on device, and the database may stop");
  return out;
}

}  // namespace tocsin::investigate
