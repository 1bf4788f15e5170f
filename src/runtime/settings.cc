#include "runtime/settings.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include "runtime/internal/yaml_reader.h"

namespace tocsin::runtime {
namespace {

using internal::YamlReader;

void ReadLimits(YamlReader& yaml, Limits& limits) {
  yaml.Map("limits", [&](YamlReader& r) {
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

void ReadRedaction(YamlReader& yaml, ingest::RedactionSettings& redaction) {
  yaml.Map("redaction", [&](YamlReader& r) {
    r.Flag("built_in", redaction.built_in);
    r.Each("patterns", [&](YamlReader& item) {
      ingest::RedactionPattern pattern;
      item.Text("name", pattern.name);
      item.Text("regex", pattern.regex);
      redaction.patterns.push_back(std::move(pattern));
    });
  });
}

void ReadDetection(YamlReader& yaml, respond::DetectionOptions& detection) {
  yaml.Map("detection", [&](YamlReader& r) {
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

void ReadAddress(YamlReader& yaml, const char* key, Address& address) {
  std::string text;
  yaml.Text(key, text);
  if (text.empty()) return;
  auto parsed = ParseAddress(text);
  if (!parsed) return yaml.Fail(key, parsed.error().message());
  address = *parsed;
}

}  // namespace

Result<Address> ParseAddress(std::string_view text) {
  Address address;
  const size_t colon = text.rfind(':');
  std::string_view port = text;
  if (colon != std::string_view::npos) {
    std::string_view host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (!host.empty()) address.host = host == "localhost" ? "127.0.0.1" : std::string(host);
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return Error(Code::kInvalidArgument, fmt::format("'{}' is not an address such as 127.0.0.1:4318", text));
  }
  return address;
}

respond::AlertRules DefaultAlertRules() {
  respond::AlertRules rules;
  rules.route.receiver = "on-call";
  rules.route.group_by = std::vector<std::string>{"alertname", "service"};
  rules.route.group_wait = Duration::Seconds(1);
  rules.route.group_interval = Duration::Minutes(1);
  return rules;
}

Result<Settings> ParseSettings(std::string_view yaml, const std::string& file_name) {
  Settings settings;
  TOCSIN_ASSIGN_OR_RETURN(YamlReader root, YamlReader::Open(yaml, file_name));
  root.Text("data", settings.data);
  ReadAddress(root, "http", settings.http);
  std::string grpc;
  root.Text("grpc", grpc);
  if (grpc == "off")
    settings.grpc_enabled = false;
  else
    ReadAddress(root, "grpc", settings.grpc);
  size_t io_threads = static_cast<size_t>(settings.io_threads);
  root.Count("io_threads", io_threads, 1, 64);
  settings.io_threads = static_cast<int>(io_threads);
  root.Span("retention", settings.retention);
  root.Text("log_level", settings.log_level);
  root.Map("store", [&](YamlReader& r) {
    size_t threads = static_cast<size_t>(settings.store_threads);
    r.Count("memory_limit_mb", settings.store_memory_mb, 64, 1u << 20);
    r.Count("threads", threads, 0, 64);
    settings.store_threads = static_cast<int>(threads);
  });
  ReadLimits(root, settings.limits);
  ReadRedaction(root, settings.redaction);
  ReadDetection(root, settings.detection);
  settings.detection.limits = settings.limits;
  TOCSIN_RETURN_IF_ERROR(root.Finish());
  return settings;
}

Result<Settings> ReadSettings(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return Error(Code::kNotFound, fmt::format("cannot read settings from {}", path));
  if (size > YamlReader::kMaxBytes) {
    return Error(Code::kInvalidArgument, fmt::format("{} is larger than 1 MiB", path));
  }
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return ParseSettings(text, path);
}

}  // namespace tocsin::runtime
