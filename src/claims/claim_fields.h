// The members of every kind of claim with their JSON names, once. Reading, writing and the published schema
// are all made from this list, so that they cannot disagree. Append only: names are a published format.
#pragma once

#include <span>
#include <string_view>
#include <tuple>

#include "claims/claim.h"

namespace tocsin::claims {

template <class Record, class Member>
struct Field {
  const char* name;
  Member Record::* member;
  bool required;
  const char* about;
};
template <class Record, class Member>
Field(const char*, Member Record::*, bool, const char*) -> Field<Record, Member>;

// Specialised for each kind: kKind (its JSON name), kAbout and kFields.
template <class Record>
struct Shape;

inline constexpr const char* kServiceAbout = "service.name; any when left out";
inline constexpr const char* kWindowAbout = "from (inclusive) to (exclusive)";
inline constexpr const char* kBaselineAbout = "what the window is compared with";
inline constexpr const char* kDirectionAbout = "up or down";
inline constexpr const char* kFactorAbout = "bounds of window / baseline";
inline constexpr const char* kAgainstAbout =
    "the baseline's records instead of measure.where: another segment";
inline constexpr const char* kDifferenceAbout = "bounds of window - baseline";

template <>
struct Shape<Measure> {
  static constexpr const char* kKind = "measure";
  static constexpr const char* kAbout = "A number per record, and how many of them become one.";
  static constexpr auto kFields = std::tuple{
      Field{"of", &Measure::of, true, "the table of records"},
      Field{"value", &Measure::value, false, "what of a record is measured; none for count and per_minute"},
      Field{"statistic", &Measure::statistic, true, "how many values become one"},
      Field{"service", &Measure::service, false, kServiceAbout},
      Field{"where", &Measure::where, false, "only records for which all hold"},
  };
};

template <>
struct Shape<MetricLevel> {
  static constexpr const char* kKind = "metric_level";
  static constexpr const char* kAbout = "The measure lies within bounds, over all records of the window.";
  static constexpr auto kFields = std::tuple{
      Field{"measure", &MetricLevel::measure, true, ""},
      Field{"window", &MetricLevel::window, true, kWindowAbout},
      Field{"expect", &MetricLevel::expect, true, "bounds of the measure"},
  };
};

template <>
struct Shape<MetricChange> {
  static constexpr const char* kKind = "metric_change";
  static constexpr const char* kAbout =
      "The measure moved from the baseline to the window, and not by chance.";
  static constexpr auto kFields = std::tuple{
      Field{"measure", &MetricChange::measure, true, ""},
      Field{"window", &MetricChange::window, true, kWindowAbout},
      Field{"baseline", &MetricChange::baseline, true, kBaselineAbout},
      Field{"direction", &MetricChange::direction, true, kDirectionAbout},
      Field{"factor", &MetricChange::factor, false, kFactorAbout},
      Field{"difference", &MetricChange::difference, false, kDifferenceAbout},
      Field{"against", &MetricChange::against, false, kAgainstAbout},
  };
};

template <>
struct Shape<BehaviorShift> {
  static constexpr const char* kKind = "behavior_shift";
  static constexpr const char* kAbout =
      "Answers changed from the baseline to the window, also when like questions are compared with like.";
  static constexpr auto kFields = std::tuple{
      Field{"measure", &BehaviorShift::measure, true, "of generations"},
      Field{"window", &BehaviorShift::window, true, kWindowAbout},
      Field{"baseline", &BehaviorShift::baseline, true, kBaselineAbout},
      Field{"direction", &BehaviorShift::direction, true, kDirectionAbout},
      Field{"factor", &BehaviorShift::factor, false, kFactorAbout},
      Field{"difference", &BehaviorShift::difference, false, kDifferenceAbout},
      Field{"against", &BehaviorShift::against, false, kAgainstAbout},
  };
};

template <>
struct Shape<Onset> {
  static constexpr const char* kKind = "onset";
  static constexpr const char* kAbout =
      "The measure moved within the window, at a time within the tolerance.";
  static constexpr auto kFields = std::tuple{
      Field{"measure", &Onset::measure, true, ""},
      Field{"window", &Onset::window, true, "holds time before and after the change"},
      Field{"at", &Onset::at, true, "when it moved"},
      Field{"tolerance", &Onset::tolerance, true, "how far off it may be"},
  };
};

template <>
struct Shape<ChangePrecedes> {
  static constexpr const char* kKind = "change_precedes";
  static constexpr const char* kAbout =
      "A recorded change came before the onset of a measure or of an incident.";
  static constexpr auto kFields = std::tuple{
      Field{"change", &ChangePrecedes::change, true, "id of the change"},
      Field{"measure", &ChangePrecedes::measure, false, "with window: whose onset"},
      Field{"window", &ChangePrecedes::window, false, "where the onset is looked for"},
      Field{"incident", &ChangePrecedes::incident, false, "or: the incident whose onset"},
      Field{"max_lag", &ChangePrecedes::max_lag, false, "at most so long before; any when left out"},
  };
};

template <>
struct Shape<LogTemplate> {
  static constexpr const char* kKind = "log_template";
  static constexpr const char* kAbout =
      "Log lines of one kind appeared, vanished, became more or fewer, are there or are not.";
  static constexpr auto kFields = std::tuple{
      Field{"service", &LogTemplate::service, false, kServiceAbout},
      Field{"template", &LogTemplate::template_id, false, "id of the template; or text"},
      Field{"text", &LogTemplate::text, false, "a part of the line"},
      Field{"state", &LogTemplate::state, true, "new, vanished, more, fewer, present or absent"},
      Field{"window", &LogTemplate::window, true, kWindowAbout},
      Field{"baseline", &LogTemplate::baseline, false, "needed but for present and absent"},
      Field{"factor", &LogTemplate::factor, false, "bounds of the rate in the window / in the baseline"},
  };
};

template <>
struct Shape<TracePath> {
  static constexpr const char* kKind = "trace_path";
  static constexpr const char* kAbout = "Traces pass through these services, each called by the one before.";
  static constexpr auto kFields = std::tuple{
      Field{"path", &TracePath::path, true, "two to six services, caller first"},
      Field{"window", &TracePath::window, true, kWindowAbout},
      Field{"failed", &TracePath::failed, false, "only calls of the last service with, or without, an error"},
      Field{"expect", &TracePath::expect, true, "bounds of how many calls"},
  };
};

template <>
struct Shape<ErrorPropagation> {
  static constexpr const char* kKind = "error_propagation";
  static constexpr const char* kAbout =
      "When a service fails its callee fails in the same trace, more often than when it does not.";
  static constexpr auto kFields = std::tuple{
      Field{"service", &ErrorPropagation::service, true, "the caller"},
      Field{"callee", &ErrorPropagation::callee, true, ""},
      Field{"window", &ErrorPropagation::window, true, kWindowAbout},
      Field{"expect", &ErrorPropagation::expect, true, "bounds of the share of the caller's failed traces"},
  };
};

template <>
struct Shape<IdentifierUnsupported> {
  static constexpr const char* kKind = "identifier_unsupported";
  static constexpr const char* kAbout = "An answer names an identifier that nothing it was given contains.";
  static constexpr auto kFields = std::tuple{
      Field{"identifier", &IdentifierUnsupported::identifier, true, "as the answer wrote it"},
      Field{"trace_id", &IdentifierUnsupported::trace_id, true, "of the answer"},
      Field{"span_id", &IdentifierUnsupported::span_id, false,
            "of the answer; any of the trace's when left out"},
  };
};

template <>
struct Shape<Prevalence> {
  static constexpr const char* kKind = "prevalence";
  static constexpr const char* kAbout = "The rate of generations that match, judged with its exact interval.";
  static constexpr auto kFields = std::tuple{
      Field{"service", &Prevalence::service, false, kServiceAbout},
      Field{"match", &Prevalence::match, true, "what is counted"},
      Field{"where", &Prevalence::where, false, "of which generations"},
      Field{"window", &Prevalence::window, true, kWindowAbout},
      Field{"expect", &Prevalence::expect, true, "bounds of the share, 0 to 1"},
  };
};

template <>
struct Shape<Equivalence> {
  static constexpr const char* kKind = "equivalence";
  static constexpr const char* kAbout = "The measure is within delta of its baseline, proven.";
  static constexpr auto kFields = std::tuple{
      Field{"measure", &Equivalence::measure, true, ""},
      Field{"window", &Equivalence::window, true, kWindowAbout},
      Field{"baseline", &Equivalence::baseline, true, kBaselineAbout},
      Field{"delta", &Equivalence::delta, true, "in the measure's unit"},
  };
};

template <>
struct Shape<AlertFiring> {
  static constexpr const char* kKind = "alert_firing";
  static constexpr const char* kAbout = "An alert with these labels was firing in the window, or none was.";
  static constexpr auto kFields = std::tuple{
      Field{"labels", &AlertFiring::labels, true, "all must hold"},
      Field{"window", &AlertFiring::window, true, kWindowAbout},
      Field{"firing", &AlertFiring::firing, false, "false: no such alert was"},
  };
};

template <>
struct Shape<RecordCount> {
  static constexpr const char* kKind = "count";
  static constexpr const char* kAbout = "How many records there are.";
  static constexpr auto kFields = std::tuple{
      Field{"of", &RecordCount::of, true, "the table of records"},
      Field{"service", &RecordCount::service, false, kServiceAbout},
      Field{"where", &RecordCount::where, false, "all must hold"},
      Field{"window", &RecordCount::window, true, kWindowAbout},
      Field{"expect", &RecordCount::expect, true, "bounds of the count"},
  };
};

template <>
struct Shape<Exists> {
  static constexpr const char* kKind = "exists";
  static constexpr const char* kAbout = "There is such a record, or there is none.";
  static constexpr auto kFields = std::tuple{
      Field{"of", &Exists::of, true, "the table of records"},
      Field{"service", &Exists::service, false, kServiceAbout},
      Field{"where", &Exists::where, true, "all must hold"},
      Field{"window", &Exists::window, true, kWindowAbout},
      Field{"exists", &Exists::exists, false, "false: there is none"},
  };
};

template <>
struct Shape<Concentration> {
  static constexpr const char* kKind = "concentration";
  static constexpr const char* kAbout = "Bad records have something that the others have less often.";
  static constexpr auto kFields = std::tuple{
      Field{"of", &Concentration::of, true, "the table of records"},
      Field{"service", &Concentration::service, false, kServiceAbout},
      Field{"bad", &Concentration::bad, true, "which records are bad"},
      Field{"have", &Concentration::have, true, "what they have"},
      Field{"window", &Concentration::window, true, kWindowAbout},
      Field{"expect", &Concentration::expect, true, "bounds of the share of the bad that have it"},
  };
};

// The words each closed field takes.
inline constexpr std::string_view kTables[] = {"spans",       "logs",       "metrics",
                                               "generations", "retrievals", "tool_executions",
                                               "evaluations", "feedbacks",  "changes"};
inline constexpr std::string_view kStatistics[] = {"mean", "median", "p90",   "p95",   "p99",       "min",
                                                   "max",  "sum",    "share", "count", "per_minute"};
inline constexpr std::string_view kDirections[] = {"up", "down"};
inline constexpr std::string_view kTemplateStates[] = {"new",   "vanished", "more",
                                                       "fewer", "present",  "absent"};

// Nothing when the field is open.
inline std::span<const std::string_view> WordsOf(std::string_view field) {
  if (field == "of") return kTables;
  if (field == "statistic") return kStatistics;
  if (field == "direction") return kDirections;
  if (field == "state") return kTemplateStates;
  return {};
}

template <class Record>
struct KindTag {
  using type = Record;
};
// Calls v(KindTag<Record>{}) for each kind of claim, in order.
template <class Visitor, size_t... I>
void VisitKindsAt(Visitor&& v, std::index_sequence<I...>) {
  (v(KindTag<std::variant_alternative_t<I, Claim>>{}), ...);
}
template <class Visitor>
void VisitKinds(Visitor&& v) {
  VisitKindsAt(v, std::make_index_sequence<std::variant_size_v<Claim>>{});
}

}  // namespace tocsin::claims
