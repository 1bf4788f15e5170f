// CACAO Security Playbooks 2.0, OASIS Committee Specification 01 (2023-11-27).
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "act/plan/placeholder.h"
#include "act/runbook/internal/import_writer.h"
#include "act/runbook/read_runbook.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
constexpr size_t kMostLevels = 4;  // of branches: YAML nests at most 16 deep

std::string TextIn(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

std::string_view Trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

class Importer {
 public:
  Importer(const json& playbook, std::string name) : in_(playbook), file_(std::move(name)) {}

  Result<ImportedRunbook> Import() {
    if (TextIn(in_, "type") != "playbook" || !in_.contains("workflow") || !in_["workflow"].is_object())
      return Wrong("is no CACAO playbook: it has no type 'playbook' with a workflow");
    if (TextIn(in_, "spec_version") != "cacao-2.0")
      return Wrong(
          fmt::format("is of version '{}'; cacao-2.0 is read", TextIn(in_, "spec_version").substr(0, 32)));
    const std::string title = TextIn(in_, "name");
    ordered_json out = {{"runbook", internal::NameOf(title, "playbook")},
                        {"title", internal::PlainText(title.empty() ? "Imported playbook" : title, 200)},
                        {"about", internal::PlainText(TextIn(in_, "description"), 4000)},
                        {"advise_only", true}};
    ReadVariables();
    Links(out);
    TOCSIN_ASSIGN_OR_RETURN(ordered_json steps, Chain(TextIn(in_, "workflow_start"), 0));
    if (steps.empty()) return Wrong("its workflow does nothing");
    if (!inputs_.empty()) out["inputs"] = inputs_;
    out["steps"] = std::move(steps);
    for (const char* key :
         {"playbook_activities", "priority", "severity", "impact", "data_marking_definitions", "signatures",
          "authentication_info_definitions", "agent_definitions"}) {
      if (in_.contains(key)) left_out_.push_back(fmt::format("'{}' of the playbook", key));
    }
    out[internal::kComments] = {
        fmt::format("Imported from CACAO playbook {}. At most advised until somebody has gone through it.",
                    TextIn(in_, "id"))};
    for (const std::string& one : left_out_) out[internal::kComments].push_back("Not carried over: " + one);
    return internal::WriteImport(out, left_out_, file_);
  }

 private:
  tl::unexpected<Status> Wrong(std::string_view what) const {
    return Error(Code::kInvalidArgument, fmt::format("{}: {}", file_, what));
  }

  // "__host__" is input host; its type is text, whatever CACAO calls it, but for the numbers.
  void ReadVariables() {
    const json variables = in_.value("playbook_variables", json::object());
    if (!variables.is_object()) return;
    for (const auto& [name, variable] : variables.items()) {
      if (!variable.is_object() || inputs_.size() >= 50) continue;
      const std::string input = internal::FreeName(name, "value", input_names_);
      variables_[name] = input;
      const std::string type = TextIn(variable, "type");
      ordered_json& out = inputs_[input] = ordered_json::object();
      out["type"] = type == "integer" || type == "long" ? "integer" : type == "bool" ? "boolean" : "text";
      const std::string about = TextIn(variable, "description");
      if (!about.empty()) out["about"] = internal::PlainText(about, 500);
      const std::string value = TextIn(variable, "value");
      if (!value.empty() && out["type"] == "text") out["default"] = internal::PlainText(value, 500);
    }
  }

  void Links(ordered_json& out) const {
    const json references = in_.value("external_references", json::array());
    ordered_json links = ordered_json::array();
    for (const json& one : references) {
      const std::string url = one.is_object() ? TextIn(one, "url") : "";
      if (!url.empty() && url.size() <= 256 && links.size() < 50) links.push_back(url);
    }
    if (!links.empty()) out["links"] = std::move(links);
  }

  // The steps from `id` on, until an end or where the step around them goes on.
  Result<ordered_json> Chain(std::string id, size_t level) {
    ordered_json out = ordered_json::array();
    if (level > kMostLevels)
      return Error(Code::kOutOfRange,
                   fmt::format("{}: branches more than {} levels deep", file_, kMostLevels));
    std::vector<std::string> entered;
    Status status;
    while (!id.empty() && status.ok()) {
      const auto it = in_["workflow"].find(id);
      if (it == in_["workflow"].end() || !it->is_object()) {
        status = Status(Code::kInvalidArgument,
                        fmt::format("{}: workflow has no step '{}'", file_, id.substr(0, 100)));
      } else if (std::ranges::find(path_, id) != path_.end()) {
        status =
            Status(Code::kUnimplemented,
                   fmt::format("{}: step '{}' comes back to itself; loops are not carried over", file_, id));
      } else {
        path_.push_back(id);
        entered.push_back(id);
        const json& step = *it;
        status = Add(id, step, level, out);
        id = TextIn(step, "on_completion");
        if (id.empty()) id = TextIn(step, "on_success");
      }
    }
    path_.resize(path_.size() - entered.size());
    TOCSIN_RETURN_IF_ERROR(std::move(status));
    return out;
  }

  Status Add(const std::string& id, const json& step, size_t level, ordered_json& out) {
    const std::string type = TextIn(step, "type");
    if (type == "start" || type == "end") return Status::Ok();
    if (++count_ > kMaxPlanSteps)
      return Status(Code::kOutOfRange, fmt::format("{}: has more than {} steps", file_, kMaxPlanSteps));
    std::vector<std::string> lost;
    for (const char* key : {"on_failure", "delay", "timeout", "in_args", "out_args", "owner"}) {
      if (step.contains(key) && !step[key].empty()) lost.push_back(key);
    }
    const size_t first = out.size();
    if (type == "action") {
      TOCSIN_RETURN_IF_ERROR(AddAction(step, out));
    } else if (type == "parallel") {
      TOCSIN_RETURN_IF_ERROR(AddParallel(step, level, out));
    } else if (type == "if-condition") {
      TOCSIN_RETURN_IF_ERROR(AddIf(step, level, out));
    } else if (type == "playbook-action") {
      const std::string called = TextIn(step, "playbook_id");
      out.push_back({{internal::kComments, {"Give it the id of the runbook that this playbook became."}},
                     {"id", internal::FreeName(TextIn(step, "name"), "call", step_names_)},
                     {"run", internal::NameOf(called, "playbook")}});
    } else {
      return Status(Code::kUnimplemented,
                    fmt::format("{}: step '{}' is a {}, which is not carried over; write "
                                "it as steps one after another",
                                file_, id.substr(0, 100), type.substr(0, 40)));
    }
    if (!lost.empty() && out.size() > first) {
      const std::string text = fmt::format("{} of step '{}'", fmt::join(lost, ", "), TextIn(step, "name"));
      left_out_.push_back(text);
      out[first][internal::kComments].push_back("Not carried over: " + text);
    }
    return Status::Ok();
  }

  Status AddAction(const json& step, ordered_json& out) {
    const json commands = step.value("commands", json::array());
    if (!commands.is_array() || commands.empty()) {
      left_out_.push_back(fmt::format("step '{}', which has no command", TextIn(step, "name")));
      return Status::Ok();
    }
    for (const json& command : commands) {
      if (!command.is_object()) return Status(Code::kInvalidArgument, file_ + ": a command is no object");
      if (++count_ > kMaxPlanSteps)
        return Status(Code::kOutOfRange, fmt::format("{}: has more than {} steps", file_, kMaxPlanSteps));
      ordered_json made = {{"id", internal::FreeName(TextIn(step, "name"), "step", step_names_)}};
      const std::string title = TextIn(step, "name");
      if (!title.empty()) made["title"] = internal::PlainText(title, 200);
      if (TextIn(command, "type") == "http-api" && AddRequest(step, command, made))
        Extensions(step, made);
      else
        AddByHand(step, command, made);
      out.push_back(std::move(made));
    }
    return Status::Ok();
  }

  // "POST /api/hosts/1 HTTP/1.1"
  bool AddRequest(const json& step, const json& command, ordered_json& made) {
    const std::string line = TextIn(command, "command");
    const size_t blank = line.find(' ');
    if (blank == std::string::npos) return false;
    std::string path(Trimmed(line.substr(blank)));
    path = path.substr(0, path.find(" HTTP/"));
    if (!path.starts_with('/')) return false;
    ordered_json with = {
        {"service", TargetOf(step)}, {"method", line.substr(0, blank)}, {"path", WithInputs(path, 1000)}};
    const std::string content = TextIn(command, "content");
    const json body = json::parse(content, nullptr, false);
    if (!content.empty() && body.is_structured() && !HoldsBraces(body)) with["json"] = body;
    if (!content.empty() && !with.contains("json"))
      left_out_.push_back("the body of '" + TextIn(step, "name") + "'");
    if (command.contains("headers")) left_out_.push_back("headers of '" + TextIn(step, "name") + "'");
    made["action"] = "http.request";
    made["with"] = std::move(with);
    made["tier"] = "advise";
    made["targets"] = {"service/" + TargetOf(step)};
    made["no_inverse"] = "a CACAO playbook names none";
    return true;
  }

  void AddByHand(const json& step, const json& command, ordered_json& made) {
    const std::string type = TextIn(command, "type");
    std::string text = TextIn(command, "command");
    if (text.empty()) text = TextIn(command, "command_b64");
    const std::string about = TextIn(step, "description");
    if (type != "manual") {
      text = fmt::format("Run by hand ({}{}):\n{}", type, Where(step), text);
      made[internal::kComments].push_back(fmt::format(
          "A command of type '{}' is not run; add it to act.executors and use command.run.", type));
    }
    made["manual"] = WithInputs(about.empty() ? text : about + "\n\n" + text, 7000);
  }

  std::string Where(const json& step) const {
    const std::string target = TargetOf(step);
    return target == "unknown" ? "" : ", at " + target;
  }

  std::string TargetOf(const json& step) const {
    const json targets = step.value("targets", json::array());
    if (!targets.is_array() || targets.empty() || !targets[0].is_string()) return "unknown";
    const json definitions = in_.value("target_definitions", json::object());
    const auto it = definitions.find(targets[0].get<std::string>());
    return it == definitions.end() || !it->is_object() ? "unknown"
                                                       : internal::NameOf(TextIn(*it, "name"), "unknown");
  }

  Status AddParallel(const json& step, size_t level, ordered_json& out) {
    ordered_json branches = ordered_json::array();
    const json next = step.value("next_steps", json::array());
    for (const json& id : next) {
      TOCSIN_ASSIGN_OR_RETURN(ordered_json steps,
                              Chain(id.is_string() ? id.get<std::string>() : "", level + 1));
      if (!steps.empty()) branches.push_back(std::move(steps));
    }
    if (branches.size() == 1) {
      for (auto& one : branches[0]) out.push_back(std::move(one));
    } else if (!branches.empty()) {
      out.push_back({{"parallel", std::move(branches)}});
    }
    return Status::Ok();
  }

  Status AddIf(const json& step, size_t level, ordered_json& out) {
    const std::string condition = TextIn(step, "condition");
    TOCSIN_ASSIGN_OR_RETURN(ordered_json then, Chain(TextIn(step, "on_true"), level + 1));
    TOCSIN_ASSIGN_OR_RETURN(ordered_json otherwise, Chain(TextIn(step, "on_false"), level + 1));
    ordered_json made;
    made["id"] = internal::FreeName(TextIn(step, "name"), "decide", step_names_);
    if (auto known = Comparison(condition)) {
      made["if"] = *std::move(known);
    } else {
      const std::string input = internal::FreeName(TextIn(step, "name"), "decide", input_names_);
      inputs_[input] = {{"type", "boolean"}, {"about", internal::PlainText("Whether: " + condition, 900)}};
      made["if"] = {{"value", PlaceholderOf("inputs." + input)}, {"is", "true"}};
      made[internal::kComments].push_back("Its condition is not read; who begins the runbook answers it: " +
                                          condition);
      left_out_.push_back("the condition '" + condition + "'");
    }
    if (then.empty())
      then.push_back(
          {{"id", internal::FreeName("nothing", "step", step_names_)}, {"manual", "Nothing to do."}});
    made["then"] = std::move(then);
    if (!otherwise.empty()) made["else"] = std::move(otherwise);
    out.push_back(std::move(made));
    return Status::Ok();
  }

  // "__name__:value = 'text'"
  std::optional<ordered_json> Comparison(std::string_view text) const {
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0 || text[equals - 1] == '!' ||
        text[equals - 1] == '<' || text[equals - 1] == '>')
      return {};
    std::string_view left = Trimmed(text.substr(0, equals)), right = text.substr(equals + 1);
    if (right.starts_with('=')) right.remove_prefix(1);
    right = Trimmed(right);
    constexpr std::string_view kValue = ":value";
    if (!left.ends_with(kValue)) return {};
    left.remove_suffix(kValue.size());
    const auto input = variables_.find(left);
    const bool quoted =
        right.size() >= 2 && (right[0] == '\'' || right[0] == '"') && right.back() == right[0];
    if (input == variables_.end()) return {};
    if (quoted) right = right.substr(1, right.size() - 2);
    if (right.empty() || right.size() > 200 || right.find_first_of("'\" ") != std::string_view::npos)
      return {};
    return ordered_json{{"value", PlaceholderOf("inputs." + input->second)}, {"is", std::string(right)}};
  }

  // Tier and reach, when an extension of the step or the playbook has them in our words.
  void Extensions(const json& step, ordered_json& made) const {
    for (const auto& [holder, key] : {std::pair{&in_, "playbook_extensions"}, {&step, "step_extensions"}}) {
      const json extensions = holder->value(key, json::object());
      if (!extensions.is_object()) continue;
      for (const auto& [name, extension] : extensions.items()) {
        Tier tier{};
        if (!extension.is_object()) continue;
        if (ParseTier(TextIn(extension, "tier"), tier)) made["tier"] = TierName(tier);
        const json reach = extension.value("reach", json::object());
        if (!reach.is_object()) continue;
        for (const char* what : {"traffic", "instances", "users", "money"}) {
          if (reach.contains(what) && reach[what].is_number()) made["reach"][what] = reach[what];
        }
      }
    }
  }

  static bool HoldsBraces(const json& body) {
    return body.dump(-1, ' ', false, json::error_handler_t::replace).find("{{") != std::string::npos;
  }

  // Variables become placeholders, all else stays text.
  std::string WithInputs(std::string_view text, size_t most) const {
    std::string out = internal::PlainText(text, most);
    for (const auto& [name, input] : variables_) {
      const std::string from = name + ":value", to = PlaceholderOf("inputs." + input);
      for (size_t at = 0; (at = out.find(from, at)) != std::string::npos && out.size() < most;
           at += to.size())
        out.replace(at, from.size(), to);
    }
    return out;
  }

  const json& in_;
  std::string file_;
  ordered_json inputs_ = ordered_json::object();
  std::map<std::string, std::string, std::less<>> variables_;  // CACAO's name to ours
  std::set<std::string> input_names_, step_names_;
  std::vector<std::string> path_, left_out_;
  size_t count_ = 0;
};

}  // namespace

Result<ImportedRunbook> ImportCacao(std::string_view text, const std::string& name) {
  if (text.size() > kMaxImportBytes) return Error(Code::kInvalidArgument, name + ": is larger than 1 MiB");
  const json playbook = json::parse(text, nullptr, false);
  if (!playbook.is_object()) return Error(Code::kInvalidArgument, name + ": is no JSON object");
  return Importer(playbook, name).Import();
}

}  // namespace tocsin::act
