// Any JSON to signal::Alert by a declarative mapping: pointers to label and annotation names.
// docs/formats/alerts.md has an example. Errors and bounds as alert_decoder.h.
// Thread-safety: pure; options and mapping are only read.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/alert_decoder.h"

namespace tocsin::ingest {

// Where a sender's JSON has what an alert needs. Pointers are RFC 6901, relative to one item: "/host/name",
// "" = the item itself. A pointer that leads nowhere gives nothing.
struct AlertMapping {
  using Names = std::vector<std::pair<std::string, std::string>>;  // name, pointer or value

  std::string items;   // from the body to the array of alerts; "" = the body, an array or one alert
  Names labels;        // label name, pointer
  Names fixed_labels;  // label name, value
  Names annotations;   // annotation name, pointer
  std::string starts_at, ends_at, generator_url;  // pointers; "" = none
  std::string status;                             // pointer; "" = every item fires
  std::vector<std::string>
      resolved_values;                // texts of `status` that end the alert; default resolved, ok, closed
  std::vector<std::string> identity;  // label names that name the alert; none = all labels
  Duration timeout;                   // when an alert without news is over; 0 = when its sender says so
  std::string source = "webhook";
};

// kInvalidArgument naming the member that is wrong. At most 64 names of each kind.
Status CheckAlertMapping(const AlertMapping& mapping);
Result<AlertOutcome> DecodeMappedAlerts(std::string_view body, const AlertMapping& mapping,
                                        const AlertOptions& options);

}  // namespace tocsin::ingest
