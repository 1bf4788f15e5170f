#include "surface/cli/eval_verify.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "investigate/evaluation/verify_evaluation.h"

namespace tocsin::surface {
namespace {

using investigate::VerifyResult;
using investigate::VerifyTally;
using nlohmann::ordered_json;

struct Flags {
  investigate::VerifyOptions options;
  bool json = false;
};

ordered_json ToJson(const VerifyTally& t) {
  return {{"n", t.n}, {"verified", t.verified}, {"refuted", t.refuted}, {"unverifiable", t.unverifiable}};
}

ordered_json ToJson(const std::map<std::string, VerifyTally>& by) {
  ordered_json out = ordered_json::object();
  for (const auto& [name, tally] : by) out[name] = ToJson(tally);
  return out;
}

ordered_json ToJson(const VerifyResult& r) {
  const auto caught = r.false_caught_interval(), refuted = r.true_refuted_interval();
  ordered_json misses = ordered_json::array();
  for (const auto& m : r.misses)
    misses.push_back({{"how", m.how}, {"claim", m.claim}, {"verdict", m.verdict}, {"why", m.why}});
  return {{"false_caught", r.false_caught()},
          {"false_caught_interval", {caught.low, caught.high}},
          {"false_n", r.false_claims.n},
          {"true_refuted", r.true_refuted()},
          {"true_refuted_interval", {refuted.low, refuted.high}},
          {"true_n", r.true_claims.n},
          {"true", ToJson(r.true_claims)},
          {"false", ToJson(r.false_claims)},
          {"planted", ToJson(r.by_plant)},
          {"true_by_kind", ToJson(r.by_kind_true)},
          {"false_by_kind", ToJson(r.by_kind_false)},
          {"partial", ToJson(r.partial)},
          {"misses", std::move(misses)},
          {"seconds", r.seconds}};
}

void Print(const VerifyResult& r, std::ostream& out) {
  const auto caught = r.false_caught_interval(), refuted = r.true_refuted_interval();
  out << fmt::format("false claims caught  {:.2f} %  [{:.2f}, {:.2f}] of {}\n", 100 * r.false_caught(),
                     100 * caught.low, 100 * caught.high, r.false_claims.n);
  for (const auto& [how, t] : r.by_plant)
    out << fmt::format("  {:<12} {:>5} planted: {} refuted, {} unverifiable, {} verified\n", how, t.n,
                       t.refuted, t.unverifiable, t.verified);
  out << fmt::format("true claims refuted  {:.2f} %  [{:.2f}, {:.2f}] of {}; {} verified, {} unverifiable\n",
                     100 * r.true_refuted(), 100 * refuted.low, 100 * refuted.high, r.true_claims.n,
                     r.true_claims.verified, r.true_claims.unverifiable);
  out << fmt::format("over partial data    {} claims, {} verified (none may be)\n", r.partial.n,
                     r.partial.verified);
  for (const auto& m : r.misses)
    out << fmt::format("missed ({}): {}\n  {}: {}\n", m.how, m.claim, m.verdict, m.why);
  out << fmt::format("{:.1f} s\n", r.seconds);
}

}  // namespace

void AddEvalVerify(CLI::App& eval, CommandContext& context) {
  auto flags = std::make_shared<Flags>();
  CLI::App* verify =
      eval.add_subcommand("verify", "Plant false claims among true ones and see which are caught");
  verify->add_option("--worlds", flags->options.worlds, "recorded worlds to plant in")
      ->check(CLI::Range(1, 1000));
  verify->add_option("--seed", flags->options.seed, "of the first world");
  verify->add_flag("--json", flags->json, "one JSON object");
  verify->callback([flags, &context] {
    const auto result = investigate::EvaluateVerifier(flags->options);
    if (!result) return context.Fail(result.error());
    if (flags->json) {
      context.out << ToJson(*result).dump(2) << '\n';
    } else {
      Print(*result, context.out);
    }
  });
}

}  // namespace tocsin::surface
