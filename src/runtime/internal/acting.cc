#include "runtime/internal/acting.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "act/execute/catalogue.h"
#include "act/run/run_state.h"
#include "claims/claim_json.h"
#include "claims/claim_text.h"
#include "respond/json_text.h"

namespace tocsin::runtime::internal {
namespace {

std::vector<act::CheckedClaim> Check(const investigate::InvestigationDesk& desk,
                                     const std::vector<claims::Claim>& claims) {
  std::vector<act::CheckedClaim> out;
  const auto lines = desk.Check(claims);
  for (size_t i = 0; i < lines.size() && i < claims.size(); ++i)
    out.push_back({claims::ClaimIdOf(claims[i]), lines[i].text,
                   std::string(claims::VerdictName(lines[i].verdict.kind)), lines[i].verdict.why});
  return out;
}

}  // namespace

respond::NotificationMessage QuestionMessage(const act::Approval& approval, const std::string& url) {
  respond::NotificationMessage message;
  message.kind = "approval";
  message.incident_id = approval.incident;
  message.title = claims::Printable(approval.title, 200);
  message.lines.push_back("Call: " + claims::Printable(approval.call, 600));
  if (!approval.preview.empty()) message.lines.push_back("Does: " + claims::Printable(approval.preview, 300));
  message.lines.push_back("Undo: " + claims::Printable(approval.inverse, 300));
  for (const std::string& reason : approval.reasons)
    message.lines.push_back("Asks: " + claims::Printable(reason, 200));
  size_t held = 0;
  for (const auto& claim : approval.evidence)
    held += respond::JsonText(claim, "verdict") == "verified" ? 1u : 0u;
  message.lines.push_back(fmt::format("Evidence: {} of {} claims hold", held, approval.evidence.size()));
  message.lines.push_back(
      fmt::format("Proposed by {}{}; needs {}, until {}", claims::Printable(approval.proposed_by, 60),
                  approval.proposed_by_agent ? " (an agent)" : "",
                  approval.needed == 1 ? "one person" : "two people", FormatTimeForPeople(approval.expires)));
  if (!url.empty()) message.links.push_back({"Look at all of it", url + "/approvals/" + approval.id});
  const std::string value = approval.id + " " + approval.call_hash;
  message.buttons = {{"Approve exactly this", "approve", value, "primary"},
                     {"Deny", "deny", value, ""},
                     {"Stop all agents", "kill", "agents", "danger"}};
  return message;
}

Result<std::unique_ptr<act::RunningDesk>> OpenActing(const act::ActSettings& settings,
                                                     const std::string& data, store::Ledger& ledger,
                                                     const ports::Clock& clock,
                                                     const investigate::InvestigationDesk& investigations,
                                                     respond::Dispatcher& dispatcher) {
  TOCSIN_ASSIGN_OR_RETURN(auto executors, act::MakeExecutors(settings.executors, clock, data));
  act::DeskSources sources{ledger, clock, data, {}, {}, {}};
  sources.check = [&investigations](const std::vector<claims::Claim>& claims) {
    return Check(investigations, claims);
  };
  sources.called = [&dispatcher] { dispatcher.Wake(); };
  sources.asked = [&dispatcher](const act::Approval& approval) {
    const Status asked = dispatcher.Ask(approval.id, QuestionMessage(approval, dispatcher.config()->url));
    if (!asked.ok()) spdlog::error("nobody was told that {} waits: {}", approval.id, asked.message());
  };
  return act::RunningDesk::Open(sources, settings, std::move(executors));
}

}  // namespace tocsin::runtime::internal
