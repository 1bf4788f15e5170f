#include "investigate/agent/agent_tools.h"

#include <fmt/format.h>

#include <algorithm>

#include "claims/claim_json.h"
#include "claims/claim_text.h"
#include "investigate/agent/mcp_tools.h"
#include "respond/json_text.h"

namespace tocsin::investigate {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr Duration kReach = Duration::Hours(1);  // beyond the incident's own windows
constexpr int64_t kMostRows = 50;
constexpr size_t kCellBytes = 600;
constexpr int kSameCall = 2;

AgentTools::Answer Wrong(std::string what) {
  return {respond::DumpJson(json{{"error", std::move(what)}}), true};
}

std::string TextArgument(const json& arguments, const char* key) {
  const auto it = arguments.find(key);
  return it != arguments.end() && it->is_string() ? it->get<std::string>().substr(0, 200) : "";
}

int64_t LimitArgument(const json& arguments, int64_t otherwise) {
  const auto it = arguments.find("limit");
  if (it == arguments.end() || !it->is_number_integer()) return otherwise;
  return std::clamp<int64_t>(it->get<int64_t>(), 1, kMostRows);
}

json Cell(const store::SqlValue& value) {
  return std::visit(
      [](const auto& v) -> json {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::monostate>)
          return nullptr;
        else if constexpr (std::is_same_v<T, std::string>)
          return claims::Printable(v, kCellBytes);
        else
          return v;
      },
      value);
}

ordered_json Text(const char* about) { return {{"type", "string"}, {"description", about}}; }

ordered_json Object(ordered_json properties, std::vector<std::string> required) {
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", false}};
}

}  // namespace

ordered_json FindingsSchema() {
  ordered_json schema = claims::OneClaimSchema();
  const ordered_json list = {{"type", "array"}, {"items", {{"$ref", "#/$defs/claim"}}}, {"maxItems", 12}};
  ordered_json surface = {
      {"enum",
       {"model", "prompt", "retrieval", "tools", "sampling", "traffic", "evaluator", "dependency", "data"}}};
  ordered_json hypothesis = Object({{"surface", surface},
                                    {"cause", {{"type", "string"}, {"maxLength", 300}}},
                                    {"supporting", list},
                                    {"against", list}},
                                   {"surface", "cause", "supporting"});
  ordered_json out =
      Object({{"hypotheses", {{"type", "array"}, {"items", std::move(hypothesis)}, {"maxItems", 5}}},
              {"statements", list},
              {"summary", {{"type", "string"}, {"maxLength", 1200}}}},
             {"hypotheses", "summary"});
  out["$defs"] = schema["$defs"];
  return out;
}

std::vector<ports::ModelTool> AgentTools::Tools() {
  ordered_json claim = Object({{"claim", {{"$ref", "#/$defs/claim"}}}}, {"claim"});
  claim["$defs"] = claims::OneClaimSchema()["$defs"];
  const ordered_json window = {{"service", Text("service.name")},
                               {"contains", Text("a part of the text")},
                               {"from", Text("RFC 3339")},
                               {"to", Text("RFC 3339")},
                               {"limit", {{"type", "integer"}, {"minimum", 1}, {"maximum", kMostRows}}}};
  return {
      {"get_context", "One section of the context pack in full.",
       Object({{"section", Text("onset, affected, alerts, changes, logs, calls, metrics, behavior, "
                                "exemplars, similar, runbooks or people")}},
              {"section"})
           .dump()},
      {"search_logs", "Log lines of the incident's time, newest first.", Object(window, {}).dump()},
      {"get_trace", "The spans of one trace.",
       Object({{"trace_id", Text("32 hex digits")}}, {"trace_id"}).dump()},
      {"list_generations", "Questions and answers of the incident's time.", Object(window, {}).dump()},
      {"list_names", "The names a claim can use: services, metrics, behaviour features.",
       Object(ordered_json::object(), {}).dump()},
      {"check_claim", "Runs a claim over the stored telemetry and returns its verdict.", claim.dump()},
      {kSubmitTool,
       "Your findings. Every statement is a claim and is run again; words without a claim are shown apart as "
       "unverified.",
       FindingsSchema().dump()},
  };
}

Result<claims::Window> AgentTools::ReadWindow(const json& arguments) const {
  const auto& windows = subject_.pack.windows;
  const claims::Window most{windows.baseline.from - kReach,
                            std::min(windows.window.to + kReach, subject_.now)};
  claims::Window out{windows.baseline.from, windows.window.to};
  for (const char* key : {"from", "to"}) {
    const std::string text = TextArgument(arguments, key);
    if (text.empty()) continue;
    TOCSIN_ASSIGN_OR_RETURN(const Time time, ParseTime(text));
    (key[0] == 'f' ? out.from : out.to) = time;
  }
  out.from = std::max(out.from, most.from);
  out.to = std::min(out.to, most.to);
  if (out.from >= out.to)
    return tl::unexpected(
        Status(Code::kInvalidArgument, "the window is empty or outside the incident's time"));
  return out;
}

AgentTools::Answer AgentTools::Bounded(const json& data) const {
  std::string text = respond::DumpJson(data);
  if (text.size() <= max_bytes_) return {std::move(text), false};
  return {respond::DumpJson(json{{"cut", "the answer is longer than allowed: ask for less"},
                                 {"begin", claims::Printable(text, max_bytes_ / 2)}}),
          false};
}

AgentTools::Answer AgentTools::Rows(const std::string& sql, const std::vector<store::SqlValue>& parameters,
                                    size_t limit) {
  store::QueryLimits limits;
  limits.max_rows = limit;
  limits.timeout = Duration::Seconds(5);
  const auto found = subject_.telemetry.Query(sql, parameters, limits);
  if (!found) return Wrong("the query could not be run in time");
  json rows = json::array();
  for (const auto& row : found->rows) {
    json one = json::object();
    for (size_t i = 0; i < row.size(); ++i) one[found->columns[i]] = Cell(row[i]);
    rows.push_back(std::move(one));
  }
  return Bounded({{"rows", std::move(rows)}, {"partial", found->partial}});
}

AgentTools::Answer AgentTools::GetContext(const json& arguments) {
  const std::string name = TextArgument(arguments, "section");
  const ContextSection* section = subject_.pack.Find(name);
  if (section == nullptr) return Wrong("there is no such section");
  json lines = json::array();
  for (const auto& line : section->lines) {
    json one{{"text", line.text}, {"note", line.note}};
    if (line.claim) one["claim"] = json(claims::WriteClaim(*line.claim));
    lines.push_back(std::move(one));
  }
  return Bounded({{"section", name}, {"not_looked_at", section->not_looked_at}, {"lines", std::move(lines)}});
}

AgentTools::Answer AgentTools::SearchLogs(const json& arguments) {
  const auto window = ReadWindow(arguments);
  if (!window) return Wrong(window.error().message());
  const std::string service = TextArgument(arguments, "service"),
                    contains = TextArgument(arguments, "contains");
  std::string sql =
      "SELECT time_ns, service, severity_text, body, trace_id, template_id FROM logs WHERE time_ns >= ? AND "
      "time_ns < ?";
  std::vector<store::SqlValue> parameters{window->from.ns, window->to.ns};
  if (!service.empty()) {
    sql += " AND service = ?";
    parameters.emplace_back(service);
  }
  if (!contains.empty()) {
    sql += " AND position(? IN body) > 0";
    parameters.emplace_back(contains);
  }
  const int64_t limit = LimitArgument(arguments, 20);
  return Rows(fmt::format("{} ORDER BY time_ns DESC, position, ordinal LIMIT {}", sql, limit), parameters,
              static_cast<size_t>(limit));
}

AgentTools::Answer AgentTools::GetTrace(const json& arguments) {
  return Rows(
      "SELECT span_id, parent_span_id, service, name, time_ns, duration_ns / 1000000 AS duration_ms, status, "
      "status_message "
      "FROM spans WHERE trace_id = ? ORDER BY time_ns, span_id LIMIT 50",
      {TextArgument(arguments, "trace_id")}, kMostRows);
}

AgentTools::Answer AgentTools::ListGenerations(const json& arguments) {
  const auto window = ReadWindow(arguments);
  if (!window) return Wrong(window.error().message());
  const std::string service = TextArgument(arguments, "service"),
                    contains = TextArgument(arguments, "contains");
  std::string sql =
      "SELECT time_ns, trace_id, service, prompt_name, prompt_version, response_model, region, tenant, "
      "input, output, finish_reason, "
      "error_type FROM generations WHERE time_ns >= ? AND time_ns < ?";
  std::vector<store::SqlValue> parameters{window->from.ns, window->to.ns};
  if (!service.empty()) {
    sql += " AND service = ?";
    parameters.emplace_back(service);
  }
  if (!contains.empty()) {
    sql += " AND position(? IN output) > 0";
    parameters.emplace_back(contains);
  }
  const int64_t limit = LimitArgument(arguments, 10);
  return Rows(fmt::format("{} ORDER BY time_ns DESC, position, ordinal LIMIT {}", sql, limit), parameters,
              static_cast<size_t>(limit));
}

AgentTools::Answer AgentTools::ListNames() {
  const auto& w = subject_.pack.windows;
  const std::vector<store::SqlValue> parameters{w.baseline.from.ns, w.window.to.ns};
  json out = json::object();
  const std::pair<const char*, const char*> lists[] = {
      {"services",
       "SELECT DISTINCT service FROM spans WHERE time_ns >= ? AND time_ns < ? ORDER BY service LIMIT 200"},
      {"features",
       "SELECT DISTINCT service FROM generations WHERE time_ns >= ? AND time_ns < ? ORDER BY service LIMIT "
       "100"},
      {"metrics",
       "SELECT DISTINCT name FROM metrics WHERE time_ns >= ? AND time_ns < ? ORDER BY name LIMIT 300"}};
  for (const auto& [name, sql] : lists) {
    store::QueryLimits limits;
    limits.timeout = Duration::Seconds(5);
    const auto found = subject_.telemetry.Query(sql, parameters, limits);
    json values = json::array();
    if (found) {
      for (const auto& row : found->rows) values.push_back(Cell(row[0]));
    }
    out[name] = std::move(values);
  }
  return Bounded(out);
}

AgentTools::Answer AgentTools::CheckClaim(const json& arguments) {
  const auto it = arguments.find("claim");
  if (it == arguments.end()) return Wrong("needs 'claim'");
  const auto claim = claims::ReadClaim(*it);
  if (!claim) return Wrong(claim.error().message());
  const BriefLine& line = check_(*claim);
  json out{
      {"verdict", claims::VerdictName(line.verdict.kind)}, {"why", line.verdict.why}, {"n", line.verdict.n}};
  if (line.verdict.observed) out["observed"] = *line.verdict.observed;
  if (line.verdict.baseline) out["baseline"] = *line.verdict.baseline;
  return Bounded(out);
}

AgentTools::Answer AgentTools::Call(const ports::ModelToolCall& call, const std::stop_token& stop) {
  if (call.malformed) return Wrong("the arguments are no JSON object");
  if (++asked_[call.name + call.arguments_json] > kSameCall)
    return Wrong("asked twice before: the answer is above");
  const json arguments = json::parse(call.arguments_json, nullptr, false);
  if (!arguments.is_object()) return Wrong("the arguments are no JSON object");
  if (call.name == "get_context") return GetContext(arguments);
  if (call.name == "search_logs") return SearchLogs(arguments);
  if (call.name == "get_trace") return GetTrace(arguments);
  if (call.name == "list_generations") return ListGenerations(arguments);
  if (call.name == "list_names") return ListNames();
  if (call.name == "check_claim") return CheckClaim(arguments);
  if (others_ != nullptr && others_->Offers(call.name)) {
    const auto said = others_->Call(call.name, arguments, stop);
    if (!said) return Wrong(said.error().message());
    Answer answer = Bounded({{"said_by_another_program", said->text}});
    answer.failed = said->failed;
    return answer;
  }
  return Wrong("there is no such tool");
}

}  // namespace tocsin::investigate
