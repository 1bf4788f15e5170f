#include "act/run/engine.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "act/plan/plan_json.h"
#include "act/run/internal/engine_core.h"
#include "act/run/internal/next_steps.h"
#include "act/trust/trust_book.h"
#include "claims/claim_text.h"
#include "respond/json_text.h"

namespace tocsin::act {
namespace {

using internal::ActiveRun;
using internal::EngineCore;
using internal::NextOf;
using internal::NextSteps;
using internal::RunEvent;
using internal::RunPointer;
using nlohmann::json;

constexpr Duration kPruneEvery = Duration::Minutes(10);
constexpr auto kGrace = std::chrono::seconds(5);  // for effects under way when the process ends

class TheEngine final : public Engine {
 public:
  TheEngine(const EngineSources& sources, const EngineOptions& options) : core_(sources, options) {
    watching_->engine = this;
  }
  ~TheEngine() override {
    Stop();
    const std::lock_guard lock(watching_->mutex);
    watching_->engine = nullptr;
  }

  Status Restore() {
    TOCSIN_RETURN_IF_ERROR(core_.log.Restore(core_.sources.ledger, core_.Now()));
    store::DocumentFilter filter;
    filter.collection = "runs";
    filter.due_until = Time{INT64_MAX};
    filter.limit = 10'000;
    TOCSIN_ASSIGN_OR_RETURN(const auto documents, core_.sources.ledger.FindDocuments(filter));
    for (const store::Document& document : documents) {
      TOCSIN_ASSIGN_OR_RETURN(RunState state, ReadRun(document));
      auto run = std::make_shared<ActiveRun>();
      run->state = std::move(state);
      for (const auto& [id, step] : run->state.steps) {
        if (step.state == "asking") run->woken.insert(id);
        const auto& committed = step.state == "undoing" ? step.undo : step.effect;
        if ((step.state == "running" || step.state == "undoing") && committed && !committed->receipt)
          recover_.emplace_back(run, id);
      }
      core_.runs.emplace(run->state.id, std::move(run));
    }
    return {};
  }

  void Start() override {
    core_.sources.kill.Watch([watching = watching_] {
      const std::lock_guard lock(watching->mutex);
      if (watching->engine != nullptr) watching->engine->OnKill();
    });
    for (const auto& [run, step] : recover_) Give(run, step, internal::RecoverStep);
    recover_.clear();
    loop_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
  }

  void Stop() override {
    if (!loop_.joinable()) return;
    loop_.request_stop();
    core_.Wake();
    loop_.join();
    const auto until = std::chrono::steady_clock::now() + kGrace;
    while (running() > 0 && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    core_.stopping.request_stop();
    for (const RunPointer& run : Active()) {
      const std::lock_guard lock(run->mutex);
      for (auto& [step, effect] : run->effects) effect.stop.request_stop();
    }
    core_.pool.Stop();
  }

  Result<RunView> Begin(Plan plan, const ProposedRun& proposal, const Caller& caller,
                        const std::vector<CheckedClaim>& evidence) override {
    auto run = std::make_shared<ActiveRun>();
    RunState& state = run->state;
    state.plan = std::make_shared<const Plan>(std::move(plan));
    state.incident = proposal.incident;
    state.by = caller.name;
    state.via = caller.via;
    state.by_agent = !caller.person;
    state.why = claims::Printable(proposal.why, 500);
    state.began = core_.Now();
    state.what = "has begun";
    std::set<std::string> held;
    for (const CheckedClaim& claim : evidence) {
      state.evidence.push_back(
          {{"id", claim.id}, {"text", claim.text}, {"verdict", claim.verdict}, {"why", claim.why}});
      if (claim.held()) held.insert(claim.id);
    }
    state.evidence_held = static_cast<int>(held.size());
    for (const PlanStep& step : state.plan->steps) state.steps[step.id] = {};
    {
      const std::lock_guard lock(core_.mutex);
      if (core_.runs.size() >= static_cast<size_t>(core_.sources.settings()->max_runs))
        return Error(Code::kResourceExhausted,
                     fmt::format("{} runs are under way, as many as may be", core_.runs.size()));
    }
    const Status applied = core_.Apply(
        *run,
        [&](RunState& next, std::vector<RunEvent>& events, store::LedgerTransaction& transaction) -> Status {
          TOCSIN_ASSIGN_OR_RETURN(next.id, FreshActId(transaction, "RUN-", "runs"));
          TOCSIN_RETURN_IF_ERROR(
              transaction.PutDocument({"run_plans", next.id, {}, respond::DumpJson(PlanToJson(*next.plan))}));
          json inputs = json::object();
          for (const auto& [name, value] : next.plan->inputs)
            inputs[name] = {{"value", value.json}, {"origin", OriginName(value.origin)}};
          events.push_back({"run.proposed",
                            next.by,
                            {{"title", next.plan->title},
                             {"version", next.plan->version},
                             {"by_agent", next.by_agent},
                             {"via", next.via},
                             {"why", next.why},
                             {"inputs", std::move(inputs)},
                             {"evidence", next.evidence}}});
          return Proposed(next, evidence, transaction);
        });
    if (!applied.ok()) return Error(applied);
    {
      const std::lock_guard lock(core_.mutex);
      core_.runs.emplace(state.id, run);
    }
    core_.Wake();
    return ViewOf(core_.Copy(*run));
  }

  Result<RunView> View(const std::string& id) const override {
    TOCSIN_ASSIGN_OR_RETURN(const RunState state, StateOf(id));
    return ViewOf(state);
  }

  Result<std::vector<RunView>> List(const RunFilter& filter) const override {
    std::vector<RunView> views;
    store::DocumentFilter documents;
    documents.collection = "runs";
    documents.limit = 1000;
    if (filter.state == "active") documents.due_until = Time{INT64_MAX};
    // A bound on what is looked through; ids are random, so the newest are found by their time.
    for (size_t seen = 0; seen < 50'000;) {
      TOCSIN_ASSIGN_OR_RETURN(const auto page, core_.sources.ledger.FindDocuments(documents));
      for (const store::Document& document : page) {
        TOCSIN_ASSIGN_OR_RETURN(const RunState state, ReadRun(document));
        const bool wanted = (filter.incident.empty() || state.incident == filter.incident) &&
                            (filter.runbook.empty() || state.plan->runbook == filter.runbook) &&
                            (filter.state.empty() || filter.state == state.state ||
                             (filter.state == "active" && !IsRunOver(state.state)));
        if (wanted) views.push_back(ViewOf(state));
      }
      seen += page.size();
      if (page.size() < documents.limit || documents.due_until) break;
      documents.after_id = page.back().id;
    }
    std::sort(views.begin(), views.end(),
              [](const RunView& a, const RunView& b) { return a.began > b.began; });
    if (views.size() > filter.limit) views.resize(filter.limit);
    return views;
  }

  Result<RunView> StopRun(const std::string& id, const std::string& reason, const Caller& caller) override {
    TOCSIN_ASSIGN_OR_RETURN(const RunPointer run, ActiveOf(id));
    {
      const std::lock_guard lock(run->mutex);
      if (!caller.person && caller.name != run->state.by)
        return Error(Code::kPermissionDenied,
                     "an agent stops its own runs only: " + id + " is " + run->state.by + "'s");
      run->stopping = true;
      for (auto& [step, effect] : run->effects) effect.stop.request_stop();
    }
    TOCSIN_RETURN_IF_ERROR(core_.Apply(
        *run, [&](RunState& state, std::vector<RunEvent>& events, store::LedgerTransaction&) -> Status {
          if (!state.stop_reason.empty()) return {};
          state.stop_reason =
              claims::Printable("stopped by " + caller.name + (reason.empty() ? "" : ": " + reason), 500);
          events.push_back({"run.stopped", caller.name, {{"reason", state.stop_reason}}});
          return {};
        }));
    core_.Wake();
    return View(id);
  }

  Result<RunView> Undo(const std::string& id, const std::string& reason, const Caller& caller) override {
    if (!caller.person) return Error(Code::kPermissionDenied, "a person undoes a run");
    TOCSIN_ASSIGN_OR_RETURN(const RunPointer run, LoadedOf(id));
    TOCSIN_RETURN_IF_ERROR(core_.Apply(
        *run, [&](RunState& state, std::vector<RunEvent>& events, store::LedgerTransaction&) -> Status {
          if (!IsRunOver(state.state) && state.state != "unknown")
            return {Code::kFailedPrecondition, id + " is under way: stop it first"};
          const bool any = std::any_of(state.steps.begin(), state.steps.end(),
                                       [](const auto& e) { return e.second.moved && e.second.inverse; });
          if (!any) return {Code::kFailedPrecondition, id + " has done nothing that can be undone"};
          state.undo_by = caller.name;
          state.undo_reason = claims::Printable(reason, 500);
          state.state = "undoing";
          state.ended = {};
          events.push_back({"run.undo", caller.name, {{"reason", state.undo_reason}}});
          return {};
        }));
    {
      const std::lock_guard lock(core_.mutex);
      core_.runs.insert_or_assign(id, run);
    }
    core_.Wake();
    return View(id);
  }

  Result<RunView> Settle(const std::string& id, const std::string& step, const std::string& outcome,
                         const std::string& note, const Caller& caller) override {
    if (!caller.person) return Error(Code::kPermissionDenied, "a person says what became of a step");
    if (outcome != "done" && outcome != "failed" && outcome != "not_done")
      return Error(Code::kInvalidArgument, "outcome is done, failed or not_done");
    TOCSIN_ASSIGN_OR_RETURN(const RunPointer run, ActiveOf(id));
    TOCSIN_RETURN_IF_ERROR(core_.Apply(
        *run, [&](RunState& state, std::vector<RunEvent>& events, store::LedgerTransaction&) -> Status {
          const auto it = state.steps.find(step);
          if (it == state.steps.end())
            return {Code::kNotFound, id + " has no step " + claims::Printable(step, 60)};
          StepState& s = it->second;
          if (s.state != "manual" && s.state != "unknown")
            return {Code::kFailedPrecondition,
                    step + " is " + s.state + ": only a manual or unknown step is settled"};
          s.moved = s.state == "unknown" && outcome == "done";
          s.state = outcome == "done" ? "done" : "failed";
          s.ended = core_.Now();
          s.what = claims::Printable(
              fmt::format("{} says: {}{}", caller.name, outcome, note.empty() ? "" : ", " + note), 500);
          events.push_back(
              {"run.settled", caller.name, {{"step", step}, {"outcome", outcome}, {"what", s.what}}});
          return {};
        }));
    return View(id);
  }

  void Answered(const Approval& approval) override {
    const auto run = ActiveOf(approval.run);
    if (!run) return;
    {
      const std::lock_guard lock((*run)->mutex);
      (*run)->woken.insert(approval.step);
    }
    core_.Wake();
  }

  Decision DecideNow(const RunState& run, const PlanStep& step, const StepCall& call,
                     const std::map<Target, TargetFacts>& targets) const override {
    const ActionCall asked = core_.CallOf(run, step, call, {});
    PolicyFacts facts = core_.Facts(run, step, asked);
    facts.targets = targets;
    return core_.log.DecideOnly(core_.sources.settings()->rules, std::move(facts), asked);
  }

  size_t running() const override {
    size_t n = 0;
    for (const RunPointer& run : Active()) {
      const std::lock_guard lock(run->mutex);
      n += run->effects.size();
    }
    return n;
  }

 private:
  std::vector<RunPointer> Active() const {
    const std::lock_guard lock(core_.mutex);
    std::vector<RunPointer> runs;
    for (const auto& [id, run] : core_.runs) runs.push_back(run);
    return runs;
  }

  Result<RunState> ReadRun(const store::Document& document) const {
    TOCSIN_ASSIGN_OR_RETURN(const auto plan_document,
                            core_.sources.ledger.FindDocument("run_plans", document.id));
    if (!plan_document) return Error(Code::kDataLoss, "the plan of " + document.id + " is gone");
    TOCSIN_ASSIGN_OR_RETURN(Plan plan, PlanFromJson(json::parse(plan_document->body_json, nullptr, false)));
    return RunStateFromJson(json::parse(document.body_json, nullptr, false),
                            std::make_shared<const Plan>(std::move(plan)));
  }

  Result<RunState> StateOf(const std::string& id) const {
    if (const auto run = ActiveOf(id)) return core_.Copy(**run);
    TOCSIN_ASSIGN_OR_RETURN(const auto document, core_.sources.ledger.FindDocument("runs", id));
    if (!document) return Error(Code::kNotFound, "there is no run " + claims::Printable(id, 40));
    return ReadRun(*document);
  }

  Result<RunPointer> ActiveOf(const std::string& id) const {
    const std::lock_guard lock(core_.mutex);
    const auto it = core_.runs.find(id);
    if (it == core_.runs.end())
      return Error(Code::kFailedPrecondition, claims::Printable(id, 40) + " is not under way");
    return it->second;
  }

  // Under way, or read from the ledger.
  Result<RunPointer> LoadedOf(const std::string& id) const {
    if (auto run = ActiveOf(id)) return *run;
    TOCSIN_ASSIGN_OR_RETURN(RunState state, StateOf(id));
    auto run = std::make_shared<ActiveRun>();
    run->state = std::move(state);
    return run;
  }

  Status Proposed(const RunState& run, const std::vector<CheckedClaim>& evidence,
                  store::LedgerTransaction& transaction) const {
    if (!run.by_agent) return {};
    std::set<std::string> classes;
    for (const PlanStep& step : run.plan->steps) {
      if (!step.call.action.empty()) classes.insert(ActionClass(step.call.action));
    }
    TrustNews news;
    news.proposed = 1;
    for (const CheckedClaim& claim : evidence) {
      news.claims_held += claim.held() ? 1 : 0;
      news.claims_refuted += claim.verdict == "refuted" ? 1 : 0;
      news.claims_unverifiable += claim.verdict == "unverifiable" ? 1 : 0;
    }
    for (const std::string& name : classes)
      TOCSIN_RETURN_IF_ERROR(NoteTrust(transaction, run.by, name, news, core_.Now()));
    return {};
  }

  // Gives the step to a worker; the run's mutex is not held.
  void Give(const RunPointer& run, const std::string& step, internal::StepTask task) {
    {
      const std::lock_guard lock(run->mutex);
      if (!run->busy.insert(step).second) return;
    }
    core_.pool.Submit([this, run, step, task] {
      task(core_, run, step);
      {
        const std::lock_guard lock(run->mutex);
        run->busy.erase(step);
      }
      core_.Wake();
    });
  }
  void GiveUndo(const RunPointer& run, const std::string& step) {
    Give(run, step, [](EngineCore& core, const RunPointer& r, const std::string& s) {
      internal::UndoStep(core, r, s, false);
    });
  }

  // Cuts off what the switch forbids; what waits is looked at.
  void OnKill() {
    for (const RunPointer& run : Active()) {
      const std::lock_guard lock(run->mutex);
      for (auto& [id, effect] : run->effects) {
        if (core_.sources.kill.Blocks(effect.subject)) effect.stop.request_stop();
      }
    }
    core_.Wake();
  }

  void Loop(const std::stop_token& stop) {
    Time pruned = core_.Now();
    while (!stop.stop_requested()) {
      for (const RunPointer& run : Active()) LookAt(run);
      if (core_.Now() - pruned > kPruneEvery) {
        pruned = core_.Now();
        if (const Status status = core_.log.Prune(core_.sources.ledger, pruned); !status.ok())
          spdlog::warn("old actions are not forgotten: {}", status.message());
      }
      std::unique_lock lock(core_.mutex);
      core_.wake.wait_for(lock, std::chrono::nanoseconds(core_.options.look.ns),
                          [&] { return core_.woken || stop.stop_requested(); });
      core_.woken = false;
    }
  }

  void LookAt(const RunPointer& run) {
    NextSteps next;
    std::string id;
    {
      const std::lock_guard lock(run->mutex);
      next = NextOf(*run, core_.Now());
      id = run->state.id;
      for (const auto& [step, task] : next.give) run->woken.erase(step), run->probe_at.erase(step);
    }
    for (const auto& [step, task] : next.give) Give(run, step, task);
    if (!next.undo.empty()) GiveUndo(run, next.undo);
    if (next.overtime) {
      (void)StopRun(id, "it took longer than it may", {"tocsin", true, "engine"});
    } else if (!next.skip.empty()) {
      Skip(run, next.skip);
    } else if (next.idle) {
      Conclude(run);
    }
  }

  void Skip(const RunPointer& run, const std::vector<std::string>& steps) {
    const Status status = core_.Apply(
        *run,
        [&](RunState& state, std::vector<RunEvent>& events, store::LedgerTransaction& transaction) -> Status {
          for (const std::string& id : steps) {
            StepState& s = state.steps.at(id);
            if (!s.approval.empty()) {
              TOCSIN_RETURN_IF_ERROR(WithdrawApproval(transaction, s.approval, "withdrawn"));
            }
            s.state = "skipped";
            s.what = state.stop_reason.empty() ? "an earlier step did not succeed" : state.stop_reason;
            s.ended = core_.Now();
          }
          events.push_back({"run.skipped", "", {{"steps", steps}}});
          return {};
        });
    if (!status.ok()) spdlog::error("skipping steps: {}; it is tried again", status.message());
  }

  // Nothing moves: what the run is now.
  void Conclude(const RunPointer& run) {
    const RunState state = core_.Copy(*run);
    const auto [name, what] = internal::OutcomeOf(state);
    if (name == state.state || (name == "running" && state.state != "waiting")) {
      if (IsRunOver(state.state)) Drop(state.id);
      return;
    }
    // Before the transaction, because it reads the ledger.
    const json outputs = name == "done" ? OutputsOf(state) : json::object();
    const Status status =
        core_.Apply(*run,
                    [&, outcome = name, text = what](RunState& next, std::vector<RunEvent>& events,
                                                     store::LedgerTransaction&) -> Status {
                      next.state = outcome;
                      if (!text.empty()) next.what = claims::Printable(text, 500);
                      if (!IsRunOver(outcome)) return {};
                      next.ended = core_.Now();
                      next.outputs = outputs;
                      events.push_back({"run.ended", "", {{"state", outcome}, {"what", next.what}}});
                      return {};
                    });
    if (!status.ok()) return spdlog::error("ending {}: {}; it is tried again", state.id, status.message());
    if (!IsRunOver(name)) return;
    core_.Boundary("ended", "");
    Drop(state.id);
  }

  json OutputsOf(const RunState& run) const {
    const auto incident = core_.IncidentOf(run);
    const auto resolved = ResolvePlaceholders(run.plan->outputs, LookupFor({run, incident}), "outputs");
    return resolved ? resolved->json : json::object();
  }

  void Drop(const std::string& id) {
    const std::lock_guard lock(core_.mutex);
    core_.runs.erase(id);
  }

  // The switch may outlive the engine, and keeps what it was given.
  struct Watching {
    std::mutex mutex;
    TheEngine* engine = nullptr;
  };

  mutable EngineCore core_;
  const std::shared_ptr<Watching> watching_ = std::make_shared<Watching>();
  std::vector<std::pair<RunPointer, std::string>> recover_;
  std::jthread loop_;
};

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Open(const EngineSources& sources, const EngineOptions& options) {
  auto engine = std::make_unique<TheEngine>(sources, options);
  TOCSIN_RETURN_IF_ERROR(engine->Restore());
  return engine;
}

}  // namespace tocsin::act
