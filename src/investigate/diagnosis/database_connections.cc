// Connection exhaustion: sessions against max_connections. For: the count near its limit and still there,
// refused clients, load that waits for the client (idle sessions: a pool that leaks). Against: a count with
// headroom and no refusal, whatever it does below. Looks like it: slow queries that make sessions pile up
// (then the sessions are busy, not idle, and the slow thing is the cause), a failover's reconnects (seconds).
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "investigate/diagnosis/database_signatures.h"

namespace tocsin::investigate {
namespace {

struct Idle {
  const Statement* statement = nullptr;
  double share = 0;
};

Idle IdleSessions(const DatabaseView& view) {
  Idle out{.share = view.WaitShare(WaitKind::kClientIdle)};
  out.statement = view.Heaviest([](const Statement& s) {
    return (s.Waits(WaitKind::kClientIdle) > 0.5 && s.share >= 0.1) || (s.open_transaction && s.share > 0.2);
  });
  return out;
}

void DescribeIdle(const Idle& idle, const DatabaseView& view, Finding& out) {
  if (idle.share > 0)
    out.facts.push_back(
        {.kind = FactKind::kLoad,
         .subject = "Client:ClientRead",
         .text = fmt::format("{} of the DB load waits on Client:ClientRead: idle client sessions, "
                             "not expensive SQL",
                             Percent(idle.share)),
         .to = idle.share,
         .n = 1});
  if (idle.statement != nullptr) out.facts.push_back(StatementFact(*idle.statement));
  if (!view.users.empty())
    out.facts.push_back({.kind = FactKind::kLoad,
                         .subject = view.users.front().name,
                         .text = fmt::format("Most sessions belong to user {}", view.users.front().name),
                         .n = 1});
}

struct Slots {
  const SeriesSummary* series = nullptr;
  double limit = 0, used = 0, peak = 0;  // used and peak as shares of the limit; 0 when it is not known
  bool climbing = false;
};

Slots FindSlots(const DatabaseView& view) {
  Slots out{.series = view.Get("DatabaseConnections"), .limit = view.max_connections.value_or(0)};
  if (out.series == nullptr) return out;
  out.climbing = out.series->now > 0.9 * out.series->highest && out.series->Rose(1.3, 1);
  if (out.limit > 0) out.used = out.series->now / out.limit, out.peak = out.series->highest / out.limit;
  return out;
}

double SlotStrength(const Slots& slots, bool refused, bool reported) {
  double out = reported ? 0.6 : 0;
  if (slots.used >= kConnectionsFull) out = 0.9;
  if (refused && (slots.used >= 0.8 || slots.limit == 0 || slots.series == nullptr))
    out = std::max(out, slots.series == nullptr || slots.climbing ? 0.8 : 0.6);
  return slots.used >= 0.8 && slots.climbing ? std::max(out, 0.6) : out;
}

std::string SlotRemark(const Slots& slots, bool refused) {
  const std::string clients = refused ? "; the refused clients that the events name are not confirmed by it"
                                      : " and no client was refused: no connection failures were reported";
  if (slots.series == nullptr) return "the events do not speak of refused sessions";
  if (slots.limit <= 0)
    return fmt::format("DatabaseConnections between {} and {}{}", Number(slots.series->lowest),
                       Number(slots.series->highest), clients);
  const std::string peak =
      fmt::format("DatabaseConnections peaked at {} of {} ({})", Number(slots.series->highest),
                  Number(slots.limit), Percent(slots.peak));
  if (slots.peak >= kConnectionsFull)
    return fmt::format("{} and stands at {} again", peak, Number(slots.series->now));
  return peak + ", not near exhaustion" + clients;
}

void DescribeExhaustion(const DatabaseView& view, const Slots& slots, const Idle& idle, Finding& out) {
  const std::string of =
      slots.limit > 0 && slots.series != nullptr
          ? fmt::format("{} of {} sessions allowed by max_connections are taken ({})",
                        Number(slots.series->now), Number(slots.limit), Percent(slots.used))
          : "the server refuses sessions because max_connections is reached";
  out.cause =
      fmt::format("Connection exhaustion on {}: {}, so that new connections are refused", view.instance, of);
  DescribeIdle(idle, view, out);
  if (idle.share >= 0.3 || idle.statement != nullptr) {
    out.strength = std::max(out.strength, 0.85);
    out.cause +=
        "; idle client sessions hold the slots, which points at a connection pool leak in the application: "
        "sessions "
        "are opened and not returned";
    out.chain = {
        "The application opens client sessions and leaves them idle, some inside an open transaction",
        fmt::format("Connections accumulate until {}", of)};
  } else {
    out.chain = {fmt::format("Sessions accumulate until {}", of)};
  }
  out.chain.push_back("New application requests cannot obtain a connection and fail");
}

}  // namespace

Finding ConnectionExhaustion(const DatabaseView& view) {
  Finding out = MakeFinding("connection_exhaustion", "connection exhaustion", Category::kResourceExhaustion);
  const Slots slots = FindSlots(view);
  const auto refused = view.Of(Family::kConnectionSlots);
  const Idle idle = IdleSessions(view);
  // Without the metric, the alarm's own measurement counts when the mechanism is there.
  const bool reported =
      slots.series == nullptr && view.AlertSays({"connection", "too many clients"}) && idle.share >= 0.3;
  if (slots.series == nullptr && refused.empty() && !reported) {
    out.role = Role::kNotAssessed;
    out.remark = "DatabaseConnections was not available";
    return out;
  }
  if (slots.series != nullptr) {
    out.onset = slots.series->onset;
    Fact fact = MetricFact(*slots.series);
    if (slots.limit > 0)
      fact.text += fmt::format(", {} of max_connections = {}", Percent(slots.peak), Number(slots.limit));
    out.facts.push_back(std::move(fact));
  }
  for (const EvidenceEvent* e : refused) out.facts.push_back(EventFact(*e));
  out.strength = SlotStrength(slots, !refused.empty(), reported);
  if (out.strength >= 0.5) {
    DescribeExhaustion(view, slots, idle, out);
    return out;
  }
  out.remark = SlotRemark(slots, !refused.empty());
  if (slots.peak >= kConnectionsFull && slots.used < 0.8) out.role = Role::kHistory;
  return out;
}

}  // namespace tocsin::investigate
