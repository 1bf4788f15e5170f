// Past incidents like this one whose cause is confirmed: over, neither merged nor a false alarm, with a
// contributing factor that a claim proves. What nobody has confirmed is no evidence of anything.
//
// Features of an incident are its service and failing services, kind, words of its title, alerts, what the
// monitors and the contrast name, and kinds of log line that were first seen around its onset. Each weighs by
// how few incidents have it (inverse document frequency); similarity is the cosine.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "claims/claim_text.h"
#include "investigate/context/internal/gather.h"
#include "kernel/ascii.h"
#include "respond/json_text.h"
#include "respond/lifecycle/incident_action.h"

namespace tocsin::investigate::internal {
namespace {

using claims::Printable;
using respond::JsonList;
using respond::JsonText;

constexpr size_t kMaxViews = 20'000;  // incidents looked at
constexpr size_t kMaxPast = 1'000;    // with a confirmed cause
constexpr size_t kMaxFactors = 10;
constexpr size_t kMaxFeatures = 200;  // of one
constexpr size_t kMaxTemplates = 20'000;
constexpr size_t kShown = 5;
constexpr double kLeastSimilarity = 0.1;
constexpr size_t kReasons = 4;

using Features = std::map<std::string, double>;  // "service checkout" → weight of its kind

void Add(Features& f, std::string_view kind, std::string_view value, double weight) {
  if (value.empty() || f.size() >= kMaxFeatures) return;
  f.emplace(fmt::format("{} {}", kind, LowerAscii(value.substr(0, 200))), weight);
}

// Words of three letters and more; numbers and ids are of one incident only.
void AddWords(Features& f, std::string_view text) {
  std::string word;
  const auto take = [&] {
    if (word.size() >= 3) Add(f, "word", word, 0.5);
    word.clear();
  };
  for (const char c : text.substr(0, 1000)) {
    const bool letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
    if (letter)
      word += c;
    else
      take();
  }
  take();
}

struct Seen {
  std::string id, service;
  Time first;
};

Features FeaturesOf(const signal::Incident& incident, const nlohmann::json& d,
                    const std::vector<Seen>& templates, const ContextOptions& options) {
  Features f;
  Add(f, "kind", incident.kind, 0.5);
  Add(f, "service", incident.service, 2);
  AddWords(f, incident.title);
  for (const auto& a : JsonList(d, "alerts")) Add(f, "alert", JsonText(a, "name"), 1.5);
  for (const auto& s : JsonList(d, "failing")) {
    if (s.is_string()) Add(f, "service", s.get_ref<const std::string&>(), 1);
  }
  for (const auto& s : JsonList(d, "sources")) Add(f, "service", JsonText(s, "service"), 1);
  for (const auto& l : JsonList(d, "lines")) Add(f, "measure", JsonText(l, "monitor"), 1);
  for (const auto& c : JsonList(d, "contrast")) {
    if (JsonText(c, "verdict") == "moved") Add(f, "surface", JsonText(c, "surface"), 1);
  }
  Add(f, "detail", JsonText(d, "detail"), 1.5);
  const Time onset = incident.onset.known() ? incident.onset : incident.opened;
  for (const auto& t : templates) {
    if (t.first >= onset - options.alert_lead && t.first < onset + options.after) Add(f, "template", t.id, 2);
  }
  return f;
}

// The present incident: its lines are those that appeared now, though they may have been seen before.
void AddPresent(const Gather& g, Features& f) {
  for (const auto& s : g.pack.logs) {
    if (s.state != "vanished" && s.state != "fewer") Add(f, "template", s.template_id, 2);
  }
  for (const auto& a : g.pack.alerts) Add(f, "alert", a.name, 1.5);
  for (const auto& a : g.pack.affected) Add(f, "service", a.service, 1);
}

Result<std::vector<Seen>> ReadTemplates(Gather& g) {
  TOCSIN_ASSIGN_OR_RETURN(
      const auto rows,
      g.Ask(
          "SELECT template_id, service, min(first_seen_ns) FROM log_templates GROUP BY template_id, service",
          {}, kMaxTemplates));
  std::vector<Seen> out;
  for (const auto& row : rows.rows) out.push_back({Text(row[0]), Text(row[1]), Time{Whole(row[2])}});
  return out;
}

struct Past {
  signal::Incident incident;
  std::vector<SimilarIncident::Factor> factors;
  Features features;
};

// Of an incident's view (docs/formats/ledger.md), which is small, where its evidence is not.
std::vector<SimilarIncident::Factor> Confirmed(const respond::IncidentView& view) {
  std::vector<SimilarIncident::Factor> out;
  if (view.state != "closed") return out;
  for (const auto& f : view.factors) {
    if (!f.claim.empty() && out.size() < kMaxFactors)
      out.push_back({Kept(f.surface), Kept(f.text), Kept(f.claim)});
  }
  return out;
}

Result<std::vector<Past>> ReadPast(Gather& g, bool* cut) {
  std::vector<Past> out;
  store::DocumentFilter filter;
  filter.collection = "incident_views";
  for (size_t looked = 0; looked < kMaxViews;) {
    TOCSIN_ASSIGN_OR_RETURN(const auto views, g.sources.ledger.FindDocuments(filter));
    for (const auto& document : views) {
      filter.after_id = document.id;
      const auto parsed = nlohmann::json::parse(document.body_json, nullptr, false);
      if (!parsed.is_object() || document.id == g.pack.incident.id.value) continue;
      auto factors = Confirmed(respond::ViewFromJson(parsed));
      if (factors.empty()) continue;
      TOCSIN_ASSIGN_OR_RETURN(auto incident, g.sources.ledger.FindIncident(IncidentId{document.id}));
      if (!incident) continue;
      out.push_back({*std::move(incident), std::move(factors), {}});
      if (out.size() == kMaxPast) {
        *cut = true;
        return out;
      }
    }
    looked += views.size();
    if (views.size() < filter.limit) return out;
    *cut = looked >= kMaxViews;
  }
  return out;
}

std::string Reason(const std::string& feature) {
  const size_t blank = feature.find(' ');
  const std::string kind = feature.substr(0, blank), value = feature.substr(blank + 1);
  if (kind == "template") return "the same kind of log line";
  return fmt::format("{} {}", kind, Printable(value, 50));
}

double Norm(const Features& f, const std::map<std::string, double>& rarity) {
  double sum = 0;
  for (const auto& [name, weight] : f) {
    const auto at = rarity.find(name);
    const double w = weight * (at == rarity.end() ? 1 : at->second);
    sum += w * w;
  }
  return std::sqrt(sum);
}

SimilarIncident Compare(const Features& now, const Past& past, const std::map<std::string, double>& rarity) {
  SimilarIncident out;
  std::vector<std::pair<double, std::string>> shared;
  double dot = 0;
  for (const auto& [name, weight] : now) {
    const auto at = past.features.find(name);
    if (at == past.features.end()) continue;
    const double part = weight * at->second * rarity.at(name) * rarity.at(name);
    dot += part;
    shared.emplace_back(part, name);
  }
  const double norms = Norm(now, rarity) * Norm(past.features, rarity);
  out.similarity = norms > 0 ? dot / norms : 0;
  std::ranges::sort(shared, std::ranges::greater{});
  for (const auto& [part, name] : shared) {
    std::string reason = Reason(name);
    if (out.shared.size() < kReasons && std::ranges::find(out.shared, reason) == out.shared.end())
      out.shared.push_back(std::move(reason));
  }
  out.id = past.incident.id.value;
  out.title = Kept(past.incident.title);
  out.service = Kept(past.incident.service);
  out.kind = past.incident.kind;
  out.opened = past.incident.opened;
  out.factors = past.factors;
  return out;
}

// log((n + 1) / (with it + 0.5)): what half of all have says little, what one has says much.
std::map<std::string, double> Rarity(const Features& now, const std::vector<Past>& past) {
  std::map<std::string, double> out;
  for (const auto& [name, weight] : now) out[name] += 1;
  for (const auto& p : past) {
    for (const auto& [name, weight] : p.features) out[name] += 1;
  }
  const double n = static_cast<double>(past.size()) + 1;
  for (auto& [name, count] : out) count = std::log((n + 1) / (count + 0.5)) + 0.1;
  return out;
}

void Show(Gather& g, SimilarIncident s) {
  std::string why, causes;
  for (const auto& reason : s.shared) why += (why.empty() ? "" : ", ") + reason;
  for (const auto& f : s.factors)
    causes +=
        fmt::format("{}{}: {}", causes.empty() ? "" : "; ", Printable(f.surface, 30), Printable(f.text, 100));
  g.Section("similar").lines.push_back(
      {fmt::format("{} ({}, {:.0f} % alike: {}) \"{}\" — cause: {}", s.id, FormatTimeForPeople(s.opened),
                   100 * s.similarity, why, Printable(s.title, 80), causes),
       std::nullopt, s.similarity, ""});
  g.pack.similar.push_back(std::move(s));
}

}  // namespace

Status GatherSimilar(Gather& g) {
  auto& section = g.Section("similar");
  TOCSIN_ASSIGN_OR_RETURN(auto past, ReadPast(g, &section.cut));
  const auto templates = ReadTemplates(g);
  const std::vector<Seen> seen = templates ? *templates : std::vector<Seen>();
  for (auto& p : past) {
    p.features = FeaturesOf(p.incident, nlohmann::json::parse(p.incident.document_json, nullptr, false), seen,
                            g.options);
    p.incident.document_json.clear();
  }
  Features now = FeaturesOf(g.pack.incident, g.document, seen, g.options);
  AddPresent(g, now);
  const auto rarity = Rarity(now, past);
  std::vector<SimilarIncident> found;
  for (const auto& p : past) {
    SimilarIncident s = Compare(now, p, rarity);
    if (s.similarity >= kLeastSimilarity) found.push_back(std::move(s));
  }
  std::ranges::stable_sort(found, std::ranges::greater{}, &SimilarIncident::similarity);
  section.cut = section.cut || found.size() > kShown;
  if (found.size() > kShown) found.resize(kShown);
  for (auto& s : found) Show(g, std::move(s));
  return {};
}

}  // namespace tocsin::investigate::internal
