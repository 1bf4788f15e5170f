#include "surface/cli/eval_templates.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "detect/template_evaluation.h"

namespace tocsin::surface {
namespace {

using nlohmann::ordered_json;

struct Flags {
  std::string folder, format = "loghub", peer;
  bool json = false;
};

ordered_json ToJson(const detect::TemplateResult& r) {
  ordered_json systems = ordered_json::array();
  for (const detect::TemplateScore& s : r.systems) {
    const bool original = !std::isnan(s.grouping_accuracy_original);
    systems.push_back({{"name", s.name},
                       {"lines", s.lines},
                       {"groups", s.groups},
                       {"true_groups", s.true_groups},
                       {"grouping_accuracy", s.grouping_accuracy},
                       {"grouping_accuracy_original",
                        original ? ordered_json(s.grouping_accuracy_original) : ordered_json()},
                       {"grouping_accuracy_on_arrival", s.grouping_accuracy_on_arrival}});
  }
  return {{"grouping_accuracy", r.grouping_accuracy},
          {"grouping_accuracy_original", r.grouping_accuracy_original},
          {"grouping_accuracy_on_arrival", r.grouping_accuracy_on_arrival},
          {"lines_per_s", r.lines_per_s},
          {"systems", std::move(systems)}};
}

Result<ordered_json> ReadPeer(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(Code::kNotFound, fmt::format("cannot open {}", path));
  auto json = ordered_json::parse(std::istreambuf_iterator<char>(file), {}, nullptr, false);
  if (!json.is_object()) return Error(Code::kInvalidArgument, fmt::format("{} holds no JSON object", path));
  return json;
}

void PrintTable(const detect::TemplateResult& r, std::ostream& out) {
  out << fmt::format("{:<14} {:>8} {:>8} {:>8} {:>10} {:>10}\n", "system", "lines", "groups", "true",
                     "accuracy", "original");
  for (const detect::TemplateScore& s : r.systems) {
    out << fmt::format("{:<14} {:>8} {:>8} {:>8} {:>10.4f} {:>10.4f}\n", s.name, s.lines, s.groups,
                       s.true_groups, s.grouping_accuracy, s.grouping_accuracy_original);
  }
  out << fmt::format(
      "mean grouping accuracy {:.4f} ({:.4f} by the original labels, {:.4f} by the ids given on "
      "arrival), {:.0f} lines/s on one core\n",
      r.grouping_accuracy, r.grouping_accuracy_original, r.grouping_accuracy_on_arrival, r.lines_per_s);
}

Status Run(const Flags& f, CommandContext& context) {
  TOCSIN_ASSIGN_OR_RETURN(const auto logs, detect::ReadLoghub(f.folder));
  ordered_json peer;
  if (!f.peer.empty()) {
    TOCSIN_ASSIGN_OR_RETURN(peer, ReadPeer(f.peer));
  }
  const detect::TemplateResult result = detect::EvaluateTemplates(logs);
  if (!f.json) {
    PrintTable(result, context.out);
    if (!peer.is_null()) context.out << "peer: " << peer.dump() << "\n";
    return Status::Ok();
  }
  ordered_json json = ToJson(result);
  if (!peer.is_null()) json["peer"] = std::move(peer);
  context.out << json.dump() << "\n";
  return Status::Ok();
}

}  // namespace

void AddEvalTemplates(CLI::App& eval, CommandContext& context) {
  auto flags = std::make_shared<Flags>();
  CLI::App* templates =
      eval.add_subcommand("templates", "Log templates against lines whose template is known");
  templates->add_option("DIR", flags->folder, "folder of labelled logs, unpacked")->required();
  templates->add_option("--format", flags->format, "how the folder is laid out")
      ->check(CLI::IsMember({"loghub"}))
      ->capture_default_str();
  templates->add_option("--peer", flags->peer,
                        "what another miner printed for the same folder (JSON), to show beside");
  templates->add_flag("--json", flags->json, "one JSON object");
  templates->callback([flags, &context] {
    const Status status = Run(*flags, context);
    if (!status.ok()) context.Fail(status);
  });
}

}  // namespace tocsin::surface
