#include "runtime/settings.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>

#include "runtime/internal/read_settings.h"

namespace tocsin::runtime {

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

CheckedSettings CheckSettings(std::string_view yaml, const std::string& file_name) {
  CheckedSettings out;
  const auto root = ports::YamlValue::Parse(yaml, file_name);
  if (!root) {
    out.problems.push_back(root.error());
    return out;
  }
  Settings settings = internal::ReadSettings(*root);
  out.problems = root->Problems();
  if (out.problems.empty()) out.settings = std::move(settings);
  return out;
}

CheckedSettings CheckSettingsFile(const std::string& path) {
  std::error_code error;
  std::ifstream in(path, std::ios::binary);
  if (!std::filesystem::is_regular_file(path, error) || !in.is_open())
    return {std::nullopt, {Status(Code::kNotFound, fmt::format("cannot read settings from {}", path))}};
  std::string text(ports::YamlValue::kMaxBytes + 1, '\0');  // one too many: Parse says that it is too large
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return CheckSettings(text, path);
}

namespace {

Result<Settings> OrFirstProblem(CheckedSettings checked) {
  if (checked.settings) return *std::move(checked.settings);
  const Status& first = checked.problems.front();
  if (checked.problems.size() == 1) return Error(first);
  return Error(first.code(), fmt::format("{} (and {} more: tocsin config check)", first.message(),
                                         checked.problems.size() - 1));
}

}  // namespace

Result<Settings> ParseSettings(std::string_view yaml, const std::string& file_name) {
  return OrFirstProblem(CheckSettings(yaml, file_name));
}

Result<Settings> ReadSettings(const std::string& path) { return OrFirstProblem(CheckSettingsFile(path)); }

}  // namespace tocsin::runtime
