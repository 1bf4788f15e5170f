// Batch: what one request brought, decoded, redacted and ready to be made durable as a whole.
// Value type; moved along the pipeline, then shared read-only.
#pragma once

#include <cstddef>
#include <vector>

#include "signal/generation.h"
#include "signal/telemetry.h"
#include "signal/verdicts.h"

namespace tocsin::signal {

struct Batch {
  std::vector<Span> spans;
  std::vector<LogRecord> logs;
  std::vector<MetricPoint> metrics;
  std::vector<Generation> generations;
  std::vector<Retrieval> retrievals;
  std::vector<ToolExecution> tool_executions;
  std::vector<Evaluation> evaluations;
  std::vector<Feedback> feedbacks;
  std::vector<Change> changes;
  std::vector<LogTemplate> log_templates;

  size_t size() const {
    return spans.size() + logs.size() + metrics.size() + generations.size() + retrievals.size() +
           tool_executions.size() + evaluations.size() + feedbacks.size() + changes.size() +
           log_templates.size();
  }
  bool empty() const { return size() == 0; }
};

}  // namespace tocsin::signal
