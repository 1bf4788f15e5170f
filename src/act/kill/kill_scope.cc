#include "act/kill/kill_switch.h"

#include "claims/claim_text.h"

namespace tocsin::act {
namespace {
constexpr size_t kMostName = 128;
bool TakesName(std::string_view kind) {
  return kind == "agent" || kind == "runbook" || kind == "action" || kind == "incident";
}
}  // namespace

std::string KillScope::ToText() const { return name.empty() ? kind : kind + ":" + name; }

Result<KillScope> ParseKillScope(std::string_view text) {
  if (text == "all" || text == "agents") return KillScope{std::string(text), ""};
  const size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string_view name = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (!TakesName(kind) || name.empty() || name.size() > kMostName ||
      claims::Printable(name, kMostName) != name)
    return Error(Code::kInvalidArgument,
                 "'" + claims::Printable(text, 60) +
                     "' is no scope: all, agents, agent:NAME, runbook:ID, action:NAME or incident:ID");
  return KillScope{std::string(kind), std::string(name)};
}

nlohmann::json KillStateToJson(const KillState& state) {
  return {{"scope", state.scope.ToText()}, {"engaged", state.engaged}, {"by", state.by},
          {"reason", state.reason},        {"by_file", state.by_file}, {"at", FormatTime(state.at)}};
}

bool Covers(const KillScope& scope, const KillSubject& subject) {
  if (scope.kind == "all") return true;
  if (scope.kind == "agents") return !subject.agent.empty();
  if (scope.kind == "agent") return subject.agent == scope.name;
  if (scope.kind == "runbook") return subject.runbook == scope.name;
  if (scope.kind == "incident") return subject.incident == scope.name;
  return scope.kind == "action" && subject.action == scope.name;
}

}  // namespace tocsin::act
