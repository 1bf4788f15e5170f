#include <fmt/format.h>

#include <algorithm>

#include "investigate/diagnosis/database_signatures.h"
#include "investigate/diagnosis/diagnosis.h"
#include "investigate/diagnosis/kubernetes_signatures.h"
#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

constexpr std::array kChiefMetrics{"CPUUtilization",   "DatabaseConnections", "ReplicaLag",
                                   "FreeStorageSpace", "FreeableMemory",      "WriteIOPS",
                                   "ReadLatency",      "WriteLatency",        "TransactionLogsGeneration"};

// The metric without which the alert's own subject cannot be called healthy.
const char* NeededMetric(const DatabaseView& view) {
  const std::string title = LowerAscii(view.evidence->alert.title + " " + view.evidence->alert.name);
  const auto says = [&title](const char* word) { return title.find(word) != std::string::npos; };
  if (says("replica") && says("lag")) return "ReplicaLag";
  if (says("connection")) return "DatabaseConnections";
  if (says("storage")) return "FreeStorageSpace";
  return says("cpu") ? "CPUUtilization" : nullptr;
}

bool Routine(const EvidenceEvent& e) {
  const Family family = FamilyOf(e.message);
  return family == Family::kNone || family == Family::kBackup || family == Family::kMaintenance ||
         family == Family::kParameters || family == Family::kAvailable || family == Family::kStorageGrown;
}

void DescribeEvents(const DatabaseView& view, Finding& out) {
  if (!view.evidence->seen.contains("events")) return;
  bool routine = true;
  size_t n = 0;
  for (const auto* list : {&view.events, &view.past})
    for (const EvidenceEvent* e : *list) {
      routine &= Routine(*e);
      if (++n <= 4) out.facts.push_back(EventFact(*e));
    }
  out.facts.push_back(
      {.kind = FactKind::kAbsence,
       .subject = "events",
       .text = routine ? fmt::format("The {} RDS events report no error and no failure, only routine", n)
                       : fmt::format("No metric confirms a present failure behind the {} RDS events", n),
       .n = n});
}

void DescribeHealthyDatabase(const DatabaseView& view, const std::vector<Finding>& findings, Finding& out) {
  out.strength = 0.9;
  out.cause = fmt::format("No failure: all metrics of {} that were available are within normal bounds",
                          view.instance);
  for (const char* name : kChiefMetrics)
    if (const SeriesSummary* s = view.Get(name); s != nullptr) out.facts.push_back(MetricFact(*s));
  std::string past;
  for (const Finding& f : findings)
    if (f.role == Role::kHistory) past += fmt::format(". The {} is over: {}", f.name, f.remark);
  out.cause += past;
  const std::string state = LowerAscii(view.evidence->alert.state);
  if (past.empty() && !view.evidence->alert.title.empty() && state != "normal" && state != "ok")
    out.cause += fmt::format(
        ". The alert {} fired on a threshold that does not mark a failure; fluctuation within the "
        "bounds is no incident",
        Quoted(view.evidence->alert.title));
  if (view.sessions.n > 0)
    out.facts.push_back(
        {.kind = FactKind::kLoad,
         .subject = "db.load",
         .text = fmt::format("DB load between {} and {} average active sessions{}, no dominant bottleneck",
                             Number(view.sessions.lowest), Number(view.sessions.highest),
                             view.cpus ? fmt::format(" against {} vCPUs", Number(*view.cpus)) : ""),
         .n = view.sessions.n});
  DescribeEvents(view, out);
  out.chain = {"No causal chain: the database operates normally"};
}

Finding DiagnoseDatabase(const DatabaseView& view, Diagnosis& out) {
  out.considered = DatabaseFindings(view);
  Finding cause = ArbitrateDatabase(view, out.considered);
  for (const char* name : kChiefMetrics)
    if (view.Get(name) == nullptr)
      out.not_seen.push_back(fmt::format("metric {} of {}", name, view.instance));
  if (cause.mode != "healthy") return cause;
  const char* needed = NeededMetric(view);
  if (view.metrics.empty() || (needed != nullptr && view.Get(needed) == nullptr)) {
    cause = MakeFinding("unknown", "unknown", Category::kUnknown);
    cause.cause = fmt::format(
        "The evidence does not decide: {} of {} is missing, and nothing else that was seen is outside its "
        "bounds",
        needed != nullptr ? needed : "every metric", view.instance);
    return cause;
  }
  DescribeHealthyDatabase(view, out.considered, cause);
  return cause;
}

Finding DiagnoseKubernetes(const KubernetesView& view, Diagnosis& out) {
  AddPodFindings(view, out.considered);
  AddPlatformFindings(view, out.considered);
  AddApplicationFindings(view, out.considered);
  Finding cause = ArbitrateKubernetes(view, out.considered);
  for (const char* kind : {"pods", "events", "deployments", "nodes", "logs", "monitors"})
    if (!view.evidence->seen.contains(kind)) out.not_seen.push_back(kind);
  if (view.ignored_lines > 0)
    out.not_seen.push_back(fmt::format("{} lines that address the reader instead of reporting were not used",
                                       view.ignored_lines));
  if (cause.mode == "unknown") {
    std::string failing;
    for (const PodView& p : view.pods)
      if (p.failing()) failing += (failing.empty() ? "" : "; ") + PodFact(p).text;
    cause.cause = failing.empty() ? "The evidence does not decide: no failing pod, event or log line was "
                                    "seen that explains the alert"
                                  : "The evidence does not decide what keeps pods from serving: " + failing;
  }
  return cause;
}

void AddRemarks(const Finding& cause, Diagnosis& out) {
  std::erase_if(out.considered, [](const Finding& f) { return f.role == Role::kCause || f.remark.empty(); });
  if (cause.category == Category::kUnknown) return;
  for (const Finding& f : out.considered)
    if (f.role == Role::kNotAssessed) out.not_seen.push_back(fmt::format("{}: {}", f.name, f.remark));
}

}  // namespace

std::string_view CategoryName(Category category) {
  switch (category) {
    case Category::kHealthy:
      return "healthy";
    case Category::kResourceExhaustion:
      return "resource_exhaustion";
    case Category::kCpuSaturation:
      return "cpu_saturation";
    case Category::kConfigurationError:
      return "configuration_error";
    case Category::kDependencyFailure:
      return "dependency_failure";
    case Category::kInfrastructure:
      return "infrastructure";
    case Category::kCodeDefect:
      return "code_defect";
    case Category::kDataQuality:
      return "data_quality";
    case Category::kUnknown:
      return "unknown";
  }
  return "unknown";
}

Diagnosis Diagnose(const Evidence& evidence) {
  Diagnosis out;
  const DatabaseView database = ViewDatabase(evidence);
  const KubernetesView kubernetes = ViewKubernetes(evidence);
  const bool about_database = database.any && (!evidence.instances.empty() || !kubernetes.any);
  Finding cause = MakeFinding("unknown", "unknown", Category::kUnknown);
  if (about_database)
    cause = DiagnoseDatabase(database, out);
  else if (kubernetes.any)
    cause = DiagnoseKubernetes(kubernetes, out);
  if (!database.any && !kubernetes.any) {
    cause.cause = "The evidence does not decide: nothing but the alert was seen";
    out.not_seen = {"metrics", "events", "logs", "objects"};
  }
  for (const std::string& kind : evidence.missing)
    out.not_seen.push_back(kind + " were asked for and not available");
  AddRemarks(cause, out);
  out.category = cause.category;
  out.mode = cause.mode;
  out.cause = Sentence(cause.cause);
  out.facts = std::move(cause.facts);
  out.chain = std::move(cause.chain);
  out.confidence = cause.category == Category::kUnknown ? 0 : std::clamp(cause.strength, 0.0, 0.97);
  return out;
}

std::string RenderDiagnosis(const Diagnosis& d) {
  std::string out = fmt::format("Cause: {}.\n", d.cause);
  const auto list = [&out](const char* title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    out += fmt::format("\n{}\n", title);
    for (const std::string& line : lines) out += fmt::format("- {}\n", line);
  };
  std::vector<std::string> facts, others;
  for (const Fact& f : d.facts) facts.push_back(f.text);
  for (const Finding& f : d.considered) {
    if (f.role == Role::kNotAssessed) continue;
    const char* what = f.role == Role::kSymptom      ? "symptom"
                       : f.role == Role::kConfounder ? "not the cause"
                       : f.role == Role::kHistory    ? "past"
                                                     : "ruled out";
    others.push_back(fmt::format("{} ({}): {}", Sentence(f.name), what, f.remark));
  }
  list("Evidence", facts);
  list("Considered and not the cause", others);
  list("How it came about", d.chain);
  list("Not seen", d.not_seen);
  return out;
}

}  // namespace tocsin::investigate
