#include "ingest/internal/batch_builder.h"

#include <algorithm>
#include <limits>

#include "ingest/internal/message_log.h"
#include "ingest/internal/metric_row.h"
#include "ingest/internal/span_row.h"
#include "kernel/id.h"

namespace tocsin::ingest::internal {
namespace {

constexpr int64_t kReasonsTold = 3;
constexpr int64_t kYear2000 = 946'684'800'000'000'000;

std::string_view TextOf(const Node& map, std::string_view key) {
  const Node* node = map.Find(key);
  return node != nullptr && node->is_text() ? node->text : std::string_view();
}

std::string Index(const char* name, int64_t i) { return std::string(name) + "[" + std::to_string(i) + "]"; }

}  // namespace

Time Workbench::SaneTime(uint64_t ns) const {
  if (ns > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return {};
  const auto value = static_cast<int64_t>(ns);
  if (!options.received.known()) return {value};
  const bool possible = value >= kYear2000 && value - options.received.ns <= Duration::Hours(24).ns;
  return {possible ? value : 0};
}

BatchBuilder::BatchBuilder(SignalKind kind, const DecodeOptions& options)
    : kind_(kind),
      redactor_(options.redactor != nullptr ? options.redactor : Redactor::BuiltIn()),
      bench_(options, *redactor_),
      messages_(std::make_unique<MessageLog>()) {}
BatchBuilder::~BatchBuilder() = default;

void BatchBuilder::BeginResource(const Node& attributes) {
  context_ = ItemContext{};
  const auto name = [&](std::string_view key) { return bench_.Name(TextOf(attributes, key)); };
  context_.service = name("service.name");
  if (context_.service.empty()) context_.service = "unknown_service";
  context_.service_version = name("service.version");
  context_.environment = name("deployment.environment.name");
  if (context_.environment.empty()) context_.environment = name("deployment.environment");
  context_.region = name("cloud.region");
  context_.host = name("host.name");
  context_.tenant = name("tocsin.tenant");
  context_.resource_json.clear();
  bench_.writer.Map(context_.resource_json, attributes);
}

void BatchBuilder::BeginScope(std::string_view name) { context_.scope = bench_.Name(name); }

bool BatchBuilder::BeginItem() {
  bench_.arena.Reset();
  if (items_++ < limits().max_items_per_request) return true;
  Reject("more than " + std::to_string(limits().max_items_per_request) + " items in one request");
  return false;
}

void BatchBuilder::AddSpan(const RawSpan& raw) { AddSpanRow(raw, context_, bench_, outcome_.batch); }

void BatchBuilder::AddLog(const RawLog& raw) { AddLogRow(raw, context_, bench_, *messages_, outcome_.batch); }

void BatchBuilder::AddPoint(const RawMetric& metric, const RawPoint& point) {
  AddMetricRow(metric, point, context_, bench_, outcome_.batch);
}

std::string BatchBuilder::Where() const {
  static constexpr const char* kNames[][4] = {
      {"resourceSpans", "scopeSpans", "spans", ""},
      {"resourceLogs", "scopeLogs", "logRecords", ""},
      {"resourceMetrics", "scopeMetrics", "metrics", "dataPoints"},
  };
  const auto& names = kNames[static_cast<size_t>(kind_)];
  std::string where = Index(names[0], place.resource);
  if (place.scope >= 0) where += "." + Index(names[1], place.scope);
  if (place.scope >= 0 && place.item >= 0) where += "." + Index(names[2], place.item);
  if (place.scope >= 0 && place.item >= 0 && place.point >= 0) where += "." + Index(names[3], place.point);
  return where;
}

void BatchBuilder::Reject(const std::string& why, int64_t count) {
  outcome_.rejected += count;
  if (++reasons_ > kReasonsTold) return;
  if (!outcome_.reason.empty()) outcome_.reason += "; ";
  outcome_.reason += Where() + ": " + why;
}

DecodeOutcome BatchBuilder::Finish() {
  messages_->Finish(bench_, outcome_.batch);
  if (reasons_ > kReasonsTold)
    outcome_.reason += "; and " + std::to_string(reasons_ - kReasonsTold) + " more";
  outcome_.redactions = bench_.cleaner.redactions();
  outcome_.shortened_texts = bench_.cleaner.shortened();
  return std::move(outcome_);
}

}  // namespace tocsin::ingest::internal
