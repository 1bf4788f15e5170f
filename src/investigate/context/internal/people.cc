// Runbooks that may fit, and who has it: who works on it, who is paged, who is on call now.
#include <fmt/format.h>

#include <algorithm>

#include "claims/claim_text.h"
#include "investigate/context/internal/gather.h"
#include "respond/dispatch/paging_status.h"
#include "respond/oncall/icalendar.h"

namespace tocsin::investigate::internal {
namespace {

using claims::Printable;

constexpr size_t kMaxRunbooks = 10;
constexpr size_t kMaxSchedules = 20;

std::string NameOf(const Gather& g, const std::string& person) {
  if (g.sources.dispatch == nullptr) return "";
  const auto& people = g.sources.dispatch->oncall.people;
  const auto at = people.find(person);
  return at == people.end() ? "" : at->second.name;
}

void AddPerson(Gather& g, const std::string& role, const std::string& person, Time until = {}) {
  if (person.empty()) return;
  for (const auto& p : g.pack.people) {
    if (p.role == role && p.person == person) return;
  }
  g.pack.people.push_back({role, person, NameOf(g, person), until});
}

// The schedules of these policies, or all when none pages.
std::set<std::string> Schedules(const Gather& g, const std::vector<respond::PagingStatus>& paging) {
  const auto& config = *g.sources.dispatch;
  std::set<std::string> policies, out;
  for (const auto& p : paging) policies.insert(p.policy);
  if (policies.empty() && !config.incidents.policy.empty()) policies.insert(config.incidents.policy);
  for (const auto& name : policies) {
    const auto policy = config.oncall.policies.find(name);
    if (policy == config.oncall.policies.end()) continue;
    for (const auto& step : policy->second.steps) {
      for (const auto& target : step.targets) {
        if (target.kind == "schedule") out.insert(target.name);
      }
    }
  }
  if (out.empty()) {
    for (const auto& [name, schedule] : config.oncall.schedules) out.insert(name);
  }
  return out;
}

void AddOnCall(Gather& g, const std::vector<respond::PagingStatus>& paging) {
  if (g.sources.dispatch == nullptr) return;
  size_t shown = 0;
  for (const auto& name : Schedules(g, paging)) {
    const auto at = g.sources.dispatch->oncall.schedules.find(name);
    if (at == g.sources.dispatch->oncall.schedules.end() || shown++ == kMaxSchedules) continue;
    const auto who = respond::WhoIsOn(at->second, g.options.now);
    if (who) AddPerson(g, fmt::format("on call ({})", name), who->person, who->until);
  }
}

}  // namespace

Status GatherRunbooks(Gather& g) {
  auto& section = g.Section("runbooks");
  for (const auto& a : g.pack.alerts) {
    if (a.runbook_url.empty() || g.pack.runbooks.size() == kMaxRunbooks) continue;
    const bool known =
        std::ranges::find(g.pack.runbooks, a.runbook_url, &RunbookMatch::url) != g.pack.runbooks.end();
    if (!known) g.pack.runbooks.push_back({"", a.name, Kept(a.runbook_url), "the alert links to it", 1});
  }
  Status status;
  if (g.sources.runbooks != nullptr) {
    auto found = g.sources.runbooks->Candidates(g.pack, kMaxRunbooks);
    if (found) {
      std::ranges::stable_sort(*found, std::ranges::greater{}, &RunbookMatch::score);
      g.pack.runbooks.insert(g.pack.runbooks.begin(), found->begin(), found->end());
    } else {
      status = found.error();
    }
  }
  double weight = 1e3;
  for (const auto& r : g.pack.runbooks) {
    section.lines.push_back(
        {fmt::format("{}{}{}", Printable(r.title, 100), r.url.empty() ? "" : "  " + Printable(r.url, 200),
                     r.why.empty() ? "" : "  (" + Printable(r.why, 100) + ")"),
         std::nullopt, weight--, ""});
  }
  Settle(section, g.options.max_lines);
  return status;
}

Status GatherPeople(Gather& g) {
  AddPerson(g, "has acknowledged it", g.view.acknowledged_by);
  for (const auto& [role, person] : g.view.roles) AddPerson(g, role, person);
  const auto paging = respond::ReadPaging(g.sources.ledger, g.pack.incident.id);
  std::vector<respond::PagingStatus> runs;
  if (paging) runs = *paging;
  for (const auto& run : runs) {
    AddPerson(g, "has acknowledged it", run.acknowledged_by);
    if (!run.paged.empty()) AddPerson(g, "was paged last", run.paged.back());
  }
  AddOnCall(g, runs);
  double weight = 1e3;
  for (const auto& p : g.pack.people) {
    std::string text = fmt::format("{}: {}", p.role, Printable(p.name.empty() ? p.person : p.name, 60));
    if (!p.name.empty() && p.name != p.person) text += fmt::format(" ({})", Printable(p.person, 60));
    if (p.until.known()) text += ", until " + FormatTimeForPeople(p.until);
    g.Section("people").lines.push_back({std::move(text), std::nullopt, weight--, ""});
  }
  Settle(g.Section("people"), g.options.max_lines);
  if (!paging) return paging.error();
  if (g.pack.people.empty() && g.sources.dispatch == nullptr)
    return Status(Code::kNotFound, "no schedule is configured");
  return {};
}

}  // namespace tocsin::investigate::internal
