// The records of the alert log (docs/formats/alerts.md): what happened to alerts and silences, in order.
// Little-endian: kind u8, time i64, then the kind's own. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"
#include "kernel/time.h"
#include "respond/alerts/silences.h"
#include "signal/alert.h"

namespace tocsin::respond {

enum class AlertRecordKind : uint8_t {
  kAlerts = 1,         // alerts that came in
  kResolve = 2,        // one alert ended, by its fingerprint
  kSilence = 3,        // a silence was set
  kExpireSilence = 4,  // and ended
  kTell = 5,           // groups were looked at: what was due is told
  kTold = 6,           // notifications handed on, by key
  kClockBack = 7,      // the wall clock was put back
};

struct AlertRecord {
  AlertRecordKind kind = AlertRecordKind::kTell;
  Time time;
  std::vector<signal::Alert> alerts;  // kAlerts
  uint64_t fingerprint = 0;           // kResolve
  Silence silence;                    // kSilence; kExpireSilence: only its id
  std::string new_id;                 // kSilence: the id when a new one is made
  std::vector<std::string> keys;      // kTold
  Duration back;                      // kClockBack
};

std::string EncodeAlertRecord(const AlertRecord& record);
// kDataLoss.
Result<AlertRecord> DecodeAlertRecord(std::string_view bytes);

}  // namespace tocsin::respond
