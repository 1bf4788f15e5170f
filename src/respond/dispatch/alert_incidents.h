// AlertIncidents: makes incidents of the groups of alerts that are due, one for each failure: alerts that
// correlate are one incident, whatever their rule, route or receiver; it is updated while it grows, is over
// when every group of it is, and pages again when it comes back.
//
//   AlertNotification ──Correlator──▶ cluster ──▶ incident (kind "alerts") ──▶ escalation, tellings
//
// Which cluster is which incident lives here and is restored from the ledger: "alert_incidents" (AlertWork,
// by incident), "alert_members" (alerts of each, in parts), "alert_told" (notifications that were recorded),
// "alert_graph" (what was learned of services). All writes are in the caller's transaction; call Committed or
// RolledBack after it, so that memory and ledger agree.
//
// Ownership: owns the correlator. Thread-safety: none, one owner. Errors: the ledger's; kDataLoss at Restore.
#pragma once

#include <list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kernel/status.h"
#include "respond/alerts/alert_desk.h"
#include "respond/alerts/correlation.h"
#include "respond/dispatch/alert_work.h"
#include "respond/dispatch/escalation_desk.h"
#include "respond/lifecycle/incident_action.h"
#include "store/ledger.h"

namespace tocsin::respond {

struct AlertIncidentOptions {
  CorrelationSettings correlation;
  Duration update_interval = Duration::Minutes(5);  // between updates that tell places of growth only
  Duration remember_told = Duration::Hours(24);
  size_t max_clusters = 2'000;  // that are incidents; a failure beyond them is told with the latest of them
};

class AlertIncidents {
 public:
  explicit AlertIncidents(AlertIncidentOptions options = {})
      : options_(options), correlator_(options.correlation) {}

  // Reads what the last process knew, or what this one cannot be sure of. Before anything else.
  Status Restore(store::Ledger& ledger);

  Status Record(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                const std::vector<AlertNotification>& notifications, Time now);
  // Takes services out of an incident into a new one, whose row is returned; the record learns.
  Result<signal::Incident> Split(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                                 const IncidentId& from, const std::vector<std::string>& services,
                                 const Actor& actor, Time now);
  // A person merged them: the alerts of `from` belong to `into` from now on.
  Status Merged(store::LedgerTransaction& transaction, const IncidentId& into, const IncidentId& from);

  void Committed();
  void RolledBack();
  // A person's split or merge has moved clusters since the last Committed or Restore: rolling back is not
  // enough, Restore is.
  bool rearranged() const { return rearranged_; }

  // Closes clusters that are quiet and of which no alert fires.
  void Close(Time now, const std::function<bool(uint64_t fingerprint)>& firing);
  // Stores what was learned of services, when it grew since.
  Status SaveGraph(store::LedgerTransaction& transaction);
  ServiceGraph& graph() { return correlator_.graph(); }
  size_t open_clusters() const { return correlator_.open_clusters(); }

 private:
  struct Touched {
    signal::Incident incident;  // without an id until Finish when fresh
    AlertWork work;
    bool fresh = false;     // opened by this transaction
    bool news = false;      // a group of it has changed
    bool repeated = false;  // its repeat interval has come
    bool was_over = false;
    uint64_t cluster = 0;
    std::string key;  // of a fresh one
    std::set<std::string> new_receivers;
    std::set<std::string> groups;             // looked at in this transaction
    std::vector<Correlator::Member> members;  // new ones
  };

  Status RecordOne(store::LedgerTransaction& transaction, const AlertNotification& notification, Time now);
  Status Place(store::LedgerTransaction& transaction, const AlertNotification& notification,
               const signal::Alert& alert, std::map<Touched*, uint64_t>& counts, Time now);
  Result<Touched*> Touch(store::LedgerTransaction& transaction, const std::string& incident);
  Result<Touched*> TouchCluster(store::LedgerTransaction& transaction, uint64_t cluster,
                                const AlertNotification& notification);
  Status JoinMerged(store::LedgerTransaction& transaction, const EscalationDesk& desk, Time now);
  Status Join(store::LedgerTransaction& transaction, const EscalationDesk& desk, Touched& into, Touched& from,
              Time now);
  Status Finish(store::LedgerTransaction& transaction, const EscalationDesk& desk, Touched& touched,
                Time now);
  Status Open(store::LedgerTransaction& transaction, const EscalationDesk& desk, Touched& touched, Time now);
  Status Update(store::LedgerTransaction& transaction, const EscalationDesk& desk, Touched& touched,
                const signal::Incident& before, Time now);
  Status Transition(store::LedgerTransaction& transaction, const EscalationDesk& desk, Touched& touched,
                    Time now);
  Status PageFor(store::LedgerTransaction& transaction, const EscalationDesk& desk, Touched& touched,
                 const std::set<std::string>& receivers, const std::string& what, Time now);
  Status TellPlaces(store::LedgerTransaction& transaction, const EscalationDesk& desk, Touched& touched,
                    const std::string& kind, const std::string& what, Time now);

  AlertIncidentOptions options_;
  Correlator correlator_;
  std::map<uint64_t, std::string> incident_of_;            // cluster → incident
  std::map<std::string, std::set<std::string>> by_group_;  // group key → incidents it fires in
  std::string latest_;                                     // the incident opened last
  std::string saved_graph_;
  bool graph_read_ = false;
  bool rearranged_ = false;
  std::vector<std::pair<uint64_t, uint64_t>> merged_;  // clusters (into, from), not yet written
  // Of this transaction.
  std::list<Touched> touched_;
  std::map<std::string, Touched*> touched_incident_;
  std::map<uint64_t, Touched*> touched_cluster_;
};

}  // namespace tocsin::respond
