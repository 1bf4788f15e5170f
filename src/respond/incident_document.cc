#include "respond/incident_document.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "respond/json_text.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

json Number(double v) { return std::isfinite(v) ? json(v) : json(nullptr); }
json When(Time t) { return t.known() ? json(FormatTime(t)) : json(nullptr); }

json Lines(const detect::Finding& f) {
  json out = json::array();
  for (const auto& l : f.lines) {
    out.push_back({{"monitor", l.monitor},
                   {"words", l.words},
                   {"before", Number(l.before)},
                   {"after", Number(l.after)},
                   {"before_n", l.before_n},
                   {"after_n", l.after_n},
                   {"unit", l.unit},
                   {"log_e_value", Number(l.log_e_value)},
                   {"threshold", Number(l.threshold)},
                   {"alarmed", l.alarmed}});
  }
  return out;
}

json Words(const detect::Finding& f) {
  json out = json::array();
  for (const auto& w : f.words) {
    out.push_back({{"feature", w.feature},
                   {"words", w.words},
                   {"weight", Number(w.weight)},
                   {"before", Number(w.before)},
                   {"after", Number(w.after)}});
  }
  return out;
}

json Segments(const detect::Finding& f) {
  json out = json::array();
  for (const auto& s : f.segments) {
    out.push_back({{"attribute", s.attribute},
                   {"value", s.value},
                   {"feature", s.feature},
                   {"unit", s.unit},
                   {"before", Number(s.before)},
                   {"after", Number(s.after)},
                   {"before_n", s.before_n},
                   {"after_n", s.after_n},
                   {"log_e_value", Number(s.log_e_value)},
                   {"changed", s.changed}});
  }
  return out;
}

json Contrast(const detect::Finding& f) {
  json out = json::array();
  for (const auto& c : f.contrast) {
    out.push_back({{"attribute", c.attribute},
                   {"surface", c.surface},
                   {"verdict", c.verdict},
                   {"words", c.words},
                   {"association", Number(c.association)}});
  }
  return out;
}

json Changes(const detect::Finding& f) {
  json out = json::array();
  for (const auto& c : f.changes) {
    out.push_back({{"id", c.id},
                   {"kind", c.kind},
                   {"subject", c.subject},
                   {"summary", c.summary},
                   {"before", c.before},
                   {"after", c.after},
                   {"time", When(c.time)},
                   {"verdict", c.verdict},
                   {"words", c.words},
                   {"lag_seconds", Number(c.lag_seconds)}});
  }
  return out;
}

json CompositionJson(const detect::Finding& f) {
  if (!f.composition) return nullptr;
  const auto& c = *f.composition;
  json lines = json::array();
  for (const auto& l : c.lines) {
    lines.push_back({{"metric", l.metric},
                     {"before", Number(l.before)},
                     {"after", Number(l.after)},
                     {"mix", Number(l.mix)},
                     {"behaviour", Number(l.behaviour)}});
  }
  return {{"verdict", c.verdict},
          {"p_behaviour", Number(c.p_behaviour)},
          {"p_mix", Number(c.p_mix)},
          {"novel_share", Number(c.novel_share)},
          {"metrics", std::move(lines)}};
}

json Exemplars(const detect::Finding& f, bool after) {
  json out = json::array();
  for (const auto& e : f.exemplars) {
    if (e.after != after) continue;
    out.push_back({{"trace_id", e.trace_id},
                   {"span_id", e.span_id},
                   {"response_id", e.response_id},
                   {"conversation_id", e.conversation_id},
                   {"time", When(e.time)},
                   {"prompt", e.prompt},
                   {"output", e.output},
                   {"note", e.note}});
  }
  return out;
}

}  // namespace

std::string DocumentOf(const detect::Finding& f, size_t max_bytes) {
  json d = {
      {"format", 1},
      {"stream",
       {{"service", f.stream.service}, {"operation", f.stream.operation}, {"feature", f.stream.feature}}},
      {"detail", f.detail},
      {"time", When(f.time)},
      {"generation", f.generation},
      {"after_count", f.after_count},
      {"rate_per_hour", Number(f.rate_per_hour)},
      {"log_e_value", Number(f.log_e_value)},
      {"alpha", Number(f.alpha)},
      {"leading_monitor", f.leading_monitor},
      {"affected_share", Number(f.affected_share)},
      {"onset",
       {{"time", When(f.onset.time)},
        {"low", When(f.onset.low)},
        {"high", When(f.onset.high)},
        {"known", f.onset.known}}},
      {"lines", Lines(f)},
      {"words", Words(f)},
      {"segments", Segments(f)},
      {"contrast", Contrast(f)},
      {"changes", Changes(f)},
      {"composition", CompositionJson(f)},
      {"exemplars_before", Exemplars(f, false)},
      {"exemplars_after", Exemplars(f, true)},
      {"notes", f.notes}};
  std::string text = DumpJson(d);
  for (const size_t keep : {size_t{10}, size_t{3}, size_t{1}, size_t{0}}) {
    if (text.size() <= max_bytes) break;
    for (const char* side : {"exemplars_before", "exemplars_after"}) {
      while (d[side].size() > keep) d[side].erase(d[side].size() - 1);
    }
    if (keep == 0) {
      for (const char* list : {"words", "segments", "contrast", "changes", "notes"}) d[list] = json::array();
    }
    d["shortened"] = true;
    text = DumpJson(d);
  }
  return text;
}

}  // namespace tocsin::respond
