// Diagnose: which known failure explains the evidence, what speaks against the others, or that nothing
// failed.
//
// A catalogue of signatures (database_*.cc, kubernetes_*.cc) is evaluated; each returns a Finding whether it
// holds or not, with the numbers it looked at. Arbitration then gives every finding its role: the cause is
// the deepest current failure that explains the alert; what it explains is a symptom; what moved beside it
// and does not cause it is a confounder; what recovered is history. "healthy" is an answer when everything
// that was looked at is inside its bounds, "unknown" when that cannot be said, and then what is missing is
// listed.
//
// Deterministic, independent of the order of the evidence; the alert's words choose between causes that the
// data show, they are never evidence themselves. Pure, thread-safe, total: no input is an error.
#pragma once

#include <string>
#include <vector>

#include "investigate/diagnosis/evidence.h"

namespace tocsin::investigate {

enum class Category {
  kHealthy,
  kResourceExhaustion,
  kCpuSaturation,
  kConfigurationError,
  kDependencyFailure,
  kInfrastructure,
  kCodeDefect,
  kDataQuality,
  kUnknown,
};
std::string_view CategoryName(Category category);  // "resource_exhaustion"

enum class FactKind { kMetric, kLoad, kEvent, kState, kLog, kMonitor, kAbsence };

// One typed observation, enough to ask the store again: a metric's move, an event's count, an object's state.
struct Fact {
  FactKind kind = FactKind::kState;
  std::string subject{};  // metric, event reason or object
  std::string resource{};
  std::string text{};  // the sentence
  double from = 0, to = 0;
  size_t n = 0;  // points, occurrences or objects
  Time at{};     // onset or last occurrence
};

enum class Role { kAbsent, kCause, kSymptom, kConfounder, kHistory, kNotAssessed };

struct Finding {
  std::string mode{};  // "connection_exhaustion"
  std::string name{};  // "connection exhaustion"
  Category category = Category::kUnknown;
  Role role = Role::kAbsent;
  double strength = 0;  // 0 absent, below 0.5 a hint, 1 certain
  Time onset{};
  std::string cause{};               // the sentence when this is the cause
  std::string remark{};              // why it is not: absent, symptom, confounder, history
  std::vector<std::string> chain{};  // from cause to alert
  std::vector<Fact> facts{};
};

struct Diagnosis {
  Category category = Category::kUnknown;
  std::string mode{};
  std::string cause{};
  std::vector<Fact> facts{};
  std::vector<Finding> considered{};  // everything but the cause, with its role and remark
  std::vector<std::string> chain{};
  std::vector<std::string> not_seen{};  // evidence that was missing or not looked at
  double confidence = 0;
};

Diagnosis Diagnose(const Evidence& evidence);

// The diagnosis as people read it: cause, evidence, what was ruled out and why, chain, what was not seen.
std::string RenderDiagnosis(const Diagnosis& diagnosis);

}  // namespace tocsin::investigate
