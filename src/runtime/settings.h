// Settings: what a person can set, in tocsin.yaml or by flags (docs/formats/configuration.md). Everything is
// optional. Value type.
//
// Unknown keys, values of a wrong type and names that lead to nothing are errors that name file, line and
// key: a misspelt bound must not silently be the default. Everything wrong is found at once. The file is
// bounded: 1 MiB, 16 levels, no aliases. Secrets lie in `dispatch`, `act.switch_key` and, as written, in
// fixed_keys, and in no error.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "act/act_settings.h"
#include "ingest/alert_mapping.h"
#include "ingest/redaction.h"
#include "investigate/investigation_settings.h"
#include "kernel/limits.h"
#include "kernel/status.h"
#include "kernel/time.h"
#include "respond/alerts/alert_desk.h"
#include "respond/detection_service.h"
#include "respond/dispatch/dispatch_config.h"

namespace tocsin::runtime {

struct Address {
  std::string host = "127.0.0.1";
  uint16_t port = 0;
};

// One receiver, "on-call", for everything, by service and alert name.
respond::AlertRules DefaultAlertRules();

struct Settings {
  std::string data = ".tocsin";
  Address http{"127.0.0.1", 4318};
  Address grpc{"127.0.0.1", 4317};
  bool grpc_enabled = true;
  int io_threads = 2;
  size_t store_memory_mb = 1024;
  int store_threads = 0;  // 0 = half of the cores
  Duration retention = Duration::Hours(24 * 30);
  Limits limits;
  ingest::RedactionSettings redaction;
  respond::DetectionOptions detection;
  respond::AlertRules alerts = DefaultAlertRules();
  respond::DispatchConfig dispatch;
  investigate::InvestigationSettings investigation;
  act::ActSettings act;
  std::map<std::string, ingest::AlertMapping> alert_mappings;  // by the name in the webhook's path
  std::string log_level = "info";
  std::string file;  // where they were read from; "" = nowhere
  // The keys of the file that only a restart changes (kFixedKeys, and "act.…"), as written.
  std::map<std::string, std::string> fixed_keys;
};
// Every other key is applied while the server runs; of `act` some are not (read_act.h).
inline constexpr std::string_view kFixedKeys[] = {
    "data",  "http",   "grpc",      "io_threads", "log_level",      "retention",
    "store", "limits", "redaction", "detection",  "alert_mappings", "investigation"};

// A document and everything that is wrong with it, by line: "tocsin.yaml:7: limits.max_backlog_bytes: 'lots'
// is not a size such as 1048576 or 16MiB". `settings` hold nothing when there are problems.
struct CheckedSettings {
  std::optional<Settings> settings;
  std::vector<Status> problems;
};
// Secrets in files are read relative to file_name.
CheckedSettings CheckSettings(std::string_view yaml, const std::string& file_name);
// kNotFound when there is no such file.
CheckedSettings CheckSettingsFile(const std::string& path);

// The first problem is the error, and says how many there are.
Result<Settings> ParseSettings(std::string_view yaml, const std::string& file_name);
Result<Settings> ReadSettings(const std::string& path);
// "host:port", ":port" or "port"; the host is an IP address, "localhost" is 127.0.0.1. Port 0: any free one.
Result<Address> ParseAddress(std::string_view text);

}  // namespace tocsin::runtime
