// Tools that read runbooks, look at what a run would do, and propose one.
//
// A proposal is not an act: code decides each step, and people answer what needs an approval, elsewhere. A
// client that shows people a question (input_required) is told to send them there; what it answers is only
// that the run should be looked at again.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "act/act_desk.h"
#include "claims/claim_text.h"
#include "surface/mcp/run_answer.h"
#include "surface/mcp/tool_table.h"

namespace tocsin::surface::mcp {
namespace {

using nlohmann::json;

constexpr size_t kMaxListed = 200;
constexpr std::chrono::seconds kMaxDeciding{2};

json RunbookJson(const act::Runbook& runbook, const act::RunbookLibrary& library) {
  json inputs = json::array();
  for (const auto& input : runbook.inputs) {
    inputs.push_back({{"name", input.name},
                      {"about", input.about},
                      {"required", input.required},
                      {"default", input.fallback},
                      {"from", input.from}});
  }
  return {{"id", runbook.id},
          {"title", runbook.title},
          {"about", runbook.about},
          {"owner", runbook.owner},
          {"version", library.VersionOf(runbook.id)},
          {"advise_only", runbook.advise_only},
          {"when",
           {{"kinds", runbook.trigger.kinds},
            {"services", runbook.trigger.services},
            {"surfaces", runbook.trigger.surfaces},
            {"alerts", runbook.trigger.alerts},
            {"words", runbook.trigger.words}}},
          {"inputs", std::move(inputs)}};
}

ToolResult ListRunbooks(const ToolCall& call) {
  if (call.sources.act == nullptr) return ToolFailure(NotConfigured());
  const auto library = call.sources.act->runbooks();
  const std::string words = TextOf(call.arguments, "contains");
  ToolAnswer answer;
  json list = json::array();
  size_t all = 0;
  for (const act::Runbook* runbook : library->All()) {
    if (!words.empty() && runbook->id.find(words) == std::string::npos &&
        runbook->title.find(words) == std::string::npos)
      continue;
    if (++all > kMaxListed) continue;
    list.push_back(RunbookJson(*runbook, *library));
    answer.page += fmt::format("{}: {}\n", runbook->id, runbook->title);
  }
  answer.text = fmt::format("{} runbooks, {} of them listed.", all, list.size());
  answer.data = {{"runbooks", std::move(list)}};
  return answer;
}

ToolResult GetRunbook(const ToolCall& call) {
  if (call.sources.act == nullptr) return ToolFailure(NotConfigured());
  const auto library = call.sources.act->runbooks();
  const act::Runbook* runbook = library->Find(TextOf(call.arguments, "runbook"));
  if (runbook == nullptr) return ToolFailure(Status(Code::kNotFound, "there is no runbook of this id"));
  ToolAnswer answer;
  answer.text = fmt::format("Runbook {}, as its owner wrote it.", runbook->id);
  answer.page = runbook->text;
  answer.data = RunbookJson(*runbook, *library);
  answer.data["text"] = runbook->text;
  return answer;
}

act::ProposedRun Proposal(const json& arguments) {
  act::ProposedRun out;
  out.runbook = TextOf(arguments, "runbook");
  out.incident = TextOf(arguments, "incident");
  out.why = TextOf(arguments, "why");
  out.inputs = arguments.value("inputs", json::object());
  out.evidence = arguments.value("evidence", json::array());
  return out;
}

ToolResult PlanRunbook(const ToolCall& call) {
  if (call.sources.act == nullptr) return ToolFailure(NotConfigured());
  const auto preview = call.sources.act->Look(Proposal(call.arguments), call.caller);
  if (!preview) return ToolFailure(preview.error());
  ToolAnswer answer;
  json steps = json::array();
  size_t refused = 0;
  for (const auto& step : preview->steps) {
    refused += step.decision == "refuse" ? 1u : 0u;
    answer.page += fmt::format("{} [{}] {}\n", step.id, step.decision, step.call);
    if (!step.preview.empty()) answer.page += "    " + step.preview + "\n";
    for (const auto& reason : step.reasons) answer.page += "    " + reason + "\n";
    steps.push_back({{"id", step.id},
                     {"call", step.call},
                     {"preview", step.preview},
                     {"decision", step.decision},
                     {"reasons", step.reasons}});
  }
  answer.text = fmt::format("{} steps if it began now, {} of them refused. Nothing was done or written.",
                            steps.size(), refused);
  answer.data = {{"runbook", preview->plan.runbook},
                 {"version", preview->plan.version},
                 {"title", preview->plan.title},
                 {"steps", std::move(steps)}};
  return answer;
}

// The run of a retry: only one that this caller proposed, of the same runbook. `state` proves nothing.
Result<act::RunView> Again(const ToolCall& call) {
  const Status not_its_own(Code::kInvalidArgument, "'requestState' is of no run that this call proposed");
  if (call.state->size() > 64) return Error(not_its_own);
  auto run = call.sources.act->Run(*call.state);
  if (!run || !run->by_agent || run->by != call.caller.name ||
      run->runbook != TextOf(call.arguments, "runbook"))
    return Error(not_its_own);
  return run;
}

// The engine decides the first steps on its own thread: an answer that says what waits for whom waits for
// that, at most kMaxDeciding.
act::RunView Decided(const act::ActDesk& desk, act::RunView run) {
  const auto undecided = [](const act::RunView& r) {
    return r.state == "running" &&
           std::ranges::all_of(r.steps, [](const act::RunStepView& s) { return s.state == "waiting"; });
  };
  const auto until = std::chrono::steady_clock::now() + kMaxDeciding;
  while (undecided(run) && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    auto again = desk.Run(run.id);
    if (!again) break;
    run = std::move(*again);
  }
  return run;
}

ToolResult ProposeRun(const ToolCall& call) {
  if (call.sources.act == nullptr) return ToolFailure(NotConfigured());
  const auto wait = call.arguments.find("wait");
  const bool must_wait = wait != call.arguments.end() && *wait == true;
  const bool may_wait = wait == call.arguments.end() || must_wait;
  if (must_wait && !call.may_ask_people) {
    if (call.stateless)
      return RpcFail(kMissingCapability, "'wait' needs a client with the capability elicitation",
                     {{"requiredCapabilities", {{"elicitation", json::object()}}}});
    return ToolFailure(
        Status(Code::kFailedPrecondition, "'wait' is of protocol 2026-07-28: leave it out and ask get_run"));
  }
  auto run = call.state ? Again(call) : call.sources.act->Propose(Proposal(call.arguments), call.caller);
  if (!run) {
    if (call.state) return RpcFail(kInvalidParams, run.error().message());
    return ToolFailure(run.error());
  }
  if (!call.state) *run = Decided(*call.sources.act, std::move(*run));
  ToolAnswer answer = RunAnswer(*run);
  const std::string approval = OpenApproval(*run);
  const bool again = !call.state || call.people_accepted;
  if (may_wait && call.may_ask_people && again && !approval.empty()) {
    answer.input_requests = AskToDecideElsewhere(*run, approval);
    answer.state = run->id;
  }
  return answer;
}

json ProposalProperties() {
  return {{"runbook", TextSchema("the runbook's id", 128)},
          {"incident", TextSchema("for which incident, as INC-2K7Q", 64)},
          {"inputs", {{"type", "object"}, {"description", "its inputs by name; see get_runbook"}}},
          {"why", TextSchema("one sentence, shown to people as yours", 500)},
          {"evidence",
           {{"type", "array"},
            {"description", "claims that speak for it (see check_claims); each is run before it is decided"},
            {"maxItems", 20},
            {"items", {{"type", "object"}}}}}};
}

}  // namespace

void AddRunbookTools(std::vector<Tool>& tools) {
  Tool list;
  list.name = "list_runbooks";
  list.title = "List runbooks";
  list.about = "What may be done, written down: every runbook with when it applies and what it needs.";
  list.input_schema = ObjectSchema({{"contains", TextSchema("only those with this in their id or title")}});
  list.run = ListRunbooks;
  tools.push_back(std::move(list));
  Tool get;
  get.name = "get_runbook";
  get.title = "Read a runbook";
  get.about = "One runbook in full: its steps, their tier, reach, expected effect and inverse.";
  get.input_schema = ObjectSchema({{"runbook", TextSchema("its id", 128)}}, {"runbook"});
  get.run = GetRunbook;
  tools.push_back(std::move(get));
  Tool plan;
  plan.name = "plan_runbook";
  plan.title = "Look at what a run would do";
  plan.about =
      "Each step with its exact call and what would be decided about it now: allow, ask, advise or refuse, "
      "with the reasons. Nothing is done or written.";
  plan.input_schema = ObjectSchema(ProposalProperties(), {"runbook"});
  plan.run = PlanRunbook;
  tools.push_back(std::move(plan));
  Tool propose;
  propose.name = "propose_run";
  propose.title = "Propose a run of a runbook";
  propose.about =
      "Proposes a run. Code decides each step within your limits; people approve what needs it, in Tocsin: "
      "you cannot. The answer says what began, what waits and what was refused, and why.";
  json properties = ProposalProperties();
  properties["wait"] = {{"type", "boolean"},
                        {"description",
                         "true: must tell people that it waits for them (needs elicitation); "
                         "false: never; absent: when the client can"}};
  propose.input_schema = ObjectSchema(std::move(properties), {"runbook", "why"});
  propose.read_only = false;
  propose.destructive = true;
  propose.idempotent = false;
  propose.open_world = true;
  propose.run = ProposeRun;
  tools.push_back(std::move(propose));
}

}  // namespace tocsin::surface::mcp
