// What happens to the instance as a whole: a failover or restart (for: the platform's events within the
// window, a dip of connections; against: an event that is older than the trouble, or another instance's),
// lock contention and deadlocks (for: load that waits on locks, the server's deadlock reports; looks like it:
// few lock waits are normal), and transaction-id wraparound (for: MaximumUsedTransactionIDs above a billion;
// 200 million is where autovacuum starts and is normal).
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "investigate/diagnosis/database_signatures.h"

namespace tocsin::investigate {
namespace {

// Speaks of a failover or restart that did not happen, or of one to come.
bool Denied(const std::string& message) {
  static const RE2 kDenied(
      R"((?i)(no|without|not|not be|never) (a |been )?fail(ed)?[- ]?over|fail[- ]?over (was |is )?(not|test|drill|ready|readiness|check|capab|enabled)|(needs?|requires?|required|pending|will be|to be|scheduled|before|until)\b.{0,30}(restart|reboot|fail[- ]?over)|(restart|reboot)\w* (is )?(required|pending|scheduled))");
  return RE2::PartialMatch(message.substr(0, 4096), kDenied);
}

std::string Timeline(const std::vector<const EvidenceEvent*>& events) {
  std::string out;
  for (const EvidenceEvent* e : events) {
    if (!out.empty()) out += "; ";
    out += fmt::format("{} {}", FormatTimeForPeople(e->last), Quoted(e->message));
  }
  return out;
}

// Connections that fell by half at some point: clients were cut off.
const SeriesSummary* CutOff(const DatabaseView& view) {
  const SeriesSummary* s = view.Get("DatabaseConnections");
  return s != nullptr && s->lowest < 0.5 * std::max(s->values.front(), 1.0) ? s : nullptr;
}

// What else the platform reported within a quarter of an hour of the switch: why it happened is among it.
std::vector<const EvidenceEvent*> WithReports(const DatabaseView& view,
                                              const std::vector<const EvidenceEvent*>& steps) {
  const Time from = steps.front()->last - Duration::Minutes(15),
             to = steps.back()->last + Duration::Minutes(15);
  std::vector<const EvidenceEvent*> out;
  for (const EvidenceEvent* e : view.events) {
    const Family family = FamilyOf(e->message);
    const bool step = std::ranges::find(steps, e) != steps.end();
    const bool near =
        e->last >= from && e->last <= to && (family == Family::kNone || family == Family::kMaintenance);
    if (step || near) out.push_back(e);
  }
  return out;
}

}  // namespace

Finding Failover(const DatabaseView& view) {
  Finding out = MakeFinding("failover", "failover or restart", Category::kInfrastructure);
  std::vector<const EvidenceEvent*> steps;
  size_t failovers = 0, restarts = 0;
  for (const EvidenceEvent* e : view.events) {
    const bool failover = (MatchesFamily(e->message, Family::kFailoverStarted) ||
                           MatchesFamily(e->message, Family::kFailoverFinished)) &&
                          !Denied(e->message);
    const bool restart = MatchesFamily(e->message, Family::kRestart) && !Denied(e->message) &&
                         !MatchesFamily(e->message, Family::kParameters);
    const bool available = MatchesFamily(e->message, Family::kAvailable);
    failovers += failover;
    restarts += restart;
    if (failover || restart || available) steps.push_back(e);
  }
  const SeriesSummary* cut = CutOff(view);
  if (failovers + restarts == 0) {
    out.role = view.evidence->seen.contains("events") ? Role::kAbsent : Role::kNotAssessed;
    out.remark = out.role == Role::kAbsent ? "no failover or restart among the instance's events"
                                           : "the instance's events were not available";
    for (const EvidenceEvent* e : view.past)
      if (MatchesFamily(e->message, Family::kFailoverStarted))
        out.role = Role::kHistory,
        out.remark = "a failover lies well before the window: " + EventFact(*e).text;
    return out;
  }
  steps = WithReports(view, steps);
  if (failovers == 0) out.mode = "instance_restart", out.name = "restart of the instance";
  out.onset = steps.front()->last;
  out.strength = failovers + restarts >= 2 ? 0.9 : cut != nullptr ? 0.85 : 0.65;
  for (const EvidenceEvent* e : steps) out.facts.push_back(EventFact(*e));
  if (cut != nullptr) out.facts.push_back(MetricFact(*cut));
  out.cause =
      fmt::format("{} of {}: the {} show, in order: {}", failovers > 0 ? "Multi-AZ failover" : "Restart",
                  view.instance, steps.front()->source == "rds" ? "RDS events" : "events", Timeline(steps));
  out.chain = {failovers > 0 ? "The primary failed or was taken away and the standby was promoted"
                             : "The instance restarted"};
  for (const EvidenceEvent* e : steps) out.chain.push_back(e->message.substr(0, 300));
  if (cut != nullptr) {
    out.cause += fmt::format(". Connections dropped to {} during the switch and stand at {}",
                             Number(cut->lowest), Number(cut->now));
    out.chain.push_back("Connections dropped and clients had to reconnect");
  } else {
    out.chain.push_back("Clients lost their connections for the time of the switch");
  }
  return out;
}

Finding LockContention(const DatabaseView& view) {
  Finding out = MakeFinding("lock_contention", "lock contention", Category::kResourceExhaustion);
  const double share = view.WaitShare(WaitKind::kLock);
  const auto deadlocks = view.Of(Family::kDeadlock);
  const auto waits = view.Of(Family::kLockWait);
  const SeriesSummary* counted = view.Get("Deadlocks");
  const bool counts = counted != nullptr && counted->now > 0 && counted->Rose(3, 0.1);
  if (view.waits.empty() && deadlocks.empty() && waits.empty() && counted == nullptr) {
    out.role = Role::kNotAssessed;
    out.remark = "wait events were not available";
    return out;
  }
  out.strength = share >= 0.4 ? 0.8 : share >= 0.25 ? 0.5 : 0;
  // One deadlock a day is every busy database's; it matters when sessions wait, or when it repeats.
  const bool asked = view.AlertSays({"lock"});
  const bool lasting = share >= 0.1 || counts || deadlocks.size() + waits.size() >= 2 || asked;
  if (!deadlocks.empty() || counts) out.strength = lasting ? std::max(out.strength + 0.1, 0.75) : 0.45;
  if (!waits.empty()) out.strength = lasting ? std::max(out.strength + 0.1, 0.6) : 0.45;
  if (out.strength < 0.5) {
    out.remark = fmt::format("{} of the DB load waits on locks and no deadlock is reported", Percent(share));
    return out;
  }
  const bool dead = !deadlocks.empty() || counts;
  if (dead) out.mode = "deadlocks", out.name = "deadlocks", out.category = Category::kCodeDefect;
  for (const auto* list : {&deadlocks, &waits})
    for (const EvidenceEvent* e : *list) out.facts.push_back(EventFact(*e)), out.onset = list->front()->last;
  if (counted != nullptr) out.facts.push_back(MetricFact(*counted));
  std::string who;
  for (const Statement& s : view.statements) {
    if (s.Waits(WaitKind::kLock) < 0.3) continue;
    out.facts.push_back(StatementFact(s));
    if (out.facts.size() < 8) who += (who.empty() ? "" : " and ") + Quoted(s.text);
  }
  if (share > 0)
    out.facts.push_back({.kind = FactKind::kLoad,
                         .subject = "Lock waits",
                         .text = fmt::format("{} of the DB load waits on locks ({})", Percent(share),
                                             view.waits.empty() ? "" : view.waits.front().name),
                         .to = share,
                         .n = 1});
  out.cause =
      fmt::format("{} on {}: transactions {}{}", dead ? "Deadlocks" : "Lock contention", view.instance,
                  dead ? "take the same row locks in different order and PostgreSQL aborts one of them"
                       : "wait for locks that another transaction holds",
                  who.empty() ? "" : " (" + who + ")");
  out.chain = {dead ? "Concurrent transactions lock the same rows in different order"
                    : "A transaction holds locks for long",
               "Other transactions wait for the locks", "Queries time out or are aborted and latency rises"};
  return out;
}

Finding WraparoundPressure(const DatabaseView& view) {
  Finding out =
      MakeFinding("wraparound_pressure", "transaction ID wraparound", Category::kResourceExhaustion);
  const SeriesSummary* s = view.Get("MaximumUsedTransactionIDs");
  const auto said = view.Of(Family::kWraparound);
  if (s == nullptr && said.empty()) {
    out.role = Role::kNotAssessed;
    out.remark = "MaximumUsedTransactionIDs was not available";
    return out;
  }
  if (s != nullptr && s->now > 1e9) out.strength = s->now > 1.8e9 ? 0.95 : 0.6;
  if (!said.empty()) out.strength = std::max(out.strength, 0.7);
  if (out.strength < 0.5) {
    out.remark =
        fmt::format("MaximumUsedTransactionIDs at {} million, far from wraparound", Number(s->now / 1e6));
    return out;
  }
  if (s != nullptr) out.facts.push_back(MetricFact(*s));
  for (const EvidenceEvent* e : said) out.facts.push_back(EventFact(*e));
  out.cause =
      fmt::format("Transaction ID wraparound pressure on {}: autovacuum does not freeze old rows fast enough",
                  view.instance);
  out.chain = {"Autovacuum cannot keep up, often behind a long transaction or a stale replication slot",
               "MaximumUsedTransactionIDs approaches 2^31", "PostgreSQL warns and finally refuses writes"};
  return out;
}

}  // namespace tocsin::investigate
