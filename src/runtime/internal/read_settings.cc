#include "runtime/internal/read_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ports/yaml/yaml_section.h"
#include "respond/config/alert_rules_reader.h"
#include "respond/config/dispatch_reader.h"
#include "runtime/internal/read_act.h"
#include "runtime/internal/read_alert_mappings.h"
#include "runtime/internal/read_investigation.h"

namespace tocsin::runtime::internal {
namespace {

using ports::YamlSection;

void ReadLimits(YamlSection& root, Limits& limits) {
  root.Map("limits", [&](YamlSection& r) {
    r.Bytes("max_request_bytes", limits.max_request_bytes);
    r.Bytes("max_inflated_bytes", limits.max_inflated_bytes);
    r.Bytes("max_inflight_bytes", limits.max_inflight_bytes);
    r.Bytes("max_backlog_bytes", limits.max_backlog_bytes);
    r.Bytes("max_text_bytes", limits.max_text_bytes);
    r.Bytes("max_attribute_bytes", limits.max_attribute_bytes);
    r.Count("max_items_per_request", limits.max_items_per_request);
    r.Count("max_attributes", limits.max_attributes);
    r.Count("max_detect_queue", limits.max_detect_queue);
    r.Count("max_connections", limits.max_connections);
    Duration timeout = Duration::Millis(limits.request_timeout_ms);
    r.Span("request_timeout", timeout);
    limits.request_timeout_ms = timeout.ns / 1'000'000;
  });
}

void ReadRedaction(YamlSection& root, ingest::RedactionSettings& redaction) {
  root.Map("redaction", [&](YamlSection& r) {
    r.Flag("built_in", redaction.built_in);
    r.Each("patterns", [&](YamlSection& item) {
      ingest::RedactionPattern pattern;
      item.Text("name", pattern.name);
      item.Text("regex", pattern.regex, 16u << 10);
      redaction.patterns.push_back(std::move(pattern));
    });
  });
  if (const auto made = ingest::Redactor::Make(redaction); !made)
    root.Fail("redaction", made.error().message());
}

void ReadDetection(YamlSection& root, respond::DetectionOptions& detection) {
  root.Map("detection", [&](YamlSection& r) {
    r.Fraction("alpha", detection.watcher.alpha);
    r.Count("reference_size", detection.watcher.reference_size);
    r.Count("max_streams", detection.watcher.max_streams);
    r.Count("rebaseline_after", detection.watcher.rebaseline_after);
    r.Texts("segment_attributes", detection.watcher.segment_attributes);
    r.Texts("entity_prefixes", detection.watcher.entity_prefixes);
    r.Span("assembly_window", detection.watcher.assembly_window);
    r.Span("snapshot_interval", detection.snapshot_interval);
    r.TextMap("index_embedding_models", detection.watcher.index_embedding_models);
  });
}

void ReadAddress(YamlSection& root, std::string_view key, Address& address) {
  std::string text;
  root.Text(key, text);
  if (text.empty()) return;
  auto parsed = ParseAddress(text);
  if (!parsed) return root.Fail(key, parsed.error().message());
  address = *parsed;
}

void ReadGrpc(YamlSection& root, Settings& settings) {
  std::string text;
  root.Text("grpc", text);
  if (text == "off")
    settings.grpc_enabled = false;
  else
    ReadAddress(root, "grpc", settings.grpc);
}

void ReadProcess(YamlSection& root, Settings& settings) {
  root.Text("data", settings.data, 4096);
  ReadAddress(root, "http", settings.http);
  ReadGrpc(root, settings);
  root.Number("io_threads", settings.io_threads, 1, 64);
  root.Span("retention", settings.retention);
  root.Text("log_level", settings.log_level);
  static constexpr std::array<std::string_view, 7> kLevels = {"trace", "debug",    "info", "warn",
                                                              "error", "critical", "off"};
  if (std::ranges::find(kLevels, settings.log_level) == kLevels.end())
    root.Fail("log_level", "is none of debug, info, warn, error, off");
  root.Map("store", [&](YamlSection& r) {
    r.Count("memory_limit_mb", settings.store_memory_mb, 64, 1u << 20);
    r.Number("threads", settings.store_threads, 0, 64);
  });
}

void ReadOnCallAndAlerts(YamlSection& root, Settings& settings) {
  settings.dispatch = respond::ReadDispatch(root);
  std::set<std::string> receivers;
  for (const auto& [name, rule] : settings.dispatch.receivers) receivers.insert(name);
  respond::ReadAlertRules(root, receivers, settings.alerts);
  const bool routed = root.value().Find("route").has_value();
  if (!routed && !receivers.contains(settings.alerts.route.receiver))
    root.Fail("receivers", fmt::format("has no '{}', which takes every alert while there is no 'route'",
                                       settings.alerts.route.receiver));
}

}  // namespace

Settings ReadSettings(const ports::YamlValue& root) {
  Settings settings;
  ports::ReadGuarded(root, [&] {
    YamlSection section(root);
    ReadProcess(section, settings);
    ReadLimits(section, settings.limits);
    ReadRedaction(section, settings.redaction);
    ReadDetection(section, settings.detection);
    settings.detection.limits = settings.limits;
    ReadOnCallAndAlerts(section, settings);
    ReadInvestigation(section, settings.investigation);
    ReadAct(section, settings.act);
    if (const auto at = section.Value("alert_mappings")) ReadAlertMappings(*at, settings.alert_mappings);
    section.Finish();
    for (const std::string_view key : kFixedKeys) {
      if (const auto at = root.Find(key)) settings.fixed_keys[std::string(key)] = at->Written();
    }
    const auto act = root.Find("act");
    for (const std::string_view key : kFixedActKeys) {
      if (const auto at = act ? act->Find(key) : std::nullopt)
        settings.fixed_keys["act." + std::string(key)] = at->Written();
    }
  });
  settings.file = root.file();
  return settings;
}

}  // namespace tocsin::runtime::internal
