#include "investigate/evaluation/petshop_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "investigate/evaluation/csv_rows.h"
#include "investigate/evaluation/series_kind.h"
#include "investigate/evaluation/text_file.h"

namespace tocsin::investigate {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kStepNs = 300'000'000'000;
constexpr size_t kMostColumns = 20'000, kMostRows = 20'000;

struct Column {
  std::string service, metric, statistic;
  std::vector<double> values;
};

struct Table {
  std::vector<Column> columns;
  size_t rows = 0;
};

Result<double> Number(std::string_view text) {
  if (text.empty() || text == "nan" || text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Error(Code::kInvalidArgument, fmt::format("\"{}\" is no number", text.substr(0, 40)));
  }
  return value;
}

Status At(const fs::path& path, size_t row, const Status& status) {
  return {status.code(), fmt::format("{}: row {}: {}", path.string(), row, status.message())};
}

Status ReadHeader(CsvRows& rows, const fs::path& path, Table& table) {
  std::vector<std::string_view> fields;
  for (int header = 0; header < 4; ++header) {
    TOCSIN_ASSIGN_OR_RETURN(const bool more, rows.Next(fields));
    if (!more || fields.size() < 2 || fields.size() > kMostColumns) {
      return At(path, rows.row(),
                {Code::kInvalidArgument, "four header rows of services and metrics expected"});
    }
    if (header == 0) table.columns.resize(fields.size() - 1);
    if (header < 3 && fields.size() != table.columns.size() + 1) {
      return At(path, rows.row(), {Code::kInvalidArgument, "header rows of different length"});
    }
    for (size_t i = 0; header < 3 && i < table.columns.size(); ++i) {
      Column& c = table.columns[i];
      (header == 0 ? c.service : header == 1 ? c.metric : c.statistic) = fields[i + 1];
    }
  }
  return Status::Ok();
}

Result<Table> ReadTable(const fs::path& path) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  CsvRows rows(text);
  Table table;
  TOCSIN_RETURN_IF_ERROR(ReadHeader(rows, path, table));
  std::vector<std::string_view> fields;
  while (true) {
    TOCSIN_ASSIGN_OR_RETURN(const bool more, rows.Next(fields));
    if (!more) return table;
    if (fields.size() != table.columns.size() + 1 || table.rows == kMostRows) {
      return Error(At(path, rows.row(), {Code::kInvalidArgument, "not as many values as the header names"}));
    }
    for (size_t i = 0; i < table.columns.size(); ++i) {
      auto value = Number(fields[i + 1]);
      if (!value.has_value()) return Error(At(path, rows.row(), value.error()));
      table.columns[i].values.push_back(*value);
    }
    ++table.rows;
  }
}

Result<std::vector<ServiceEdge>> ReadGraph(const fs::path& path) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  CsvRows rows(text);
  std::vector<std::string_view> fields;
  TOCSIN_ASSIGN_OR_RETURN(bool more, rows.Next(fields));
  const std::vector<std::string> callees(fields.begin(), fields.end());
  std::vector<ServiceEdge> edges;
  while (true) {
    TOCSIN_ASSIGN_OR_RETURN(more, rows.Next(fields));
    if (!more) return edges;
    if (fields.size() != callees.size()) {
      return Error(At(path, rows.row(), {Code::kInvalidArgument, "the matrix is not square"}));
    }
    for (size_t i = 1; i < fields.size(); ++i) {
      const auto value = Number(fields[i]);
      if (!value.has_value()) return Error(At(path, rows.row(), value.error()));
      if (*value > 0.0) edges.push_back({.caller = std::string(fields[0]), .callee = callees[i]});
    }
  }
}

struct Deployment {
  fs::path dir;
  Table healthy;
  std::vector<ServiceEdge> edges;
  std::vector<std::string> outside;
};

Result<Deployment> ReadDeployment(const fs::path& dir) {
  Deployment d{.dir = dir, .healthy = {}, .edges = {}, .outside = {}};
  TOCSIN_ASSIGN_OR_RETURN(d.healthy, ReadTable(dir / "noissue" / "metrics.csv"));
  TOCSIN_ASSIGN_OR_RETURN(d.edges, ReadGraph(dir / "graph.csv"));
  std::vector<std::string> nodes;
  for (const ServiceEdge& edge : d.edges) nodes.insert(nodes.end(), {edge.caller, edge.callee});
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  for (const std::string& node : nodes) {
    if (node.ends_with("_remote") || node.ends_with("_client")) d.outside.push_back(node);
  }
  return d;
}

// The window's rows after the reference, on one time axis: the recordings are months apart, which is no
// matter.
RootCauseInput InputOf(const Deployment& d, const Table& window, size_t skip_from, size_t skip_to) {
  RootCauseInput input;
  input.bucket_ns = kStepNs;
  input.buckets = window.rows;
  input.edges = d.edges;
  input.seen_from_outside = d.outside;
  std::map<std::tuple<std::string, std::string, std::string>, const Column*> healthy;
  for (const Column& c : d.healthy.columns) healthy[{c.service, c.metric, c.statistic}] = &c;
  for (const Column& c : window.columns) {
    const auto reference = healthy.find({c.service, c.metric, c.statistic});
    if (reference == healthy.end()) continue;
    MetricSeries s{.service = c.service, .name = c.metric + " " + c.statistic, .reference = {}, .window = {}};
    s.kind = SeriesKindOf(c.metric);
    s.reference = reference->second->values;
    for (size_t i = skip_from; i < skip_to; ++i) s.reference[i] = std::numeric_limits<double>::quiet_NaN();
    for (size_t i = 0; i < c.values.size(); ++i) {
      s.window.push_back({.at_ns = static_cast<int64_t>(i + 1) * kStepNs, .value = c.values[i]});
    }
    input.series.push_back(std::move(s));
  }
  return input;
}

Result<RcaCase> ReadFault(const Deployment& d, const fs::path& dir) {
  const fs::path target = dir / "target.json";
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(target));
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  const auto node = [&](const char* part) -> std::string {
    if (!json.is_object() || !json.contains(part) || !json[part].is_object()) return {};
    return json[part].contains("node") && json[part]["node"].is_string()
               ? json[part]["node"].get<std::string>()
               : std::string();
  };
  RcaCase c{.name = fs::relative(dir, d.dir.parent_path()).string(),
            .input = {},
            .cause = {},
            .inner_cause = {},
            .fault = {}};
  c.cause = node("root_cause");
  if (c.cause.empty()) {
    return Error(Code::kInvalidArgument, target.string() + ": root_cause.node is missing");
  }
  TOCSIN_ASSIGN_OR_RETURN(const Table window, ReadTable(dir / "metrics.csv"));
  if (window.rows == 0) return Error(Code::kInvalidArgument, (dir / "metrics.csv").string() + ": no rows");
  c.input = InputOf(d, window, 0, 0);
  c.input.symptom = node("target");
  if (json["target"].contains("metric") && json["target"]["metric"].is_string()) {
    c.fault = json["target"]["metric"].get<std::string>();
  }
  return c;
}

void AddHealthy(const Deployment& d, size_t length, const std::string& symptom, std::vector<RcaCase>& cases) {
  for (size_t at = 0; length > 0 && at + length <= d.healthy.rows; at += length) {
    Table window{.columns = d.healthy.columns, .rows = length};
    for (Column& c : window.columns) {
      c.values = {c.values.begin() + static_cast<std::ptrdiff_t>(at),
                  c.values.begin() + static_cast<std::ptrdiff_t>(at + length)};
    }
    RcaCase c{.name = fmt::format("{}/noissue/{}", d.dir.filename().string(), at),
              .input = InputOf(d, window, at, at + length),
              .cause = {},
              .inner_cause = {},
              .fault = {}};
    c.input.symptom = symptom;
    cases.push_back(std::move(c));
  }
}

std::vector<fs::path> FoldersWith(const fs::path& dir, std::string_view file) {
  std::vector<fs::path> found;
  std::error_code error;
  constexpr auto kOptions = fs::directory_options::skip_permission_denied;
  for (auto at = fs::recursive_directory_iterator(dir, kOptions, error); !error && at != fs::end(at);
       at.increment(error)) {
    if (at.depth() > 8) at.disable_recursion_pending();
    if (at->path().filename() == file) found.push_back(at->path().parent_path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

Result<std::vector<RcaCase>> ReadPetshop(const fs::path& dir) {
  std::vector<RcaCase> cases;
  for (const fs::path& folder : FoldersWith(dir, "graph.csv")) {
    if (!fs::exists(folder / "noissue" / "metrics.csv")) continue;
    TOCSIN_ASSIGN_OR_RETURN(const Deployment d, ReadDeployment(folder));
    size_t length = 0;
    std::string symptom;
    for (const fs::path& fault : FoldersWith(folder, "target.json")) {
      TOCSIN_ASSIGN_OR_RETURN(RcaCase c, ReadFault(d, fault));
      length = std::max(length, c.input.buckets);
      symptom = c.input.symptom;
      cases.push_back(std::move(c));
    }
    AddHealthy(d, length, symptom, cases);
  }
  if (cases.empty()) {
    return Error(Code::kNotFound,
                 dir.string() + ": no folder with graph.csv, noissue/metrics.csv and faults");
  }
  return cases;
}

}  // namespace tocsin::investigate
