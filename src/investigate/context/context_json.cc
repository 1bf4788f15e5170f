#include <cmath>

#include "claims/claim_json.h"
#include "claims/claim_text.h"
#include "investigate/context/context_render.h"

namespace tocsin::investigate {
namespace {

using Json = nlohmann::ordered_json;

Json When(Time t) { return t.known() ? Json(FormatTime(t)) : Json(nullptr); }
Json Number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }
Json WindowJson(const claims::Window& w) { return {{"from", When(w.from)}, {"to", When(w.to)}}; }

template <class List, class Write>
Json Each(const List& list, Write write) {
  Json out = Json::array();
  for (const auto& item : list) out.push_back(write(item));
  return out;
}

Json Line(const ContextLine& l) {
  Json out = {{"text", l.text}};
  if (!l.note.empty()) out["note"] = l.note;
  if (l.claim) {
    out["claim"] = claims::WriteClaim(*l.claim);
    out["claim_id"] = claims::ClaimIdOf(*l.claim);
  }
  return out;
}

Json Section(const ContextSection& s) {
  Json out = {{"name", s.name}, {"seconds", Number(s.seconds)}};
  if (!s.not_looked_at.empty()) out["not_looked_at"] = s.not_looked_at;
  if (!s.sampled.empty()) out["sampled"] = s.sampled;
  if (s.cut) out["cut"] = true;
  out["lines"] = Each(s.lines, &Line);
  return out;
}

Json Alert(const ContextAlert& a) {
  return {{"fingerprint", a.fingerprint},
          {"name", a.name},
          {"service", claims::Printable(a.service, kMaxContextText)},
          {"text", a.text},
          {"severity", a.severity},
          {"starts_at", When(a.starts_at)},
          {"ends_at", When(a.ends_at)},
          {"firing", a.firing},
          {"url", a.url},
          {"runbook_url", a.runbook_url}};
}

Json Affected(const AffectedService& a) {
  return {{"service", claims::Printable(a.service, kMaxContextText)},
          {"why", a.why},
          {"has_spans", a.has_spans},
          {"before_n", a.before_n},
          {"after_n", a.after_n},
          {"before_errors", Number(a.before_errors)},
          {"after_errors", Number(a.after_errors)},
          {"before_p95_ms", Number(a.before_p95_ms)},
          {"after_p95_ms", Number(a.after_p95_ms)}};
}

Json People(const AffectedPeople& p) {
  const auto share = [](const AffectedPeople::Share& s) {
    return Json{{"value", s.value}, {"requests", s.requests}, {"bad", s.bad}};
  };
  return {{"requests", p.requests},   {"bad", p.bad}, {"users", p.users},
          {"bad_users", p.bad_users}, {"of", p.of},   {"tenants", Each(p.tenants, share)}};
}

Json Change(const ContextChange& c) {
  return {{"id", claims::Printable(c.id, kMaxContextText)},
          {"kind", c.kind},
          {"service", claims::Printable(c.service, kMaxContextText)},
          {"subject", c.subject},
          {"summary", c.summary},
          {"before", c.before},
          {"after", c.after},
          {"source", c.source},
          {"link", c.link},
          {"time", When(c.time)},
          {"lag_seconds", Number(c.lag.seconds())},
          {"refuted", c.refuted},
          {"unsure", c.unsure},
          {"in_scope", c.in_scope},
          {"score", Number(c.score)}};
}

Json Log(const LogShift& s) {
  return {{"service", claims::Printable(s.service, kMaxContextText)},
          {"template", s.template_id},
          {"text", s.text},
          {"severity", s.severity},
          {"state", s.state},
          {"before", s.before},
          {"after", s.after},
          {"factor", Number(s.factor)},
          {"first_seen", When(s.first_seen)},
          {"first_in_window", When(s.first_in_window)},
          {"score", Number(s.score)}};
}

Json Rate(const LogRate& r) {
  return {{"service", claims::Printable(r.service, kMaxContextText)},
          {"before", r.before},
          {"after", r.after},
          {"before_errors", r.before_errors},
          {"after_errors", r.after_errors},
          {"factor", Number(r.factor)},
          {"error_factor", Number(r.error_factor)}};
}

Json Call(const CallEdge& e) {
  return {{"caller", claims::Printable(e.caller, kMaxContextText)},
          {"callee", claims::Printable(e.callee, kMaxContextText)},
          {"hops", e.hops},
          {"before_n", e.before_n},
          {"after_n", e.after_n},
          {"before_errors", Number(e.before_errors)},
          {"after_errors", Number(e.after_errors)},
          {"before_p95_ms", Number(e.before_p95_ms)},
          {"after_p95_ms", Number(e.after_p95_ms)},
          {"score", Number(e.score)}};
}

Json Metric(const MetricShift& s) {
  Json where = Json::object();
  for (const auto& c : s.where)
    where[claims::Printable(c.field)] = claims::Printable(c.value, kMaxContextText);
  return {{"service", claims::Printable(s.service, kMaxContextText)},
          {"name", claims::Printable(s.name, kMaxContextText)},
          {"unit", s.unit},
          {"where", std::move(where)},
          {"statistic", s.statistic},
          {"before", Number(s.before)},
          {"after", Number(s.after)},
          {"score", Number(s.score)},
          {"affected", s.affected},
          {"before_n", s.before_n},
          {"after_n", s.after_n},
          {"window", WindowJson(s.window)}};
}

Json Behavior(const BehaviorChange& c) {
  return {{"what", c.what},           {"words", c.words},
          {"unit", c.unit},           {"before", Number(c.before)},
          {"after", Number(c.after)}, {"before_n", c.before_n},
          {"after_n", c.after_n},     {"score", Number(c.score)}};
}

Json Trace(const ExemplarTrace& t) {
  const auto span = [](const ExemplarSpan& s) {
    return Json{{"span_id", s.span_id},   {"parent_span_id", s.parent_span_id},
                {"service", s.service},   {"name", s.name},
                {"status", s.status},     {"status_message", s.status_message},
                {"start", When(s.start)}, {"duration_ms", Number(s.duration_ms)},
                {"depth", s.depth}};
  };
  return {{"kind", t.kind},
          {"trace_id", t.trace_id},
          {"start", When(t.start)},
          {"duration_ms", Number(t.duration_ms)},
          {"spans", t.spans},
          {"errors", t.errors},
          {"shown", Each(t.shown, span)}};
}

Json Similar(const SimilarIncident& s) {
  const auto factor = [](const SimilarIncident::Factor& f) {
    return Json{{"surface", f.surface}, {"text", f.text}, {"claim", f.claim}};
  };
  return {{"id", s.id},
          {"title", s.title},
          {"service", s.service},
          {"kind", s.kind},
          {"opened", When(s.opened)},
          {"similarity", Number(s.similarity)},
          {"shared", s.shared},
          {"factors", Each(s.factors, factor)}};
}

Json Runbook(const RunbookMatch& r) {
  return {{"id", r.id}, {"title", r.title}, {"url", r.url}, {"why", r.why}, {"score", Number(r.score)}};
}

Json Person(const ContextPerson& p) {
  return {{"role", p.role}, {"person", p.person}, {"name", p.name}, {"until", When(p.until)}};
}

Json Incident(const signal::Incident& i) {
  return {{"id", i.id.value},   {"state", i.state},         {"severity", i.severity},
          {"kind", i.kind},     {"title", i.title},         {"service", i.service},
          {"stream", i.stream}, {"opened", When(i.opened)}, {"updated", When(i.updated)}};
}

}  // namespace

Json ContextToJson(const ContextPack& p) {
  Json out = {{"format", 1},
              {"incident", Incident(p.incident)},
              {"built", When(p.built)},
              {"seconds", Number(p.seconds)}};
  out["onset"] = {{"time", When(p.onset)},
                  {"low", When(p.onset_low)},
                  {"high", When(p.onset_high)},
                  {"words", p.onset_words}};
  out["windows"] = {{"baseline", WindowJson(p.windows.baseline)}, {"window", WindowJson(p.windows.window)}};
  out["sections"] = Each(p.sections, &Section);
  out["alerts"] = Each(p.alerts, &Alert);
  out["alerts_total"] = p.alerts_total;
  out["cluster_services"] = Each(
      p.cluster_services, [](const std::string& s) { return Json(claims::Printable(s, kMaxContextText)); });
  out["affected"] = Each(p.affected, &Affected);
  out["people_affected"] = People(p.people_affected);
  out["changes"] = Each(p.changes, &Change);
  out["logs"] = Each(p.logs, &Log);
  out["log_rates"] = Each(p.log_rates, &Rate);
  out["calls"] = Each(p.calls, &Call);
  out["metrics"] = Each(p.metrics, &Metric);
  out["behavior"] = Each(p.behavior, &Behavior);
  out["exemplars"] = Each(p.exemplars, &Trace);
  out["similar"] = Each(p.similar, &Similar);
  out["runbooks"] = Each(p.runbooks, &Runbook);
  out["people"] = Each(p.people, &Person);
  return out;
}

}  // namespace tocsin::investigate
