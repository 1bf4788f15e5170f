// ApiDependencies: what endpoints may touch, and nothing else. References must outlive the HTTP server.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ingest/alert_mapping.h"
#include "ingest/decoder.h"
#include "kernel/limits.h"
#include "ports/clock.h"
#include "respond/alerts/alert_desk.h"
#include "respond/detection_service.h"
#include "respond/dispatch/dispatcher.h"
#include "respond/lifecycle/incident_action.h"
#include "store/ledger.h"
#include "store/telemetry_store.h"
#include "store/telemetry_writer.h"
#include "surface/server_metrics.h"
#include "surface/telemetry_receiver.h"

namespace tocsin::act {
class ActDesk;
class SignedSwitch;
struct KillState;
}  // namespace tocsin::act

namespace tocsin::investigate {
class InvestigationDesk;
}

namespace tocsin::surface {

// What the user's own agents ask.
struct SwitchSources {
  act::SignedSwitch* signer = nullptr;                        // none: no key is configured
  std::function<std::vector<act::KillState>()> engaged = {};  // set with signer
};

struct ApiDependencies {
  TelemetryReceiver& receiver;
  store::TelemetryWriter& writer;
  store::TelemetryStore& telemetry;
  store::Ledger& ledger;
  respond::DetectionService& detection;
  respond::AlertDesk& alerts;
  respond::Dispatcher& dispatch;  // the one way in for what is done to an incident
  investigate::InvestigationDesk& investigations;
  const std::map<std::string, ingest::AlertMapping>& alert_mappings;  // by the name in the webhook's path
  const ports::Clock& clock;
  ServerMetrics& metrics;
  std::string version;
  Time started;
  ingest::DecodeOptions decode;  // `received` is set for each request
  std::function<bool()> ready;   // recovered, and not stopping
  double alpha = 1e-3;           // false alarms of a stream are at least 1/alpha generations apart on average
  act::ActDesk* act = nullptr;   // null: acting is not configured
  SwitchSources kill_switch = {};
};

}  // namespace tocsin::surface
