#include "surface/mcp/prompts.h"

#include <fmt/format.h>

#include "act/act_desk.h"
#include "investigate/investigation_desk.h"
#include "surface/mcp/run_answer.h"
#include "surface/mcp/tool_table.h"

namespace tocsin::surface::mcp {
namespace {

using nlohmann::json;

constexpr size_t kMaxShown = 12u << 10;

json UserText(std::string text) {
  return {{"role", "user"}, {"content", {{"type", "text"}, {"text", std::move(text)}}}};
}

// The one argument of a prompt.
RpcResult<std::string> Argument(const json& params, const char* name) {
  const json none = json::object();
  const auto it = params.find("arguments");
  const json& arguments = it == params.end() ? none : *it;
  const Status status = CheckArguments(ObjectSchema({{name, TextSchema("", 64)}}, {name}), arguments);
  if (!status.ok()) return tl::unexpected(ToRpcError(status));
  return TextOf(arguments, name);
}

RpcResult<json> Investigate(const McpSources& sources, const std::string& incident) {
  const auto brief = sources.investigations.Stored(IncidentId{incident});
  if (!brief) return tl::unexpected(ToRpcError(brief.error()));
  std::string text =
      "Investigate the incident named below with Tocsin's tools.\n"
      "1. Read get_incident, get_context and get_brief.\n"
      "2. Say what could have caused it, and what speaks against each cause.\n"
      "3. Put every statement with a number, a time or a cause into a claim and run it with check_claims. "
      "State "
      "only what was verified; say what was refuted.\n"
      "4. If a runbook fits (list_runbooks), look at it with plan_runbook before you propose it. People "
      "approve; you do not.\n";
  text += std::string(kDataRule) + "\n\nThe incident:\n" + MarkedAsData(incident, 64);
  if (*brief) text += "\n\nIts newest brief:\n" + MarkedAsData(investigate::RenderBrief(**brief), kMaxShown);
  return json{{"description", "Investigate an incident, every statement run as a claim"},
              {"messages", json::array({UserText(std::move(text))})}};
}

RpcResult<json> Review(const McpSources& sources, const std::string& id) {
  if (sources.act == nullptr) return tl::unexpected(ToRpcError(NotConfigured()));
  const auto run = sources.act->Run(id);
  if (!run) return tl::unexpected(ToRpcError(run.error()));
  std::string text =
      "Review the run of a runbook below for a person who must decide about it or learn from it.\n"
      "Say what was proposed and by whom, what each step did or would do, what was refused and why, whether "
      "the effect was proven by a claim, and what is still open. Run with check_claims what you doubt. You "
      "cannot approve, undo or settle anything.\n";
  text += std::string(kDataRule) + "\n\n" + MarkedAsData(act::RenderRun(*run), kMaxShown);
  return json{{"description", "Review a run of a runbook"},
              {"messages", json::array({UserText(std::move(text))})}};
}

json Prompt(const char* name, const char* title, const char* about, const char* argument, const char* what) {
  return {{"name", name},
          {"title", title},
          {"description", about},
          {"arguments", json::array({{{"name", argument}, {"description", what}, {"required", true}}})}};
}

}  // namespace

json ListPrompts() {
  return json::array(
      {Prompt("investigate_incident", "Investigate an incident",
              "Find out what caused an incident, every statement run as a claim", "incident",
              "its id, as in INC-2K7Q"),
       Prompt("review_run", "Review a run", "What a run of a runbook did, and what is still open", "run",
              "its id, as in RUN-7K2Q")});
}

RpcResult<json> GetPrompt(const McpSources& sources, const json& params) {
  const std::string name = TextOf(params, "name");
  if (name == "investigate_incident") {
    const auto incident = Argument(params, "incident");
    return incident ? Investigate(sources, *incident) : tl::unexpected(incident.error());
  }
  if (name == "review_run") {
    const auto run = Argument(params, "run");
    return run ? Review(sources, *run) : tl::unexpected(run.error());
  }
  return RpcFail(kInvalidParams, "there is no such prompt");
}

}  // namespace tocsin::surface::mcp
