#include "surface/cli/eval_investigate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "investigate/evaluation/investigation_evaluation.h"
#include "investigate/evaluation/model_case_investigator.h"

namespace tocsin::surface {
namespace {

using nlohmann::ordered_json;

struct Flags {
  std::string folder, format = "opensre";
  bool json = false, text = false;
  ports::ModelSettings model;
  bool anthropic = false;
};

ordered_json ToJson(const investigate::InvestigationScore& score, bool text) {
  ordered_json cases = ordered_json::array();
  for (const investigate::CaseScore& c : score.cases) {
    ordered_json one = {{"case", c.name},
                        {"expected", c.expected},
                        {"concluded", c.concluded},
                        {"mode", c.mode},
                        {"confidence", c.confidence},
                        {"right_category", c.right_category},
                        {"right_cause", c.right_cause},
                        {"passed", c.passed},
                        {"strict", c.strict},
                        {"missing", c.missing},
                        {"missing_ruling_out", c.missing_ruling_out},
                        {"forbidden", c.forbidden}};
    if (text) one["text"] = c.text;
    cases.push_back(std::move(one));
  }
  return {{"cases", score.cases.size()},
          {"right_cause", score.right_cause},
          {"forbidden", score.forbidden},
          {"healthy_left_alone", score.healthy_left_alone},
          {"healthy_cases", score.healthy_cases},
          {"right_category", score.right_category},
          {"passed", score.passed},
          {"strict", score.strict},
          {"per_case", std::move(cases)}};
}

void PrintTable(const investigate::InvestigationScore& score, bool text, std::ostream& out) {
  size_t width = 4;
  for (const auto& c : score.cases) width = std::max(width, c.name.size());
  out << fmt::format("{:<{}}  {:<20} {:<20} {:<7} {}\n", "case", width, "expected", "concluded", "cause",
                     "what is amiss");
  for (const auto& c : score.cases) {
    std::string amiss;
    if (!c.missing.empty()) amiss += fmt::format("does not say: {}. ", fmt::join(c.missing, ", "));
    if (!c.forbidden.empty()) amiss += fmt::format("forbidden: {}. ", fmt::join(c.forbidden, ", "));
    if (!c.missing_ruling_out.empty())
      amiss += fmt::format("does not rule out: {}.", fmt::join(c.missing_ruling_out, ", "));
    out << fmt::format("{:<{}}  {:<20} {:<20} {:<7} {}\n", c.name, width, c.expected, c.concluded,
                       c.right_cause ? "right" : "wrong", amiss);
    if (text) out << c.text << "\n";
  }
  out << fmt::format(
      "\n{} cases: right cause {}, right category {}, forbidden conclusions {}, healthy left alone {} of "
      "{}\n",
      score.cases.size(), score.right_cause, score.right_category, score.forbidden, score.healthy_left_alone,
      score.healthy_cases);
}

Status Run(const Flags& f, CommandContext& context) {
  investigate::CaseInvestigator investigator = investigate::CatalogueInvestigator;
  const auto tally = std::make_shared<investigate::ModelCaseTally>();
  if (!f.model.base_url.empty()) {
    ports::ModelSettings settings = f.model;
    if (f.anthropic) settings.protocol = ports::ModelProtocol::kAnthropic;
    TOCSIN_ASSIGN_OR_RETURN(investigator, investigate::MakeModelCaseInvestigator(settings, tally));
  }
  TOCSIN_ASSIGN_OR_RETURN(const investigate::InvestigationScore score,
                          investigate::EvaluateOpensre(f.folder, investigator));
  ordered_json json = ToJson(score, f.text);
  if (tally->asked > 0)
    json["model"] = {{"asked", tally->asked},
                     {"agreed", tally->agreed},
                     {"overruled", tally->overruled},
                     {"failed", tally->failed}};
  if (f.json)
    context.out << json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << "\n";
  else
    PrintTable(score, f.text, context.out);
  if (!f.json && tally->asked > 0)
    context.out << fmt::format("model asked {} times: agreed {}, overruled {}, failed {}\n", tally->asked,
                               tally->agreed, tally->overruled, tally->failed);
  return Status::Ok();
}

}  // namespace

void AddEvalInvestigate(CLI::App& eval, CommandContext& context) {
  auto flags = std::make_shared<Flags>();
  CLI::App* investigate =
      eval.add_subcommand("investigate", "Causes named for recorded incidents, against their answers");
  investigate->add_option("DIR", flags->folder, "folder of scenarios, each with an answer.yml")->required();
  investigate->add_option("--format", flags->format, "how the incidents are recorded")
      ->check(CLI::IsMember({"opensre"}))
      ->capture_default_str();
  investigate->add_option("--model", flags->model.base_url,
                          "URL of an OpenAI-compatible endpoint: it chooses, code decides what holds");
  investigate->add_option("--model-name", flags->model.model, "of the model")->default_val("local");
  investigate->add_option("--api-key-env", flags->model.api_key_env, "environment variable with the key");
  investigate->add_flag("--anthropic", flags->anthropic, "the endpoint speaks Anthropic's protocol");
  investigate->add_flag("--text", flags->text, "with each conclusion in full");
  investigate->add_flag("--json", flags->json, "one JSON object");
  investigate->callback([flags, &context] {
    const Status status = Run(*flags, context);
    if (!status.ok()) context.Fail(status);
  });
}

}  // namespace tocsin::surface
