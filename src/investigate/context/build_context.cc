#include "investigate/context/build_context.h"

#include "investigate/context/internal/gather.h"
#include "respond/lifecycle/incident_action.h"

namespace tocsin::investigate {
namespace {

using internal::Gather;

struct Part {
  std::string_view section;
  Status (*gather)(Gather&);
};
constexpr Part kParts[] = {
    {"onset", &internal::FindOnset},         {"alerts", &internal::GatherAlerts},
    {"onset", &internal::FindWindows},       {"calls", &internal::GatherCalls},
    {"affected", &internal::GatherAffected}, {"changes", &internal::GatherChanges},
    {"logs", &internal::GatherLogs},         {"metrics", &internal::GatherMetrics},
    {"behavior", &internal::GatherBehavior}, {"exemplars", &internal::GatherExemplars},
    {"similar", &internal::GatherSimilar},   {"runbooks", &internal::GatherRunbooks},
    {"people", &internal::GatherPeople},
};

void Run(Gather& g, const Part& part) {
  const Time begun = g.sources.clock.Monotonic();
  g.partial = false;
  const Status status = part.gather(g);
  ContextSection& section = g.Section(part.section);
  if (!status.ok()) section.not_looked_at = internal::Kept(status.message());
  if (g.partial) section.sampled += section.sampled.empty() ? "a part of the data" : "; a part of the data";
  section.seconds += (g.sources.clock.Monotonic() - begun).seconds();
}

}  // namespace

Result<ContextPack> BuildContext(const ContextSources& sources, const IncidentId& id,
                                 const ContextOptions& options) {
  Gather g{sources, options, sources.clock.Monotonic()};
  TOCSIN_ASSIGN_OR_RETURN(auto incident, sources.ledger.FindIncident(id));
  if (!incident) return Error(Code::kNotFound, "there is no incident " + id.value);
  g.document = nlohmann::json::parse(incident->document_json, nullptr, false);
  if (!g.document.is_object()) g.document = nlohmann::json::object();
  TOCSIN_ASSIGN_OR_RETURN(g.view, respond::ReadView(sources.ledger, *incident));
  g.pack.incident = *std::move(incident);
  g.pack.incident.document_json.clear();
  g.pack.built = options.now;
  for (const std::string_view name : kContextSections)
    g.pack.sections.push_back({.name = std::string(name), .not_looked_at = {}, .sampled = {}, .lines = {}});
  for (const Part& part : kParts) Run(g, part);
  g.pack.seconds = g.elapsed().seconds();
  return std::move(g.pack);
}

}  // namespace tocsin::investigate
