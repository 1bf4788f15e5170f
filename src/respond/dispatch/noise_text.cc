// The noise report for people and for programs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "respond/dispatch/noise_report.h"
#include "respond/render_text.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

constexpr size_t kMaxRows = 20;

std::string ShiftLine(const NoisyShift& s) {
  const std::string when =
      s.schedule.empty()
          ? "in no shift of theirs"
          : fmt::format("{}, {} to {}", s.schedule, FormatTimeForPeople(s.from), FormatTimeForPeople(s.to));
  return fmt::format("  {}  {} for {} incident{}{}  ({}){}\n", Safe(s.person), s.pages, s.incidents,
                     s.incidents == 1 ? "" : "s", s.night > 0 ? fmt::format(", {} at night", s.night) : "",
                     Safe(when), s.too_many ? "  too many" : "");
}

std::string RuleLine(const NoisyRule& r) {
  std::string what = fmt::format("opened {} times, paged for {}, acted upon {}", r.opened, r.paged, r.acted);
  if (r.false_alarms > 0) what += fmt::format(", {} false", r.false_alarms);
  return fmt::format("  {} {}: {}{}{}\n", r.kind, Safe(r.rule), what, r.flaps ? "; flaps" : "",
                     r.deaf ? "; nobody ever acts on it" : "");
}

template <class Rows, class Line>
void AddRows(std::string& out, const char* title, const Rows& rows, Line line) {
  if (rows.empty()) return;
  out += fmt::format("\n{}\n", title);
  for (size_t i = 0; i < rows.size() && i < kMaxRows; ++i) out += line(rows[i]);
  if (rows.size() > kMaxRows) out += fmt::format("  and {} more\n", rows.size() - kMaxRows);
}

}  // namespace

json NoiseToJson(const NoiseReport& r) {
  json out = {{"from", FormatTime(r.from)},
              {"to", FormatTime(r.to)},
              {"pages", r.pages},
              {"pages_outside_hours", r.outside_hours},
              {"pages_at_night", r.night}};
  out["incidents"] = {{"opened", r.opened},
                      {"paged", r.paged},
                      {"acted_upon", r.acted},
                      {"only_acknowledged", r.acknowledged_only},
                      {"false_alarms", r.false_alarms},
                      {"untouched", r.untouched},
                      {"not_judged_yet", r.undecided},
                      {"acted_share", r.acted_share()}};
  out["behaviour"] = {{"generations", r.generations},
                      {"alpha", r.alpha},
                      {"expected_false_at_most", r.expected_false},
                      {"expected_false_per_week_at_most", r.expected_false_per_week},
                      {"pages", r.behaviour_pages},
                      {"false_alarms", r.behaviour_false}};
  out["people"] = out["shifts"] = out["rules"] = json::array();
  for (const auto& p : r.people) {
    out["people"].push_back({{"person", p.person},
                             {"pages", p.pages},
                             {"outside_hours", p.outside_hours},
                             {"at_night", p.night}});
  }
  for (const auto& s : r.shifts) {
    out["shifts"].push_back({{"person", s.person},
                             {"schedule", s.schedule},
                             {"from", FormatTime(s.from)},
                             {"to", FormatTime(s.to)},
                             {"pages", s.pages},
                             {"at_night", s.night},
                             {"incidents", s.incidents},
                             {"too_many", s.too_many}});
  }
  for (const auto& rule : r.rules) {
    out["rules"].push_back({{"kind", rule.kind},
                            {"rule", rule.rule},
                            {"opened", rule.opened},
                            {"paged", rule.paged},
                            {"acted_upon", rule.acted},
                            {"false_alarms", rule.false_alarms},
                            {"flaps", rule.flaps},
                            {"never_acted_upon", rule.deaf}});
  }
  return out;
}

std::string RenderNoise(const NoiseReport& r) {
  std::string out =
      fmt::format("Noise from {} to {}\n\n", FormatTimeForPeople(r.from), FormatTimeForPeople(r.to));
  out += fmt::format("{} pages, {} of them outside working hours, {} at night\n", r.pages, r.outside_hours,
                     r.night);
  out += fmt::format(
      "{} incidents opened, {} paged somebody: {} acted upon, {} only acknowledged, {} false, "
      "{} untouched",
      r.opened, r.paged, r.acted, r.acknowledged_only, r.false_alarms, r.untouched);
  if (r.undecided > 0) out += fmt::format(", {} too fresh to judge", r.undecided);
  out += '\n';
  if (r.paged > r.undecided)
    out += fmt::format("{:.0f} % of what paged was acted upon\n", 100 * r.acted_share());
  out += fmt::format(
      "Monitors: {} paging incident{}, {} called false; at alpha {:g} and {:.0f} answers at most {:.2g} "
      "false "
      "were to be expected ({:.2g} a week)\n",
      r.behaviour_pages, r.behaviour_pages == 1 ? "" : "s", r.behaviour_false, r.alpha, r.generations,
      r.expected_false, r.expected_false_per_week);
  if (static_cast<double>(r.behaviour_false) > 2 * r.expected_false + 2) {
    out += "  More false alarms than the monitors promise: see docs/guides/noise.md.\n";
  }
  AddRows(out, "Pages by shift", r.shifts, ShiftLine);
  AddRows(out, "Pages by person", r.people, [](const NoisyPerson& p) {
    return fmt::format("  {}  {}, {} outside working hours, {} at night\n", Safe(p.person), p.pages,
                       p.outside_hours, p.night);
  });
  AddRows(out, "Rules to mend or to drop", r.rules, RuleLine);
  return out;
}

}  // namespace tocsin::respond
