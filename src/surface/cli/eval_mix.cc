#include "surface/cli/eval_mix.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "detect/answer_file.h"
#include "detect/mix_evaluation.h"

namespace tocsin::surface {
namespace {

using nlohmann::ordered_json;

struct Flags {
  std::string reference, before, after, model;
  detect::MixOptions options;
  bool json = false;
};

ordered_json ToJson(const detect::MixResult& r, const detect::MixOptions& o) {
  return {{"runs", r.runs},
          {"behaviour_alarms", r.behaviour_alarms},
          {"mix_reported", r.mix_reported},
          {"mix_reported_before_drift", r.mix_reported_early},
          {"median_mix_delay", r.median_mix_delay ? ordered_json(*r.median_mix_delay) : ordered_json()},
          {"mean_share_moved", r.mean_share_moved},
          {"skipped_share", r.skipped_share},
          {"prompts", r.prompts},
          {"drifting_segments", r.segments},
          {"hidden", o.hidden},
          {"reference_size", o.reference_size},
          {"change_at", o.change_at},
          {"alpha", o.alpha},
          {"seed", o.seed}};
}

Status Run(const Flags& f, CommandContext& context) {
  detect::AnswerFileOptions read;
  read.model = f.model;
  const std::string before_path = f.before.empty() ? f.reference : f.before;
  const std::string after_path = f.after.empty() ? before_path : f.after;
  TOCSIN_ASSIGN_OR_RETURN(const auto reference, detect::ReadAnswerFile(f.reference, read));
  TOCSIN_ASSIGN_OR_RETURN(const auto before, detect::ReadAnswerFile(before_path, read));
  TOCSIN_ASSIGN_OR_RETURN(const auto after, detect::ReadAnswerFile(after_path, read));
  const auto prompts = detect::JoinAnswers(reference, before, after, nullptr);
  TOCSIN_ASSIGN_OR_RETURN(const detect::MixResult result, detect::EvaluateMix(prompts, f.options));
  if (f.json) {
    context.out << ToJson(result, f.options).dump() << "\n";
    return Status::Ok();
  }
  context.out << fmt::format(
      "{} runs on {} prompts, {:.0f} % of the traffic moved between {} segments: behaviour alarms {}, mix "
      "reported in "
      "{} (median after {:g} generations)\n",
      result.runs, result.prompts, 100.0 * result.mean_share_moved, result.segments, result.behaviour_alarms,
      result.mix_reported, result.median_mix_delay.value_or(0.0));
  return Status::Ok();
}

}  // namespace

void AddEvalMix(CLI::App& eval, CommandContext& context) {
  auto flags = std::make_shared<Flags>();
  CLI::App* mix = eval.add_subcommand("mix", "False behaviour alarms when only the traffic's mix drifts");
  mix->add_option("--reference", flags->reference, "answers of the reference period (.jsonl, .jsonl.zst)")
      ->required();
  mix->add_option("--before", flags->before, "live answers before the drift; default: --reference");
  mix->add_option("--after", flags->after, "live answers from the drift on; default: --before");
  mix->add_option("--model", flags->model, "keep only rows of this model");
  mix->add_option("--reference-size", flags->options.reference_size, "prompts in the reference")
      ->capture_default_str();
  mix->add_option("--shuffles", flags->options.shuffles, "runs")->capture_default_str();
  mix->add_option("--change-at", flags->options.change_at, "live generations before the drift")
      ->capture_default_str();
  mix->add_option("--ramp", flags->options.ramp, "generations until the drift is complete")
      ->capture_default_str();
  mix->add_option("--live-size", flags->options.live_size, "live generations per run")->capture_default_str();
  mix->add_option("--strength", flags->options.strength, "log of the largest change of a segment's weight")
      ->capture_default_str();
  mix->add_option("--alpha", flags->options.alpha, "1 / promised generations between false alarms")
      ->capture_default_str();
  mix->add_option("--seed", flags->options.seed, "of the permutations")->capture_default_str();
  mix->add_flag("--hidden", flags->options.hidden,
                "drift over clusters of prompts the monitors are not told");
  mix->add_flag("--json", flags->json, "one JSON object");
  mix->callback([flags, &context] {
    const Status status = Run(*flags, context);
    if (!status.ok()) context.Fail(status);
  });
}

}  // namespace tocsin::surface
