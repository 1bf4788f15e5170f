#include "act/run/step_call.h"

#include <fmt/format.h>

#include "act/policy/call_hash.h"
#include "claims/claim_text.h"
#include "kernel/id.h"

namespace tocsin::act {
namespace {

using nlohmann::json;

tl::unexpected<Status> NoValue(std::string_view source, std::string_view why) {
  return Error(Code::kNotFound, fmt::format("{{{{ {} }}}}: {}", source, why));
}

Result<Value> OutputValue(const RunState& run, const SourceParts& parts, std::string_view source) {
  const PlanStep* step = FindStep(*run.plan, parts.step);
  if (step == nullptr) return NoValue(source, "there is no such step");
  const auto output = step->outputs.find(parts.name);
  if (output == step->outputs.end()) return NoValue(source, "the step has no such output");
  const StepState& state = run.steps.at(parts.step);
  if (!state.effect || !state.effect->receipt) return NoValue(source, "the step has not run");
  const json& outputs = state.effect->receipt->outputs;
  try {
    const json::json_pointer pointer(output->second.pointer);
    if (!outputs.contains(pointer))
      return NoValue(source, "the receipt has nothing at " + output->second.pointer);
    return Value{outputs.at(pointer), Origin::kOutput, output->second.type};
  } catch (const json::exception&) {
    return NoValue(source, "'" + output->second.pointer + "' is no JSON pointer");
  }
}

Result<Value> IncidentValue(const std::optional<signal::Incident>& incident, const std::string& field,
                            std::string_view source) {
  if (!incident) return NoValue(source, "the run is for no incident");
  if (field == "id") return Value{incident->id.value, Origin::kInventory, {}};  // given by Tocsin itself
  for (const auto& [name, text] : {std::pair<const char*, const std::string*>{"service", &incident->service},
                                   {"stream", &incident->stream},
                                   {"title", &incident->title},
                                   {"kind", &incident->kind},
                                   {"severity", &incident->severity}}) {
    if (field == name) return Value{*text, Origin::kTelemetry, {}};
  }
  return NoValue(source, "incidents have id, service, stream, title, kind and severity");
}

Result<Value> FieldOf(const json* object, const std::string& name, Origin origin, std::string_view source) {
  if (object == nullptr) return NoValue(source, "is known only in a step's inverse");
  if (!object->is_object() || !object->contains(name)) return NoValue(source, "there is no such value");
  return Value{(*object)[name], origin, {}};
}

}  // namespace

Lookup LookupFor(const StepContext& context, const json* undo, const json* with) {
  return [&run = context.run, &incident = context.incident, undo,
          with](std::string_view source) -> Result<Value> {
    TOCSIN_ASSIGN_OR_RETURN(const SourceParts parts, PartsOfSource(source));
    if (parts.root == "inputs") {
      const auto input = run.plan->inputs.find(parts.name);
      if (input == run.plan->inputs.end()) return NoValue(source, "was not given");
      return input->second;
    }
    if (parts.root == "steps") return OutputValue(run, parts, source);
    if (parts.root == "incident") return IncidentValue(incident, parts.name, source);
    if (parts.root == "undo") return FieldOf(undo, parts.name, Origin::kUndo, source);
    // A value of the call it undoes, where its origin was looked at.
    if (parts.root == "with") return FieldOf(with, parts.name, Origin::kRunbook, source);
    if (parts.root == "run" && parts.name == "id") return Value{run.id, Origin::kInventory, {}};
    return NoValue(source, "there is no such value");
  };
}

Result<StepCall> ResolveStep(const PlanStep& step, const StepContext& context) {
  const Lookup lookup = LookupFor(context);
  StepCall out;
  out.call.action = step.call.action;
  out.call.timeout = step.call.timeout;
  TOCSIN_ASSIGN_OR_RETURN(Resolved with, ResolvePlaceholders(step.call.with, lookup, "with"));
  out.call.with = std::move(with.json);
  out.parameters = std::move(with.parameters);
  for (size_t i = 0; i < step.targets.size(); ++i) {
    TOCSIN_ASSIGN_OR_RETURN(Resolved name,
                            ResolvePlaceholders(step.targets[i].name, lookup, fmt::format("targets[{}]", i)));
    out.targets.push_back({step.targets[i].kind, TextOf(name.json)});
    for (Parameter& parameter : name.parameters) out.parameters.push_back(std::move(parameter));
  }
  return out;
}

Result<std::optional<CallTemplate>> ResolveInverse(const PlanStep& step, const StepContext& context,
                                                   const StepCall& call, const json& undo,
                                                   std::vector<Parameter>& parameters) {
  if (!step.inverse) return std::optional<CallTemplate>();
  TOCSIN_ASSIGN_OR_RETURN(
      Resolved with,
      ResolvePlaceholders(step.inverse->with, LookupFor(context, &undo, &call.call.with), "inverse.with"));
  // What was there before is the inverse's own; whatever else goes into it is held to the rules with the
  // call.
  for (Parameter& parameter : with.parameters) {
    std::erase_if(parameter.parts, [](const ParameterPart& part) { return part.origin == Origin::kUndo; });
    if (!parameter.parts.empty()) parameters.push_back(std::move(parameter));
  }
  CallTemplate inverse;
  inverse.action = step.inverse->action;
  inverse.with = std::move(with.json);
  inverse.timeout = step.inverse->timeout;
  return std::optional(std::move(inverse));
}

StepActor ActorOf(const RunState& run, const std::string& step) {
  if (!run.undo_by.empty()) return {run.undo_by, false};
  const std::string& adopted_by = run.steps.at(step).adopted_by;
  if (!adopted_by.empty()) return {adopted_by, false};
  return {run.by, run.by_agent};
}

ActionCall PolicyCall(const PlanStep& step, const RunState& run, const StepCall& call,
                      const std::optional<CallTemplate>& inverse, const ActionSpec* spec) {
  const StepActor actor = ActorOf(run, step.id);
  ActionCall out;
  out.run = run.id;
  out.runbook = run.plan->runbook;
  out.step = step.id;
  out.incident = run.incident;
  out.action = call.call.action;
  out.hash = CallHash({run.id, step.id, call.call.action, call.call.with, call.targets, step.reach, inverse});
  out.tier = step.tier;
  out.read_only = spec != nullptr && spec->read_only;
  out.reaches_people = spec != nullptr && spec->reaches_people;
  out.has_inverse = step.inverse.has_value();
  out.parameters = call.parameters;
  out.targets = call.targets;
  out.reach = step.reach;
  out.cooldown = step.cooldown;
  out.runs_per_hour = run.plan->limits.per_hour;
  out.runs_per_incident = run.plan->limits.per_incident;
  out.actor = actor.name;
  out.by_agent = actor.agent;
  return out;
}

ActionCall PolicyUndoCall(const PlanStep& step, const RunState& run, const ActionSpec* spec) {
  const StepState& state = run.steps.at(step.id);
  ActionCall out = PolicyCall(step, run, {*state.inverse, state.targets, {}}, {}, spec);
  out.is_inverse = true;
  return out;
}

std::string CallText(const CallTemplate& call) {
  std::string out = call.action;
  if (call.with.is_object()) {
    for (const auto& [key, value] : call.with.items()) {
      const std::string text = TextOf(value);
      const bool plain = !value.is_string() || (!text.empty() && text.find_first_of(" \t\n\"") == text.npos);
      out +=
          " " + key + "=" + (plain ? text : json(text).dump(-1, ' ', false, json::error_handler_t::replace));
    }
  }
  return claims::Printable(out, 1'000);
}

std::string InstructionsOf(const PlanStep& step, const StepContext& context) {
  const auto resolved = ResolvePlaceholders(step.instructions, LookupFor(context), "manual");
  return claims::Printable(resolved ? TextOf(resolved->json) : step.instructions, 1'000);
}

std::string KeyOf(const RunState& run, const std::string& step, bool inverse) {
  std::string name;
  for (const char c : step) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    name += plain ? c : '_';
  }
  // Two steps that look alike when written plainly are told apart by their hash.
  if (name != step || name.size() > 48)
    name = name.substr(0, 40) + "-" + Base32(StableHash(step), 13).substr(0, 13);
  return run.id + "." + name + (inverse ? ".undo" : "");
}

}  // namespace tocsin::act
