// When it began, what fires, and over which time the pack looks.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "claims/claim_text.h"
#include "investigate/context/internal/gather.h"
#include "respond/alerts/correlation.h"
#include "respond/dispatch/alert_records.h"
#include "respond/json_text.h"

namespace tocsin::investigate::internal {
namespace {

using claims::Printable;
using nlohmann::json;
using respond::JsonList;
using respond::JsonText;

constexpr size_t kMaxAlerts = 200;
constexpr size_t kMaxDeskAlerts = 20'000;
constexpr size_t kMaxServices = 5'000;

Time TimeOf(const json& object, const char* key) {
  const auto time = ParseTime(JsonText(object, key));
  return time ? *time : Time{};
}

void ReadDocumentAlerts(Gather& g) {
  for (const auto& a : JsonList(g.document, "alerts")) {
    if (g.pack.alerts.size() == kMaxAlerts) break;
    ContextAlert alert;
    alert.fingerprint = JsonText(a, "fingerprint");
    alert.name = Kept(JsonText(a, "name"));
    alert.service = JsonText(a, "service");
    alert.text = Kept(JsonText(a, "text"));
    alert.severity = Kept(JsonText(a, "severity"));
    alert.url = JsonText(a, "url");
    alert.runbook_url = JsonText(a, "runbook_url");
    alert.starts_at = TimeOf(a, "starts_at");
    g.pack.alerts.push_back(std::move(alert));
  }
}

std::string LabelOf(const claims::AlertSource::Firing& firing, std::string_view name) {
  for (const auto& [key, value] : firing.labels) {
    if (key == name) return value;
  }
  return "";
}

using Firings = std::map<std::string, claims::AlertSource::Firing>;

// What is known of the alerts beside the document, by fingerprint; those of the incident's members are added.
Result<Firings> ReadFirings(Gather& g, const std::set<std::string>& members) {
  Firings out;
  if (g.sources.alerts == nullptr) return out;
  const Time from = g.pack.onset - Duration::Hours(1);
  TOCSIN_ASSIGN_OR_RETURN(auto alerts, g.sources.alerts->Alerts({from, g.options.now}, kMaxDeskAlerts));
  for (auto& alert : alerts) {
    const bool known =
        std::ranges::find(g.pack.alerts, alert.id, &ContextAlert::fingerprint) != g.pack.alerts.end();
    if (!known && !members.contains(alert.id)) continue;
    if (!known && g.pack.alerts.size() < kMaxAlerts) {
      ContextAlert add;
      add.fingerprint = alert.id;
      add.name = Kept(LabelOf(alert, "alertname"));
      signal::LabelSet labels = alert.labels;
      add.service = std::string(respond::ServiceOf(signal::LabelViews(labels)));
      add.severity = Kept(LabelOf(alert, "severity"));
      add.starts_at = alert.from;
      g.pack.alerts.push_back(std::move(add));
    }
    std::string id = alert.id;
    out.insert_or_assign(std::move(id), std::move(alert));
  }
  return out;
}

// Who is in the cluster: by when they began to fail.
Status ReadCluster(Gather& g, std::set<std::string>& fingerprints) {
  std::vector<respond::Correlator::Member> members;
  TOCSIN_RETURN_IF_ERROR(g.sources.ledger.Transact([&](store::LedgerTransaction& t) -> Status {
    TOCSIN_ASSIGN_OR_RETURN(members, respond::ReadMembers(t, g.pack.incident.id.value));
    return {};
  }));
  std::ranges::stable_sort(members, {}, &respond::Correlator::Member::first_at);
  for (const auto& m : members) {
    fingerprints.insert(signal::FormatFingerprint(m.fingerprint));
    auto& services = g.pack.cluster_services;
    if (!m.service.empty() && services.size() < 300 &&
        std::ranges::find(services, m.service) == services.end())
      services.push_back(m.service);
  }
  if (g.pack.cluster_services.empty()) {
    for (const auto& s : JsonList(g.document, "failing")) {
      if (s.is_string()) g.pack.cluster_services.push_back(s.get<std::string>());
    }
  }
  g.pack.alerts_total = std::max(members.size(), g.pack.alerts.size());
  return {};
}

claims::AlertFiring FiringClaim(const Gather& g, const ContextAlert& alert, const Firings& firings) {
  claims::AlertFiring claim;
  const auto at = firings.find(alert.fingerprint);
  if (at == firings.end()) {
    claim.labels.push_back({"alertname", "is", alert.name});
  } else {
    for (const auto& [name, value] : at->second.labels) {
      const bool tells =
          name == "alertname" || name == "severity" || (value == alert.service && !alert.service.empty());
      if (tells && claim.labels.size() < 4) claim.labels.push_back({name, "is", value});
    }
  }
  claim.window = {alert.starts_at, std::min(alert.starts_at + Duration::Minutes(1), g.options.now)};
  return claim;
}

void AlertLines(Gather& g, const Firings& firings) {
  auto& section = g.Section("alerts");
  double weight = 1e6;
  std::ranges::stable_sort(g.pack.alerts, {}, &ContextAlert::starts_at);
  for (auto& alert : g.pack.alerts) {
    const auto at = firings.find(alert.fingerprint);
    if (at != firings.end()) {
      alert.ends_at = at->second.to;
      alert.firing = !at->second.to.known() || at->second.to > g.options.now;
    }
    ContextLine line;
    const std::string what =
        alert.text.empty() ? alert.name + (alert.service.empty() ? "" : " on " + alert.service) : alert.text;
    line.text = fmt::format("{}  {}{}", FormatTimeForPeople(alert.starts_at), Printable(what, 160),
                            alert.firing          ? ""
                            : at != firings.end() ? " (over)"
                                                  : "");
    if (alert.starts_at.known() && alert.starts_at < g.options.now && !alert.name.empty())
      line.claim = FiringClaim(g, alert, firings);
    line.weight = weight--;
    section.lines.push_back(std::move(line));
  }
  Settle(section, g.options.max_lines);
  section.cut = section.cut || g.pack.alerts_total > section.lines.size();
}

// Of the nominal windows: when the first and the last record is of, and each service's spans and errors.
struct Stored {
  Time first, last;
  uint64_t spans = 0;
  void Add(Time from, Time to) {
    if (!first.known() || from < first) first = from;
    last = std::max(last, to);
  }
};

Status CountSpans(Gather& g, Stored& stored) {
  TOCSIN_ASSIGN_OR_RETURN(
      const auto rows,
      g.Ask(fmt::format("SELECT service, {} AS phase, count(*), {}, min(time_ns), max(time_ns) "
                        "FROM spans WHERE {} GROUP BY service, phase",
                        g.Phase(), g.sources.dialect.CountIf("status = 'error'"), g.InWindows()),
            {}, kMaxServices));
  for (const auto& row : rows.rows) {
    SpanStats& s = g.services[Text(row[0])];
    const bool after = Whole(row[1]) == 1;
    (after ? s.after_n : s.before_n) = Count(row[2]);
    (after ? s.after_errors : s.before_errors) = Count(row[3]);
    stored.spans += Count(row[2]);
    stored.Add({Whole(row[4])}, {Whole(row[5])});
  }
  return {};
}

Result<Stored> LookAtStored(Gather& g) {
  Stored out;
  TOCSIN_RETURN_IF_ERROR(CountSpans(g, out));
  const auto& w = g.pack.windows;
  constexpr Duration kNear = Duration::Seconds(60);
  for (const char* table : {"logs", "metrics", "generations"}) {
    if (out.first.known() && out.first < w.baseline.from + kNear && w.window.to < out.last + kNear) break;
    TOCSIN_ASSIGN_OR_RETURN(const auto rows,
                            g.Ask(fmt::format("SELECT count(*), min(time_ns), max(time_ns) FROM {} WHERE {}",
                                              table, g.InWindows()),
                                  {}, 1));
    if (!rows.rows.empty() && Count(rows.rows[0][0]) > 0)
      out.Add({Whole(rows.rows[0][1])}, {Whole(rows.rows[0][2])});
  }
  return out;
}

Time SecondAfter(Time t) { return Time{(t.ns / 1'000'000'000 + 1) * 1'000'000'000}; }
Time SecondOf(Time t) { return Time{t.ns / 1'000'000'000 * 1'000'000'000}; }

void OnsetLines(Gather& g) {
  auto& pack = g.pack;
  auto& section = g.Section("onset");
  std::string text = "It began at " + FormatTimeForPeople(pack.onset);
  if (pack.onset_low < pack.onset || pack.onset < pack.onset_high)
    text += fmt::format(" (between {} and {})", FormatTimeForPeople(pack.onset_low),
                        FormatTimeForPeople(pack.onset_high));
  section.lines.push_back({fmt::format("{}, {}.", text, pack.onset_words), std::nullopt, 2, ""});
  if (!pack.windows.words.empty()) section.lines.push_back({pack.windows.words, std::nullopt, 1, ""});
}

}  // namespace

Status FindOnset(Gather& g) {
  auto& pack = g.pack;
  const auto& incident = pack.incident;
  ReadDocumentAlerts(g);
  Time earliest;
  for (const auto& alert : pack.alerts) {
    if (alert.starts_at.known() && (!earliest.known() || alert.starts_at < earliest))
      earliest = alert.starts_at;
  }
  if (incident.onset.known()) {
    pack.onset = incident.onset;
    pack.onset_words = pack.alerts.empty() ? "as the monitors saw it" : "when its first alert began";
  } else if (earliest.known()) {
    pack.onset = earliest;
    pack.onset_words = "when its first alert began";
  } else {
    pack.onset = incident.opened.known() ? incident.opened : g.options.now;
    pack.onset_words = "when it was opened: nobody has said when it began";
  }
  const auto within = [&](Time t, bool low) {
    return t.known() && (low ? t <= pack.onset : t >= pack.onset) ? t : pack.onset;
  };
  pack.onset_low = within(incident.onset_low, true);
  pack.onset_high = within(incident.onset_high, false);
  return {};
}

Status GatherAlerts(Gather& g) {
  std::set<std::string> members;
  TOCSIN_RETURN_IF_ERROR(ReadCluster(g, members));
  const auto firings = ReadFirings(g, members);
  AlertLines(g, firings ? *firings : Firings{});
  if (!firings) return firings.error();
  return {};
}

Status FindWindows(Gather& g) {
  auto& pack = g.pack;
  auto& w = pack.windows;
  const auto& o = g.options;
  // Rules wait before they fire, and what was opened by hand was opened late.
  const bool late = pack.onset_low == pack.onset && pack.onset == pack.onset_high;
  const Time before = late ? pack.onset - o.alert_lead : pack.onset_low;
  w.baseline = {SecondOf(before - o.baseline), SecondOf(before)};
  w.window = {late ? SecondOf(before) : SecondOf(pack.onset), std::min(o.now, pack.onset + o.after)};
  if (w.window.from > w.window.to) w.window.to = w.window.from;
  const auto stored = LookAtStored(g);
  if (!stored) {
    w.baseline.from = w.baseline.to;
    w.window.to = w.window.from;
    OnsetLines(g);
    return stored.error().WithContext("what is stored of the time around the onset");
  }
  w.baseline.from = std::min(w.baseline.to, std::max(w.baseline.from, SecondOf(stored->first)));
  if (!stored->first.known()) w.baseline.from = w.baseline.to;
  w.window.to = std::max(w.window.from, std::min(w.window.to, SecondAfter(stored->last)));
  g.spans = stored->spans;
  if (g.has_window()) {
    w.words = fmt::format("Compared: {} to {} with {}{} before.", FormatTimeForPeople(w.window.from),
                          FormatTimeForPeople(w.window.to), FormatDuration(w.baseline.length()),
                          late ? fmt::format(" (from {} before the first sign, because alerts come late)",
                                             FormatDuration(o.alert_lead))
                               : "");
    if (!g.has_baseline())
      w.words = "Nothing is stored of the time before the onset: nothing can be compared.";
  }
  OnsetLines(g);
  return {};
}

}  // namespace tocsin::investigate::internal
