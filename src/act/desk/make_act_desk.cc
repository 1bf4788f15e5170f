#include "act/desk/make_act_desk.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>
#include <set>
#include <thread>

#include "act/execute/drill_executor.h"
#include "act/run/approval_book.h"
#include "act/run/step_call.h"
#include "act/runbook/lint.h"
#include "act/trust/trust_book.h"
#include "claims/claim_json.h"
#include "claims/claim_text.h"
#include "respond/json_text.h"
#include "respond/timeline.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
constexpr size_t kMaxEvidence = 20;
constexpr size_t kMaxWhy = 500;
constexpr const char* kDrills = "kill_drills";
constexpr Duration kAround = Duration::Hours(1);  // evidence about an incident looks at its time

double Quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::min(sorted.size(), std::max<size_t>(rank, 1)) - 1];
}

class TheDesk final : public RunningDesk {
 public:
  TheDesk(const DeskSources& sources, const ActSettings& settings,
          std::unique_ptr<ExecutorDirectory> executors)
      : sources_(sources),
        executors_(std::move(executors)),
        settings_(std::make_shared<const ActSettings>(settings)) {}
  ~TheDesk() override { Close(); }

  Status Prepare(const EngineOptions& options) {
    TOCSIN_RETURN_IF_ERROR(ReadRunbooks(*settings_));
    auto drill = std::make_unique<DrillExecutor>(sources_.clock);
    drill_ = drill.get();
    executors_->Add(std::move(drill));
    TOCSIN_ASSIGN_OR_RETURN(
        kill_, KillSwitch::Open(sources_.ledger, sources_.clock, sources_.data_directory + "/KILL"));
    EngineSources engine{sources_.ledger, sources_.clock, *executors_, *kill_, {}, {}, {}, {}, {}};
    engine.settings = [this] { return settings(); };
    engine.runbooks = [this] { return runbooks(); };
    engine.check = sources_.check;
    engine.called = sources_.called;
    engine.asked = sources_.asked;
    TOCSIN_ASSIGN_OR_RETURN(engine_, Engine::Open(engine, options));
    return {};
  }

  void Start() override { engine_->Start(); }
  void Close() override {
    if (engine_) engine_->Stop();
  }

  Status Configure(const ActSettings& next) override {
    TOCSIN_RETURN_IF_ERROR(ReadRunbooks(next));
    const std::lock_guard lock(mutex_);
    settings_ = std::make_shared<const ActSettings>(next);
    return {};
  }

  Result<Caller> Authenticate(std::string_view token) const override {
    return act::Authenticate(settings()->rules.access, token);
  }
  std::shared_ptr<const RunbookLibrary> runbooks() const override {
    const std::lock_guard lock(mutex_);
    return runbooks_;
  }

  Result<RunPreview> Look(const ProposedRun& proposal, const Caller& caller) override {
    TOCSIN_ASSIGN_OR_RETURN(Plan plan, PlanFor(proposal, caller));
    TOCSIN_ASSIGN_OR_RETURN(const auto evidence, Evidence(proposal));
    RunState run;
    run.id = "RUN-preview";
    run.incident = proposal.incident;
    run.by = caller.name;
    run.by_agent = !caller.person;
    run.evidence_held = Held(evidence);
    run.plan = std::make_shared<const Plan>(std::move(plan));
    for (const PlanStep& step : run.plan->steps) run.steps[step.id] = {};
    TOCSIN_ASSIGN_OR_RETURN(const auto incident, Incident(proposal.incident));
    RunPreview preview;
    for (const PlanStep& step : run.plan->steps) {
      if (!step.manual && step.call.action.empty()) continue;
      preview.steps.push_back(LookAt(run, step, incident));
    }
    preview.plan = *run.plan;
    return preview;
  }

  Result<RunView> Propose(const ProposedRun& proposal, const Caller& caller) override {
    auto run = Begin(proposal, caller);
    // What an agent tried is on the chain, also when it was too wrong to become a run.
    if (!run && !caller.person) RecordRefused(proposal, caller, run.error().message());
    return run;
  }

  Result<RunView> Run(const std::string& id) const override { return engine_->View(id); }
  Result<std::vector<RunView>> Runs(const RunFilter& filter) const override { return engine_->List(filter); }
  Result<RunView> Stop(const std::string& run, const std::string& reason, const Caller& caller) override {
    return engine_->StopRun(run, reason, caller);
  }
  Result<RunView> Undo(const std::string& run, const std::string& reason, const Caller& caller) override {
    return engine_->Undo(run, reason, caller);
  }
  Result<RunView> Settle(const std::string& run, const std::string& step, const std::string& outcome,
                         const std::string& note, const Caller& caller) override {
    return engine_->Settle(run, step, outcome, note, caller);
  }

  Result<std::vector<Approval>> Approvals(bool open_only) const override {
    return ReadApprovals(sources_.ledger, open_only);
  }
  Result<Approval> FindApproval(const std::string& id) const override {
    TOCSIN_ASSIGN_OR_RETURN(auto approval, ReadApproval(sources_.ledger, id));
    if (!approval) return Error(Code::kNotFound, "there is no approval " + claims::Printable(id, 40));
    return *approval;
  }

  Result<Approval> Answer(const std::string& approval, bool approve, const std::string& seen,
                          const std::string& reason, const Caller& caller) override {
    Approval answered;
    const auto rules = settings();
    const Status status = sources_.ledger.Transact([&](store::LedgerTransaction& transaction) -> Status {
      TOCSIN_ASSIGN_OR_RETURN(answered, AnswerApproval(transaction, rules->rules.access, approval, approve,
                                                       seen, reason, caller, sources_.clock.Now()));
      return respond::AppendEvent(transaction, approve ? "run.approved" : "run.denied",
                                  answered.incident.empty() ? answered.run : answered.incident, caller.name,
                                  {{"approval", answered.id},
                                   {"run", answered.run},
                                   {"step", answered.step},
                                   {"hash", answered.call_hash},
                                   {"via", caller.via},
                                   {"reason", claims::Printable(reason, 500)}},
                                  sources_.clock.Now());
    });
    if (!status.ok()) {
      if (status.code() == Code::kPermissionDenied) RecordRefusedAnswer(approval, caller, status.message());
      return Error(status);
    }
    engine_->Answered(answered);
    return answered;
  }

  Result<KillState> Kill(const KillScope& scope, const std::string& reason, const Caller& caller) override {
    return kill_->Engage(scope, reason, caller);
  }
  Result<KillState> Release(const KillScope& scope, const std::string& reason,
                            const Caller& caller) override {
    return kill_->Release(scope, reason, caller);
  }
  std::vector<KillState> Killed() const override { return kill_->Engaged(); }

  Result<KillDrill> DrillKill(int steps, const Caller& caller) override {
    if (!caller.person) return Error(Code::kPermissionDenied, "a person holds a drill");
    const int most = std::min<int>(static_cast<int>(kMaxPlanSteps), settings()->workers);
    if (steps < 1 || steps > most)
      return Error(Code::kInvalidArgument, fmt::format("steps is 1 to {}, as many as may run at once", most));
    const std::unique_lock one(drilling_, std::try_to_lock);
    if (!one.owns_lock()) return Error(Code::kFailedPrecondition, "a drill is under way");
    Plan plan;
    plan.runbook = kDrillRunbook;
    plan.title = "Drill of the kill switch";
    for (int i = 0; i < steps; ++i) {
      PlanStep step;
      step.id = fmt::format("hold-{}", i + 1);
      step.call = {"drill.hold", json::object(), Duration::Minutes(1)};
      step.tier = Tier::kObserve;
      plan.steps.push_back(std::move(step));
    }
    ProposedRun proposal;
    proposal.runbook = kDrillRunbook;
    TOCSIN_ASSIGN_OR_RETURN(const RunView run, engine_->Begin(std::move(plan), proposal, caller, {}));
    return Measure(run.id, steps, caller);
  }

  Result<std::vector<KillDrill>> KillDrills() const override {
    store::DocumentFilter filter;
    filter.collection = kDrills;
    TOCSIN_ASSIGN_OR_RETURN(const auto documents, sources_.ledger.FindDocuments(filter));
    std::vector<KillDrill> drills;
    for (const auto& document : documents) {
      const json j = json::parse(document.body_json, nullptr, false);
      if (!j.is_object()) continue;
      TOCSIN_ASSIGN_OR_RETURN(const Time at, ParseTime(j.value("at", "")));
      drills.push_back({at, j.value("by", ""), j.value("steps", 0), j.value("cut", 0), j.value("p50_ms", 0.0),
                        j.value("p99_ms", 0.0), j.value("max_ms", 0.0)});
    }
    std::sort(drills.begin(), drills.end(), [](const auto& a, const auto& b) { return a.at > b.at; });
    return drills;
  }

  Result<std::vector<TrustRecord>> Trust() const override { return ReadAllTrust(sources_.ledger); }
  Result<TrustRecord> SetTrust(const std::string& agent, const std::string& action_class, Tier tier,
                               const std::string& reason, const Caller& caller) override {
    if (!settings()->rules.access.agents.contains(agent))
      return Error(Code::kNotFound, "no agent '" + claims::Printable(agent, 60) + "' is configured");
    return act::SetTrust(sources_.ledger, agent, action_class, tier, reason, caller, sources_.clock.Now());
  }

 private:
  std::shared_ptr<const ActSettings> settings() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

  Status ReadRunbooks(const ActSettings& settings) {
    std::shared_ptr<const RunbookLibrary> library;
    if (!settings.runbooks.empty()) {
      TOCSIN_ASSIGN_OR_RETURN(library, RunbookLibrary::Read(settings.runbooks));
      for (const Status& problem : library->problems()) spdlog::warn("{}", problem.message());
    }
    const std::lock_guard lock(mutex_);
    runbooks_ = std::move(library);
    return {};
  }

  Result<std::optional<signal::Incident>> Incident(const std::string& id) const {
    if (id.empty()) return std::optional<signal::Incident>();
    TOCSIN_ASSIGN_OR_RETURN(auto incident, sources_.ledger.FindIncident(IncidentId{id}));
    if (!incident) return Error(Code::kNotFound, "there is no incident " + claims::Printable(id, 40));
    return incident;
  }

  Result<RunView> Begin(const ProposedRun& proposal, const Caller& caller) {
    if (proposal.why.size() > kMaxWhy) return Error(Code::kInvalidArgument, "why has more than 500 bytes");
    const KillSubject subject{caller.person ? "" : caller.name, proposal.runbook, "", proposal.incident};
    if (const auto killed = caller.person ? std::nullopt : kill_->Blocks(subject, true); killed)
      return Error(Code::kFailedPrecondition,
                   fmt::format("the kill switch '{}' is on, by {}: {}", killed->scope.ToText(), killed->by,
                               killed->reason));
    TOCSIN_ASSIGN_OR_RETURN(Plan plan, PlanFor(proposal, caller));
    TOCSIN_ASSIGN_OR_RETURN(const auto evidence, Evidence(proposal));
    return engine_->Begin(std::move(plan), proposal, caller, evidence);
  }

  // The runbook made flat, with inputs that the incident fills in.
  Result<Plan> PlanFor(const ProposedRun& proposal, const Caller& caller) const {
    const auto library = runbooks();
    if (!library)
      return Error(Code::kFailedPrecondition, "no runbooks are configured: set act.runbooks in tocsin.yaml");
    const Runbook* runbook = library->Find(proposal.runbook);
    if (runbook == nullptr) {
      const auto& problems = library->problems();
      return Error(Code::kNotFound,
                   "there is no runbook '" + claims::Printable(proposal.runbook, 60) + "'" +
                       (problems.empty() ? "" : "; some cannot be read: " + problems.front().message()));
    }
    TOCSIN_ASSIGN_OR_RETURN(const auto incident, Incident(proposal.incident));
    json inputs = proposal.inputs;
    if (!inputs.is_object())
      return Error(Code::kInvalidArgument, "inputs is not an object of names and values");
    std::set<std::string> untrusted(proposal.from_telemetry.begin(), proposal.from_telemetry.end());
    for (const RunbookInput& input : runbook->inputs) {
      if (inputs.contains(input.name) || !input.from.starts_with("incident.") || !incident) continue;
      RunState none;
      none.plan = std::make_shared<const Plan>();
      const auto value = LookupFor({none, incident})(input.from);
      if (!value || value->json == "") continue;
      inputs[input.name] = value->json;
      untrusted.insert(input.name);
    }
    const auto origin = [&](std::string_view input) {
      if (!caller.person) return Origin::kAgent;
      return untrusted.contains(std::string(input)) ? Origin::kTelemetry : Origin::kPerson;
    };
    TOCSIN_ASSIGN_OR_RETURN(Plan plan, library->MakePlan(proposal.runbook, inputs, origin));
    FillInverses(plan, executors_->Specs());
    return plan;
  }

  // The proposer's claims, run. Only those about the incident count as evidence.
  Result<std::vector<CheckedClaim>> Evidence(const ProposedRun& proposal) const {
    if (proposal.evidence.is_null() || proposal.evidence.empty()) return std::vector<CheckedClaim>();
    TOCSIN_ASSIGN_OR_RETURN(const auto claims, claims::ReadClaims(proposal.evidence));
    if (claims.size() > kMaxEvidence)
      return Error(Code::kOutOfRange,
                   fmt::format("evidence has {} claims, at most {}", claims.size(), kMaxEvidence));
    TOCSIN_ASSIGN_OR_RETURN(const auto incident, Incident(proposal.incident));
    std::vector<CheckedClaim> checked = sources_.check(claims);
    for (size_t i = 0; i < checked.size() && i < claims.size(); ++i) {
      if (!incident || !checked[i].held()) continue;
      if (!IsAbout(claims::WriteClaim(claims[i]), *incident)) {
        checked[i].verdict = "beside";
        checked[i].why = "it holds, but is not about " + incident->id.value;
      }
    }
    return checked;
  }

  // Its service is the incident's, and its window reaches into the incident's time.
  bool IsAbout(const nlohmann::ordered_json& claim, const signal::Incident& incident) const {
    if (claim.value("incident", "") == incident.id.value) return true;
    std::string service = claim.value("service", "");
    if (claim.contains("measure") && claim["measure"].is_object())
      service = claim["measure"].value("service", "");
    if (!incident.service.empty() && service != incident.service) return false;
    if (!claim.contains("window") || !claim["window"].is_object()) return false;
    const auto to = ParseTime(claim["window"].value("to", ""));
    const Time onset = incident.onset.known() ? incident.onset : incident.opened;
    return to && *to > onset - kAround;
  }

  static int Held(const std::vector<CheckedClaim>& evidence) {
    std::set<std::string> held;
    for (const CheckedClaim& claim : evidence) {
      if (claim.held()) held.insert(claim.id);
    }
    return static_cast<int>(held.size());
  }

  RunPreview::Step LookAt(const RunState& run, const PlanStep& step,
                          const std::optional<signal::Incident>& incident) {
    RunPreview::Step out;
    out.id = step.id;
    if (step.manual) {
      out.call = "a person: " + InstructionsOf(step, {run, incident});
      out.decision = "manual";
      return out;
    }
    Executor* executor = executors_->Find(step.call.action);
    const auto call = ResolveStep(step, {run, incident});
    if (!call) {
      out.call = step.call.action;
      out.decision = call.error().code() == Code::kNotFound ? "later" : "refuse";
      out.reasons = {call.error().message()};
      return out;
    }
    out.call = CallText(call->call);
    Decision decision = engine_->DecideNow(run, step, *call, {});
    if (decision.verdict != Decision::Verdict::kRefuse && executor != nullptr) {
      const ExecutorCall real{call->call.action, call->call.with, "preview", Duration::Seconds(10)};
      if (const Status checked = executor->Check(real); !checked.ok()) {
        out.decision = "refuse";
        out.reasons = {checked.message()};
        return out;
      }
      const auto preview = executor->Look(real, {});
      out.preview = preview ? preview->text : "cannot be looked at: " + preview.error().message();
      if (preview) {
        std::map<Target, TargetFacts> seen;
        for (const Target& target : call->targets) seen[target] = preview->facts;
        decision = engine_->DecideNow(run, step, *call, seen);
      }
    }
    out.decision = VerdictName(decision.verdict);
    for (const PolicyReason& reason : decision.reasons) out.reasons.push_back(reason.text);
    return out;
  }

  void RecordRefused(const ProposedRun& proposal, const Caller& caller, const std::string& why) {
    const Status status = sources_.ledger.Transact([&](store::LedgerTransaction& transaction) -> Status {
      TOCSIN_RETURN_IF_ERROR(
          NoteTrust(transaction, caller.name, "proposals", {.refused = 1}, sources_.clock.Now()));
      return respond::AppendEvent(transaction, "run.refused", "agent:" + caller.name, caller.name,
                                  {{"runbook", claims::Printable(proposal.runbook, 100)},
                                   {"incident", claims::Printable(proposal.incident, 40)},
                                   {"inputs", claims::Printable(respond::DumpJson(proposal.inputs), 1000)},
                                   {"what", claims::Printable(why, 500)}},
                                  sources_.clock.Now());
    });
    if (!status.ok()) spdlog::error("a refusal is not on the chain: {}", status.message());
  }

  void RecordRefusedAnswer(const std::string& approval, const Caller& caller, const std::string& why) {
    const Status status = sources_.ledger.Transact([&](store::LedgerTransaction& transaction) -> Status {
      return respond::AppendEvent(transaction, "run.answer_refused", claims::Printable(approval, 40),
                                  caller.name, {{"what", claims::Printable(why, 500)}, {"via", caller.via}},
                                  sources_.clock.Now());
    });
    if (!status.ok()) spdlog::error("a refusal is not on the chain: {}", status.message());
  }

  Result<KillDrill> Measure(const std::string& run, int steps, const Caller& caller) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (drill_->holding(run) < steps && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const int holding = drill_->holding(run);
    const KillScope scope{"runbook", kDrillRunbook};
    const Time begun = sources_.clock.Monotonic();
    TOCSIN_ASSIGN_OR_RETURN(const KillState engaged, kill_->Engage(scope, "a drill", caller));
    const auto minute = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (drill_->holding(run) > 0 && std::chrono::steady_clock::now() < minute)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    TOCSIN_ASSIGN_OR_RETURN(const KillState released, kill_->Release(scope, "the drill is over", caller));
    (void)engaged, (void)released;
    std::vector<double> times;
    for (const Time end : drill_->TakeEnds(run)) times.push_back((end - begun).seconds() * 1000);
    std::sort(times.begin(), times.end());
    KillDrill drill{sources_.clock.Now(),
                    caller.name,
                    holding,
                    static_cast<int>(times.size()),
                    Quantile(times, 0.5),
                    Quantile(times, 0.99),
                    times.empty() ? 0 : times.back()};
    TOCSIN_RETURN_IF_ERROR(sources_.ledger.Transact([&](store::LedgerTransaction& transaction) -> Status {
      const Status put =
          transaction.PutDocument({kDrills, run, {}, respond::DumpJson(KillDrillToJson(drill))});
      if (!put.ok()) return put;
      return respond::AppendEvent(transaction, "kill.drill", "kill-switch", caller.name,
                                  KillDrillToJson(drill), drill.at);
    }));
    return drill;
  }

  const DeskSources sources_;
  std::unique_ptr<ExecutorDirectory> executors_;
  DrillExecutor* drill_ = nullptr;
  mutable std::mutex mutex_;
  std::shared_ptr<const ActSettings> settings_;
  std::shared_ptr<const RunbookLibrary> runbooks_;
  std::unique_ptr<KillSwitch> kill_;
  std::unique_ptr<Engine> engine_;
  std::mutex drilling_;
};

}  // namespace

json KillDrillToJson(const KillDrill& drill) {
  return {{"at", FormatTime(drill.at)}, {"by", drill.by},         {"steps", drill.steps},  {"cut", drill.cut},
          {"p50_ms", drill.p50_ms},     {"p99_ms", drill.p99_ms}, {"max_ms", drill.max_ms}};
}

Result<std::unique_ptr<RunningDesk>> RunningDesk::Open(const DeskSources& sources,
                                                       const ActSettings& settings,
                                                       std::unique_ptr<ExecutorDirectory> executors,
                                                       const EngineOptions& options) {
  auto desk = std::make_unique<TheDesk>(sources, settings, std::move(executors));
  TOCSIN_RETURN_IF_ERROR(desk->Prepare(options));
  return desk;
}

}  // namespace tocsin::act
