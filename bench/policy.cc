// bench_policy [--rounds N] [--json]
//
// How long one decision takes at worst: a day of history at the default bound of 30 actions an hour, each on
// as many targets as the call, every window as long as the day, 24 targets, 64 parameters from an agent, and
// nothing that refuses, so that every rule is gone through. `ratio` is the 99th percentile against the limit.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "act/policy/decide.h"

namespace tocsin::bench {
namespace {

using namespace tocsin::act;

constexpr double kLimitMicros = 1000;
constexpr int kTargets = 24, kParameters = 64, kPerHour = 30, kHours = 24;

struct Case {
  PolicyRules rules;
  PolicyFacts facts;
  ActionCall call;
};

std::string Name(std::string_view of, int i) { return fmt::format("payments-{}-{:04}", of, i); }

void FillHistory(Case& c) {
  for (int i = 0; i < kPerHour * kHours; ++i) {
    PastAction past;
    past.at = c.facts.now - Duration{int64_t{i} * 119'000'000'000};
    past.run = fmt::format("RUN-{}", i / 4);
    past.runbook = Name("runbook", i % 50);
    past.action = c.call.action;
    past.actor = i % 2 == 0 ? c.call.actor : "ada";
    past.incident = fmt::format("INC-{}", i / 30);
    // The targets of others, which differ from the call's in their last digits.
    for (int t = 0; t < kTargets; ++t) past.targets.push_back({"deployment", Name("service", 1000 + i + t)});
    c.facts.history.push_back(std::move(past));
  }
}

Case Worst() {
  Case c;
  c.facts.now = Time{1'790'000'000'000'000'000};
  c.facts.action_known = c.facts.step_current = true;
  c.facts.claims_verified = 3;
  const Duration day = Duration::Hours(24);
  c.rules.cooldown = c.rules.auto_pause = day;
  c.rules.rates = {{"all", 1'000'000, day},
                   {"agent", 1'000'000, day},
                   {"action", 1'000'000, day},
                   {"target", 1'000'000, day},
                   {"incident", 1'000'000, day}};
  c.rules.access.agents["fixer"] = {"", Tier::kAuto, {"kubernetes.*"}, false, {1'000'000, 1e9, day}};
  for (int p = 0; p < 50; ++p) c.rules.access.people[Name("person", p)] = {};
  for (int i = 0; i < 5000; ++i) c.rules.inventory.Add("deployment", Name("service", i), {0.001, 10, 50, {}});
  c.call.run = "RUN-now";
  c.call.runbook = Name("runbook", 7);
  c.call.incident = "INC-3";
  c.call.action = "kubernetes.restart";
  c.call.hash = std::string(64, 'a');
  c.call.tier = Tier::kAuto;
  c.call.has_inverse = true;
  c.call.actor = "fixer";
  c.call.by_agent = true;
  c.call.reach.instances = 1;
  c.call.reach.money = 1;
  c.call.runs_per_hour = c.call.runs_per_incident = 1'000'000;
  for (int t = 0; t < kTargets; ++t) {
    const Target target{"deployment", Name("service", t)};
    c.call.targets.push_back(target);
    c.facts.targets[target] = {10, 10};
  }
  for (int p = 0; p < kParameters; ++p) {
    ParameterPart part;
    part.source = "inputs.service";
    part.value = Name("service", p);
    part.origin = Origin::kAgent;
    part.type.kind = "inventory";
    part.type.inventory = "deployment";
    c.call.parameters.push_back({fmt::format("with.services[{}]", p), {part}});
  }
  for (int i = 0; i < 10; ++i)
    c.facts.approvals.push_back({Name("person", i), true, c.call.hash, c.facts.now});
  FillHistory(c);
  return c;
}

int Main(int argc, char** argv) {
  size_t rounds = 5'000;
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0) json = true;
    if (std::strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) rounds = std::stoul(argv[++i]);
  }
  const Case c = Worst();
  const Decision first = Decide(c.rules, c.facts, c.call);
  for (const auto& reason : first.reasons) {
    if (reason.rule == "pause") continue;  // the same action within the day is what makes it slow
    std::cerr << "not the worst case: " << reason.rule << ": " << reason.text << '\n';
    return 1;
  }
  std::vector<double> micros;
  for (size_t i = 0; i < std::max<size_t>(rounds, 100); ++i) {
    const auto start = std::chrono::steady_clock::now();
    const Decision decision = Decide(c.rules, c.facts, c.call);
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    if (decision.verdict != first.verdict) return 1;
    micros.push_back(took.count());
  }
  std::ranges::sort(micros);
  const auto at = [&](double q) {
    return micros[static_cast<size_t>(q * static_cast<double>(micros.size() - 1))];
  };
  const nlohmann::ordered_json out{{"p50_us", at(0.5)},
                                   {"p99_us", at(0.99)},
                                   {"max_us", micros.back()},
                                   {"limit_us", kLimitMicros},
                                   {"ratio", at(0.99) / kLimitMicros},
                                   {"n", micros.size()},
                                   {"history", c.facts.history.size()},
                                   {"targets", kTargets},
                                   {"parameters", kParameters}};
  if (json)
    std::cout << out.dump() << '\n';
  else
    std::cout << fmt::format("one decision: median {:.1f} µs, 99 % within {:.1f} µs, of {:.0f} µs allowed\n",
                             at(0.5), at(0.99), kLimitMicros);
  return 0;
}

}  // namespace
}  // namespace tocsin::bench

int main(int argc, char** argv) {
  try {
    return tocsin::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
