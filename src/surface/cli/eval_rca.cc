#include "surface/cli/eval_rca.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "investigate/evaluation/nezha_reader.h"
#include "investigate/evaluation/petshop_reader.h"
#include "investigate/evaluation/rca_evaluation.h"

namespace tocsin::surface {
namespace {

using nlohmann::ordered_json;

struct Flags {
  std::string format, dir;
  bool json = false, verbose = false;
};

ordered_json ToJson(const investigate::RcaSummary& s, bool verbose) {
  ordered_json out = {{"cases", s.cases},
                      {"as1", s.as1},
                      {"as3", s.as3},
                      {"as5", s.as5},
                      {"specificity", s.specificity},
                      {"seconds_per_case", s.seconds_per_case},
                      {"declared", s.declared},
                      {"as1_declared", s.as1_declared},
                      {"healthy_cases", s.healthy_cases}};
  if (s.inner_cases > 0) {
    out["inner"] = {
        {"cases", s.inner_cases}, {"as1", s.inner_as1}, {"as3", s.inner_as3}, {"as5", s.inner_as5}};
  }
  if (!verbose) return out;
  for (const investigate::RcaOutcome& o : s.outcomes) {
    ordered_json first = ordered_json::array();
    for (const auto& [service, score] : o.first) first.push_back({{"service", service}, {"score", score}});
    out["outcomes"].push_back({{"name", o.name},
                               {"cause", o.cause},
                               {"fault", o.fault},
                               {"rank", o.rank},
                               {"inner_rank", o.inner_rank},
                               {"declared", o.declared},
                               {"no_fault_p", o.no_fault_p},
                               {"onset_s", o.onset_s},
                               {"why", o.why},
                               {"first", std::move(first)}});
  }
  return out;
}

std::string Line(const investigate::RcaOutcome& o) {
  std::string first;
  for (const auto& [service, score] : o.first) {
    if (score > 0.0) first += fmt::format("  {} {:.1f}", service, score);
  }
  const std::string rank = o.rank > 0 ? std::to_string(o.rank) : "-";
  return fmt::format("{:<36} {:<15} {:>2}  {:<8} p {:.3f}  +{:.0f} s {}\n    {}\n", o.name,
                     o.cause.empty() ? "healthy" : o.fault, o.cause.empty() ? "" : rank,
                     o.declared ? "fault" : "no fault", o.no_fault_p, o.onset_s, first, o.why);
}

std::string Table(const investigate::RcaSummary& s) {
  std::string out = fmt::format(
      "{} faults: cause first in {:.1f} %, among three in {:.1f} %, among five in {:.1f} %\n"
      "fault declared in {:.1f} %, and the cause first in {:.1f} %\n"
      "{} fault-free windows: \"no fault\" in {:.1f} %\n",
      s.cases, 100 * s.as1, 100 * s.as3, 100 * s.as5, 100 * s.declared, 100 * s.as1_declared, s.healthy_cases,
      100 * s.specificity);
  if (s.inner_cases > 0) {
    out += fmt::format(
        "place inside the service ({} labelled): first {:.1f} %, of three {:.1f} %, of five {:.1f} %\n",
        s.inner_cases, 100 * s.inner_as1, 100 * s.inner_as3, 100 * s.inner_as5);
  }
  return out + fmt::format("{:.3f} s a case\n", s.seconds_per_case);
}

Status Run(const Flags& f, CommandContext& context) {
  const auto start = std::chrono::steady_clock::now();
  TOCSIN_ASSIGN_OR_RETURN(const auto cases, f.format == "nezha" ? investigate::ReadNezha(f.dir)
                                                                : investigate::ReadPetshop(f.dir));
  const double reading = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  TOCSIN_ASSIGN_OR_RETURN(investigate::RcaSummary summary, investigate::EvaluateRca(cases));
  // Reading and digesting a case's files is part of the way from telemetry to an answer.
  summary.seconds_per_case += reading / static_cast<double>(cases.size());
  if (f.json) {
    context.out << ToJson(summary, f.verbose).dump() << "\n";
    return Status::Ok();
  }
  if (f.verbose) {
    for (const investigate::RcaOutcome& o : summary.outcomes) context.out << Line(o);
  }
  context.out << Table(summary);
  return Status::Ok();
}

}  // namespace

void AddEvalRca(CLI::App& eval, CommandContext& context) {
  auto flags = std::make_shared<Flags>();
  CLI::App* rca = eval.add_subcommand("rca", "Root causes ranked on recorded faults, fault times not given");
  rca->add_option("--format", flags->format, "nezha or petshop")
      ->required()
      ->check(CLI::IsMember({"nezha", "petshop"}));
  rca->add_option("dir", flags->dir, "the unpacked data set")->required();
  rca->add_flag("--json", flags->json, "one JSON object");
  rca->add_flag("--verbose", flags->verbose, "each case");
  rca->callback([flags, &context] {
    const Status status = Run(*flags, context);
    if (!status.ok()) context.Fail(status);
  });
}

}  // namespace tocsin::surface
