// The CSV files of one Nezha recording: spans, log lines, metrics of a day.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "investigate/root_cause/root_cause_input.h"
#include "kernel/status.h"

namespace tocsin::investigate {

struct NezhaSpan {
  std::string trace_id, span_id, parent_id, service, operation;
  int64_t start_ns, end_ns;
};

struct NezhaLine {
  std::string trace_id, span_id, service, text;
  int64_t at_ns;
  bool error;
};

struct NezhaMinute {
  std::vector<NezhaSpan> spans;
  std::vector<NezhaLine> lines;
};

struct NezhaSeries {
  std::string service, name;
  SeriesKind kind;
  std::vector<SeriesPoint> points;
};

// Appends TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano rows.
Status ReadNezhaSpans(const std::filesystem::path& path, NezhaMinute& out);
// Appends TimeUnixNano,PodName,TraceID,SpanID,Log rows.
Status ReadNezhaLines(const std::filesystem::path& path, NezhaMinute& out);
// Appends the numeric columns of a TimeStamp,PodName table, the host's left out. Files without pods are
// skipped.
Status ReadNezhaMetrics(const std::filesystem::path& path, std::vector<NezhaSeries>& out);

}  // namespace tocsin::investigate
