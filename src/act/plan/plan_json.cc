// Each record's members are named once, in Visit; a Writer and a Reader go through them.
#include "act/plan/plan_json.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

namespace tocsin::act {
namespace {

using nlohmann::json;

Status Wrong(const std::string& at, std::string_view what) {
  return Status(Code::kInvalidArgument, fmt::format("{}: {}", at, what));
}

template <class Archive, class Type>
void Visit(Archive& a, Type& type)
  requires std::is_same_v<std::remove_const_t<Type>, ValueType>
{
  a("kind", type.kind);
  a("inventory", type.inventory);
  a("choices", type.choices);
  a("minimum", type.minimum);
  a("maximum", type.maximum);
}
template <class Archive, class Type>
void Visit(Archive& a, Type& value)
  requires std::is_same_v<std::remove_const_t<Type>, Value>
{
  a("value", value.json);
  a("origin", value.origin);
  a("type", value.type);
}
template <class Archive, class Type>
void Visit(Archive& a, Type& output)
  requires std::is_same_v<std::remove_const_t<Type>, StepOutput>
{
  a("at", output.pointer);
  a("type", output.type);
}
template <class Archive, class Type>
void Visit(Archive& a, Type& target)
  requires std::is_same_v<std::remove_const_t<Type>, Target>
{
  a("kind", target.kind);
  a("name", target.name);
}
template <class Archive, class Type>
void Visit(Archive& a, Type& reach)
  requires std::is_same_v<std::remove_const_t<Type>, Reach>
{
  a("traffic", reach.traffic);
  a("instances", reach.instances);
  a("users", reach.users);
  a("money", reach.money);
}
template <class Archive, class Type>
void Visit(Archive& a, Type& call)
  requires std::is_same_v<std::remove_const_t<Type>, CallTemplate>
{
  a("action", call.action);
  a("with", call.with);
  a("timeout_ns", call.timeout);
}
template <class Archive, class Type>
void Visit(Archive& a, Type& condition)
  requires std::is_same_v<std::remove_const_t<Type>, PlanCondition>
{
  a("claim", condition.claim);
  a("value", condition.value);
  a("is", condition.is);
  a("step", condition.step);
  a("ended", condition.ended);
  a("negate", condition.negate);
}
template <class Archive, class Type>
void Visit(Archive& a, Type& step)
  requires std::is_same_v<std::remove_const_t<Type>, PlanStep>
{
  a("id", step.id);
  a("title", step.title);
  a("runbook", step.runbook);
  a("version", step.version);
  a("manual", step.manual);
  a("instructions", step.instructions);
  a("who", step.who);
  a("call", step.call);
  a("tier", step.tier);
  a("targets", step.targets);
  a("reach", step.reach);
  a("requires", step.requires_claims);
  a("expects", step.expects);
  a("effect_within_ns", step.effect_within);
  a("inverse", step.inverse);
  a("no_inverse", step.no_inverse);
  a("cooldown_ns", step.cooldown);
  a("after", step.after);
  a("when", step.when);
  a("go_on_if_failed", step.go_on_if_failed);
  a("outputs", step.outputs);
}
template <class Archive, class Type>
void Visit(Archive& a, Type& limits)
  requires std::is_same_v<std::remove_const_t<Type>, PlanLimits>
{
  a("per_hour", limits.per_hour);
  a("per_incident", limits.per_incident);
  a("timeout_ns", limits.timeout);
}
template <class Archive, class Type>
void Visit(Archive& a, Type& plan)
  requires std::is_same_v<std::remove_const_t<Type>, Plan>
{
  a("runbook", plan.runbook);
  a("title", plan.title);
  a("version", plan.version);
  a("owner", plan.owner);
  a("inputs", plan.inputs);
  a("steps", plan.steps);
  a("stop_when", plan.stop_when);
  a("limits", plan.limits);
  a("escalate_to", plan.escalate_to);
  a("outputs", plan.outputs);
}

class Writer {
 public:
  template <class T>
  void operator()(const char* key, const T& value) {
    json written = Written(value);
    if (!written.is_null()) out_[key] = std::move(written);
  }
  template <class T>
  static json Of(const T& record) {
    Writer writer;
    Visit(writer, record);
    return std::move(writer.out_);
  }

 private:
  // Null is left out.
  static json Written(const std::string& v) { return v.empty() ? json() : json(v); }
  static json Written(bool v) { return v ? json(true) : json(); }
  static json Written(int v) { return v == 0 ? json() : json(v); }
  static json Written(double v) { return std::isfinite(v) ? json(v) : json(); }
  static json Written(Duration v) { return v.ns; }
  static json Written(Tier v) { return TierName(v); }
  static json Written(Origin v) { return OriginName(v); }
  static json Written(const json& v) { return v; }
  template <class T>
  static json Written(const std::optional<T>& v) {
    return v ? Written(*v) : json();
  }
  template <class T>
  static json Written(const std::vector<T>& v) {
    if (v.empty()) return {};
    json out = json::array();
    for (const T& one : v) out.push_back(Written(one));
    return out;
  }
  template <class T>
  static json Written(const std::map<std::string, T>& v) {
    json out = json::object();
    for (const auto& [key, one] : v) out[key] = Written(one);
    return out;
  }
  template <class T>
    requires std::is_class_v<T>
  static json Written(const T& v) {
    return Of(v);
  }
  json out_ = json::object();
};

class Reader {
 public:
  Reader(const json& in, std::string at) : in_(in), at_(std::move(at)) {
    if (!in.is_object()) status_ = Wrong(at_, "is no object");
  }
  template <class T>
  void operator()(const char* key, T& out) {
    known_.insert(key);
    if (!status_.ok() || !in_.contains(key)) return;
    status_ = Read(in_[key], at_ + "." + key, out);
  }
  template <class T>
  static Status Into(const json& in, const std::string& at, T& out) {
    Reader reader(in, at);
    Visit(reader, out);
    return reader.Finish();
  }

 private:
  Status Finish() const {
    TOCSIN_RETURN_IF_ERROR(Status(status_));
    for (const auto& [key, value] : in_.items()) {
      if (!known_.contains(key)) return Wrong(at_, fmt::format("does not take '{}'", key.substr(0, 64)));
    }
    return Status::Ok();
  }

  static Status Read(const json& in, const std::string& at, std::string& out) {
    if (!in.is_string()) return Wrong(at, "is no text");
    out = in.get<std::string>();
    return Status::Ok();
  }
  static Status Read(const json& in, const std::string& at, bool& out) {
    if (!in.is_boolean()) return Wrong(at, "is neither true nor false");
    out = in.get<bool>();
    return Status::Ok();
  }
  static Status Read(const json& in, const std::string& at, int& out) {
    if (!in.is_number_integer() || in.get<int64_t>() < 0 || in.get<int64_t>() > 1'000'000)
      return Wrong(at, "is no whole number from 0 to 1000000");
    out = in.get<int>();
    return Status::Ok();
  }
  static Status Read(const json& in, const std::string& at, double& out) {
    if (!in.is_number()) return Wrong(at, "is no number");
    out = in.get<double>();
    return Status::Ok();
  }
  static Status Read(const json& in, const std::string& at, Duration& out) {
    if (!in.is_number_integer() || in.get<int64_t>() < 0) return Wrong(at, "is no number of nanoseconds");
    out = Duration::Nanos(in.get<int64_t>());
    return Status::Ok();
  }
  static Status Read(const json& in, const std::string& at, Tier& out) {
    return in.is_string() && ParseTier(in.get<std::string>(), out) ? Status::Ok() : Wrong(at, "is no tier");
  }
  static Status Read(const json& in, const std::string& at, Origin& out) {
    return in.is_string() && ParseOrigin(in.get<std::string>(), out) ? Status::Ok()
                                                                     : Wrong(at, "is no origin");
  }
  static Status Read(const json& in, const std::string&, json& out) {
    out = in;
    return Status::Ok();
  }
  template <class T>
  static Status Read(const json& in, const std::string& at, std::optional<T>& out) {
    return Read(in, at, out.emplace());
  }
  template <class T>
  static Status Read(const json& in, const std::string& at, std::vector<T>& out) {
    if (!in.is_array()) return Wrong(at, "is no list");
    for (size_t i = 0; i < in.size(); ++i)
      TOCSIN_RETURN_IF_ERROR(Read(in[i], fmt::format("{}[{}]", at, i), out.emplace_back()));
    return Status::Ok();
  }
  template <class T>
  static Status Read(const json& in, const std::string& at, std::map<std::string, T>& out) {
    if (!in.is_object()) return Wrong(at, "is no object");
    for (const auto& [key, value] : in.items())
      TOCSIN_RETURN_IF_ERROR(Read(value, at + "." + key.substr(0, 64), out[key]));
    return Status::Ok();
  }
  template <class T>
    requires std::is_class_v<T>
  static Status Read(const json& in, const std::string& at, T& out) {
    return Into(in, at, out);
  }

  const json& in_;
  std::string at_;
  std::set<std::string, std::less<>> known_;
  Status status_;
};

}  // namespace

json PlanToJson(const Plan& plan) { return Writer::Of(plan); }

Result<Plan> PlanFromJson(const json& in) {
  if (in.is_object() && in.contains("steps") && in["steps"].size() > kMaxPlanSteps)
    return Error(Code::kOutOfRange, fmt::format("plan.steps: has more than {} steps", kMaxPlanSteps));
  Plan plan;
  TOCSIN_RETURN_IF_ERROR(Reader::Into(in, "plan", plan));
  TOCSIN_RETURN_IF_ERROR(CheckPlanOrder(plan));
  return plan;
}

json ValueTypeToJson(const ValueType& type) { return Writer::Of(type); }

Result<ValueType> ValueTypeFromJson(const json& in, const std::string& at) {
  ValueType type;
  TOCSIN_RETURN_IF_ERROR(Reader::Into(in, at, type));
  return type;
}

Status CheckPlanOrder(const Plan& plan) {
  if (plan.steps.size() > kMaxPlanSteps)
    return Status(Code::kOutOfRange, fmt::format("the plan has more than {} steps", kMaxPlanSteps));
  std::set<std::string_view> earlier;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const PlanStep& step = plan.steps[i];
    const std::string at = fmt::format("plan.steps[{}]", i);
    if (step.id.empty()) return Wrong(at, "has no id");
    for (const std::string& id : step.after) {
      if (!earlier.contains(id)) return Wrong(at + ".after", fmt::format("'{}' is no earlier step", id));
    }
    for (const PlanCondition& condition : step.when) {
      if (!condition.step.empty() && !earlier.contains(condition.step))
        return Wrong(at + ".when", fmt::format("'{}' is no earlier step", condition.step));
    }
    if (!earlier.insert(step.id).second) return Wrong(at, fmt::format("step '{}' comes twice", step.id));
  }
  return Status::Ok();
}

}  // namespace tocsin::act
