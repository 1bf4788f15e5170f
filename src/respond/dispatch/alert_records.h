// What AlertIncidents keeps in the ledger, read and written. Functions over a transaction; thread-safe as it
// is.
//
//   alert_incidents  id = incident               AlertWork
//   alert_members    id = incident|part          alerts that joined it, as they came
//   alert_told       id = notification           recorded already; due = when that may be forgotten
//   alert_graph      id = services               what was learned of services, hexadecimal
#pragma once

#include <string>
#include <vector>

#include "kernel/status.h"
#include "respond/alerts/correlation.h"
#include "respond/dispatch/alert_work.h"
#include "signal/incident.h"
#include "store/ledger.h"

namespace tocsin::respond {

// A fresh one when there is none.
Result<AlertWork> ReadAlertWork(store::LedgerTransaction& transaction, const std::string& incident);
// Writes the record, and these members as one more part of it (counted in the record).
Status WriteAlertWork(store::LedgerTransaction& transaction, const std::string& incident, AlertWork& work,
                      const std::vector<Correlator::Member>& members);
Result<std::vector<Correlator::Member>> ReadMembers(store::LedgerTransaction& transaction,
                                                    const std::string& incident);
// In place of all parts there were.
Status ReplaceMembers(store::LedgerTransaction& transaction, const std::string& incident, AlertWork& work,
                      const std::vector<Correlator::Member>& members);

// False when it was remembered before.
Result<bool> RememberTold(store::LedgerTransaction& transaction, const std::string& key, Time until);
// Forgets some of those whose time has come.
Status ForgetTold(store::LedgerTransaction& transaction, Time now);

struct ActiveAlertIncident {
  signal::Incident incident;
  AlertWork work;
  std::vector<Correlator::Member> members;
};
Result<std::vector<ActiveAlertIncident>> ReadActiveAlertIncidents(store::Ledger& ledger);

// Empty when nothing was learned yet.
Result<ServiceGraph> ReadGraph(store::Ledger& ledger);
Status WriteGraph(store::LedgerTransaction& transaction, const std::string& bytes);

}  // namespace tocsin::respond
