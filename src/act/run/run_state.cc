#include "act/run/run_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "claims/claim_text.h"
#include "respond/render_text.h"

namespace tocsin::act {
namespace {

using nlohmann::json;

json CallJson(const CallTemplate& call) {
  return {{"action", call.action}, {"with", call.with}, {"timeout_ns", call.timeout.ns}};
}
CallTemplate CallFrom(const json& j) {
  return {j.at("action").get<std::string>(), j.at("with"), Duration{j.at("timeout_ns").get<int64_t>()}};
}

json ReceiptJson(const Receipt& receipt) {
  return {{"outcome", OutcomeName(receipt.outcome)},
          {"text", receipt.text},
          {"outputs", receipt.outputs},
          {"evidence", receipt.evidence}};
}
Receipt ReceiptFrom(const json& j) {
  Receipt receipt;
  ParseOutcome(j.at("outcome").get<std::string>(), receipt.outcome);
  receipt.text = j.at("text").get<std::string>();
  receipt.outputs = j.at("outputs");
  receipt.evidence = j.at("evidence");
  return receipt;
}

json CommittedJson(const std::optional<CommittedCall>& committed) {
  if (!committed) return nullptr;
  return {{"call", CallJson(committed->call)},
          {"key", committed->key},
          {"hash", committed->hash},
          {"at_ns", committed->at.ns},
          {"receipt", committed->receipt ? ReceiptJson(*committed->receipt) : json()}};
}
std::optional<CommittedCall> CommittedFrom(const json& j) {
  if (j.is_null()) return {};
  CommittedCall committed{CallFrom(j.at("call")),
                          j.at("key").get<std::string>(),
                          j.at("hash").get<std::string>(),
                          Time{j.at("at_ns").get<int64_t>()},
                          {}};
  if (!j.at("receipt").is_null()) committed.receipt = ReceiptFrom(j.at("receipt"));
  return committed;
}

json StepJson(const StepState& s) {
  json targets = json::array();
  for (const Target& target : s.targets) targets.push_back({target.kind, target.name});
  return {{"state", s.state},
          {"what", s.what},
          {"approval", s.approval},
          {"adopted_by", s.adopted_by},
          {"reasons", s.reasons},
          {"targets", std::move(targets)},
          {"tries", s.tries},
          {"questions", s.questions},
          {"began_ns", s.began.ns},
          {"ended_ns", s.ended.ns},
          {"not_before_ns", s.not_before.ns},
          {"prove_until_ns", s.prove_until.ns},
          {"moved", s.moved},
          {"effect", CommittedJson(s.effect)},
          {"undo", CommittedJson(s.undo)},
          {"inverse", s.inverse ? CallJson(*s.inverse) : json()}};
}

StepState StepFrom(const json& j) {
  StepState s;
  s.state = j.at("state").get<std::string>();
  s.what = j.at("what").get<std::string>();
  s.approval = j.at("approval").get<std::string>();
  s.adopted_by = j.at("adopted_by").get<std::string>();
  s.reasons = j.at("reasons").get<std::vector<std::string>>();
  for (const json& target : j.at("targets"))
    s.targets.push_back({target.at(0).get<std::string>(), target.at(1).get<std::string>()});
  s.tries = j.at("tries").get<int>();
  s.questions = j.at("questions").get<int>();
  s.began = Time{j.at("began_ns").get<int64_t>()};
  s.ended = Time{j.at("ended_ns").get<int64_t>()};
  s.not_before = Time{j.at("not_before_ns").get<int64_t>()};
  s.prove_until = Time{j.at("prove_until_ns").get<int64_t>()};
  s.moved = j.at("moved").get<bool>();
  s.effect = CommittedFrom(j.at("effect"));
  s.undo = CommittedFrom(j.at("undo"));
  if (!j.at("inverse").is_null()) s.inverse = CallFrom(j.at("inverse"));
  return s;
}

json OrNull(Time time) { return time.known() ? json(FormatTime(time)) : json(); }

}  // namespace

bool IsStepOver(const std::string& state) {
  static const std::set<std::string> kOver = {"refused", "done",   "failed",     "skipped",
                                              "stopped", "undone", "undo_failed"};
  return kOver.contains(state);
}

bool IsRunOver(const std::string& state) {
  static const std::set<std::string> kOver = {"done", "failed", "refused", "stopped", "undone"};
  return kOver.contains(state);
}

const PlanStep* FindStep(const Plan& plan, const std::string& id) {
  const auto it =
      std::find_if(plan.steps.begin(), plan.steps.end(), [&](const auto& s) { return s.id == id; });
  return it == plan.steps.end() ? nullptr : &*it;
}

json RunStateToJson(const RunState& run) {
  json steps = json::object();
  for (const auto& [id, step] : run.steps) steps[id] = StepJson(step);
  return {{"v", 1},
          {"id", run.id},
          {"incident", run.incident},
          {"by", run.by},
          {"via", run.via},
          {"why", run.why},
          {"by_agent", run.by_agent},
          {"evidence", run.evidence},
          {"evidence_held", run.evidence_held},
          {"state", run.state},
          {"what", run.what},
          {"began_ns", run.began.ns},
          {"ended_ns", run.ended.ns},
          {"stop_reason", run.stop_reason},
          {"undo_by", run.undo_by},
          {"undo_reason", run.undo_reason},
          {"escalation", run.escalation},
          {"steps", std::move(steps)},
          {"outputs", run.outputs}};
}

Result<RunState> RunStateFromJson(const json& j, std::shared_ptr<const Plan> plan) {
  try {
    RunState run;
    run.plan = std::move(plan);
    run.id = j.at("id").get<std::string>();
    run.incident = j.at("incident").get<std::string>();
    run.by = j.at("by").get<std::string>();
    run.via = j.at("via").get<std::string>();
    run.why = j.at("why").get<std::string>();
    run.by_agent = j.at("by_agent").get<bool>();
    run.evidence = j.at("evidence");
    run.evidence_held = j.at("evidence_held").get<int>();
    run.state = j.at("state").get<std::string>();
    run.what = j.at("what").get<std::string>();
    run.began = Time{j.at("began_ns").get<int64_t>()};
    run.ended = Time{j.at("ended_ns").get<int64_t>()};
    run.stop_reason = j.at("stop_reason").get<std::string>();
    run.undo_by = j.at("undo_by").get<std::string>();
    run.undo_reason = j.at("undo_reason").get<std::string>();
    run.escalation = j.at("escalation").get<std::string>();
    run.outputs = j.at("outputs");
    for (const PlanStep& step : run.plan->steps) run.steps[step.id] = StepFrom(j.at("steps").at(step.id));
    return run;
  } catch (const json::exception& e) {
    return Error(Code::kDataLoss, std::string("a stored run cannot be read: ") + e.what());
  }
}

RunView ViewOf(const RunState& run) {
  RunView view;
  view.id = run.id;
  view.runbook = run.plan->runbook;
  view.title = run.plan->title;
  view.version = run.plan->version;
  view.incident = run.incident;
  view.state = run.state;
  view.what = run.what;
  view.by = run.by;
  view.why = run.why;
  view.by_agent = run.by_agent;
  view.began = run.began;
  view.ended = run.ended;
  view.outputs = run.outputs;
  for (const PlanStep& step : run.plan->steps) {
    const StepState& s = run.steps.at(step.id);
    if (!step.manual && step.call.action.empty()) continue;  // a branch's decision: nothing to see
    view.steps.push_back({step.id, step.title, step.manual ? "manual" : step.call.action, s.state,
                          s.state == "manual" && s.what.empty() ? step.instructions : s.what,
                          s.state == "asking" ? s.approval : "", s.reasons, s.began, s.ended});
  }
  return view;
}

bool IsOver(const RunView& run) { return IsRunOver(run.state); }

json RunToJson(const RunView& run) {
  json steps = json::array();
  for (const RunStepView& s : run.steps)
    steps.push_back({{"id", s.id},
                     {"title", s.title},
                     {"action", s.action},
                     {"state", s.state},
                     {"what", s.what},
                     {"approval", s.approval},
                     {"reasons", s.reasons},
                     {"began", OrNull(s.began)},
                     {"ended", OrNull(s.ended)}});
  return {{"id", run.id},
          {"runbook", run.runbook},
          {"title", run.title},
          {"version", run.version},
          {"incident", run.incident},
          {"state", run.state},
          {"what", run.what},
          {"by", run.by},
          {"by_agent", run.by_agent},
          {"why", run.why},
          {"began", OrNull(run.began)},
          {"ended", OrNull(run.ended)},
          {"steps", std::move(steps)},
          {"outputs", run.outputs}};
}

std::string RenderRun(const RunView& run, size_t columns) {
  using respond::Safe;
  std::string out = respond::Wrap(Safe(run.what), columns, fmt::format("{}  {}: ", run.id, run.state), 2);
  out += respond::Wrap(Safe(run.title) + (run.incident.empty() ? "" : ", for " + run.incident), columns, "  ",
                       2);
  out += respond::Wrap(
      fmt::format("runbook {} (version {}), started by {}{}, {}", run.runbook, run.version, Safe(run.by),
                  run.by_agent ? " (an agent)" : "", FormatTimeForPeople(run.began)),
      columns, "  ", 2);
  if (!run.why.empty()) out += respond::Wrap("their words, unproven: " + Safe(run.why), columns, "  ", 2);
  out += "\n";
  const std::string under(14, ' ');
  const auto more = [&](const std::string& text) {
    out += respond::Wrap(text, columns, under, under.size());
  };
  for (const RunStepView& s : run.steps) {
    out += respond::Wrap(Safe(s.id + ": " + (s.title.empty() ? s.action : s.title)), columns,
                         fmt::format("  {:<11} ", s.state), under.size());
    if (!s.what.empty()) more(Safe(s.what));
    for (const std::string& reason : s.reasons) {
      if (reason != s.what) more("because " + Safe(reason));
    }
    // Commands stay on one line, to be copied.
    if (s.state == "asking" && !s.approval.empty())
      out += fmt::format("{}look and answer: tocsin approve {}\n", under, s.approval);
    if (s.state == "manual" || s.state == "unknown")
      out += fmt::format("{}then: tocsin runbook settle {} {} done|failed|not_done --note TEXT\n", under,
                         run.id, s.id);
  }
  return out;
}

}  // namespace tocsin::act
