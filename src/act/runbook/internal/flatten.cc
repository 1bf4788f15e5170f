#include "act/runbook/internal/flatten.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "act/plan/placeholder.h"
#include "act/plan/plan_json.h"
#include "act/runbook/read_runbook.h"
#include "ports/yaml/yaml_value.h"

namespace tocsin::act::internal {
namespace {

using nlohmann::json;
using Ids = std::vector<std::string>;
using Conditions = std::vector<PlanCondition>;

// One runbook where it is called.
struct Scope {
  const Runbook& runbook;
  std::string version;
  std::string step;  // the call's path: "" for the outermost, "drain" or "drain/inner"
  bool advise_only = false;
  // Inputs that are not known before the run, or are composed: templates in terms of the whole plan.
  std::map<std::string, json, std::less<>> composed;
  std::string Id(std::string_view id) const {
    return step.empty() ? std::string(id) : fmt::format("{}/{}", step, id);
  }
};

bool Narrower(const ValueType& given, const ValueType& wanted) {
  if (wanted.kind == "text") return true;
  const bool numbers = given.kind == "integer" && wanted.kind == "number";
  if (given.kind != wanted.kind && !numbers) return false;
  const auto among = [&](const std::string& choice) {
    return std::ranges::find(wanted.choices, choice) != wanted.choices.end();
  };
  return given.inventory == wanted.inventory && std::ranges::all_of(given.choices, among) &&
         given.minimum >= wanted.minimum && given.maximum <= wanted.maximum;
}

int Stricter(int a, int b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

tl::unexpected<Status> Wrong(std::string what) { return Error(Code::kInvalidArgument, std::move(what)); }

class Flattener {
 public:
  explicit Flattener(const RunbookLibrary& library) : library_(library) {}

  Status Begin(const Runbook& runbook, const json& inputs,
               const std::function<Origin(std::string_view)>& origin_of) {
    TOCSIN_RETURN_IF_ERROR(KnownInputs(runbook, inputs));
    for (const RunbookInput& input : runbook.inputs) {
      if (!inputs.contains(input.name) || inputs[input.name].is_null()) {
        TOCSIN_RETURN_IF_ERROR(TakeFallback(input, input.name));
        continue;
      }
      const json& value = inputs[input.name];
      if (const Status right = CheckValue(input.type, value); !right.ok())
        return Status(right.code(), fmt::format("input '{}' {}", input.name, right.message()));
      plan_.inputs[input.name] = {value, origin_of ? origin_of(input.name) : Origin::kAgent, input.type};
    }
    plan_.runbook = runbook.id;
    plan_.title = runbook.title;
    plan_.version = library_.VersionOf(runbook.id);
    plan_.owner = runbook.owner;
    plan_.escalate_to = runbook.escalate_to;
    plan_.limits = runbook.limits;
    Scope scope{runbook, plan_.version, "", runbook.advise_only, {}};
    TOCSIN_RETURN_IF_ERROR(Whole(scope, {}, {}, nullptr));
    TOCSIN_ASSIGN_OR_RETURN(plan_.outputs, Put(runbook.outputs, scope, "outputs"));
    return CheckPlanOrder(plan_);
  }
  Plan Take() { return std::move(plan_); }

 private:
  // The steps and stop conditions of one runbook; `ends` becomes the steps after which it is over.
  Status Whole(const Scope& scope, const Ids& after, const Conditions& when, Ids* ends) {
    if (std::ranges::find(path_, scope.runbook.id) != path_.end()) {
      path_.push_back(scope.runbook.id);
      return Status(Code::kInvalidArgument,
                    fmt::format("runbooks call one another in a circle: {}", fmt::join(path_, " → ")));
    }
    path_.push_back(scope.runbook.id);
    if (path_.size() > kMostRunbookLevels)
      return Status(Code::kOutOfRange, fmt::format("runbooks call one another more than {} levels deep: {}",
                                                   kMostRunbookLevels, fmt::join(path_, " → ")));
    TOCSIN_ASSIGN_OR_RETURN(Ids over, Steps(scope.runbook.steps, scope, after, when));
    if (ends != nullptr) *ends = std::move(over);
    for (const json& claim : scope.runbook.stop_when) {
      TOCSIN_ASSIGN_OR_RETURN(json put, Put(claim, scope, "stop_when"));
      plan_.stop_when.push_back(std::move(put));
    }
    path_.pop_back();
    return Status::Ok();
  }

  Result<Ids> Steps(const std::vector<RunbookStep>& steps, const Scope& scope, Ids after,
                    const Conditions& when) {
    for (const RunbookStep& step : steps) {
      auto over = std::visit([&](const auto& what) { return Add(what, scope, after, when); }, step.what);
      if (!over) {
        if (over.error().message().starts_with(scope.runbook.file + ":")) return over;
        return Error(scope.runbook.file.empty()
                         ? over.error()
                         : over.error().WithContext(fmt::format("{}:{}", scope.runbook.file, step.line)));
      }
      after = *std::move(over);
    }
    return after;
  }

  Result<Ids> Add(const PlanStep& in, const Scope& scope, const Ids& after, const Conditions& when) {
    PlanStep step = in;
    step.id = scope.Id(in.id);
    step.when = when;
    for (const PlanCondition& condition : in.when) {
      TOCSIN_ASSIGN_OR_RETURN(PlanCondition put, Put(condition, scope));
      step.when.push_back(std::move(put));
    }
    TOCSIN_ASSIGN_OR_RETURN(step.call.with, Put(in.call.with, scope, in.id + ".with"));
    TOCSIN_ASSIGN_OR_RETURN(step.instructions, PutText(in.instructions, scope, in.id + ".manual"));
    for (Target& target : step.targets) {
      TOCSIN_ASSIGN_OR_RETURN(target.name, PutText(target.name, scope, in.id + ".targets"));
    }
    for (auto* claims : {&step.requires_claims, &step.expects}) {
      for (json& claim : *claims) {
        TOCSIN_ASSIGN_OR_RETURN(claim, Put(claim, scope, in.id + ".claims"));
      }
    }
    if (step.inverse) {
      TOCSIN_ASSIGN_OR_RETURN(step.inverse->with, Put(step.inverse->with, scope, in.id + ".inverse.with"));
    }
    if (scope.advise_only) step.tier = std::min(step.tier, Tier::kAdvise);
    return Append(std::move(step), scope, after);
  }

  Result<Ids> Add(const ParallelSteps& in, const Scope& scope, const Ids& after, const Conditions& when) {
    Ids over;
    for (const auto& branch : in.branches) {
      TOCSIN_ASSIGN_OR_RETURN(const Ids ends, Steps(branch, scope, after, when));
      over.insert(over.end(), ends.begin(), ends.end());
    }
    return over;
  }

  Result<Ids> Add(const BranchSteps& in, const Scope& scope, const Ids& after, const Conditions& when) {
    PlanStep decision;
    decision.id = scope.Id(in.id);
    decision.title = "decide which way";
    decision.tier = Tier::kObserve;
    decision.when = when;
    TOCSIN_ASSIGN_OR_RETURN(PlanCondition condition, Put(in.condition, scope));
    decision.when.push_back(std::move(condition));
    const std::string id = decision.id;
    TOCSIN_ASSIGN_OR_RETURN(const Ids decided, Append(std::move(decision), scope, after));
    Ids over;
    for (const auto& [steps, ended] : {std::pair{&in.then, "done"}, {&in.otherwise, "skipped"}}) {
      Conditions held = when;
      held.push_back({nullptr, "", "", id, ended, false});
      TOCSIN_ASSIGN_OR_RETURN(const Ids ends, Steps(*steps, scope, decided, held));
      for (const std::string& end : ends) {
        if (std::ranges::find(over, end) == over.end()) over.push_back(end);
      }
    }
    return over;
  }

  Result<Ids> Add(const SubRunbook& in, const Scope& scope, const Ids& after, const Conditions& when) {
    const Runbook* runbook = library_.Find(in.runbook);
    if (runbook == nullptr)
      return Error(Code::kNotFound,
                   fmt::format("step '{}' runs '{}', and there is no such runbook", in.id, in.runbook));
    Scope inner{*runbook,
                library_.VersionOf(in.runbook),
                scope.Id(in.id),
                scope.advise_only || runbook->advise_only,
                {}};
    TOCSIN_RETURN_IF_ERROR(KnownInputs(*runbook, in.inputs));
    for (const RunbookInput& input : runbook->inputs) {
      if (const Status bound = Bind(input, in.inputs, scope, inner); !bound.ok())
        return Error(bound.WithContext(fmt::format("step '{}'", in.id)));
    }
    plan_.limits.per_hour = Stricter(plan_.limits.per_hour, runbook->limits.per_hour);
    plan_.limits.per_incident = Stricter(plan_.limits.per_incident, runbook->limits.per_incident);
    plan_.limits.timeout = std::min(plan_.limits.timeout, runbook->limits.timeout);
    Ids ends;
    TOCSIN_RETURN_IF_ERROR(Whole(inner, after, when, &ends));
    for (const auto& [name, output] : runbook->outputs.items()) {
      TOCSIN_ASSIGN_OR_RETURN(sub_outputs_[fmt::format("steps.{}.outputs.{}", inner.step, name)],
                              Put(output, inner, "outputs." + name));
    }
    return ends;
  }

  Result<Ids> Append(PlanStep step, const Scope& scope, const Ids& after) {
    if (plan_.steps.size() >= kMaxPlanSteps)
      return Error(Code::kOutOfRange, fmt::format("has more than {} steps in all", kMaxPlanSteps));
    step.runbook = scope.runbook.id;
    step.version = scope.version;
    step.after = after;
    Ids over{step.id};
    plan_.steps.push_back(std::move(step));
    return over;
  }

  // What the call gives one input of the sub-runbook.
  Status Bind(const RunbookInput& input, const json& given, const Scope& outer, Scope& inner) {
    const std::string name = inner.Id(input.name);
    if (!given.contains(input.name) || given[input.name].is_null()) return TakeFallback(input, name);
    TOCSIN_ASSIGN_OR_RETURN(const json put, Put(given[input.name], outer, "inputs." + input.name));
    TOCSIN_ASSIGN_OR_RETURN(const auto sources, PlaceholdersIn(put));
    const std::string sole = SoleSource(put);
    if (sole.starts_with("inputs.") && !Known(sole)) return TakeFallback(input, name);
    if (!std::ranges::all_of(sources, [&](const auto& source) { return Known(source) != nullptr; })) {
      if (const ValueType type = TypeOf(sole); !Narrower(type, input.type))
        return Status(Code::kInvalidArgument,
                      fmt::format("input '{}' is not known before the run, and {} may be more than the {} "
                                  "that it takes",
                                  input.name, sole.empty() ? "a composed text" : sole, input.type.kind));
      inner.composed[input.name] = put;
      return Status::Ok();
    }
    if (sole.empty() && !sources.empty() && input.type.kind == "text") {
      inner.composed[input.name] = put;  // each of its parts keeps its type
      return Status::Ok();
    }
    return Fix(input, name, put, sole, sources);
  }

  Status Fix(const RunbookInput& input, const std::string& name, const json& put, const std::string& sole,
             const std::vector<std::string>& sources) {
    const auto lookup = [&](std::string_view source) -> Result<Value> { return *Known(source); };
    TOCSIN_ASSIGN_OR_RETURN(Resolved value, ResolvePlaceholders(put, lookup, "inputs." + input.name));
    Value fixed{std::move(value.json), Origin::kRunbook, input.type};
    for (const std::string& source : sources) fixed.origin = std::max(fixed.origin, Known(source)->origin);
    if (input.type.kind == "text" && !sole.empty()) {
      fixed.type = Known(sole)->type;
    } else if (const Status right = CheckValue(input.type, fixed.json); !right.ok()) {
      return Status(right.code(), fmt::format("input '{}' {}", input.name, right.message()));
    }
    plan_.inputs[name] = std::move(fixed);
    return Status::Ok();
  }

  Status TakeFallback(const RunbookInput& input, const std::string& name) {
    if (!input.fallback.is_null()) {
      plan_.inputs[name] = {input.fallback, Origin::kRunbook, input.type};
    } else if (input.required) {
      return Status(Code::kInvalidArgument, fmt::format("input '{}' is missing{}{}", input.name,
                                                        input.about.empty() ? "" : ": ", input.about));
    }
    return Status::Ok();
  }

  static Status KnownInputs(const Runbook& runbook, const json& inputs) {
    if (!inputs.is_object()) return Status(Code::kInvalidArgument, "the inputs are no object of names");
    std::vector<std::string_view> names;
    for (const RunbookInput& input : runbook.inputs) names.push_back(input.name);
    for (const auto& [name, value] : inputs.items()) {
      if (std::ranges::find(names, name) != names.end()) continue;
      const std::string near = ports::NearestWord(name, names);
      return Status(Code::kInvalidArgument,
                    fmt::format("runbook '{}' has no input '{}'{}", runbook.id, name.substr(0, 64),
                                near.empty() ? "" : fmt::format("; is it '{}'?", near)));
    }
    return Status::Ok();
  }

  const Value* Known(std::string_view source) const {
    if (!source.starts_with("inputs.")) return nullptr;
    const auto it = plan_.inputs.find(std::string(source.substr(7)));
    return it == plan_.inputs.end() ? nullptr : &it->second;
  }

  // Of what is only known in the run.
  ValueType TypeOf(std::string_view source) const {
    const auto parts = PartsOfSource(source);
    if (!parts || parts->root != "steps") return {};
    for (const PlanStep& step : plan_.steps) {
      if (step.id != parts->step) continue;
      const auto it = step.outputs.find(parts->name);
      return it == step.outputs.end() ? ValueType{} : it->second.type;
    }
    return {};
  }

  // A template of one runbook in terms of the whole plan.
  Result<json> Put(const json& in, const Scope& scope, const std::string& at) const {
    return SubstitutePlaceholders(
        in,
        [&](std::string_view source) -> Result<json> {
          if (source.starts_with("inputs.")) {
            const auto it = scope.composed.find(source.substr(7));
            if (it != scope.composed.end()) return it->second;
          }
          const std::string whole =
              scope.step.empty() ? std::string(source) : SourceWithin(scope.step, source);
          const auto output = sub_outputs_.find(whole);
          return output == sub_outputs_.end() ? json(PlaceholderOf(whole)) : output->second;
        },
        at);
  }
  Result<std::string> PutText(const std::string& in, const Scope& scope, const std::string& at) const {
    TOCSIN_ASSIGN_OR_RETURN(const json put, Put(in, scope, at));
    return TextOf(put);
  }
  Result<PlanCondition> Put(const PlanCondition& in, const Scope& scope) const {
    PlanCondition out = in;
    TOCSIN_ASSIGN_OR_RETURN(out.claim, Put(in.claim, scope, "claim"));
    TOCSIN_ASSIGN_OR_RETURN(out.value, PutText(in.value, scope, "value"));
    if (in.step.empty()) return out;
    out.step = scope.Id(in.step);
    const auto same = [&](const PlanStep& step) { return step.id == out.step; };
    if (std::ranges::none_of(plan_.steps, same))
      return Wrong(
          fmt::format("a condition looks at step '{}', which is no earlier action, manual step or "
                      "decision",
                      in.step));
    return out;
  }

  const RunbookLibrary& library_;
  Plan plan_;
  Ids path_;
  std::map<std::string, json> sub_outputs_;
};

}  // namespace

Result<Plan> Flatten(const RunbookLibrary& library, const Runbook& runbook, const json& inputs,
                     const std::function<Origin(std::string_view)>& origin_of) {
  Flattener flattener(library);
  TOCSIN_RETURN_IF_ERROR(flattener.Begin(runbook, inputs.is_null() ? json::object() : inputs, origin_of));
  return flattener.Take();
}

}  // namespace tocsin::act::internal
