// Who is paged about an incident, as it stands: read from the escalations in the ledger, shown to people.
// Thread-safety: as the ledger's. Errors: the ledger's; kDataLoss for a run that cannot be read.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "kernel/status.h"
#include "store/ledger.h"

namespace tocsin::respond {

struct PagingStatus {
  std::string policy;
  std::string state;               // running, acknowledged, ended, resolved
  std::vector<std::string> paged;  // in the order they were
  std::string acknowledged_by;
  Time next;  // when somebody else is paged, or paging begins again; not known: never
};

Result<std::vector<PagingStatus>> ReadPaging(store::Ledger& ledger, const IncidentId& incident);
nlohmann::json PagingToJson(const std::vector<PagingStatus>& paging);
// A few lines for the incident's page; "" when nobody is or was paged.
std::string RenderPaging(const std::vector<PagingStatus>& paging, size_t columns = 80);

}  // namespace tocsin::respond
