// The lines of an incident's page that tell of people's work.
#include <fmt/format.h>

#include <algorithm>

#include "respond/lifecycle/incident_view.h"
#include "respond/render_text.h"

namespace tocsin::respond {
namespace {

std::string Ago(Time at, Time now) { return FormatDuration(now - at) + " ago"; }

std::string Tracks(const IncidentView& view, Time now, size_t columns) {
  std::string out;
  for (const auto& [name, track] : view.tracks) {
    std::string line = fmt::format("{}, {}: {}", name, track.owner.empty() ? "nobody" : Safe(track.owner),
                                   track.status.empty() ? "nothing said yet" : Safe(track.status));
    line += " (" + Ago(track.updated, now) + ")";
    if (track.next_due.known()) {
      line += now >= track.next_due ? ", NEXT UPDATE OVERDUE by " + FormatDuration(now - track.next_due)
                                    : ", next update in " + FormatDuration(track.next_due - now);
    }
    out += Wrap(line, columns, "  ", 4);
  }
  return out;
}

}  // namespace

std::string RenderView(const IncidentView& view, Time now, size_t columns) {
  std::string out;
  if (!view.acknowledged_by.empty()) {
    const auto at = view.clocks.find("acknowledged");
    out += fmt::format("  acknowledged by {}{}\n", Safe(view.acknowledged_by),
                       at == view.clocks.end() ? "" : ", " + Ago(at->second, now));
  }
  if (!view.merged_into.empty()) out += "  merged into " + Safe(view.merged_into) + "\n";
  for (const auto& from : view.merged_from) out += "  holds " + Safe(from) + " as well\n";
  for (const auto& [role, person] : view.roles) out += fmt::format("  {}: {}\n", role, Safe(person));
  out += Tracks(view, now, columns);
  for (const auto& task : view.tasks) {
    out += Wrap(fmt::format("[{}] {}. {}{}", task.done ? "x" : " ", task.number, Safe(task.text),
                            task.assignee.empty() ? "" : " (" + Safe(task.assignee) + ")"),
                columns, "  ", 6);
  }
  for (const auto& factor : view.factors) {
    out += Wrap(fmt::format("factor, {}: {}{}", factor.surface, Safe(factor.text),
                            factor.claim.empty() ? " (not proven)" : ""),
                columns, "  ", 4);
  }
  for (const auto& link : view.links) {
    out += fmt::format("  {}{}\n", link.title.empty() ? "" : Safe(link.title) + ": ", Safe(link.url));
  }
  return out.empty() ? out : "People\n" + out;
}

}  // namespace tocsin::respond
