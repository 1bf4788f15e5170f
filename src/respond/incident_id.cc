#include "respond/incident_id.h"

namespace tocsin::respond {

Result<IncidentId> FreshIncidentId(store::LedgerTransaction& transaction, const std::string& key,
                                   Time opened) {
  for (uint64_t salt = 0; salt <= 64; ++salt) {
    const uint64_t hash = StableHash(key + "@" + std::to_string(opened.ns), salt);
    const int digits = salt < 16 ? 4 : 8;
    const uint64_t space = uint64_t{1} << (5 * digits);
    IncidentId id{"INC-" + Base32(hash % space, digits)};
    TOCSIN_ASSIGN_OR_RETURN(const auto existing, transaction.FindIncident(id));
    if (!existing) return id;
  }
  return Error(Code::kInternal, "no free incident id");
}

}  // namespace tocsin::respond
