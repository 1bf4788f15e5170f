#include "respond/dispatch/alert_records.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "respond/json_text.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

constexpr const char* kWorks = "alert_incidents";
constexpr const char* kMembers = "alert_members";
constexpr const char* kTold = "alert_told";
constexpr const char* kGraph = "alert_graph";
constexpr size_t kMaxParts = 10'000;
constexpr size_t kForgetAtOnce = 200;

std::string PartId(const std::string& incident, uint64_t part) {
  return fmt::format("{}|{:06}", incident, part);
}

Status PutPart(store::LedgerTransaction& transaction, const std::string& incident, uint64_t part,
               const std::vector<Correlator::Member>& members) {
  json list = json::array();
  for (const auto& m : members)
    list.push_back(
        {m.fingerprint, m.service, m.service.empty() ? m.alert_name : "", m.first_at.ns, m.last_at.ns});
  return transaction.PutDocument({kMembers, PartId(incident, part), Time{}, DumpJson(list)});
}

Status ReadPart(const store::Document& document, std::vector<Correlator::Member>& out) {
  try {
    for (const auto& m : json::parse(document.body_json)) {
      out.push_back({m.at(0).get<uint64_t>(), m.at(1).get<std::string>(), m.at(2).get<std::string>(),
                     Time{m.at(3).get<int64_t>()}, Time{m.at(4).get<int64_t>()}});
    }
  } catch (const json::exception&) {
    return Status::FromException("reading alerts of " + document.id, Code::kDataLoss);
  }
  return {};
}

// `reader`: a ledger, or a transaction on it.
template <class Reader>
Result<std::vector<Correlator::Member>> ReadParts(Reader& reader, const std::string& incident) {
  std::vector<Correlator::Member> out;
  store::DocumentFilter filter;
  filter.collection = kMembers;
  filter.after_id = incident + "|";
  while (true) {
    TOCSIN_ASSIGN_OR_RETURN(const auto parts, reader.FindDocuments(filter));
    for (const auto& part : parts) {
      if (!part.id.starts_with(incident + "|")) return out;
      TOCSIN_RETURN_IF_ERROR(ReadPart(part, out));
      filter.after_id = part.id;
    }
    if (parts.size() < filter.limit) return out;
  }
}

}  // namespace

Result<AlertWork> ReadAlertWork(store::LedgerTransaction& transaction, const std::string& incident) {
  TOCSIN_ASSIGN_OR_RETURN(const auto document, transaction.FindDocument(kWorks, incident));
  if (!document) return AlertWork{};
  return AlertWorkFromJson(document->body_json);
}

Status WriteAlertWork(store::LedgerTransaction& transaction, const std::string& incident, AlertWork& work,
                      const std::vector<Correlator::Member>& members) {
  if (!members.empty() && work.member_parts < kMaxParts) {
    TOCSIN_RETURN_IF_ERROR(PutPart(transaction, incident, work.member_parts, members));
    ++work.member_parts;
  }
  return transaction.PutDocument({kWorks, incident, Time{}, DumpJson(ToJson(work))});
}

Result<std::vector<Correlator::Member>> ReadMembers(store::LedgerTransaction& transaction,
                                                    const std::string& incident) {
  return ReadParts(transaction, incident);
}

Status ReplaceMembers(store::LedgerTransaction& transaction, const std::string& incident, AlertWork& work,
                      const std::vector<Correlator::Member>& members) {
  for (; work.member_parts > 0; --work.member_parts) {
    const auto gone = transaction.DeleteDocument(kMembers, PartId(incident, work.member_parts - 1));
    if (!gone) return gone.error();
  }
  return WriteAlertWork(transaction, incident, work, members);
}

Result<bool> RememberTold(store::LedgerTransaction& transaction, const std::string& key, Time until) {
  TOCSIN_ASSIGN_OR_RETURN(const auto known, transaction.FindDocument(kTold, key));
  if (known) return false;
  TOCSIN_RETURN_IF_ERROR(transaction.PutDocument({kTold, key, until, "{}"}));
  return true;
}

Status ForgetTold(store::LedgerTransaction& transaction, Time now) {
  store::DocumentFilter filter;
  filter.collection = kTold;
  filter.due_until = now;
  filter.limit = kForgetAtOnce;
  TOCSIN_ASSIGN_OR_RETURN(const auto old, transaction.FindDocuments(filter));
  for (const auto& document : old) {
    const auto gone = transaction.DeleteDocument(kTold, document.id);
    if (!gone) return gone.error();
  }
  return {};
}

Result<std::vector<ActiveAlertIncident>> ReadActiveAlertIncidents(store::Ledger& ledger) {
  store::IncidentFilter filter;
  filter.state = "active";
  filter.limit = 100'000;
  TOCSIN_ASSIGN_OR_RETURN(const auto incidents, ledger.FindIncidents(filter));
  std::vector<ActiveAlertIncident> out;
  for (auto it = incidents.rbegin(); it != incidents.rend(); ++it) {  // the oldest first
    if (it->kind != "alerts") continue;
    TOCSIN_ASSIGN_OR_RETURN(const auto document, ledger.FindDocument(kWorks, it->id.value));
    if (!document) continue;
    ActiveAlertIncident one{*it, {}, {}};
    TOCSIN_ASSIGN_OR_RETURN(one.work, AlertWorkFromJson(document->body_json));
    TOCSIN_ASSIGN_OR_RETURN(one.members, ReadParts(ledger, it->id.value));
    out.push_back(std::move(one));
  }
  return out;
}

Result<ServiceGraph> ReadGraph(store::Ledger& ledger) {
  TOCSIN_ASSIGN_OR_RETURN(const auto document, ledger.FindDocument(kGraph, "services"));
  if (!document) return ServiceGraph{};
  const json body = json::parse(document->body_json, nullptr, false);
  std::string bytes;
  if (!body.is_object() || !body.contains("state") || !body["state"].is_string() ||
      !HexDecode(body["state"].get<std::string>(), bytes)) {
    return Error(Code::kDataLoss, "what was learned of services cannot be read");
  }
  return ServiceGraph::Load(bytes);
}

Status WriteGraph(store::LedgerTransaction& transaction, const std::string& bytes) {
  return transaction.PutDocument({kGraph, "services", Time{}, DumpJson({{"state", HexEncode(bytes)}})});
}

}  // namespace tocsin::respond
