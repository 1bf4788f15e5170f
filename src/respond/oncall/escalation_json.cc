// An EscalationRun as JSON and back: what is stored between two calls.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "respond/oncall/escalation.h"

namespace tocsin::respond {
namespace {

using Json = nlohmann::json;

Json OrderToJson(const PageOrder& order) {
  return {{"key", order.key},       {"repeat", order.repeat},  {"step", order.step},
          {"person", order.person}, {"last", order.last_step}, {"at", order.at.ns}};
}

PageOrder OrderFrom(const Json& json, const std::string& incident, int64_t run) {
  return {json.at("key").get<std::string>(),
          incident,
          run,
          json.at("repeat").get<int>(),
          json.at("step").get<int>(),
          json.at("person").get<std::string>(),
          json.at("last").get<bool>(),
          Time{json.at("at").get<int64_t>()}};
}

bool KnownState(const std::string& state) {
  return state == "running" || state == "acknowledged" || state == "resolved" || state == "ended";
}

}  // namespace

Json EscalationRun::ToJson() const {
  Json pending = Json::array();
  for (const auto& order : pending_) pending.push_back(OrderToJson(order));
  return {{"incident", incident_},
          {"policy", policy_},
          {"run", run_},
          {"state", state_},
          {"repeat", repeat_},
          {"step", step_},
          {"started", started_.ns},
          {"seen", seen_.ns},
          {"deadline", deadline_.ns},
          {"acknowledged_by", acknowledged_by_},
          {"acknowledged_at", acknowledged_at_.ns},
          {"wake", wake_.ns},
          {"paged", paged_},
          {"reach", reach_},
          {"pending", std::move(pending)}};
}

Result<EscalationRun> EscalationRun::FromJson(const Json& json) {
  EscalationRun out;
  try {
    out.incident_ = json.at("incident").get<std::string>();
    out.policy_ = json.at("policy").get<std::string>();
    out.run_ = json.at("run").get<int64_t>();
    out.state_ = json.at("state").get<std::string>();
    out.repeat_ = json.at("repeat").get<int>();
    out.step_ = json.at("step").get<int>();
    out.started_.ns = json.at("started").get<int64_t>();
    out.seen_.ns = json.at("seen").get<int64_t>();
    out.deadline_.ns = json.at("deadline").get<int64_t>();
    out.acknowledged_by_ = json.at("acknowledged_by").get<std::string>();
    out.acknowledged_at_.ns = json.at("acknowledged_at").get<int64_t>();
    out.wake_.ns = json.at("wake").get<int64_t>();
    out.paged_ = json.at("paged").get<std::vector<std::string>>();
    out.reach_ = json.at("reach").get<std::vector<std::string>>();
    for (const auto& order : json.at("pending")) {
      out.pending_.push_back(OrderFrom(order, out.incident_, out.run_));
    }
  } catch (const Json::exception&) {
    return Error(Status::FromException("reading an escalation run", Code::kInvalidArgument));
  }
  if (!KnownState(out.state_)) {
    return Error(Code::kInvalidArgument,
                 fmt::format("reading an escalation run: unknown state '{}'", out.state_.substr(0, 40)));
  }
  if (out.run_ < 1 || out.repeat_ < 0 || out.step_ < 0) {
    return Error(Code::kInvalidArgument, "reading an escalation run: run, repeat or step is negative");
  }
  return out;
}

}  // namespace tocsin::respond
