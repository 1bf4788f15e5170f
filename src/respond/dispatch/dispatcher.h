// Dispatcher: what happens between "something is wrong" and "a person has it". One place, one thread, every
// decision a transaction of the ledger.
//
//   alerts due ──▶ incidents ─┐
//   the ledger's timeline ────┼──▶ escalations ──▶ outbox ──▶ Sender ──▶ people and places
//   what could not be told ───┘
//
// Step is one look at all of it and can be driven by a simulation's clock; Start runs it on a thread, with
// the sender beside it. Every incident that pages and is open has an escalation, however it was opened: the
// timeline is followed from a cursor that is stored with what was done. After a crash everything is found
// again in the ledger: a step is told once, because the item of its key is there or it is not.
//
// Ownership: owns sender and outbox; ledger, desk and clock must outlive it. Thread-safety: all methods but
// Step, which is for one thread and not beside Start. Errors of Step: the ledger's and the desk's; nothing is
// lost, the next step does it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "kernel/status.h"
#include "ports/clock.h"
#include "respond/alerts/alert_desk.h"
#include "respond/dispatch/alert_incidents.h"
#include "respond/dispatch/call_tracker.h"
#include "respond/dispatch/dispatch_config.h"
#include "respond/lifecycle/incident_action.h"
#include "respond/notify/sender.h"
#include "store/ledger.h"

namespace tocsin::respond {

struct DispatcherOptions {
  Duration interval = Duration::Millis(200);        // between looks
  Duration close_interval = Duration::Seconds(30);  // between looks for clusters that are quiet
  Duration graph_interval = Duration::Minutes(1);   // between saves of what was learned of services
  Duration prune_interval = Duration::Minutes(10);
  size_t batch = 200;  // notifications, runs and events of one transaction
  SenderOptions sender = {};
  AlertIncidentOptions incidents = {};
  // Makes the notifiers of a configuration known; null: HTTP and SMTP as configured.
  std::function<Status(const DispatchConfig&, NotifierDirectory&)> equip = {};
};

struct DispatcherStats {
  uint64_t steps = 0, errors = 0, notifications = 0, events = 0, escalations = 0;
  uint64_t open_clusters = 0;
  SenderCounters sender;
  std::string last_error;
};

class Dispatcher {
 public:
  // `desk` may be null: then alerts are given to Record.
  static Result<std::unique_ptr<Dispatcher>> Open(const DispatcherOptions& options, store::Ledger& ledger,
                                                  AlertDesk* desk, const ports::Clock& clock,
                                                  std::shared_ptr<const DispatchConfig> config);
  virtual ~Dispatcher() = default;

  virtual void Start() = 0;
  virtual void Stop() = 0;
  // There is something to look at.
  virtual void Wake() = 0;

  virtual Status Step(Time now) = 0;
  // Sends one message that is due, on the caller's thread. For a simulation.
  virtual Result<bool> SendOne() = 0;
  // Alerts that are due, from elsewhere than the desk.
  virtual Status Record(const std::vector<AlertNotification>& notifications, Time now) = 0;

  // What a person or a program does to an incident, and what follows for those who are paged. As ApplyAction,
  // and: an acknowledgement is for somebody on the policy; triage, mitigate and monitor by such a person
  // acknowledge too; snooze, unacknowledge, escalate and split are here.
  virtual Result<IncidentView> Act(const IncidentId& id, const IncidentAction& action,
                                   const Actor& actor) = 0;
  // Puts a question to those whom incidents are told and to whoever has acknowledged this one. Once for a
  // key.
  virtual Status Ask(const std::string& key, NotificationMessage message) = 0;
  // Takes effect with the next look; what is open and pages nobody yet begins to.
  virtual Status Configure(std::shared_ptr<const DispatchConfig> config) = 0;
  virtual std::shared_ptr<const DispatchConfig> config() const = 0;
  // Who calls whom, from traces: may be shown to it from any thread.
  virtual CallTracker& calls() = 0;
  virtual DispatcherStats Stats() const = 0;
};

}  // namespace tocsin::respond
