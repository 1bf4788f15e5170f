#include "investigate/evaluation/opensre_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "investigate/evaluation/internal/opensre_sources.h"
#include "ports/yaml/yaml_value.h"

namespace tocsin::investigate {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr size_t kMostBytes = size_t{16} << 20;
Result<std::string> ReadBounded(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in.is_open()) return Error(Code::kNotFound, fmt::format("cannot read {}", path.string()));
  std::string text(kMostBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > kMostBytes)
    return Error(Code::kOutOfRange, fmt::format("{} holds more than 16 MiB", path.string()));
  return text;
}

Result<json> ReadJson(const fs::path& path) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, ReadBounded(path));
  json out = json::parse(text, nullptr, false);
  if (out.is_discarded() || !out.is_object())
    return Error(Code::kInvalidArgument, fmt::format("{} is not a JSON object", path.string()));
  return out;
}

struct Scenario {
  std::string base, instance_class, instance;
  std::vector<std::string> available;
};

Result<Scenario> ReadScenario(const fs::path& folder, bool inherit) {
  Scenario out;
  const fs::path path = folder / "scenario.yml";
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return out;
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, ReadBounded(path));
  TOCSIN_ASSIGN_OR_RETURN(const ports::YamlValue root, ports::YamlValue::Parse(text, path.string()));
  const auto read = [&root](const char* key) {
    const auto value = root.Find(key);
    return value ? value->Text().value_or(std::string()) : std::string();
  };
  out.base = read("base"), out.instance_class = read("instance_class"),
  out.instance = read("db_instance_identifier");
  if (const auto list = root.Find("available_evidence"))
    out.available = list->Texts(50).value_or(std::vector<std::string>{});
  if (!inherit || out.base.empty() || out.base.find('/') != std::string::npos || out.base.starts_with("."))
    return out;
  TOCSIN_ASSIGN_OR_RETURN(const Scenario base, ReadScenario(folder.parent_path() / out.base, false));
  if (out.instance_class.empty()) out.instance_class = base.instance_class;
  if (out.available.empty()) out.available = base.available;
  return out;
}

// One file a metric.
Status ReadSplitMetrics(const internal::OpensreSource& source, const fs::path& folder, Evidence& e,
                        bool& found) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with("aws_cloudwatch_metrics_") && name.ends_with(".json") &&
        !name.ends_with("_envelope.json"))
      files.push_back(it->path());
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    TOCSIN_ASSIGN_OR_RETURN(const json content, ReadJson(file));
    source.read(content, e);
    found = true;
  }
  return Status::Ok();
}

Status ReadSource(const internal::OpensreSource& source, const fs::path& folder, const fs::path& base,
                  Evidence& e, bool& found) {
  for (const fs::path& from : {folder, base}) {
    std::error_code error;
    if (from.empty() || found) continue;
    if (fs::is_regular_file(from / source.file, error)) {
      TOCSIN_ASSIGN_OR_RETURN(const json content, ReadJson(from / source.file));
      source.read(content, e);
      found = true;
    } else if (std::string_view(source.evidence) == "aws_cloudwatch_metrics") {
      TOCSIN_RETURN_IF_ERROR(ReadSplitMetrics(source, from, e, found));
    }
  }
  return Status::Ok();
}

}  // namespace

Result<Evidence> ReadOpensreScenario(const std::string& folder_name) {
  const fs::path folder = fs::path(folder_name).lexically_normal();
  TOCSIN_ASSIGN_OR_RETURN(const Scenario scenario, ReadScenario(folder, true));
  const fs::path base = scenario.base.empty() ? fs::path() : folder.parent_path() / scenario.base;
  std::error_code error;
  const bool own = fs::is_regular_file(folder / "alert.json", error);
  TOCSIN_ASSIGN_OR_RETURN(const json alert, ReadJson((own || base.empty() ? folder : base) / "alert.json"));
  Evidence e;
  internal::ReadAlert(alert, e);
  if (!scenario.instance.empty() && !e.alert.labels.contains("db_instance_identifier") &&
      !e.alert.labels.contains("db_instance"))
    e.instances.insert(e.instances.begin(), scenario.instance);
  if (!scenario.instance_class.empty() && !e.instances.empty())
    e.databases.push_back({.name = e.instances.front(), .instance_class = scenario.instance_class});
  for (const internal::OpensreSource& source : internal::OpensreSources()) {
    const bool listed = std::ranges::find(scenario.available, source.evidence) != scenario.available.end();
    bool found = false;
    const fs::path fallback = listed || scenario.available.empty() ? base : fs::path();
    TOCSIN_RETURN_IF_ERROR(ReadSource(source, folder, fallback, e, found));
    if (!found && listed) e.missing.insert(source.evidence);
  }
  return e;
}

}  // namespace tocsin::investigate
