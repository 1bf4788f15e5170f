#include "act/runbook/render_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "act/plan/placeholder.h"
#include "claims/claim_text.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
constexpr size_t kMostShown = 4000;

std::string Shown(const json& value) { return claims::Printable(TextOf(value), kMostShown); }
std::string Shown(const std::string& text) { return claims::Printable(text, kMostShown); }

std::string Percent(double share) { return fmt::format("{:.3g} %", share * 100); }

std::string ReachText(const Reach& reach) {
  std::vector<std::string> parts;
  if (reach.traffic) parts.push_back(Percent(*reach.traffic) + " of the traffic");
  if (reach.instances) parts.push_back(fmt::format("{:g} instances", *reach.instances));
  if (reach.users) parts.push_back(fmt::format("{:g} users", *reach.users));
  if (reach.money) parts.push_back(fmt::format("{:g} of money", *reach.money));
  return parts.empty() ? "not declared" : fmt::format("at most {}", fmt::join(parts, ", "));
}

std::string TierText(Tier tier) {
  switch (tier) {
    case Tier::kNever:
      return "never: nobody may do it";
    case Tier::kObserve:
      return "observe: only looks";
    case Tier::kAdvise:
      return "advise: a person does it, an agent only proposes";
    case Tier::kApprove:
      return "approve: an agent's proposal waits for a person";
    case Tier::kAuto:
      return "auto: within its limits an agent goes ahead";
  }
  return "";
}

std::string OriginText(const Value& value) {
  std::string type = value.type.kind == "inventory" ? value.type.inventory : value.type.kind;
  switch (value.origin) {
    case Origin::kRunbook:
      return type + ", as the runbook says";
    case Origin::kPerson:
      return type + ", given by a person";
    default:
      return fmt::format("{}, from {}", type, OriginName(value.origin));
  }
}

class Page {
 public:
  explicit Page(const Plan& plan) : plan_(plan) {}

  std::string Write() {
    Head();
    for (size_t i = 0; i < plan_.steps.size(); ++i) Step(i);
    for (const auto& [name, output] : plan_.outputs.items())
      out_ += fmt::format("Gives {} = {}\n", Shown(name), Shown(Filled(output)));
    return std::move(out_);
  }

 private:
  void Head() {
    out_ += fmt::format("{}\nrunbook {}, version {}{}\n", Shown(plan_.title), plan_.runbook, plan_.version,
                        plan_.owner.empty() ? "" : ", owner " + Shown(plan_.owner));
    std::string limits = fmt::format("over within {}", FormatDuration(plan_.limits.timeout));
    if (plan_.limits.per_hour > 0) limits += fmt::format(", at most {} runs an hour", plan_.limits.per_hour);
    if (plan_.limits.per_incident > 0)
      limits += fmt::format(", at most {} an incident", plan_.limits.per_incident);
    if (!plan_.escalate_to.empty()) limits += ", escalates to " + Shown(plan_.escalate_to);
    out_ += limits + "\n";
    if (!plan_.inputs.empty()) out_ += "\nInputs\n";
    for (const auto& [name, value] : plan_.inputs)
      out_ += fmt::format("  {} = {}   ({})\n", name, Shown(value.json), OriginText(value));
    if (!plan_.stop_when.empty()) out_ += "\nStops before its next step once any of these is verified\n";
    for (const json& claim : plan_.stop_when) out_ += "  " + Claim(claim) + "\n";
    out_ += fmt::format("\n{} step{}\n", plan_.steps.size(), plan_.steps.size() == 1 ? "" : "s");
  }

  void Step(size_t i) {
    const PlanStep& step = plan_.steps[i];
    out_ += fmt::format("\n{:>3}. {}{}\n", i + 1, step.id,
                        step.title.empty() ? "" : ": " + Shown(Filled(step.title)));
    if (!JustAfter(i))
      Row("after", step.after.empty() ? "at once" : fmt::format("{}", fmt::join(step.after, ", ")));
    for (const PlanCondition& condition : step.when) Row("only if", Condition(condition));
    if (step.manual) {
      Row("by hand", Shown(Filled(step.instructions)));
      if (!step.who.empty()) Row("who", Shown(step.who));
      return;
    }
    if (step.call.action.empty()) return Row("decides", "has no effect");
    Call("does", step.call);
    Row("tier", TierText(step.tier));
    for (const Target& target : step.targets)
      Row("target", fmt::format("{} {}", target.kind, Shown(Filled(target.name))));
    if (step.tier > Tier::kObserve) Row("reach", ReachText(step.reach));
    for (const json& claim : step.requires_claims) Row("requires", Claim(claim));
    for (const json& claim : step.expects)
      Row("expects", fmt::format("within {}: {}", FormatDuration(step.effect_within), Claim(claim)));
    if (step.inverse)
      Call("undone by", *step.inverse);
    else if (!step.no_inverse.empty())
      Row("undone by", "nothing: " + Shown(step.no_inverse));
    else if (step.tier > Tier::kObserve)
      Row("undone by", "nothing");
    if (step.cooldown) Row("pause", FormatDuration(*step.cooldown) + " before the same again");
    if (step.go_on_if_failed) Row("if failed", "the run goes on");
    for (const auto& [name, output] : step.outputs)
      Row("answers", fmt::format("{} = {}", name, output.pointer));
  }

  // The usual case, which needs no words: after the step above it.
  bool JustAfter(size_t i) const {
    const auto& after = plan_.steps[i].after;
    return i == 0 ? after.empty() : after.size() == 1 && after[0] == plan_.steps[i - 1].id;
  }

  void Row(std::string_view name, const std::string& text) {
    out_ += fmt::format("     {:<10} {}\n", name, text);
  }

  void Call(std::string_view name, const CallTemplate& call) {
    Row(name, fmt::format("{}   (gives up after {})", Shown(call.action), FormatDuration(call.timeout)));
    size_t width = 0;
    for (const auto& [key, value] : call.with.items()) width = std::max(width, key.size());
    for (const auto& [key, value] : call.with.items())
      Row("", fmt::format("  {:<{}}  {}", Shown(key), width, Shown(Filled(value))));
  }

  std::string Condition(const PlanCondition& condition) const {
    const std::string_view no = condition.negate ? "not: " : "";
    if (!condition.step.empty()) return fmt::format("{}{} is {}", no, condition.step, condition.ended);
    if (!condition.value.empty())
      return fmt::format("{}{} is {}", no, Shown(Filled(condition.value)), Shown(condition.is));
    return std::string(no) + Claim(condition.claim);
  }

  std::string Claim(const json& claim) const { return RenderClaimTemplate(Filled(claim)); }

  // With what is known now.
  json Filled(const json& text) const {
    const auto known = [&](std::string_view source) -> Result<json> {
      if (source.starts_with("undo.")) return json(fmt::format("(as it was: {})", source.substr(5)));
      const auto it = source.starts_with("inputs.") ? plan_.inputs.find(std::string(source.substr(7)))
                                                    : plan_.inputs.end();
      return it == plan_.inputs.end() ? json(PlaceholderOf(source)) : it->second.json;
    };
    auto out = SubstitutePlaceholders(text, known, "");
    return out ? *std::move(out) : text;
  }

  const Plan& plan_;
  std::string out_;
};

std::string WindowText(const json& window) {
  if (window.contains("since")) return "since the step";
  if (window.contains("last")) {
    const std::string length = Shown(window["last"]);
    return window.contains("ago") ? fmt::format("the {} that ended {} ago", length, Shown(window["ago"]))
                                  : "the last " + length;
  }
  return fmt::format("{} to {}", Shown(window.value("from", json("?"))),
                     Shown(window.value("to", json("?"))));
}

std::string ConditionsText(const json& list) {
  std::vector<std::string> out;
  for (const json& one : list) {
    for (const char* op : {"is", "is_not", "contains"}) {
      if (one.is_object() && one.contains(op))
        out.push_back(fmt::format("{} {} {}", Shown(one.value("field", json("?"))),
                                  std::string_view(op) == "is_not" ? "is not" : op, Shown(one[op])));
    }
  }
  return fmt::format("{}", fmt::join(out, " and "));
}

std::string MeasureText(const json& measure) {
  std::string out = Shown(measure.value("statistic", json("?")));
  if (measure.contains("value")) out += " of " + Shown(measure["value"]);
  out += " among " + Shown(measure.value("of", json("?")));
  if (measure.contains("service")) out += " of " + Shown(measure["service"]);
  if (measure.contains("where")) out += " where " + ConditionsText(measure["where"]);
  return out;
}

std::string BoundsText(const json& bounds) {
  std::vector<std::string> out;
  if (bounds.contains("at_least")) out.push_back("at least " + Shown(bounds["at_least"]));
  if (bounds.contains("at_most")) out.push_back("at most " + Shown(bounds["at_most"]));
  return fmt::format("{}", fmt::join(out, " and "));
}

}  // namespace

std::string RenderPlan(const Plan& plan) { return Page(plan).Write(); }

std::string RenderClaimTemplate(const json& claim) {
  if (!claim.is_object()) return Shown(claim);
  std::string kind = Shown(claim.value("kind", json("?")));
  std::ranges::replace(kind, '_', ' ');
  std::vector<std::string> parts;
  if (claim.contains("measure") && claim["measure"].is_object())
    parts.push_back(MeasureText(claim["measure"]));
  for (const auto& [key, value] : claim.items()) {
    if (key == "kind" || key == "measure") continue;
    if ((key == "window" || key == "baseline") && value.is_object())
      parts.push_back((key == "baseline"         ? "compared with "
                       : value.contains("since") ? ""
                                                 : "over ") +
                      WindowText(value));
    else if ((key == "expect" || key == "factor" || key == "difference") && value.is_object())
      parts.push_back((key == "expect" ? "" : Shown(key) + " ") + BoundsText(value));
    else
      parts.push_back(fmt::format(
          "{} {}", Shown(key),
          value.is_array() && !value.empty() && value[0].is_object() ? ConditionsText(value) : Shown(value)));
  }
  return fmt::format("{}: {}", kind, fmt::join(parts, ", "));
}

}  // namespace tocsin::act
