// Alerts and silences as Alertmanager's API v2 writes and reads them (docs/formats/alerts.md). Written into a
// growing text: lists of a hundred thousand alerts are answered at once.
// Pure; thread-safe, except that a writer has one owner. Errors of reading: kInvalidArgument names the field.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "kernel/status.h"
#include "respond/alerts/alert_desk.h"

namespace tocsin::surface {

// Quoted and escaped; bytes that are not UTF-8 become U+FFFD.
void AppendJsonText(std::string& out, std::string_view text);
void AppendLabels(std::string& out, const signal::LabelSet& labels);
void AppendSilence(std::string& out, const respond::Silence& silence, Time now);
// Times as FormatTime writes them; the date is kept from one to the next, most being of one day.
class TimeWriter {
 public:
  void Append(std::string& out, Time time);

 private:
  int64_t day_ = -1;  // since the epoch
  std::string date_;  // "2026-11-24T"
};

class AlertWriter {
 public:
  void Append(std::string& out, const respond::ShownAlert& shown);

 private:
  void AppendTime(std::string& out, Time time);
  TimeWriter times_;
};

Result<respond::Silence> ReadSilence(const nlohmann::json& json);

}  // namespace tocsin::surface
