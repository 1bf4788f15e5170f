// What somebody altered around the onset. What came after it cannot have caused it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "claims/claim_text.h"
#include "investigate/context/internal/gather.h"

namespace tocsin::investigate::internal {
namespace {

using claims::Printable;

constexpr size_t kMaxChanges = 2'000;  // read, of each of two spans of time
constexpr size_t kKept = 100;          // in the pack
constexpr size_t kShownRefuted = 3;
constexpr Duration kClose = Duration::Hours(2);

// Half as likely every six hours: most changes that break something do so at once, some when load comes.
double ScoreOf(const Gather& g, const ContextChange& c) {
  const double scope = g.Affected(c.service)              ? 1.0
                       : g.neighbours.contains(c.service) ? 0.7
                       : c.service.empty()                ? 0.6
                                                          : 0.15;
  return scope * std::exp2(-std::max(0.0, c.lag.seconds()) / (6 * 3600.0));
}

ContextChange Take(const Gather& g, const signal::Change& change) {
  ContextChange c;
  c.id = change.id;
  c.kind = Kept(change.kind);
  c.service = change.service;
  c.subject = Kept(change.subject);
  c.summary = Kept(change.summary);
  c.before = Kept(change.before);
  c.after = Kept(change.after);
  c.source = Kept(change.source);
  c.link = Kept(change.link);
  c.time = change.time;
  c.lag = g.pack.onset - change.time;
  c.refuted = change.time > g.pack.onset_high;
  c.unsure = !c.refuted && change.time > g.pack.onset_low;
  c.in_scope = change.service.empty() || g.Affected(change.service) || g.neighbours.contains(change.service);
  c.score = ScoreOf(g, c);
  return c;
}

std::string Describe(const ContextChange& c) {
  std::string what = c.kind;
  if (!c.subject.empty() && c.subject != c.kind) what += " " + c.subject;
  if (!c.service.empty()) what += " of " + Printable(c.service, 60);
  if (!c.summary.empty()) what += ": " + Printable(c.summary, 90);
  if (!c.before.empty() && !c.after.empty())
    what += fmt::format(" ({} → {})", Printable(c.before, 30), Printable(c.after, 30));
  const std::string when = c.lag.ns == 0  ? "at the onset"
                           : c.lag.ns > 0 ? FormatDuration(c.lag) + " before"
                                          : FormatDuration(Duration{-c.lag.ns}) + " after the onset";
  return fmt::format("{}  {}  {}", FormatTimeForPeople(c.time), when, what);
}

std::optional<claims::Claim> ClaimOf(const Gather& g, const ContextChange& c) {
  if (c.id.empty() || c.id.size() > 1024) return std::nullopt;
  if (!c.refuted && !c.unsure && g.pack.incident.onset.known()) {
    claims::ChangePrecedes claim;
    claim.change = c.id;
    claim.incident = g.pack.incident.id.value;
    // A minute more, so that it is not about rounding.
    claim.max_lag = Duration::Minutes((c.lag.ns / Duration::Minutes(1).ns) + 2);
    return claim;
  }
  // That it was, when it was: after the onset.
  claims::Exists claim;
  claim.of = "changes";
  claim.where = {{"id", "is", c.id}};
  claim.window = {c.time, c.time + Duration::Seconds(1)};
  if (claim.window.to > g.options.now) return std::nullopt;
  return claim;
}

}  // namespace

Status GatherChanges(Gather& g) {
  const auto& o = g.options;
  const Time onset = g.pack.onset;
  const Time until = std::max(g.pack.windows.window.to, std::min(o.now, onset + o.after)) + Duration{1};
  // The near ones apart, so that a flood of old ones cannot push them out.
  TOCSIN_ASSIGN_OR_RETURN(const auto near, g.sources.telemetry.Changes(onset - kClose, until, kMaxChanges));
  TOCSIN_ASSIGN_OR_RETURN(const auto far,
                          g.sources.telemetry.Changes(onset - o.changes_before, onset - kClose, kMaxChanges));
  auto& section = g.Section("changes");
  section.cut = near.size() == kMaxChanges || far.size() == kMaxChanges;
  for (const auto* list : {&near, &far}) {
    for (const auto& change : *list) g.pack.changes.push_back(Take(g, change));
  }
  std::ranges::stable_sort(g.pack.changes, [](const ContextChange& a, const ContextChange& b) {
    return std::pair(a.refuted, -a.score) < std::pair(b.refuted, -b.score);
  });
  if (g.pack.changes.size() > kKept) {
    g.pack.changes.resize(kKept);
    section.cut = true;
  }
  size_t refuted = 0, shown = 0;
  for (const auto& c : g.pack.changes) {
    if (c.refuted ? refuted == kShownRefuted : shown == o.max_lines) {
      section.cut = true;
      continue;
    }
    ++(c.refuted ? refuted : shown);
    ContextLine line{Describe(c), ClaimOf(g, c), c.refuted ? c.score - 10 : c.score, ""};
    if (c.refuted) line.note = "refuted as a cause: it came after";
    if (c.unsure) line.note = "within the interval of the onset: before or after is not known";
    if (!c.refuted && !c.in_scope) line.note = "of another service";
    section.lines.push_back(std::move(line));
  }
  return {};
}

}  // namespace tocsin::investigate::internal
