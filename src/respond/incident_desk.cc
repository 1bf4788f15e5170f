#include "respond/incident_desk.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "respond/incident_document.h"
#include "respond/incident_id.h"
#include "respond/lifecycle/incident_action.h"
#include "respond/severity.h"
#include "respond/timeline.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

void Fill(signal::Incident& incident, const detect::Finding& f, const DeskOptions& options) {
  incident.kind = detect::FindingKindName(f.kind);
  incident.title = f.title;
  incident.severity = SeverityOf(f);
  incident.service = f.stream.service;
  incident.stream = f.stream.Name();
  incident.onset = f.onset.time;
  incident.onset_low = f.onset.low;
  incident.onset_high = f.onset.high;
  incident.e_value = std::exp(std::min(f.log_e_value, 700.0));
  if (f.alpha == 0) incident.e_value = 0;
  incident.alpha = f.alpha;
  incident.page = f.page;
  incident.document_json = DocumentOf(f, options.max_document_bytes);
}

Result<std::optional<signal::Incident>> FindSame(store::LedgerTransaction& transaction,
                                                 const std::string& key) {
  store::IncidentFilter filter;
  filter.key = key;
  filter.limit = 8;
  TOCSIN_ASSIGN_OR_RETURN(auto found, transaction.FindIncidents(filter));
  for (auto& incident : found) {
    if (!signal::IsOver(incident.state)) return std::optional(std::move(incident));
    if (incident.state != "merged") continue;
    // Merged into one that people still work on: its evidence goes on here, and opens nothing.
    TOCSIN_ASSIGN_OR_RETURN(const IncidentView view, ReadView(transaction, incident));
    TOCSIN_ASSIGN_OR_RETURN(const auto target, transaction.FindIncident(IncidentId{view.merged_into}));
    if (target && !signal::IsOver(target->state)) return std::optional(std::move(incident));
  }
  return std::optional<signal::Incident>();
}

json EventBody(const signal::Incident& i, const detect::Finding& f, const std::string& what) {
  json body = {{"title", i.title},
               {"severity", i.severity},
               {"kind", i.kind},
               {"page", i.page},
               {"e_value", i.e_value},
               {"generation", f.generation},
               {"after_count", f.after_count}};
  if (!what.empty()) body["new"] = what;
  json monitors = json::array();
  for (const auto& line : f.lines) {
    if (line.alarmed) monitors.push_back(line.monitor);
  }
  body["monitors"] = std::move(monitors);
  return body;
}

size_t AlarmedCount(const std::string& document) {
  const json d = json::parse(document, nullptr, false);
  size_t n = 0;
  if (!d.is_object() || !d.contains("lines")) return 0;
  for (const auto& line : d["lines"]) n += line.value("alarmed", false) ? size_t{1} : size_t{0};
  return n;
}

// What an update says that the incident did not; "" for nothing.
std::string WhatIsNew(const signal::Incident& old, const signal::Incident& next) {
  std::string what;
  const auto add = [&](const std::string& text) { what += (what.empty() ? "" : "; ") + text; };
  if (next.page && !old.page) add("it now pages");
  if (next.severity != old.severity) add("severity " + old.severity + " → " + next.severity);
  if (next.kind != old.kind) add("kind " + old.kind + " → " + next.kind);
  if (AlarmedCount(next.document_json) > AlarmedCount(old.document_json)) add("another monitor alarms");
  if (next.title != old.title) add("title");
  return what;
}

Status Open(store::LedgerTransaction& transaction, const detect::Finding& f, const DeskOptions& options,
            Time now, DeskOutcome& outcome) {
  store::IncidentFilter active;
  active.state = "active";
  active.limit = options.max_active + 1;
  TOCSIN_ASSIGN_OR_RETURN(const auto open, transaction.FindIncidents(active));
  if (open.size() >= options.max_active) {
    ++outcome.refused;
    return {};
  }
  signal::Incident incident;
  incident.key = IncidentKey(f);
  incident.state = "open";
  incident.opened = f.time.known() ? f.time : now;
  incident.updated = incident.opened;
  TOCSIN_ASSIGN_OR_RETURN(incident.id, FreshIncidentId(transaction, incident.key, incident.opened));
  Fill(incident, f, options);
  TOCSIN_RETURN_IF_ERROR(transaction.PutIncident(incident));
  TOCSIN_RETURN_IF_ERROR(AppendEvent(transaction, "incident.opened", incident.id.value, "tocsin",
                                     EventBody(incident, f, ""), now));
  outcome.opened.push_back(std::move(incident));
  return {};
}

Status Update(store::LedgerTransaction& transaction, const signal::Incident& old, const detect::Finding& f,
              const DeskOptions& options, Time now, DeskOutcome& outcome) {
  signal::Incident next = old;
  Fill(next, f, options);
  next.page = next.page || old.page;
  TOCSIN_ASSIGN_OR_RETURN(const IncidentView view, ReadView(transaction, old));
  if (!view.severity.empty()) next.severity = view.severity;  // a person's word stands
  const std::string what = WhatIsNew(old, next);
  const bool quiet = f.time - old.updated < options.update_interval;
  const bool loud = what.find("pages") != std::string::npos || what.find("severity") != std::string::npos ||
                    what.find("kind") != std::string::npos || what.find("monitor") != std::string::npos;
  // The row follows the evidence; the timeline only what is new, or one line an interval.
  next.updated = std::max(old.updated, f.time);
  if (quiet && !loud) next.updated = old.updated;
  TOCSIN_RETURN_IF_ERROR(transaction.PutIncident(next));
  if (quiet && !loud) {
    ++outcome.unchanged;
    return {};
  }
  json body = EventBody(next, f, what.empty() ? "evidence grows" : what);
  if (next.severity != old.severity) body["severity_was"] = old.severity;
  TOCSIN_RETURN_IF_ERROR(AppendEvent(transaction, "incident.updated", next.id.value, "tocsin", body, now));
  outcome.updated.push_back(std::move(next));
  return {};
}

}  // namespace

std::string IncidentKey(const detect::Finding& f) {
  std::string key = f.stream.Name() + "|" + f.family;
  if (!f.detail.empty()) key += "|" + f.detail;
  return key;
}

Result<DeskOutcome> IncidentDesk::Record(store::LedgerTransaction& transaction,
                                         std::span<const detect::Finding> findings, Time now) const {
  DeskOutcome outcome;
  for (const auto& f : findings) {
    if (f.family == "note") {
      TOCSIN_RETURN_IF_ERROR(AppendEvent(transaction, "model.first_seen", f.stream.Name(), "tocsin",
                                         {{"title", f.title}, {"detail", f.detail}}, now));
      continue;
    }
    TOCSIN_ASSIGN_OR_RETURN(const auto same, FindSame(transaction, IncidentKey(f)));
    // An incident a person closed stays closed while its change goes on; the next alarm opens another.
    if (!same && f.update && f.family == "behavior") {
      ++outcome.unchanged;
      continue;
    }
    TOCSIN_RETURN_IF_ERROR(same ? Update(transaction, *same, f, options_, now, outcome)
                                : Open(transaction, f, options_, now, outcome));
  }
  return outcome;
}

}  // namespace tocsin::respond
