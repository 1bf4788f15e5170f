#include "act/runbook/runbook_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "claims/claim_text.h"
#include "kernel/ascii.h"

namespace tocsin::act {
namespace {

using investigate::ContextPack;
using investigate::RunbookMatch;

// What of the incident each list of a trigger is held against.
struct Incident {
  std::set<std::string> kinds, services, surfaces, alerts;
  std::string title;
  std::vector<std::string> urls;  // runbooks that alerts link to
};

Incident WhatIsKnown(const ContextPack& pack) {
  Incident out;
  out.kinds = {pack.incident.kind};
  if (!pack.alerts.empty()) out.kinds.insert("alert");
  if (!pack.incident.service.empty()) out.services.insert(pack.incident.service);
  for (const auto& affected : pack.affected) out.services.insert(affected.service);
  for (const auto& alert : pack.alerts) {
    out.alerts.insert(alert.name);
    if (!alert.runbook_url.empty()) out.urls.push_back(alert.runbook_url);
  }
  // What changed before the onset, and what past incidents like this one turned out to be.
  for (const auto& change : pack.changes) {
    if (!change.refuted && change.in_scope) out.surfaces.insert(change.kind);
  }
  for (const auto& similar : pack.similar) {
    for (const auto& factor : similar.factors) out.surfaces.insert(factor.surface);
  }
  out.title = LowerAscii(pack.incident.title);
  return out;
}

struct Tally {
  bool fits = true;
  double score = 0;
  std::vector<std::string> why;
};

void Hold(Tally& tally, std::string_view what, const std::vector<std::string>& wanted, double weight,
          const std::function<bool(const std::string&)>& hit) {
  if (wanted.empty()) return;
  const auto found = std::ranges::find_if(wanted, hit);
  if (found == wanted.end()) {
    tally.fits = false;
    return;
  }
  tally.score += weight;
  tally.why.push_back(fmt::format("{} {}", what, claims::Printable(*found, 60)));
}

Tally Judge(const Runbook& runbook, const Incident& incident) {
  Tally tally;
  const auto in = [](const std::set<std::string>& there) {
    return [&there](const std::string& one) { return there.contains(one); };
  };
  const RunbookTrigger& trigger = runbook.trigger;
  if (trigger.empty()) tally.fits = false;
  Hold(tally, "alert", trigger.alerts, 0.35, in(incident.alerts));
  Hold(tally, "service", trigger.services, 0.2, in(incident.services));
  Hold(tally, "change or past cause:", trigger.surfaces, 0.2, in(incident.surfaces));
  Hold(tally, "title says", trigger.words, 0.15, [&](const std::string& word) {
    return !word.empty() && incident.title.find(LowerAscii(word)) != std::string::npos;
  });
  Hold(tally, "kind", trigger.kinds, 0.1, in(incident.kinds));
  const auto links = [&](const std::string& url) {
    return url.ends_with("/" + runbook.id) || url.ends_with("/" + runbook.id + ".yaml") ||
           url.ends_with("#" + runbook.id);
  };
  if (std::ranges::any_of(incident.urls, links)) {
    tally.score = (tally.fits ? tally.score : 0) + 0.6;
    if (!tally.fits) tally.why.clear();
    tally.fits = true;
    tally.why.insert(tally.why.begin(), "an alert links to it");
  }
  tally.score = std::min(tally.score, 1.0);
  return tally;
}

}  // namespace

Result<std::vector<RunbookMatch>> RunbookMatcher::Candidates(const ContextPack& pack, size_t limit) const {
  std::vector<RunbookMatch> out;
  const auto library = library_ ? library_() : nullptr;
  if (library == nullptr) return out;
  const Incident incident = WhatIsKnown(pack);
  for (const Runbook* runbook : library->All()) {
    const Tally tally = Judge(*runbook, incident);
    if (!tally.fits) continue;
    out.push_back({runbook->id, runbook->title, runbook->links.empty() ? "" : runbook->links.front(),
                   fmt::format("{}", fmt::join(tally.why, ", ")), tally.score});
  }
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) { return a.score > b.score; });
  if (out.size() > limit) out.resize(limit);
  return out;
}

}  // namespace tocsin::act
