#include "respond/dispatch/escalation_records.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "respond/json_text.h"

namespace tocsin::respond {
namespace {

constexpr const char* kRuns = "escalations";
constexpr size_t kMaxRunsOfIncident = 64;
constexpr size_t kMaxWaiting = 100'000;

// `reader`: a ledger, or a transaction on it.
template <class Reader>
Result<std::vector<StoredRun>> ReadRunsOf(Reader& reader, const IncidentId& incident) {
  store::DocumentFilter filter;
  filter.collection = kRuns;
  filter.after_id = RunId(incident, "");
  filter.limit = kMaxRunsOfIncident;
  TOCSIN_ASSIGN_OR_RETURN(const auto documents, reader.FindDocuments(filter));
  std::vector<StoredRun> out;
  for (const auto& document : documents) {
    if (!document.id.starts_with(filter.after_id)) break;
    TOCSIN_ASSIGN_OR_RETURN(auto run, ReadRun(document));
    out.push_back({document.id, std::move(run)});
  }
  return out;
}

}  // namespace

std::string RunId(const IncidentId& incident, const std::string& policy) {
  return incident.value + "|" + policy;
}
IncidentId IncidentOfRun(const std::string& id) { return IncidentId{id.substr(0, id.find('|'))}; }
std::string PolicyOfRun(const std::string& id) { return id.substr(id.find('|') + 1); }

Result<EscalationRun> ReadRun(const store::Document& document) {
  const auto body = nlohmann::json::parse(document.body_json, nullptr, false);
  if (body.is_discarded()) return Error(Code::kDataLoss, "escalation " + document.id + " is not JSON");
  auto run = EscalationRun::FromJson(body);
  if (!run) return Error(Code::kDataLoss, "escalation " + document.id + ": " + run.error().message());
  return run;
}

Status PutRun(store::LedgerTransaction& transaction, const StoredRun& run) {
  return transaction.PutDocument(
      {kRuns, run.id, run.run.NextDeadline().value_or(Time{}), DumpJson(run.run.ToJson())});
}

Status DeleteRun(store::LedgerTransaction& transaction, const std::string& id) {
  const auto gone = transaction.DeleteDocument(kRuns, id);
  return gone ? Status() : Status(gone.error());
}

Result<std::vector<StoredRun>> RunsOf(store::LedgerTransaction& transaction, const IncidentId& incident) {
  return ReadRunsOf(transaction, incident);
}
Result<std::vector<StoredRun>> RunsOf(store::Ledger& ledger, const IncidentId& incident) {
  return ReadRunsOf(ledger, incident);
}

Result<std::vector<store::Document>> RunsDue(store::LedgerTransaction& transaction, Time until,
                                             size_t limit) {
  store::DocumentFilter filter;
  filter.collection = kRuns;
  filter.due_until = until;
  filter.limit = limit;
  return transaction.FindDocuments(filter);
}

Result<std::vector<store::Document>> RunsWaiting(store::LedgerTransaction& transaction) {
  return RunsDue(transaction, Time{std::numeric_limits<int64_t>::max()}, kMaxWaiting);
}

}  // namespace tocsin::respond
