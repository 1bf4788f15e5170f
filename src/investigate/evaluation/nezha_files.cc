#include "investigate/evaluation/nezha_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <limits>

#include "investigate/evaluation/csv_rows.h"
#include "investigate/evaluation/log_statement.h"
#include "investigate/evaluation/nezha_reader.h"
#include "investigate/evaluation/series_kind.h"
#include "investigate/evaluation/text_file.h"

namespace tocsin::investigate {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostRows = 2'000'000;
constexpr int64_t kLastSecond = std::numeric_limits<int64_t>::max() / 1'000'000'000;

template <class T>
bool Parse(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

Status At(const fs::path& path, size_t row, std::string_view what) {
  return {Code::kInvalidArgument, fmt::format("{}: row {}: {}", path.string(), row, what)};
}

// Positions of `names` in the header row.
Result<std::vector<size_t>> Columns(const fs::path& path, const std::vector<std::string_view>& header,
                                    std::initializer_list<std::string_view> names) {
  std::vector<size_t> columns;
  for (const std::string_view name : names) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found == header.end()) return Error(At(path, 1, fmt::format("no column {}", name)));
    columns.push_back(static_cast<size_t>(found - header.begin()));
  }
  return columns;
}

// Rows that cannot be read are left out, as a recording may have been cut, unless they are many.
class BadRows {
 public:
  explicit BadRows(const fs::path& path) : path_(path) {}
  void Add(size_t row, std::string_view what) {
    if (count_++ == 0) first_ = At(path_, row, what);
  }
  Status Verdict(size_t rows) const { return count_ * 100 > rows && count_ > 1 ? first_ : Status::Ok(); }

 private:
  const fs::path& path_;
  size_t count_ = 0;
  Status first_;
};

// Calls row(fields) for each row after the header, all as long as it.
template <class Row>
Status ForRows(const fs::path& path, std::initializer_list<std::string_view> names, Row row) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  CsvRows rows(text);
  std::vector<std::string_view> fields;
  TOCSIN_ASSIGN_OR_RETURN(bool more, rows.Next(fields));
  if (!more) return Status::Ok();
  const size_t width = fields.size();
  TOCSIN_ASSIGN_OR_RETURN(const std::vector<size_t> columns, Columns(path, fields, names));
  BadRows bad(path);
  while (true) {
    auto next = rows.Next(fields);
    if (!next.has_value()) return next.error().WithContext(path.string());
    if (!*next) return bad.Verdict(rows.row());
    if (rows.row() > kMostRows) return At(path, rows.row(), "too many rows");
    if (fields.size() < width) {
      bad.Add(rows.row(), fmt::format("{} fields of {}", fields.size(), width));
    } else if (!row(fields, columns)) {
      bad.Add(rows.row(), "a time is no whole number");
    }
  }
}

}  // namespace

Status ReadNezhaSpans(const fs::path& path, NezhaMinute& out) {
  return ForRows(
      path,
      {"TraceID", "SpanID", "ParentID", "PodName", "OperationName", "StartTimeUnixNano", "EndTimeUnixNano"},
      [&](const auto& f, const auto& c) {
        NezhaSpan s{.trace_id = std::string(f[c[0]]),
                    .span_id = std::string(f[c[1]]),
                    .parent_id = std::string(f[c[2]]),
                    .service = ServiceOfPod(f[c[3]]),
                    .operation = std::string(f[c[4]]),
                    .start_ns = 0,
                    .end_ns = 0};
        if (!Parse(f[c[5]], s.start_ns) || !Parse(f[c[6]], s.end_ns)) return false;
        out.spans.push_back(std::move(s));
        return true;
      });
}

Status ReadNezhaLines(const fs::path& path, NezhaMinute& out) {
  return ForRows(path, {"TimeUnixNano", "PodName", "TraceID", "SpanID", "Log"},
                 [&](const auto& f, const auto& c) {
                   LogStatement statement = StatementOf(f[c[4]]);
                   NezhaLine line{.trace_id = std::string(f[c[2]]),
                                  .span_id = std::string(f[c[3]]),
                                  .service = ServiceOfPod(f[c[1]]),
                                  .text = std::move(statement.text),
                                  .at_ns = 0,
                                  .error = statement.error};
                   if (!Parse(f[c[0]], line.at_ns)) return false;
                   out.lines.push_back(std::move(line));
                   return true;
                 });
}

Status ReadNezhaMetrics(const fs::path& path, std::vector<NezhaSeries>& out) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  CsvRows rows(text);
  std::vector<std::string_view> fields;
  TOCSIN_ASSIGN_OR_RETURN(bool more, rows.Next(fields));
  if (!more || std::find(fields.begin(), fields.end(), "PodName") == fields.end()) return Status::Ok();
  TOCSIN_ASSIGN_OR_RETURN(const std::vector<size_t> keys, Columns(path, fields, {"TimeStamp", "PodName"}));
  std::vector<size_t> columns;
  const size_t first = out.size();
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i == keys[0] || i == keys[1] || fields[i] == "Time" || fields[i].starts_with("Node")) continue;
    columns.push_back(i);
    out.push_back(
        {.service = {}, .name = std::string(fields[i]), .kind = SeriesKindOf(fields[i]), .points = {}});
  }
  const size_t width = fields.size();
  BadRows bad(path);
  while (true) {
    auto next = rows.Next(fields);
    if (!next.has_value()) return next.error().WithContext(path.string());
    if (!*next) return bad.Verdict(rows.row());
    if (rows.row() > kMostRows) return At(path, rows.row(), "too many rows");
    int64_t seconds = 0;
    if (fields.size() < width || !Parse(fields[keys[0]], seconds) || seconds < 0 || seconds > kLastSecond) {
      bad.Add(rows.row(), "not a row of the header's columns with TimeStamp in seconds");
      continue;
    }
    for (size_t i = 0; i < columns.size(); ++i) {
      NezhaSeries& s = out[first + i];
      if (s.service.empty()) s.service = ServiceOfPod(fields[keys[1]]);
      double value = 0.0;
      if (!Parse(fields[columns[i]], value)) value = std::numeric_limits<double>::quiet_NaN();
      s.points.push_back({.at_ns = seconds * 1'000'000'000, .value = value});
    }
  }
}

std::string ServiceOfPod(std::string_view pod) {
  const auto generated = [](std::string_view part, size_t least, size_t most) {
    return part.size() >= least && part.size() <= most && std::all_of(part.begin(), part.end(), [](char c) {
             return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
           });
  };
  const size_t last = pod.rfind('-');
  if (last == std::string_view::npos || !generated(pod.substr(last + 1), 5, 5)) return std::string(pod);
  const size_t before = pod.rfind('-', last - 1);
  if (before == std::string_view::npos) return std::string(pod);
  const std::string_view hash = pod.substr(before + 1, last - before - 1);
  if (!generated(hash, 6, 10) || hash.find_first_of("0123456789") == std::string_view::npos) {
    return std::string(pod);  // a word, as in a service's own name
  }
  return std::string(pod.substr(0, before));
}

}  // namespace tocsin::investigate
