// Replication lag. For: ReplicaLag (or the platform's events) far above a heartbeat and not falling. Its
// causes: more WAL than the replica replays (WAL volume, WriteIOPS or WAL waits rise first); a query on the
// replica that holds replay back; replication that stopped. Against CPU as a cause: a load that only reads
// writes no WAL.
#include <fmt/format.h>

#include <algorithm>

#include "investigate/diagnosis/database_signatures.h"

namespace tocsin::investigate {
namespace {

struct WriteLoad {
  const SeriesSummary* wal = nullptr;     // TransactionLogsGeneration
  const SeriesSummary* writes = nullptr;  // WriteIOPS or WriteThroughput
  const Statement* statement = nullptr;
  double wal_waits = 0;
  bool heavy = false;
};

WriteLoad FindWriteLoad(const DatabaseView& view) {
  WriteLoad out;
  const auto risen = [&view](const char* name) {
    const SeriesSummary* s = view.Get(name);
    return s != nullptr && s->Rose(1.8, 1) && s->now > 1.4 * s->before ? s : nullptr;
  };
  out.wal = risen("TransactionLogsGeneration");
  out.writes = risen("WriteIOPS");
  if (out.writes == nullptr) out.writes = risen("WriteThroughput");
  if (out.wal == nullptr) out.wal = risen("NetworkTransmitThroughput");
  out.statement = view.Heaviest([](const Statement& s) { return s.writes && s.share > 0.15; });
  out.wal_waits = view.WaitShare(WaitKind::kWal);
  out.heavy =
      out.wal != nullptr || out.writes != nullptr || (out.statement != nullptr && out.wal_waits > 0.25);
  return out;
}

void DescribeWriteLoad(const WriteLoad& w, const DatabaseView& view, const std::string& replica,
                       Finding& out) {
  out.cause += ". A write-heavy workload on the primary";
  if (w.statement != nullptr)
    out.cause +=
        fmt::format(" ({}, {} of the DB load)", Quoted(w.statement->text), Percent(w.statement->share));
  out.cause +=
      fmt::format(" generates WAL (transaction logs) faster than the read replica {} can replay it", replica);
  if (w.wal != nullptr) out.facts.push_back(MetricFact(*w.wal));
  if (w.writes != nullptr) out.facts.push_back(MetricFact(*w.writes));
  if (w.statement != nullptr) out.facts.push_back(StatementFact(*w.statement));
  if (w.wal_waits > 0)
    out.facts.push_back({.kind = FactKind::kLoad,
                         .subject = "WAL waits",
                         .text = fmt::format("{} of the DB load waits on WAL writes", Percent(w.wal_waits)),
                         .to = w.wal_waits,
                         .n = 1});
  if (view.Get("TransactionLogsGeneration") == nullptr)
    out.cause +=
        "; the WAL volume itself (TransactionLogsGeneration) was not available and is inferred from "
        "the write load";
  out.chain = {fmt::format("A write-heavy workload{} runs on the primary {}",
                           w.statement != nullptr ? " of bulk " + w.statement->verb + " statements" : "",
                           view.instance),
               "WAL generation outpaces what the replica can replay",
               fmt::format("Replication lag accumulates on {}; reads from the replica are stale", replica)};
}

void DescribeOtherCause(const DatabaseView& view, const std::string& replica, Finding& out) {
  const auto stopped = view.Of(Family::kReplicationStopped);
  const auto query = view.Of(Family::kLongTransaction);
  for (const EvidenceEvent* e : stopped) out.facts.push_back(EventFact(*e));
  for (const EvidenceEvent* e : query) out.facts.push_back(EventFact(*e));
  if (!stopped.empty()) {
    out.cause += fmt::format(
        ". Replication to {} has stopped, as the events say, and the write load did not rise", replica);
    out.category = Category::kInfrastructure;
  } else if (!query.empty()) {
    out.cause +=
        ". A long-running query or transaction holds WAL replay back on the replica; the primary's write "
        "load did not rise";
  } else if (view.Get("WriteIOPS") == nullptr && view.Get("TransactionLogsGeneration") == nullptr &&
             view.statements.empty()) {
    out.cause +=
        "; the primary's write load (WriteIOPS, TransactionLogsGeneration, top SQL) was not available, so "
        "whether WAL volume drives it remains open";
    out.strength -= 0.1;
  } else {
    out.cause += ". The primary's write load did not rise, so the replica itself replays WAL too slowly";
  }
  out.chain = {"WAL replay on the replica falls behind",
               fmt::format("Replication lag accumulates on {}", replica)};
}

}  // namespace

Finding ReplicationLag(const DatabaseView& view) {
  Finding out = MakeFinding("replication_lag", "replication lag", Category::kResourceExhaustion);
  const SeriesSummary* s = view.Get("ReplicaLag");
  auto said = view.Of(Family::kReplicaLag);
  for (const EvidenceEvent* e : view.Of(Family::kReplicationStopped)) said.push_back(e);
  const WriteLoad writes = FindWriteLoad(view);
  // Without the metric, the alarm's own measurement counts when the mechanism is there.
  const bool reported =
      view.AlertSays({"replica"}) && view.AlertSays({"lag", "behind", "stale"}) && writes.heavy;
  if (s == nullptr && said.empty() && !reported) {
    out.role = Role::kNotAssessed;
    out.remark = view.replica.empty() ? "no replica is known" : "ReplicaLag was not available";
    return out;
  }
  const std::string replica = s != nullptr && !s->resource.empty() && s->resource != view.instance
                                  ? s->resource
                              : !view.replica.empty() ? view.replica
                                                      : "the read replica";
  if (s != nullptr) {
    out.onset = s->onset;
    out.facts.push_back(MetricFact(*s));
    if (s->now > kLagSeconds && s->now > 0.5 * s->highest)
      out.strength = s->now > 5 * kLagSeconds ? 0.95 : 0.8;
  } else {
    if (!said.empty()) out.onset = said.front()->last;
    out.strength = said.empty() ? 0.6 : 0.7;
  }
  for (const EvidenceEvent* e : said) out.facts.push_back(EventFact(*e));
  if (out.strength < 0.5) {
    const bool passed = s->highest > kLagSeconds;
    out.role = passed ? Role::kHistory : Role::kAbsent;
    out.remark = passed ? fmt::format("ReplicaLag peaked at {} seconds and is back at {} seconds",
                                      Number(s->highest), Number(s->now))
                        : fmt::format("ReplicaLag never above {} seconds", Number(s->highest));
    return out;
  }
  out.cause = fmt::format("Replication lag on {}", replica);
  if (s != nullptr)
    out.cause +=
        fmt::format(": ReplicaLag grew from {} to {} seconds", Number(s->before), Number(s->highest));
  else
    out.cause +=
        fmt::format(": reported by the {}; the ReplicaLag metric itself was missing and the lag is inferred",
                    said.empty() ? "alert" : "events");
  if (writes.heavy && view.Of(Family::kReplicationStopped).empty())
    DescribeWriteLoad(writes, view, replica, out);
  else
    DescribeOtherCause(view, replica, out);
  return out;
}

}  // namespace tocsin::investigate
