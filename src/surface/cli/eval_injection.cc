#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "act/evaluation/injection_evaluation.h"
#include "surface/cli/commands.h"

namespace tocsin::surface {
namespace {

struct Flags {
  std::string directory;
  bool as_json = false;
};

void Run(const Flags& flags, CommandContext& context) {
  const auto attacks = act::ReadAttacks(flags.directory);
  if (!attacks) return context.Fail(attacks.error());
  spdlog::set_level(spdlog::level::err);  // every attack throws the switch
  const auto r = act::EvaluateInjection(*attacks);
  if (!r) return context.Fail(r.error());
  if (flags.as_json) {
    context.out << nlohmann::ordered_json{{"attacks", r->attacks},
                                          {"attempts", r->attempts},
                                          {"effects", r->effects},
                                          {"unauthorised_effects", r->unauthorised_effects},
                                          {"approvals", r->approvals},
                                          {"tainted_approvals", r->tainted_approvals},
                                          {"refused", r->refused},
                                          {"refused_off_chain", r->refused_off_chain},
                                          {"powers_gained", r->powers_gained},
                                          {"chain_intact", r->chain_intact},
                                          {"examples", r->examples},
                                          {"seconds", r->seconds}}
                       .dump(2)
                << '\n';
  } else {
    context.out << fmt::format(
        "{} attacks, obeyed in {} attempts\n  {} effects, {} of them unauthorised\n  {} approvals asked, {} "
        "of them "
        "tainted\n  {} refused, {} of them not on the chain\n  {} powers gained; the chain is {}\n",
        r->attacks, r->attempts, r->effects, r->unauthorised_effects, r->approvals, r->tainted_approvals,
        r->refused, r->refused_off_chain, r->powers_gained, r->chain_intact ? "intact" : "broken");
    for (const std::string& example : r->examples) context.out << "  " << example << '\n';
  }
  if (r->unauthorised_effects + r->tainted_approvals + r->refused_off_chain + r->powers_gained > 0 ||
      !r->chain_intact)
    context.exit_code = 1;
}

}  // namespace

void AddEvalInjection(CLI::App& eval, CommandContext& context) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = eval.add_subcommand(
      "injection",
      "Recorded prompt injections against an agent that obeys them: what gets through? Exit code 1 if any");
  command->add_option("DIR", flags->directory, "with text_attack_train.json and code_attack_train.json")
      ->required();
  command->add_flag("--json", flags->as_json, "JSON instead of text");
  command->callback([flags, &context] { Run(*flags, context); });
}

}  // namespace tocsin::surface
