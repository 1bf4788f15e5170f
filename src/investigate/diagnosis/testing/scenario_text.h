// Scenario text: an incident and what is to be concluded from it, as a person writes it. One statement a
// line:
//
//   alert alerting RDSStorageLow | Free storage low on ledger-db        state, name, title; more text after
//   the bar database ledger-db class=db.m6g.2xlarge replica=ledger-db-r1 limit=500 metric FreeStorageSpace
//   Bytes 90e9 70e9 50e9          one value a minute from 10:00; name@resource for another sessions 2 3 4
//   average active sessions sql 6.2 40 IO:DataFileExtend=4,CPU=1 INSERT INTO t    load, calls a second,
//   waits, text wait IO:DataFileExtend 4 event 10:05 ledger-db | message                       of the
//   database's platform workload shop cart pod=cart-5f6d-a pod cart-5f6d-a n1 ready restarts=2 started=09:00
//   or: waiting REASON, terminated REASON, notready pod cart-5f6d-b n1 waiting CrashLoopBackOff exit=1
//   restarts=7 deleted=10:01 phase=Pending | message unscheduled cart-5f6d-c | message                     a
//   condition PodScheduled=False deployment cart 3 1                                   desired, ready
//   progress cart False ProgressDeadlineExceeded | message
//   node n1 ready          or: notready, or a pressure
//   kevent FailedScheduling Pod/cart-5f6d-c 12 10:00 10:20 | message
//   log 10:10 error cart cart-5f6d-a | message            level "-" for none
//   monitor OK | name
//   expect CATEGORY MODE                                  MODE "-" for any
//   says text | never text                                in the rendered conclusion, any case
//
// Times are hours and minutes of one day. Unknown statements fail the test with their line.
#pragma once

#include <string>
#include <vector>

#include "investigate/diagnosis/evidence.h"

namespace tocsin::investigate {

struct ScenarioText {
  Evidence evidence;
  std::string category{}, mode{};
  std::vector<std::string> says{}, never{};
  std::vector<std::string> problems{};
};

ScenarioText ParseScenarioText(const std::string& text);

}  // namespace tocsin::investigate
