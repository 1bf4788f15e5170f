// World: one simulated night from one seed. The real dispatcher, sender, outbox, escalations and ledger
// (SQLite in memory) run on a clock that jumps, with people, schedules around changes of daylight saving,
// policies, failures and faults drawn at random:
//
//   crashes before and after every write and every send     errors of the disk, with and without effect
//   channels that refuse, fail for good or do not answer     the clock put back and forward, also while down
//   notifications that come again                            acknowledgements by anybody, also by programs
//
// and what must hold whatever happens (Run gives what did not):
//   * no page is lost: each that was decided was delivered, or failed on every channel of its person, or was
//     withdrawn by an acknowledgement or the end of the incident;
//   * none is sent twice for a step by one channel;
//   * the right person is paged: on call, or named, at that instant;
//   * who nobody acknowledges reaches the end of its policy on time, with every step carried out;
//   * only people on the policy acknowledge; one failure is one incident.
// Not thread-safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernel/rng.h"
#include "ports/clock.h"
#include "respond/dispatch/dispatcher.h"
#include "tests/simulation/faulty_ledger.h"

namespace tocsin::simulation {

struct WorldCounts {
  uint64_t pages = 0, deliveries = 0, crashes = 0, errors = 0, jumps = 0, acknowledged = 0, ended = 0;
};

class World {
 public:
  explicit World(uint64_t seed, bool verbose = false);
  ~World();
  // What was broken; nothing when all held.
  std::optional<std::string> Run();
  const WorldCounts& counts() const { return counts_; }

 private:
  class Clock;
  class Channel;
  struct Telling {  // of a failure, handed to the dispatcher once or more
    respond::AlertNotification notification;
    Time due;
  };
  struct Press {
    std::string by, action;
    bool person = true;
    Time due;
  };
  struct Watch {  // of an incident
    Time begun;   // of the run under way; not known: none
    std::set<std::pair<int64_t, int64_t>> steps;
    size_t empty_steps = 0;
    bool taken = false;  // acknowledged, or over
    Duration allowance;
  };

  void MakePeople();
  void MakePolicy();
  void MakeFailures();
  void MakePresses();
  Time Wall() const { return real_ + skew_; }
  bool Restart();
  void Tick();
  void Work();
  void Jump(bool down);
  void Breakdown();
  void See(const signal::Event& event);
  void SeePage(const signal::Event& event, Watch& watch);
  void SeeEvents();
  void Allow(Duration span);
  bool Quiet();
  bool OnPolicy(const std::string& person) const;
  std::string WhatIsOpen();
  void CheckEnd();
  void CheckPage(const std::string& step, const std::string& incident);
  respond::SendOutcome Deliver(const std::string& destination, const respond::NotificationMessage& message,
                               bool keyed);
  void Broken(const std::string& what);

  Rng rng_;
  bool verbose_;
  Time real_;
  Duration skew_;
  Time faults_until_, down_until_;
  Duration tick_ = Duration::Seconds(20);
  std::shared_ptr<respond::DispatchConfig> config_ = std::make_shared<respond::DispatchConfig>();
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<store::Ledger> disk_;
  std::unique_ptr<FaultyLedger> ledger_;
  std::shared_ptr<Channel> phone_, hook_;
  std::unique_ptr<respond::Dispatcher> dispatcher_;

  std::vector<Telling> tellings_;
  std::vector<Press> presses_;
  size_t failures_ = 0;
  std::map<std::string, std::pair<Time, int>> outages_;  // by destination: until when, of which kind
  uint64_t seen_ = 0;
  std::map<std::string, Watch> watches_;
  std::map<std::string, std::string> paged_;                           // step → incident
  std::map<std::pair<std::string, std::string>, uint64_t> delivered_;  // (step, destination)
  std::set<std::string> told_steps_;
  std::string broken_;
  WorldCounts counts_;
};

}  // namespace tocsin::simulation
