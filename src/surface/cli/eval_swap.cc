#include "surface/cli/eval_swap.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <vector>

#include "detect/answer_file.h"
#include "detect/swap_evaluation.h"

namespace tocsin::surface {
namespace {

using nlohmann::ordered_json;

struct Flags {
  std::string reference, before, after;
  std::string reference_model, before_model, after_model, segment;
  detect::SwapOptions options;
  bool json = false;
};

ordered_json OrNull(const std::optional<double>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json ToJson(const detect::SwapResult& r, const detect::SwapOptions& o) {
  ordered_json words = ordered_json::array();
  for (const detect::ChangeInWords& c : r.words) {
    words.push_back({{"feature", c.feature}, {"words", c.words}, {"weight", c.weight}});
  }
  return {{"runs", r.runs},
          {"found", r.found},
          {"median_delay", OrNull(r.median_delay)},
          {"p90_delay", OrNull(r.p90_delay)},
          {"false_alarms", r.false_alarms},
          {"mean_run_length_null", OrNull(r.mean_run_length_null)},
          {"mean_run_length_null_is_lower_bound", r.mean_run_length_null_is_lower_bound},
          {"missed", r.missed},
          {"null_generations", r.null_generations},
          {"null_alarms", r.null_alarms},
          {"promised_run_length", 1.0 / o.alpha},
          {"prompts", r.prompts},
          {"reference_size", o.reference_size},
          {"change_at", o.change_at},
          {"alpha", o.alpha},
          {"seed", o.seed},
          {"skipped_share", r.skipped_share},
          {"delays", r.delays},
          {"what_changed", words}};
}

void PrintText(std::ostream& out, const detect::SwapResult& r, const detect::SwapOptions& o) {
  out << fmt::format("{} runs on {} prompts: found {}, missed {}, false alarms before the change {}\n",
                     r.runs, r.prompts, r.found, r.missed, r.false_alarms);
  if (r.median_delay) {
    out << fmt::format("generations from change to alarm: median {:g}, 90 % within {:g}\n", *r.median_delay,
                       *r.p90_delay);
  }
  if (r.mean_run_length_null) {
    out << fmt::format(
        "without a change: {} alarms in {} generations, {}{:.0f} apart (promised: at least {:.0f})\n",
        r.null_alarms, r.null_generations, r.mean_run_length_null_is_lower_bound ? "over " : "",
        *r.mean_run_length_null, 1.0 / o.alpha);
  }
  for (const detect::ChangeInWords& c : r.words) out << "  " << c.words << "\n";
}

Result<std::vector<detect::AnswerRow>> Read(const std::string& path, const std::string& model,
                                            const Flags& f) {
  detect::AnswerFileOptions options;
  options.model = model;
  options.segment = f.segment;
  return detect::ReadAnswerFile(path, options);
}

Status Run(const Flags& f, CommandContext& context) {
  TOCSIN_ASSIGN_OR_RETURN(const auto reference, Read(f.reference, f.reference_model, f));
  TOCSIN_ASSIGN_OR_RETURN(const auto before, Read(f.before, f.before_model, f));
  TOCSIN_ASSIGN_OR_RETURN(const auto after, Read(f.after, f.after_model, f));
  behavior::NgramNames names;
  const auto prompts = detect::JoinAnswers(reference, before, after, &names);
  const bool is_null = f.before == f.after && f.before_model == f.after_model;
  TOCSIN_ASSIGN_OR_RETURN(const detect::SwapResult result,
                          detect::EvaluateSwap(prompts, f.options, &names, is_null));
  if (f.json) {
    context.out << ToJson(result, f.options).dump() << "\n";
  } else {
    PrintText(context.out, result, f.options);
  }
  return Status::Ok();
}

}  // namespace

void AddEvalSwap(CLI::App& eval, CommandContext& context) {
  auto flags = std::make_shared<Flags>();
  CLI::App* swap =
      eval.add_subcommand("swap", "Delay and false alarms for a silent change in recorded answers");
  swap->add_option("--reference", flags->reference, "answers of the reference period (.jsonl, .jsonl.zst)")
      ->required();
  swap->add_option("--before", flags->before, "live answers before the change")->required();
  swap->add_option("--after", flags->after, "live answers after the change")->required();
  swap->add_option("--reference-model", flags->reference_model, "keep only rows of this model");
  swap->add_option("--before-model", flags->before_model, "keep only rows of this model");
  swap->add_option("--after-model", flags->after_model, "keep only rows of this model");
  swap->add_option("--segment", flags->segment, "keep only rows of this dataset, task or segment");
  swap->add_option("--reference-size", flags->options.reference_size, "prompts in the reference")
      ->capture_default_str();
  swap->add_option("--shuffles", flags->options.shuffles, "runs")->capture_default_str();
  swap->add_option("--change-at", flags->options.change_at, "live generations before the change")
      ->capture_default_str();
  swap->add_option("--alpha", flags->options.alpha, "1 / promised generations between false alarms")
      ->capture_default_str();
  swap->add_option("--seed", flags->options.seed, "of the permutations")->capture_default_str();
  swap->add_option("--null-generations", flags->options.null_generations,
                   "generations without a change to observe, per shuffle; 0 skips")
      ->capture_default_str();
  swap->add_flag("--json", flags->json, "one JSON object");
  swap->callback([flags, &context] {
    const Status status = Run(*flags, context);
    if (!status.ok()) context.Fail(status);
  });
}

}  // namespace tocsin::surface
