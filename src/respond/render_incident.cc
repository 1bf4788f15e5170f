#include "respond/render_incident.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "respond/json_text.h"
#include "respond/render_alerts.h"
#include "respond/render_text.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

std::string Text(const json& object, const char* key) { return Safe(JsonText(object, key)); }

double Number(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? it->get<double>() : 0;
}
std::string Value(double v, const std::string& unit) {
  if (unit == "share") {
    return v != 0 && std::abs(v) < 0.1 ? fmt::format("{:.1f} %", v * 100) : fmt::format("{:.0f} %", v * 100);
  }
  if (unit == "millionths of a dollar") return fmt::format("${:.6f}", v * 1e-6);
  if (std::abs(v) >= 100 || unit == "characters" || unit == "tokens" || unit == "ms")
    return fmt::format("{:.0f}", v);
  return std::abs(v) >= 0.1 || v == 0 ? fmt::format("{:.2f}", v) : fmt::format("{:.2g}", v);
}

class Page {
 public:
  explicit Page(const RenderOptions& options) : options_(options) {}
  void Heading(std::string_view name) { out_ += fmt::format("\n{}\n", name); }
  void Line(std::string_view text, std::string_view first = "  ", size_t indent = 4) {
    out_ += Wrap(text, options_.columns, first, indent);
  }
  void Raw(std::string_view text) { out_ += Cut(text, options_.columns) + "\n"; }
  std::string Take() { return std::move(out_); }
  size_t columns() const { return options_.columns; }
  const RenderOptions& options() const { return options_; }

 private:
  RenderOptions options_;
  std::string out_;
};

void What(Page& page, const json& d) {
  page.Heading("WHAT CHANGED");
  size_t shown = 0;
  for (const auto& l : JsonList(d, "lines")) {
    const std::string monitor = Text(l, "monitor");
    if (monitor == "learned" || shown == 6) continue;
    const std::string unit = Text(l, "unit");
    std::string text = fmt::format("{}: {} → {}", Text(l, "words"), Value(Number(l, "before"), unit),
                                   Value(Number(l, "after"), unit));
    if (unit == "characters" || unit == "tokens" || unit == "ms") text += " " + unit + " (median)";
    if (unit == "millionths of a dollar") text += " (median)";
    if (unit == "score") text += " (mean)";
    text += fmt::format(" ({} and {} answers)", CountForPeople(Number(l, "before_n")),
                        CountForPeople(Number(l, "after_n")));
    page.Line(text);
    ++shown;
  }
  std::string words;
  size_t named = 0;
  for (const auto& w : JsonList(d, "words")) {
    if (named == 6) break;
    words += (words.empty() ? "" : "; ") + Text(w, "words");
    ++named;
  }
  if (!words.empty()) page.Line("tells them apart: " + words);
  if (shown == 0 && words.empty()) page.Line("a recorded fact, see the title");
}

void Since(Page& page, const signal::Incident& i, const json& d) {
  page.Heading("SINCE WHEN");
  if (i.alpha > 0 && i.onset.known()) {
    page.Line(fmt::format("{}, between {} and {} (90 %); {} answers since", FormatTimeForPeople(i.onset),
                          FormatTimeForPeople(i.onset_low), FormatTimeForPeople(i.onset_high),
                          CountForPeople(Number(d, "after_count"))));
  } else {
    page.Line(fmt::format("first seen {}; seen {} times", FormatTimeForPeople(i.onset),
                          CountForPeople(Number(d, "after_count"))));
  }
}

void ForWhom(Page& page, const json& d) {
  page.Heading("FOR WHOM");
  std::string changed, unchanged, feature;
  size_t n = 0, m = 0;
  for (const auto& s : JsonList(d, "segments")) {
    const bool is = s.value("changed", false);
    size_t& count = is ? n : m;
    if (count == 5) continue;
    ++count;
    feature = Text(s, "feature");
    const std::string unit = Text(s, "unit");
    std::string& list = is ? changed : unchanged;
    list += fmt::format("{}{} {} ({} → {})", list.empty() ? "" : ", ", Text(s, "attribute"), Text(s, "value"),
                        Value(Number(s, "before"), unit), Value(Number(s, "after"), unit));
  }
  const double share = Number(d, "affected_share");
  if (share < 0.999) {
    page.Line(fmt::format("about {:.0f} % of the traffic", share * 100));
  } else {
    page.Line("everyone, as far as recorded attributes tell");
  }
  if (!feature.empty()) page.Line("judged on " + feature);
  if (!changed.empty()) page.Line("changed: " + changed);
  if (!unchanged.empty()) page.Line("no alarm of their own: " + unchanged);
}

void HowSure(Page& page, const signal::Incident& i, const json& d) {
  page.Heading("HOW SURE");
  if (i.alpha <= 0) {
    page.Line("a recorded fact, not a statistical alarm");
    return;
  }
  const double run = 1 / i.alpha;
  const double rate = Number(d, "rate_per_hour");
  std::string text = fmt::format(
      "e-value {}. A monitor like this raises a false alarm at most once per {} answers on average",
      CountForPeople(i.e_value), CountForPeople(run));
  if (rate > 0) {
    const double hours = run / rate;
    text += hours >= 48 ? fmt::format(", one in {:.0f} days at the present rate", hours / 24)
                        : fmt::format(", one in {:.1f} hours at the present rate", hours);
  }
  page.Line(text + ".");
}

void Moved(Page& page, const json& d) {
  std::string refuted, missing;
  bool any = false;
  page.Heading("WHAT MOVED WITH IT");
  for (const auto& c : JsonList(d, "contrast")) {
    const std::string verdict = Text(c, "verdict");
    if (verdict == "moved" || verdict == "partly") {
      any = true;
      page.Line(fmt::format("{}{}: {}", Text(c, "attribute"), verdict == "partly" ? " (partly)" : "",
                            Text(c, "words")));
    } else {
      std::string& list = verdict == "refuted" ? refuted : missing;
      list += (list.empty() ? "" : ", ") + Text(c, "attribute");
    }
  }
  if (!any) page.Line("no recorded attribute");
  if (refuted.empty() && missing.empty()) return;
  page.Heading("WHAT DID NOT");
  if (!refuted.empty()) page.Line("refuted: " + refuted);
  if (!missing.empty()) page.Line("not recorded, so not excluded: " + missing);
}

void MixLine(Page& page, const json& d) {
  const auto it = d.find("composition");
  if (it == d.end() || !it->is_object()) return;
  const std::string verdict = Text(*it, "verdict");
  if (verdict == "unknown") return;
  const std::string words =
      verdict == "traffic_mix" ? "the questions changed; answers to like questions did not"
      : verdict == "both"      ? "the questions changed, and so did answers to like questions"
                               : "the questions are as before; the answers changed";
  page.Line(fmt::format("traffic: {} (p {:.2g} behaviour, {:.2g} mix)", words, Number(*it, "p_behaviour"),
                        Number(*it, "p_mix")));
}

void Changes(Page& page, const json& d) {
  page.Heading("CHANGES RECORDED AROUND IT");
  size_t shown = 0;
  for (const auto& c : JsonList(d, "changes")) {
    if (shown == 5) break;
    const std::string mark = Text(c, "verdict") == "possible" ? "?" : "x";
    page.Line(fmt::format("{} {} {}: {}", Text(c, "kind"), Text(c, "subject"), Text(c, "summary"),
                          Text(c, "words")),
              "  " + mark + " ");
    ++shown;
  }
  if (shown == 0) page.Line("none in the day before it");
}

void Exemplars(Page& page, const json& d) {
  const auto show = [&](const char* key, const char* heading) {
    const json& list = JsonList(d, key);
    if (list.empty() || page.options().exemplars == 0) return;
    page.Heading(
        fmt::format("{} ({} of {})", heading, std::min(page.options().exemplars, list.size()), list.size()));
    size_t shown = 0;
    for (const auto& e : list) {
      if (shown++ == page.options().exemplars) break;
      const std::string trace = Text(e, "trace_id");
      page.Raw(fmt::format("  Q {}", Text(e, "prompt")));
      page.Raw(fmt::format("  A {}", Text(e, "output")));
      const std::string note = Text(e, "note");
      page.Raw(fmt::format("    {}{}{}", Text(e, "time"), trace.empty() ? "" : " trace " + trace,
                           note.empty() ? "" : "  " + note));
    }
  };
  show("exemplars_before", "BEFORE");
  show("exemplars_after", "AFTER");
}

void Next(Page& page, const signal::Incident& i) {
  page.Heading("NEXT");
  page.Raw(fmt::format("  tocsin incident show {} --exemplars 20", i.id.value));
  page.Raw(fmt::format("  tocsin incident show {} --json", i.id.value));
}

}  // namespace

json IncidentToJson(const signal::Incident& i, bool with_evidence) {
  const auto when = [](Time t) { return t.known() ? json(FormatTime(t)) : json(nullptr); };
  json out = {{"id", i.id.value},
              {"key", i.key},
              {"state", i.state},
              {"severity", i.severity},
              {"kind", i.kind},
              {"title", i.title},
              {"service", i.service},
              {"stream", i.stream},
              {"opened", when(i.opened)},
              {"updated", when(i.updated)},
              {"onset", when(i.onset)},
              {"onset_low", when(i.onset_low)},
              {"onset_high", when(i.onset_high)},
              {"e_value", std::isfinite(i.e_value) ? json(i.e_value) : json(nullptr)},
              {"alpha", i.alpha},
              {"page", i.page}};
  if (with_evidence) {
    json document = json::parse(i.document_json, nullptr, false);
    out["evidence"] = document.is_discarded() ? json::object() : std::move(document);
  }
  return out;
}

std::string RenderIncident(const signal::Incident& i, const RenderOptions& options) {
  json d = json::parse(i.document_json, nullptr, false);
  if (!d.is_object()) d = json::object();
  Page page(options);
  page.Raw(fmt::format("{}  {}  {}  {}  {}", i.id.value, i.severity, i.state, i.kind,
                       i.page ? "pages" : "wakes nobody"));
  page.Line(Safe(i.title), "", 0);
  page.Raw(Safe(i.stream.empty() ? i.service : i.stream));
  if (d.empty()) {  // declared by a person: there is no evidence to show
    page.Line(i.onset.known() ? "since " + FormatTimeForPeople(i.onset) + ", opened by a person at " +
                                    FormatTimeForPeople(i.opened)
                              : "opened by a person at " + FormatTimeForPeople(i.opened));
    return page.Take();
  }
  if (Text(d, "type") == "alerts") return page.Take() + RenderAlerts(i, d, options.columns);
  What(page, d);
  Since(page, i, d);
  if (i.alpha > 0) ForWhom(page, d);
  HowSure(page, i, d);
  if (!JsonList(d, "contrast").empty()) Moved(page, d);
  MixLine(page, d);
  for (const auto& note : JsonList(d, "notes")) {
    if (note.is_string()) page.Line(Safe(note.get<std::string>()));
  }
  Changes(page, d);
  Exemplars(page, d);
  Next(page, i);
  return page.Take();
}

std::string RenderIncidentList(std::span<const signal::Incident> incidents) {
  if (incidents.empty()) return "No incidents.\n";
  std::string out;
  for (const auto& i : incidents) {
    out += Cut(fmt::format("{:<8}  {}  {:<11}  {}  {}", i.id.value, i.severity, i.state,
                           FormatTimeForPeople(i.onset.known() ? i.onset : i.opened), Safe(i.title)),
               160) +
           "\n";
  }
  return out;
}

}  // namespace tocsin::respond
