// Tools that read runs, approvals and the trust record, and the two that stop: stop_run and kill. Anybody may
// stop; going on again is a person's, elsewhere.
#include <fmt/format.h>

#include <algorithm>

#include "act/act_desk.h"
#include "claims/claim_text.h"
#include "surface/mcp/run_answer.h"
#include "surface/mcp/tool_table.h"

namespace tocsin::surface::mcp {

using nlohmann::json;

Status NotConfigured() {
  return Status(
      Code::kFailedPrecondition,
      "acting is not configured here: there are no runbooks, runs or approvals; incidents, briefs and "
      "claims can be read");
}

std::string OpenApproval(const act::RunView& run) {
  const auto asking = std::ranges::find_if(
      run.steps, [](const act::RunStepView& s) { return s.state == "asking" && !s.approval.empty(); });
  return asking == run.steps.end() ? "" : asking->approval;
}

ToolAnswer RunAnswer(const act::RunView& run) {
  ToolAnswer answer;
  answer.text = fmt::format("Run {} is {}.", run.id, run.state);
  if (const std::string approval = OpenApproval(run); !approval.empty()) {
    answer.text += fmt::format(
        " It waits for approval {}: a person answers it in Tocsin, on the run's page, with the tocsin "
        "command "
        "or in Slack. You cannot approve it, and no tool can. Ask get_run later.",
        approval);
  }
  answer.page = act::RenderRun(run);
  answer.data = act::RunToJson(run);
  return answer;
}

json AskToDecideElsewhere(const act::RunView& run, const std::string& approval) {
  const std::string message = fmt::format(
      "Run {} waits for approval {}. A person must decide it in Tocsin itself: on the run's page, with the "
      "tocsin command, or in Slack. Nothing you answer here approves it; accept only looks at the run again.",
      run.id, approval);
  json schema{{"type", "object"},
              {"properties",
               {{"look_again",
                 {{"type", "boolean"},
                  {"title", "It was decided in Tocsin: look again"},
                  {"description", "Approves nothing."},
                  {"default", true}}}}}};
  return {{"decided_in_tocsin",
           {{"method", "elicitation/create"},
            {"params", {{"mode", "form"}, {"message", message}, {"requestedSchema", std::move(schema)}}}}}};
}

namespace {

ToolResult GetRun(const ToolCall& call) {
  if (call.sources.act == nullptr) return ToolFailure(NotConfigured());
  const auto run = call.sources.act->Run(TextOf(call.arguments, "run"));
  return run ? RunAnswer(*run) : ToolFailure(run.error());
}

ToolResult ListRuns(const ToolCall& call) {
  if (call.sources.act == nullptr) return ToolFailure(NotConfigured());
  act::RunFilter filter;
  filter.incident = TextOf(call.arguments, "incident");
  filter.runbook = TextOf(call.arguments, "runbook");
  filter.state = TextOf(call.arguments, "state");
  filter.limit = static_cast<size_t>(CountOf(call.arguments, "limit", 20));
  const auto runs = call.sources.act->Runs(filter);
  if (!runs) return ToolFailure(runs.error());
  ToolAnswer answer;
  json list = json::array();
  for (const auto& run : *runs) {
    list.push_back({{"id", run.id},
                    {"runbook", run.runbook},
                    {"incident", run.incident},
                    {"state", run.state},
                    {"what", run.what},
                    {"by", run.by},
                    {"by_agent", run.by_agent},
                    {"began", FormatTime(run.began)}});
    answer.page += fmt::format("{} {} {}: {}\n", run.id, run.runbook, run.state, run.what);
  }
  answer.text = fmt::format("{} runs, newest first.", list.size());
  answer.data = {{"runs", std::move(list)}};
  return answer;
}

ToolResult StopRun(const ToolCall& call) {
  if (call.sources.act == nullptr) return ToolFailure(NotConfigured());
  const auto run =
      call.sources.act->Stop(TextOf(call.arguments, "run"), TextOf(call.arguments, "reason"), call.caller);
  return run ? RunAnswer(*run) : ToolFailure(run.error());
}

ToolResult ListApprovals(const ToolCall& call) {
  if (call.sources.act == nullptr) return ToolFailure(NotConfigured());
  const auto open_only = call.arguments.find("open_only");
  const auto approvals = call.sources.act->Approvals(open_only == call.arguments.end() || *open_only == true);
  if (!approvals) return ToolFailure(approvals.error());
  ToolAnswer answer;
  json list = json::array();
  const auto most = static_cast<size_t>(CountOf(call.arguments, "limit", 50));
  for (const auto& approval : *approvals) {
    if (list.size() >= most) break;
    json one = act::ApprovalToJson(approval);
    one.erase("call_hash");  // what a person answers with
    answer.page += fmt::format("{} {} of {}: {}\n", approval.id, approval.state, approval.run, approval.call);
    list.push_back(std::move(one));
  }
  answer.text = fmt::format("{} approvals. People answer them in Tocsin; no tool can.", list.size());
  answer.data = {{"approvals", std::move(list)}};
  return answer;
}

ToolResult Kill(const ToolCall& call) {
  if (call.sources.act == nullptr) return ToolFailure(NotConfigured());
  const auto scope = act::ParseKillScope(TextOf(call.arguments, "scope"));
  if (!scope) return ToolFailure(scope.error());
  const auto state = call.sources.act->Kill(*scope, TextOf(call.arguments, "reason"), call.caller);
  if (!state) return ToolFailure(state.error());
  ToolAnswer answer;
  answer.text = fmt::format("The kill switch is on for {}. Only a person can release it, in Tocsin.",
                            claims::Printable(state->scope.ToText(), 120));
  answer.data = {{"scope", state->scope.ToText()},
                 {"engaged", state->engaged},
                 {"by", state->by},
                 {"at", FormatTime(state->at)}};
  return answer;
}

ToolResult GetTrust(const ToolCall& call) {
  if (call.sources.act == nullptr) return ToolFailure(NotConfigured());
  const std::string agent = TextOf(call.arguments, "agent");
  const auto records = call.sources.act->Trust();
  if (!records) return ToolFailure(records.error());
  ToolAnswer answer;
  json list = json::array();
  for (const auto& record : *records) {
    if (!agent.empty() && record.agent != agent) continue;
    answer.page += fmt::format("{} {}: at most {} ({})\n", record.agent, record.action_class,
                               act::TierName(record.ceiling), record.why);
    list.push_back(act::TrustToJson(record));
  }
  answer.text = fmt::format("{} records.", list.size());
  answer.data = {{"records", std::move(list)}};
  return answer;
}

Tool Make(const char* name, const char* title, const char* about, json schema,
          ToolResult (*run)(const ToolCall&)) {
  Tool tool;
  tool.name = name;
  tool.title = title;
  tool.about = about;
  tool.input_schema = std::move(schema);
  tool.run = run;
  return tool;
}

Tool Stops(Tool tool) {
  tool.read_only = false;
  tool.destructive = true;  // what runs is cut off
  tool.open_world = true;
  return tool;
}

}  // namespace

void AddRunTools(std::vector<Tool>& tools) {
  const json run = TextSchema("the run's id, as RUN-7K2Q", 64);
  const json reason = TextSchema("one sentence, kept on the audit chain", 500);
  tools.push_back(Make("get_run", "Read a run", "One run: each step's state, what happened, what waits.",
                       ObjectSchema({{"run", run}}, {"run"}), GetRun));
  tools.push_back(Make("list_runs", "List runs", "Runs, newest first.",
                       ObjectSchema({{"incident", TextSchema("only of this incident", 64)},
                                     {"runbook", TextSchema("only of this runbook", 128)},
                                     {"state", TextSchema("one state, or 'active'", 32)},
                                     {"limit", CountSchema("at most so many; 20 when absent", 1, 100)}}),
                       ListRuns));
  tools.push_back(Stops(Make("stop_run", "Stop a run",
                             "No further step begins, what runs is cut off. Nothing is undone: that is a "
                             "person's.",
                             ObjectSchema({{"run", run}, {"reason", reason}}, {"run", "reason"}), StopRun)));
  tools.push_back(
      Make("list_approvals", "List approvals",
           "Questions to people about steps, and how they were answered. Read only: you cannot "
           "answer one.",
           ObjectSchema({{"open_only", {{"type", "boolean"}, {"description", "true when absent"}}},
                         {"limit", CountSchema("at most so many; 50 when absent", 1, 100)}}),
           ListApprovals));
  tools.push_back(Stops(Make(
      "kill", "Throw the kill switch",
      "Nothing in the scope has any further effect, and what runs is cut off. Only a person releases it.",
      ObjectSchema({{"scope", TextSchema("all, agents, agent:NAME, runbook:ID, action:NAME or incident:ID")},
                    {"reason", reason}},
                   {"scope", "reason"}),
      Kill)));
  tools.push_back(Make("get_trust", "Read the trust record",
                       "How often what agents claimed held and what they did helped, and what that allows.",
                       ObjectSchema({{"agent", TextSchema("only of this agent", 128)}}), GetTrust));
}

}  // namespace tocsin::surface::mcp
