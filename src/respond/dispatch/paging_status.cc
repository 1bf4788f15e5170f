#include "respond/dispatch/paging_status.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "respond/dispatch/escalation_records.h"
#include "respond/render_text.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

std::string StateInWords(const PagingStatus& p) {
  if (p.state == "acknowledged") {
    const std::string has = Safe(p.acknowledged_by) + " has it";
    return p.next.known() ? has + " until " + FormatTimeForPeople(p.next) : has;
  }
  if (p.state == "resolved") return "over";
  if (p.state == "ended") return "nobody acknowledged, and there is nobody left to page";
  return "nobody has it yet; goes on at " + FormatTimeForPeople(p.next);
}

}  // namespace

Result<std::vector<PagingStatus>> ReadPaging(store::Ledger& ledger, const IncidentId& incident) {
  TOCSIN_ASSIGN_OR_RETURN(const auto runs, RunsOf(ledger, incident));
  std::vector<PagingStatus> out;
  for (const auto& [id, run] : runs) {
    out.push_back(
        {run.policy(), run.state(), run.paged(), run.acknowledged_by(), run.NextDeadline().value_or(Time{})});
  }
  return out;
}

json PagingToJson(const std::vector<PagingStatus>& paging) {
  json out = json::array();
  for (const auto& p : paging) {
    out.push_back({{"policy", p.policy},
                   {"state", p.state},
                   {"paged", p.paged},
                   {"acknowledged_by", p.acknowledged_by},
                   {"next", p.next.known() ? json(FormatTime(p.next)) : json(nullptr)}});
  }
  return out;
}

std::string RenderPaging(const std::vector<PagingStatus>& paging, size_t columns) {
  if (paging.empty()) return "";
  std::string out = "WHO IS PAGED\n";
  for (const auto& p : paging) {
    const std::string people =
        p.paged.empty() ? "nobody yet" : Safe(fmt::format("{}", fmt::join(p.paged, ", ")));
    out += Wrap(fmt::format("{} (policy {}): {}", people, Safe(p.policy), StateInWords(p)), columns, "  ", 4);
  }
  return out;
}

}  // namespace tocsin::respond
