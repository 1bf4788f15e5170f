#include "act/testing/act_world.h"

#include "act/plan/plan_json.h"
#include "act/run/approval_book.h"
#include "claims/claim_json.h"
#include "claims/claim_text.h"

namespace tocsin::act::testing {
namespace {

using nlohmann::json;

std::string ServiceOf(const claims::Claim& claim) {
  const auto* exists = std::get_if<claims::Exists>(&claim);
  return exists == nullptr ? std::string() : exists->service;
}

}  // namespace

ActWorld::ActWorld(std::string directory, EngineOptions options, bool start)
    : directory_(std::move(directory)) {
  settings = std::make_shared<ActSettings>();
  settings->rules.access.people["ada"] = {"", true, {"*"}};
  settings->rules.access.people["grace"] = {"", true, {"*"}};
  settings->rules.access.people["linus"] = {"", false, {"*"}};
  AgentAccess copilot;
  copilot.ceiling = Tier::kAuto;
  copilot.actions = {"note.*"};
  settings->rules.access.agents["copilot"] = copilot;
  settings->rules.cooldown = Duration::Nanos(0);
  settings->rules.rates.clear();
  settings->workers = 16;
  for (const char* name : {"x", "y", "z"}) settings->rules.inventory.Add("note", name, {0.01, {}, {}, {}});
  for (int i = 0; i < 200; ++i)
    settings->rules.inventory.Add("note", "n" + std::to_string(i), {0.01, {}, {}, {}});
  auto opened = store::OpenSqlite({directory_ + "/ledger.sqlite", false});
  if (!opened) throw std::runtime_error(opened.error().ToString());
  ledger = std::move(*opened);
  auto executor = std::make_unique<NotebookExecutor>(directory_ + "/notebook");
  notes = executor.get();
  executors.Add(std::move(executor));
  kill = std::move(*KillSwitch::Open(*ledger, ports::SystemClock(), directory_ + "/KILL"));
  Runbook runbook;
  runbook.id = "test";
  runbook.last_validated = ports::SystemClock().Now();
  library = RunbookLibrary::Of({runbook});
  options.look = Duration::Millis(10);
  EngineSources sources{*ledger, ports::SystemClock(), executors, *kill, {}, {}, {}, {}, {}};
  sources.settings = [this] { return settings; };
  sources.runbooks = [this] { return library; };
  sources.check = [this](const std::vector<claims::Claim>& claims) {
    std::vector<CheckedClaim> out;
    for (const claims::Claim& claim : claims) {
      const std::string service = ServiceOf(claim);
      CheckedClaim checked{claims::ClaimIdOf(claim), claims::RenderClaim(claim), "refuted", ""};
      std::map<std::string, std::string> last;
      for (const NotebookLine& line : this->notebook()) last[line.name] = line.value;
      for (const auto& [name, value] : last) {
        if (service == "so/" + name + "/" + value) checked.verdict = "verified";
      }
      if (service == "unknown") checked.verdict = "unverifiable";
      out.push_back(checked);
    }
    return out;
  };
  sources.asked = [this](const Approval& approval) {
    const std::lock_guard lock(told_mutex_);
    told_.push_back(approval.id);
  };
  engine = std::move(*Engine::Open(sources, options));
  if (start) engine->Start();
}

ActWorld::~ActWorld() { engine->Stop(); }

Plan ActWorld::PlanOf(std::vector<PlanStep> steps, const std::string& runbook) {
  Plan plan;
  plan.runbook = runbook;
  plan.title = "Test";
  Runbook same;
  same.id = runbook;
  plan.version = RunbookLibrary::Of({same})->VersionOf(runbook);
  plan.steps = std::move(steps);
  return plan;
}

PlanStep ActWorld::Write(const std::string& id, const std::string& name, const std::string& value,
                         std::vector<std::string> after) {
  PlanStep step;
  step.id = id;
  step.title = "Write " + value;
  step.call = {"note.write", {{"name", name}, {"value", value}}, Duration::Seconds(20)};
  step.tier = Tier::kAuto;
  step.targets = {{"note", name}};
  step.inverse =
      CallTemplate{"note.write", {{"name", name}, {"value", "{{ undo.value }}"}}, Duration::Seconds(20)};
  step.after = std::move(after);
  return step;
}

json ActWorld::Proof(const std::string& name, const std::string& value) {
  return {{"kind", "exists"},
          {"of", "logs"},
          {"service", "so/" + name + "/" + value},
          {"where", {{{"field", "body"}, {"contains", "x"}}}},
          {"window", {{"last", "10m"}}}};
}

RunView ActWorld::Begin(Plan plan, const Caller& caller, const std::string& incident) {
  ProposedRun proposal;
  proposal.runbook = plan.runbook;
  proposal.incident = incident;
  proposal.why = "because";
  auto view = engine->Begin(std::move(plan), proposal, caller, {});
  if (!view) throw std::runtime_error(view.error().ToString());
  return *view;
}

RunView ActWorld::Wait(const std::string& id, const std::function<bool(const RunView&)>& is) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (;;) {
    RunView view = *engine->View(id);
    if (is(view) || std::chrono::steady_clock::now() > until) return view;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

RunView ActWorld::WaitOver(const std::string& id) {
  return Wait(id, [](const RunView& view) { return IsOver(view); });
}

RunView ActWorld::WaitState(const std::string& id, const std::string& step, const std::string& state) {
  return Wait(id, [&](const RunView& view) { return StepOf(view, step).state == state; });
}

std::vector<json> ActWorld::Events(const std::string& kind) {
  std::vector<json> bodies;
  uint64_t after = 0;
  for (;;) {
    const auto events = ledger->Events("", after, 1000);
    if (!events || events->empty()) return bodies;
    for (const auto& event : *events) {
      after = event.seq;
      if (event.kind == kind) bodies.push_back(json::parse(event.body_json));
    }
  }
}

Result<Approval> ActWorld::Answer(const std::string& approval, const Caller& caller, bool approve,
                                  const std::string& reason) {
  TOCSIN_ASSIGN_OR_RETURN(const auto shown, ReadApproval(*ledger, approval));
  Approval answered;
  const std::string seen = shown ? shown->call_hash : "";
  const Status status = ledger->Transact([&](store::LedgerTransaction& transaction) -> Status {
    TOCSIN_ASSIGN_OR_RETURN(answered, AnswerApproval(transaction, settings->rules.access, approval, approve,
                                                     seen, reason, caller, ports::SystemClock().Now()));
    return {};
  });
  if (!status.ok()) return Error(status);
  engine->Answered(answered);
  return answered;
}

}  // namespace tocsin::act::testing
