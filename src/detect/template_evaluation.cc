#include "detect/template_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <system_error>
#include <unordered_map>

#include "detect/internal/csv.h"
#include "stats/template_miner.h"

namespace tocsin::detect {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOriginal = "_2k.log_structured.csv";
constexpr std::string_view kCorrected = "_2k.log_structured_corrected.csv";

struct Files {
  std::optional<fs::path> original, corrected;
};

Result<std::map<std::string, Files>> FindFiles(const std::string& folder) {
  std::map<std::string, Files> found;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.ends_with(kCorrected)) {
      found[name.substr(0, name.size() - kCorrected.size())].corrected = at->path();
    } else if (name.ends_with(kOriginal)) {
      auto& original = found[name.substr(0, name.size() - kOriginal.size())].original;
      if (!original || at->path() < *original) original = at->path();  // the collection has some twice
    }
  }
  if (error) return Error(Code::kNotFound, fmt::format("reading {}: {}", folder, error.message()));
  if (found.empty()) {
    return Error(Code::kNotFound, fmt::format("there is no file *{} below {}", kOriginal, folder));
  }
  return found;
}

struct Columns {
  std::vector<std::string> content, label;
};

Result<Columns> ReadColumns(const fs::path& path, std::string_view label, size_t max_bytes) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(Code::kNotFound, fmt::format("cannot open {}", path.string()));
  std::error_code error;
  if (fs::file_size(path, error) > max_bytes || error) {
    return Error(Code::kOutOfRange, fmt::format("{} has more than {} bytes", path.string(), max_bytes));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto rows = internal::ParseCsv(text);
  const auto column = [&](std::string_view name) -> std::optional<size_t> {
    if (rows.empty()) return std::nullopt;
    const auto it = std::find(rows[0].begin(), rows[0].end(), name);
    if (it == rows[0].end()) return std::nullopt;
    return static_cast<size_t>(it - rows[0].begin());
  };
  const auto content_at = column("Content"), label_at = column(label);
  if (!content_at || !label_at) {
    return Error(Code::kInvalidArgument,
                 fmt::format("{} has no columns Content and {}", path.string(), label));
  }
  Columns columns;
  for (size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].size() != rows[0].size()) {
      return Error(Code::kInvalidArgument, fmt::format("{}: row {} has {} fields where the header has {}",
                                                       path.string(), i + 1, rows[i].size(), rows[0].size()));
    }
    columns.content.push_back(rows[i][*content_at]);
    columns.label.push_back(rows[i][*label_at]);
  }
  return columns;
}

// Lines a second of one thread, over whole passes with new miners, for a second.
double MeasureSpeed(const std::vector<LabelledLog>& logs) {
  using Clock = std::chrono::steady_clock;
  size_t lines = 0;
  Clock::duration mining{};
  for (const auto began = Clock::now(); Clock::now() - began < std::chrono::seconds(1);) {
    for (const LabelledLog& log : logs) {
      stats::TemplateMiner miner;
      const auto start = Clock::now();
      for (const std::string& line : log.lines) (void)miner.Add(line);
      mining += Clock::now() - start;
      lines += log.lines.size();
    }
    if (lines == 0) return 0;
  }
  return static_cast<double>(lines) / std::chrono::duration<double>(mining).count();
}

TemplateScore Score(const LabelledLog& log) {
  TemplateScore score;
  score.name = log.name;
  score.lines = log.lines.size();
  stats::TemplateMiner miner;
  std::vector<uint64_t> arrival, last;
  for (const std::string& line : log.lines) arrival.push_back(miner.Add(line));
  for (const uint64_t id : arrival) last.push_back(miner.Resolve(id));
  const auto distinct = [](auto values) {
    std::sort(values.begin(), values.end());
    return static_cast<size_t>(std::unique(values.begin(), values.end()) - values.begin());
  };
  const auto& truth = log.corrected.empty() ? log.original : log.corrected;
  score.groups = distinct(last);
  score.true_groups = distinct(truth);
  score.grouping_accuracy = GroupingAccuracy(last, truth);
  score.grouping_accuracy_on_arrival = GroupingAccuracy(arrival, truth);
  score.grouping_accuracy_original =
      log.original.empty() ? std::numeric_limits<double>::quiet_NaN() : GroupingAccuracy(last, log.original);
  return score;
}

}  // namespace

double GroupingAccuracy(const std::vector<uint64_t>& found, const std::vector<std::string>& truth) {
  if (found.empty() || found.size() != truth.size()) return 0;
  std::unordered_map<uint64_t, size_t> found_size;
  std::unordered_map<std::string, size_t> true_size;
  std::map<std::pair<uint64_t, std::string>, size_t> both;
  for (size_t i = 0; i < found.size(); ++i) {
    ++found_size[found[i]];
    ++true_size[truth[i]];
    ++both[{found[i], truth[i]}];
  }
  size_t right = 0;
  for (const auto& [pair, lines] : both) {
    if (lines == found_size[pair.first] && lines == true_size[pair.second]) right += lines;
  }
  return static_cast<double>(right) / static_cast<double>(found.size());
}

Result<std::vector<LabelledLog>> ReadLoghub(const std::string& folder, size_t max_file_bytes) {
  TOCSIN_ASSIGN_OR_RETURN(const auto files, FindFiles(folder));
  std::vector<LabelledLog> logs;
  for (const auto& [name, file] : files) {
    LabelledLog log;
    log.name = name;
    if (file.original) {
      TOCSIN_ASSIGN_OR_RETURN(Columns columns, ReadColumns(*file.original, "EventId", max_file_bytes));
      log.lines = std::move(columns.content);
      log.original = std::move(columns.label);
    }
    if (file.corrected) {
      TOCSIN_ASSIGN_OR_RETURN(Columns columns, ReadColumns(*file.corrected, "EventTemplate", max_file_bytes));
      log.corrected = std::move(columns.label);
      if (log.original.size() != log.corrected.size()) log.original.clear();
      log.lines = std::move(columns.content);
    }
    logs.push_back(std::move(log));
  }
  return logs;
}

TemplateResult EvaluateTemplates(const std::vector<LabelledLog>& logs) {
  TemplateResult result;
  size_t originals = 0;
  for (const LabelledLog& log : logs) {
    const TemplateScore& score = result.systems.emplace_back(Score(log));
    result.grouping_accuracy += score.grouping_accuracy;
    result.grouping_accuracy_on_arrival += score.grouping_accuracy_on_arrival;
    if (log.original.empty()) continue;
    result.grouping_accuracy_original += score.grouping_accuracy_original;
    ++originals;
  }
  const auto n = static_cast<double>(std::max<size_t>(1, logs.size()));
  result.grouping_accuracy /= n;
  result.grouping_accuracy_on_arrival /= n;
  result.grouping_accuracy_original /= static_cast<double>(std::max<size_t>(1, originals));
  result.lines_per_s = MeasureSpeed(logs);
  return result;
}

}  // namespace tocsin::detect
