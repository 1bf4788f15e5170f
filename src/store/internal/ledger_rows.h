// Reading and writing the rows of the ledger through SOCI. All throw soci_error.
#pragma once

#include <soci/soci.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "signal/incident.h"
#include "store/ledger.h"

namespace tocsin::store::internal {

void InsertEvent(soci::session& sql, const signal::Event& event);
// In order of seq, one at a time; false from `each` ends the reading. "" = every subject.
void ForEvents(soci::session& sql, const std::string& subject, uint64_t after_seq, size_t limit,
               const std::function<bool(signal::Event&)>& each);
// The last event's seq and hash, or the genesis.
struct ChainEnd {
  uint64_t seq = 0;
  std::string hash;
};
ChainEnd ReadChainEnd(soci::session& sql);
// "" when there is no such event.
std::string EventHash(soci::session& sql, uint64_t seq);

void UpsertIncident(soci::session& sql, const signal::Incident& incident);
std::optional<signal::Incident> SelectIncident(soci::session& sql, const IncidentId& id);
std::vector<signal::Incident> SelectIncidents(soci::session& sql, const IncidentFilter& filter);

void UpsertMonitorState(soci::session& sql, const MonitorState& state);
void EraseMonitorState(soci::session& sql, const std::string& id);
std::vector<MonitorState> SelectMonitorStates(soci::session& sql);

void UpsertDocument(soci::session& sql, const Document& document);
bool EraseDocument(soci::session& sql, const std::string& collection, const std::string& id);
std::optional<Document> SelectDocument(soci::session& sql, const std::string& collection,
                                       const std::string& id);
std::vector<Document> SelectDocuments(soci::session& sql, const DocumentFilter& filter);

}  // namespace tocsin::store::internal
