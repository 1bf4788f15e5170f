#include "investigate/context/alert_history.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "respond/dispatch/alert_records.h"
#include "respond/json_text.h"

namespace tocsin::investigate {
namespace {

using Firing = claims::AlertSource::Firing;
using Firings = std::map<std::string, Firing>;

constexpr size_t kMaxIncidents = 500;  // newest first
constexpr size_t kShownAtOnce = 1'000;

bool Meets(const Firing& f, const claims::Window& w) {
  return f.from < w.to && (!f.to.known() || f.to > w.from);
}

void FromDesk(const respond::AlertDesk& desk, Time now, const claims::Window& window, size_t limit,
              Firings& out) {
  const std::vector<uint64_t> all = desk.Find({});
  for (size_t i = 0; i < all.size() && out.size() < limit; i += kShownAtOnce) {
    const std::span part = std::span(all).subspan(i, std::min(kShownAtOnce, all.size() - i));
    desk.Show(part, {}, now, [&](const respond::ShownAlert& shown) {
      if (out.size() >= limit) return;
      Firing f;
      for (const auto& [name, value] : shown.alert->labels) f.labels.emplace_back(name, value);
      f.from = shown.alert->starts_at;
      f.id = signal::FormatFingerprint(shown.alert->fingerprint);
      if (Meets(f, window)) out.emplace(f.id, std::move(f));
    });
  }
}

// What the document says of its first alerts: their names and when they began.
std::map<std::string, std::pair<std::string, Time>> Named(const signal::Incident& incident) {
  std::map<std::string, std::pair<std::string, Time>> out;
  const auto document = nlohmann::json::parse(incident.document_json, nullptr, false);
  for (const auto& a : respond::JsonList(document, "alerts")) {
    const auto time = ParseTime(respond::JsonText(a, "starts_at"));
    out[respond::JsonText(a, "fingerprint")] = {respond::JsonText(a, "name"), time ? *time : Time{}};
  }
  return out;
}

void Add(Firings& out, Firing firing, const claims::Window& window, size_t limit) {
  if (!firing.from.known() || !Meets(firing, window) || out.size() >= limit) return;
  std::string id = firing.id;
  out.emplace(std::move(id), std::move(firing));  // the desk knows more of those it knows
}

Status FromIncident(store::Ledger& ledger, const signal::Incident& incident, const claims::Window& window,
                    size_t limit, Firings& out) {
  std::vector<respond::Correlator::Member> members;
  TOCSIN_RETURN_IF_ERROR(ledger.Transact([&](store::LedgerTransaction& t) -> Status {
    TOCSIN_ASSIGN_OR_RETURN(members, respond::ReadMembers(t, incident.id.value));
    return {};
  }));
  auto named = Named(incident);
  for (const auto& m : members) {
    Firing f;
    f.id = signal::FormatFingerprint(m.fingerprint);
    f.from = m.first_at;
    f.to = std::max(m.last_at, m.first_at) + Duration{1};  // as far as is known
    std::string name = m.alert_name;
    if (const auto at = named.find(f.id); at != named.end()) {
      name = at->second.first;
      if (at->second.second.known()) f.from = std::min(f.from, at->second.second);
      named.erase(at);
    }
    if (!name.empty()) f.labels.emplace_back("alertname", name);
    if (!m.service.empty()) f.labels.emplace_back("service", m.service);
    Add(out, std::move(f), window, limit);
  }
  for (const auto& [id, alert] : named) {
    Firing f;
    f.id = id;
    f.from = alert.second;
    f.to = std::max(incident.updated, alert.second) + Duration{1};
    f.labels.emplace_back("alertname", alert.first);
    Add(out, std::move(f), window, limit);
  }
  return {};
}

}  // namespace

Result<std::vector<Firing>> AlertHistory::Alerts(const claims::Window& window, size_t limit) const {
  Firings found;
  if (desk_ != nullptr) FromDesk(*desk_, clock_.Now(), window, limit, found);
  store::IncidentFilter filter;
  filter.limit = kMaxIncidents;
  TOCSIN_ASSIGN_OR_RETURN(const auto incidents, ledger_.FindIncidents(filter));
  for (const auto& incident : incidents) {
    if (incident.kind != "alerts" || incident.updated < window.from) continue;
    TOCSIN_RETURN_IF_ERROR(FromIncident(ledger_, incident, window, limit, found));
  }
  std::vector<Firing> out;
  for (auto& [id, firing] : found) out.push_back(std::move(firing));
  std::ranges::stable_sort(out, {}, &Firing::from);
  return out;
}

}  // namespace tocsin::investigate
