#include "investigate/evaluation/nezha_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "investigate/evaluation/nezha_files.h"
#include "investigate/evaluation/text_file.h"
#include "investigate/root_cause/trace_digest.h"
#include "kernel/time.h"

namespace tocsin::investigate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int64_t kSecond = 1'000'000'000, kMinute = 60 * kSecond;
constexpr int64_t kBucketNs = 10 * kSecond;
constexpr size_t kReferenceScrapes = 30;
// A fault lasts: minutes before another injection into the same service are not fault-free.
constexpr int64_t kLastingNs = 10 * kMinute;
constexpr int kMinutesAfter = 2;  // recorded after the injection's own minute

struct Injection {
  std::string time;  // "2023-01-29 08:43:04"
  std::string service, type;
  int minute = 0;  // of the day
  int64_t at_ns = 0;
};

struct Day {
  std::string date;
  fs::path recorded;
  NezhaMinute healthy;
  int64_t healthy_start_ns = 0, healthy_end_ns = 0;
  std::vector<NezhaSeries> series;
  std::vector<Injection> injections;
};

std::string MinuteName(int minute) { return fmt::format("{:02}_{:02}", minute / 60 % 24, minute % 60); }

Status ReadMinute(const fs::path& dir, const std::string& name, NezhaMinute& out) {
  TOCSIN_RETURN_IF_ERROR(ReadNezhaSpans(dir / "trace" / (name + "_trace.csv"), out));
  const fs::path lines = dir / "log" / (name + "_log.csv");
  return fs::exists(lines) ? ReadNezhaLines(lines, out) : Status::Ok();
}

std::pair<int64_t, int64_t> ExtentOf(const std::vector<NezhaSpan>& spans) {
  int64_t first = std::numeric_limits<int64_t>::max(), last = 0;
  for (const NezhaSpan& s : spans) {
    first = std::min(first, s.start_ns);
    last = std::max(last, s.start_ns);
  }
  return {first, last};
}

std::vector<fs::path> FilesIn(const fs::path& dir, std::string_view suffix) {
  std::vector<fs::path> files;
  std::error_code error;
  for (auto at = fs::directory_iterator(dir, error); !error && at != fs::end(at); at.increment(error)) {
    if (at->path().filename().string().ends_with(suffix)) files.push_back(at->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<json> ReadJson(const fs::path& path) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  json parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) return Error(Code::kInvalidArgument, path.string() + ": no JSON object");
  return parsed;
}

std::string Text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<Injection> ReadInjection(const fs::path& path, const json& entry) {
  Injection i;
  if (entry.is_object()) {
    i.time = Text(entry, "inject_time");
    i.service = ServiceOfPod(Text(entry, "inject_pod"));
    i.type = Text(entry, "inject_type");
  }
  int hour = -1, minute = -1, second = -1;
  const auto number = [&](size_t at, int& value) {
    const char* first = i.time.data() + at;
    return std::from_chars(first, first + 2, value).ptr == first + 2;
  };
  if (i.time.size() != 19 || !number(11, hour) || !number(14, minute) || !number(17, second) ||
      i.service.empty()) {
    return Error(Code::kInvalidArgument,
                 path.string() + ": an entry without inject_time (YYYY-MM-DD HH:MM:SS) and inject_pod");
  }
  i.minute = hour * 60 + minute;
  std::string iso = i.time + "Z";
  iso[10] = 'T';
  TOCSIN_ASSIGN_OR_RETURN(const Time at, ParseTime(iso));
  i.at_ns = at.ns;
  return i;
}

Status ReadInjections(const fs::path& path, Day& day) {
  TOCSIN_ASSIGN_OR_RETURN(const json hours, ReadJson(path));
  for (const auto& [hour, entries] : hours.items()) {
    if (!entries.is_array()) return {Code::kInvalidArgument, path.string() + ": hours hold no lists"};
    for (const json& entry : entries) {
      TOCSIN_ASSIGN_OR_RETURN(Injection i, ReadInjection(path, entry));
      day.injections.push_back(std::move(i));
    }
  }
  std::stable_sort(day.injections.begin(), day.injections.end(),
                   [](const Injection& x, const Injection& y) { return x.at_ns < y.at_ns; });
  return Status::Ok();
}

Result<Day> ReadDay(const fs::path& dir, const std::string& date) {
  Day day{.date = date, .recorded = dir / "rca_data" / date, .healthy = {}, .series = {}, .injections = {}};
  const fs::path construct = dir / "construct_data" / date;
  for (const fs::path& file : FilesIn(construct / "trace", "_trace.csv")) {
    const std::string name = file.filename().string();
    TOCSIN_RETURN_IF_ERROR(ReadMinute(construct, name.substr(0, name.size() - 10), day.healthy));
  }
  if (day.healthy.spans.empty()) {
    return Error(Code::kNotFound, construct.string() + ": no recorded fault-free traces");
  }
  std::tie(day.healthy_start_ns, day.healthy_end_ns) = ExtentOf(day.healthy.spans);
  for (const fs::path& file : FilesIn(day.recorded / "metric", ".csv")) {
    TOCSIN_RETURN_IF_ERROR(ReadNezhaMetrics(file, day.series));
  }
  TOCSIN_RETURN_IF_ERROR(ReadInjections(day.recorded / (date + "-fault_list.json"), day));
  return day;
}

void AddMinute(const NezhaMinute& minute, bool reference, TraceDigest& digest) {
  for (const NezhaSpan& s : minute.spans) {
    digest.AddSpan({.trace_id = s.trace_id,
                    .span_id = s.span_id,
                    .parent_id = s.parent_id,
                    .service = s.service,
                    .operation = s.operation,
                    .start_ns = s.start_ns,
                    .end_ns = s.end_ns},
                   reference);
  }
  for (const NezhaLine& l : minute.lines) {
    digest.AddLine({.trace_id = l.trace_id,
                    .span_id = l.span_id,
                    .service = l.service,
                    .text = l.text,
                    .at_ns = l.at_ns,
                    .error = l.error},
                   reference);
  }
}

void AddSeries(const Day& day, int64_t start_ns, int64_t end_ns, RootCauseInput& input) {
  for (const NezhaSeries& s : day.series) {
    MetricSeries out{.service = s.service, .name = s.name, .kind = s.kind, .reference = {}, .window = {}};
    std::vector<double> earlier, healthy;
    int64_t last = std::numeric_limits<int64_t>::min();
    for (const SeriesPoint& p : s.points) {
      if (p.at_ns <= last) continue;  // a scrape written twice
      last = p.at_ns;
      if (p.at_ns < start_ns - kMinute / 2) {
        earlier.push_back(p.value);
      } else if (p.at_ns <= end_ns) {
        out.window.push_back(p);
      } else if (p.at_ns >= day.healthy_start_ns && p.at_ns <= day.healthy_end_ns + kMinute) {
        healthy.push_back(p.value);
      }
    }
    const size_t skip = earlier.size() > kReferenceScrapes ? earlier.size() - kReferenceScrapes : 0;
    out.reference.assign(earlier.begin() + static_cast<std::ptrdiff_t>(skip), earlier.end());
    if (out.reference.size() < kReferenceScrapes) {
      out.reference.insert(out.reference.end(), healthy.begin(), healthy.end());
    }
    if (!out.window.empty()) input.series.push_back(std::move(out));
  }
}

// Of a window's spans, and of the metrics up to `scrapes_ns` beyond the last of them.
RootCauseInput InputOf(const Day& day, const NezhaMinute& window, int64_t scrapes_ns) {
  const auto [start, end] = ExtentOf(window.spans);
  RootCauseInput input;
  input.start_ns = start;
  input.bucket_ns = kBucketNs;
  input.buckets = static_cast<size_t>((end - start) / kBucketNs) + 1;
  TraceDigest digest;
  AddMinute(day.healthy, true, digest);
  AddMinute(window, false, digest);
  digest.Finish(input);
  AddSeries(day, start, end + scrapes_ns, input);
  return input;
}

fs::path TraceFile(const Day& day, int minute) {
  return day.recorded / "trace" / (MinuteName(minute) + "_trace.csv");
}

Status AddCases(const Day& day, const json& labels, std::vector<RcaCase>& cases) {
  std::vector<RcaCase> healthy;
  const Injection* previous = nullptr;
  for (const Injection& i : day.injections) {
    NezhaMinute window;
    for (int m = 0; m <= kMinutesAfter; ++m) {
      if (!fs::exists(TraceFile(day, i.minute + m))) continue;
      TOCSIN_RETURN_IF_ERROR(ReadMinute(day.recorded, MinuteName(i.minute + m), window));
    }
    if (window.spans.empty()) continue;
    RcaCase c{.name = i.time, .input = {}, .cause = i.service, .inner_cause = {}, .fault = i.type};
    c.input = InputOf(day, window, kMinute);
    if (c.input.buckets > RootCauseLimits{}.buckets) {
      return {Code::kInvalidArgument, fmt::format("{}: its files hold spans of more than an hour", i.time)};
    }
    if (labels.contains(i.service) && labels[i.service].is_object())
      c.inner_cause = Text(labels[i.service], i.type.c_str());
    cases.push_back(std::move(c));
    if (previous != nullptr && i.service == previous->service && i.at_ns - previous->at_ns < kLastingNs) {
      previous = &i;
      continue;
    }
    previous = &i;
    NezhaMinute quiet;
    if (!fs::exists(TraceFile(day, i.minute))) continue;
    TOCSIN_RETURN_IF_ERROR(ReadMinute(day.recorded, MinuteName(i.minute), quiet));
    if (quiet.spans.empty()) continue;
    healthy.push_back({.name = i.time + " before",
                       .input = InputOf(day, quiet, 0),
                       .cause = {},
                       .inner_cause = {},
                       .fault = {}});
  }
  std::move(healthy.begin(), healthy.end(), std::back_inserter(cases));
  return Status::Ok();
}

// Labels of every file of that name; the services of two systems do not share names.
Result<json> ReadLabels(const fs::path& dir) {
  json labels = json::object();
  for (const fs::path& file : FilesIn(dir, ".json")) {
    if (!file.filename().string().starts_with("root_cause")) continue;
    TOCSIN_ASSIGN_OR_RETURN(const json part, ReadJson(file));
    labels.update(part);
  }
  return labels;
}

}  // namespace

Result<std::vector<RcaCase>> ReadNezha(const fs::path& dir) {
  TOCSIN_ASSIGN_OR_RETURN(const json labels, ReadLabels(dir / "construct_data"));
  std::vector<RcaCase> cases;
  for (const fs::path& day_dir : FilesIn(dir / "rca_data", "")) {
    const std::string date = day_dir.filename().string();
    if (!fs::exists(day_dir / (date + "-fault_list.json"))) continue;
    TOCSIN_ASSIGN_OR_RETURN(const Day day, ReadDay(dir, date));
    TOCSIN_RETURN_IF_ERROR(AddCases(day, labels, cases));
  }
  if (cases.empty()) {
    return Error(Code::kNotFound, dir.string() + ": no rca_data/DAY with DAY-fault_list.json and traces");
  }
  return cases;
}

}  // namespace tocsin::investigate
