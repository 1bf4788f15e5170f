#include "investigate/investigation_desk.h"

#include <fmt/format.h>

#include "claims/claim_json.h"
#include "investigate/agent/investigator.h"
#include "investigate/brief/make_brief.h"
#include "investigate/root_cause/live_input.h"
#include "respond/json_text.h"
#include "respond/timeline.h"

namespace tocsin::investigate {
namespace {

using nlohmann::json;

constexpr const char* kBriefs = "briefs";
constexpr const char* kExchanges = "exchanges";
constexpr size_t kMaxExchangeBytes = 256u << 10;

// What a timeline says of a brief: how it came out, not what is in it.
json Summary(const Brief& brief) {
  json parts = json::object();
  for (const auto& line : brief.lines) {
    auto& n = parts[std::string(BriefPartName(line.part))];
    n = n.is_null() ? 1 : n.get<int>() + 1;
  }
  json out{{"lines", parts}, {"abstains", brief.abstains}, {"seconds", brief.seconds}};
  if (!brief.hypotheses.empty()) {
    const auto& first = brief.hypotheses.front();
    out["first"] = {{"surface", first.surface}, {"cause", first.cause}, {"standing", first.standing}};
  }
  if (!brief.model.outcome.empty())
    out["model"] = {{"name", brief.model.model}, {"outcome", brief.model.outcome}};
  return out;
}

}  // namespace

claims::VerifierSources InvestigationDesk::Sources() const {
  const auto& c = sources_.context;
  return {c.telemetry, c.dialect, &c.ledger, sources_.behavior, c.alerts};
}

std::vector<BriefLine> InvestigationDesk::Check(const std::vector<claims::Claim>& claims) const {
  claims::Verifier verifier(Sources(), {sources_.clock.Now()});
  std::vector<BriefLine> out;
  for (const auto& claim : claims) out.push_back(CheckLine(verifier, "claims", claim, "tocsin"));
  return out;
}

Result<ContextPack> InvestigationDesk::Context(const IncidentId& id) const {
  ContextOptions options;
  options.now = sources_.clock.Now();
  const auto on_call = sources_.on_call ? sources_.on_call() : nullptr;
  ContextSources sources = sources_.context;
  sources.dispatch = on_call.get();
  return BuildContext(sources, id, options);
}

Result<Brief> InvestigationDesk::Make(const IncidentId& id, bool ask_model, std::stop_token stop) {
  std::unique_lock making(making_, std::try_to_lock);
  if (!making.owns_lock())
    return tl::unexpected(
        Status(Code::kResourceExhausted, "another brief is being made: try again in some seconds"));
  TOCSIN_ASSIGN_OR_RETURN(const ContextPack pack, Context(id));
  const Time now = pack.built;
  claims::Verifier verifier(Sources(), {now});
  const auto ranking = RankLive(pack, sources_.context.telemetry, sources_.context.dialect);
  BriefOptions options;
  options.now = now;
  Brief brief = MakeBrief(pack, ranking ? &*ranking : nullptr, sources_.context.telemetry, verifier, options);
  if (!ranking)
    brief.not_looked_at.push_back(fmt::format("which service broke first: {}", ranking.error().message()));
  brief.seconds += pack.seconds;
  TOCSIN_RETURN_IF_ERROR(Store(brief, {}));
  // A model may take minutes: what is proven is there already, and other briefs need not wait for it.
  making.unlock();
  if (!ask_model || sources_.investigator == nullptr) return brief;
  const std::unique_lock asking(asking_, std::try_to_lock);
  if (!asking.owns_lock()) {
    brief.model.outcome = "unavailable";
    brief.model.detail = "the model is being asked about another incident";
    return brief;
  }
  const auto exchanges =
      sources_.investigator->Investigate({pack, sources_.context.telemetry, verifier, now}, brief, stop);
  TOCSIN_RETURN_IF_ERROR(Store(brief, exchanges));
  return brief;
}

Status InvestigationDesk::Store(const Brief& brief, const std::vector<std::string>& exchanges) {
  const std::string body = respond::DumpJson(BriefToJson(brief));
  return sources_.context.ledger.Transact([&](store::LedgerTransaction& tx) -> Status {
    TOCSIN_RETURN_IF_ERROR(tx.PutDocument({kBriefs, brief.incident, {}, body}));
    for (size_t i = 0; i < exchanges.size(); ++i) {
      const std::string key = fmt::format("{}-{}-{:03}", brief.incident, brief.made.ns, i);
      std::string text = exchanges[i].substr(0, kMaxExchangeBytes);
      if (text.size() < exchanges[i].size()) text = respond::DumpJson(json{{"cut", text}});
      TOCSIN_RETURN_IF_ERROR(tx.PutDocument({kExchanges, key, {}, std::move(text)}));
    }
    return respond::AppendEvent(tx, "brief.made", brief.incident, "tocsin", Summary(brief), brief.made);
  });
}

Result<std::optional<Brief>> InvestigationDesk::Stored(const IncidentId& id) const {
  TOCSIN_ASSIGN_OR_RETURN(const auto document, sources_.context.ledger.FindDocument(kBriefs, id.value));
  if (!document) return std::optional<Brief>();
  const json parsed = json::parse(document->body_json, nullptr, false);
  TOCSIN_ASSIGN_OR_RETURN(Brief brief, BriefFromJson(parsed));
  return std::optional<Brief>(std::move(brief));
}

Result<BriefRecheck> InvestigationDesk::Recheck(const IncidentId& id) const {
  TOCSIN_ASSIGN_OR_RETURN(auto stored, Stored(id));
  if (!stored)
    return tl::unexpected(
        Status(Code::kNotFound, fmt::format("incident '{}' has no brief yet", id.value.substr(0, 64))));
  BriefRecheck out;
  out.brief = *std::move(stored);
  claims::Verifier verifier(Sources(), {sources_.clock.Now()});
  for (size_t i = 0; i < out.brief.lines.size(); ++i) {
    auto& line = out.brief.lines[i];
    if (!line.claim) continue;
    ++out.run;
    BriefLine again = CheckLine(verifier, line.section, *line.claim, line.by);
    if (again.part == line.part) {
      ++out.held;
    } else {
      out.changed.push_back({i, std::string(BriefPartName(line.part)), std::string(BriefPartName(again.part)),
                             again.verdict.why});
    }
    again.note = line.note;
    line = std::move(again);
  }
  out.brief.as_of = sources_.clock.Now();
  for (auto& h : out.brief.hypotheses) JudgeHypothesis(out.brief, h);
  return out;
}

Result<std::vector<IncidentId>> InvestigationDesk::WithoutBrief(std::set<std::string>& briefed) const {
  store::IncidentFilter filter;
  filter.state = "active";
  TOCSIN_ASSIGN_OR_RETURN(const auto incidents, sources_.context.ledger.FindIncidents(filter));
  std::vector<IncidentId> out;
  std::set<std::string> kept;
  for (const auto& incident : incidents) {
    const std::string& id = incident.id.value;
    bool has = briefed.contains(id);
    if (!has) {
      TOCSIN_ASSIGN_OR_RETURN(const auto document, sources_.context.ledger.FindDocument(kBriefs, id));
      has = document.has_value();
    }
    if (has)
      kept.insert(id);
    else
      out.insert(out.begin(), incident.id);
  }
  briefed = std::move(kept);
  return out;
}

}  // namespace tocsin::investigate
