#include "act/policy/testing/policy_cases.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <limits>

namespace tocsin::act::testing {
namespace {

constexpr Time kNow{1'790'000'000'000'000'000};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class T, size_t N>
const T& Pick(Rng& rng, const std::array<T, N>& from) {
  return from[rng.Below(N)];
}
bool Chance(Rng& rng, uint64_t one_in) { return rng.Below(one_in) == 0; }
int Int(Rng& rng, int low, int high) {
  return low + static_cast<int>(rng.Below(static_cast<uint64_t>(high - low + 1)));
}
// The bound, and as near to it as numbers go.
double Near(Rng& rng, double bound) {
  return Pick(rng, std::array{bound, std::nextafter(bound, kInfinity), std::nextafter(bound, -kInfinity)});
}
Duration Near(Rng& rng, Duration bound) { return {bound.ns + Int(rng, -1, 1)}; }

const std::array<std::string, 4> kActions = {"kubernetes.scale", "kubernetes.restart", "flag.set",
                                             "http.post"};
const std::array<std::string, 4> kIncidents = {"INC-1", "INC-1", "INC-2", ""};
const std::array<std::string, 5> kActors = {"fixer", "fixer", "helper", "ada", "bob"};
const std::array<Target, 5> kTargets = {Target{"deployment", "checkout"},
                                        {"deployment", "checkout"},
                                        {"deployment", "cart"},
                                        {"flag", "new-ui"},
                                        {"deployment", "unheard-of"}};

std::vector<std::string> Patterns(Rng& rng) {
  static const std::array<std::string, 11> kPatterns = {"kubernetes.scale",
                                                        "kubernetes.scale",
                                                        "kubernetes.*",
                                                        "*",
                                                        "kubernetes.scal",
                                                        "kubernetes*",
                                                        "kube.*",
                                                        ".*",
                                                        "kubernetes.scale.*",
                                                        "flag.*",
                                                        ""};
  std::vector<std::string> out;
  for (int n = Int(rng, 0, 2); n > 0; --n) out.push_back(Pick(rng, kPatterns));
  return out;
}

PastAction Past(Rng& rng, const PolicyCase& c) {
  PastAction past;
  const Duration any = Pick(rng, std::array{c.call.cooldown.value_or(c.rules.cooldown), c.rules.cooldown,
                                            c.rules.auto_pause, Duration::Hours(1), Duration::Hours(24),
                                            Duration::Minutes(Int(rng, 0, 1440)), Duration{}});
  past.at = c.facts.now - Near(rng, any);
  past.run = Pick(rng, std::array<std::string, 4>{"RUN-1", "RUN-2", "RUN-3", c.call.run});
  past.runbook = Chance(rng, 3) ? "other" : c.call.runbook;
  past.action = Chance(rng, 2) ? c.call.action : Pick(rng, kActions);
  past.actor = Chance(rng, 2) ? c.call.actor : Pick(rng, kActors);
  past.incident = Pick(rng, kIncidents);
  past.targets = {Chance(rng, 2) && !c.call.targets.empty() ? c.call.targets.back() : Pick(rng, kTargets)};
  if (Chance(rng, 4)) past.targets.push_back(Pick(rng, kTargets));
  past.failed = Chance(rng, 4);
  past.inverse = Chance(rng, 6);
  past.money = Chance(rng, 2) ? 0 : Int(rng, -1, 5);
  return past;
}

ParameterPart Part(Rng& rng) {
  using nlohmann::json;
  static const std::array<json, 13> kValues = {json("checkout"),
                                               json("cart"),
                                               json("new-ui"),
                                               json("rm -rf /"),
                                               json(1),
                                               json(5),
                                               json(10),
                                               json(11),
                                               json(5.0),
                                               json(4.5),
                                               json(true),
                                               json(),
                                               json::array({"checkout"})};
  ParameterPart part;
  part.source = "inputs.x";
  part.origin = static_cast<Origin>(rng.Below(7));
  static const std::array<std::string, 8> kKinds = {"inventory", "inventory", "choice", "integer",
                                                    "number",    "boolean",   "text",   "script"};
  part.type.kind = Pick(rng, kKinds);
  part.type.inventory = Pick(rng, std::array<std::string, 3>{"deployment", "flag", "nothing"});
  if (Chance(rng, 2)) part.type.choices = {"cart", "checkout"};
  if (!Chance(rng, 4)) part.type.minimum = Near(rng, 5.0);
  if (!Chance(rng, 4)) part.type.maximum = Pick(rng, std::array{10.0, 5.0, Near(rng, 10.0), kInfinity});
  part.value = Pick(rng, kValues);
  return part;
}

using Change = void (*)(Rng&, PolicyCase&);

// Who and what
constexpr std::array<Change, 19> kWhoAndWhat = {
    [](Rng& rng, PolicyCase& c) {
      static const std::array<KillScope, 12> kScopes = {
          KillScope{"all", ""},   {"agents", ""},           {"agent", "fixer"},
          {"agent", "helper"},    {"agent", "ada"},         {"runbook", "restart"},
          {"runbook", "other"},   {"incident", "INC-1"},    {"incident", "INC-2"},
          {"action", "flag.set"}, {"action", "kubernetes"}, {"action", "kubernetes.scale"}};
      KillState state;
      state.scope = Pick(rng, kScopes);
      state.engaged = !Chance(rng, 4);
      c.facts.killed.push_back(state);
    },
    [](Rng& rng, PolicyCase& c) { c.call.tier = static_cast<Tier>(rng.Below(5)); },
    [](Rng& rng, PolicyCase& c) { c.rules.never_actions = Patterns(rng); },
    [](Rng&, PolicyCase& c) { c.facts.action_known = false; },
    [](Rng&, PolicyCase& c) { c.facts.step_current = false; },
    [](Rng& rng, PolicyCase& c) {
      c.call.actor = Pick(rng, std::array<std::string, 5>{"ada", "ada", "eve", "dan", "nobody"});
      c.call.by_agent = false;
    },
    [](Rng& rng, PolicyCase& c) {
      c.call.actor = Pick(rng, std::array<std::string, 3>{"helper", "nobody", "ada"});
    },
    [](Rng& rng, PolicyCase& c) { c.rules.access.agents["fixer"].actions = Patterns(rng); },
    [](Rng& rng, PolicyCase& c) { c.rules.access.people["ada"].actions = Patterns(rng); },
    [](Rng& rng, PolicyCase& c) { c.rules.access.agents["fixer"].ceiling = static_cast<Tier>(rng.Below(5)); },
    [](Rng& rng, PolicyCase& c) {
      c.call.reaches_people = true;
      c.rules.access.agents["fixer"].may_reach_people = Chance(rng, 2);
    },
    [](Rng& rng, PolicyCase& c) {
      Parameter parameter;
      parameter.name = "with.x";
      for (int n = Int(rng, 1, 2); n > 0; --n) parameter.parts.push_back(Part(rng));
      c.call.parameters.push_back(std::move(parameter));
    },
    [](Rng& rng, PolicyCase& c) {
      c.call.is_inverse = Chance(rng, 2);
      c.call.read_only = !c.call.is_inverse || Chance(rng, 4);
    },
    [](Rng&, PolicyCase& c) { c.call.is_inverse = true; },
    [](Rng& rng, PolicyCase& c) { c.call.action = Pick(rng, kActions); },
    [](Rng&, PolicyCase& c) { c.call.advise_only = true; },
    [](Rng& rng, PolicyCase& c) { c.facts.trust_ceiling = static_cast<Tier>(rng.Below(5)); },
    [](Rng& rng, PolicyCase& c) { c.rules.two_person_actions = Patterns(rng); },
    [](Rng&, PolicyCase& c) { c.call.has_inverse = false; },
};

std::optional<double> Declared(Rng& rng, const std::optional<double>& bound) {
  const double at = bound.value_or(3);
  if (Chance(rng, 12)) return Pick(rng, std::array{kNan, kInfinity, -1.0, -0.0, 1.0, 1.5});
  if (Chance(rng, 5)) return {};
  return Chance(rng, 4) ? at / 2 : Near(rng, at);
}

// How far and on what
constexpr std::array<Change, 12> kHowFar = {
    [](Rng& rng, PolicyCase& c) {
      c.call.targets.clear();
      for (int n = Int(rng, 0, 3); n > 0; --n) c.call.targets.push_back(Pick(rng, kTargets));
    },
    [](Rng& rng, PolicyCase& c) { c.call.targets.push_back(Pick(rng, kTargets)); },
    [](Rng& rng, PolicyCase& c) {
      TargetFacts facts;
      if (!Chance(rng, 4)) facts.instances = Pick(rng, std::array{0, 1, 2, 9, 10, 11});
      if (!Chance(rng, 4)) facts.healthy = Pick(rng, std::array{0, 1, 2, 3, 9, 10, 11});
      c.facts.targets[Pick(rng, kTargets)] = facts;
    },
    [](Rng&, PolicyCase& c) { c.facts.targets.clear(); },
    [](Rng& rng, PolicyCase& c) {
      c.call.reach.instances =
          Chance(rng, 8) ? std::optional(Pick(rng, std::array{kNan, kInfinity, -1.0}))
                         : std::optional(Pick(rng, std::array{0.0, 0.5, 1.0, 2.0, 8.0, 9.0, 10.0, 11.0}));
    },
    [](Rng& rng, PolicyCase& c) {
      c.call.reach.traffic =
          Declared(rng, Chance(rng, 2) ? c.rules.auto_reach.traffic : c.rules.agent_reach.traffic);
    },
    [](Rng& rng, PolicyCase& c) {
      const double bound = Int(rng, 1, 1000);
      (Chance(rng, 2) ? c.rules.auto_reach : c.rules.agent_reach).users = bound;
      c.call.reach.users = Declared(rng, bound);
    },
    [](Rng& rng, PolicyCase& c) {
      const double bound = Int(rng, 1, 3);
      (Chance(rng, 2) ? c.rules.auto_reach : c.rules.agent_reach).instances = bound;
      c.call.reach.instances = Declared(rng, bound);
    },
    [](Rng& rng, PolicyCase& c) {
      const double bound = Int(rng, 1, 100);
      (Chance(rng, 2) ? c.rules.auto_reach : c.rules.agent_reach).money = bound;
      c.call.reach.money = Declared(rng, bound);
    },
    [](Rng& rng, PolicyCase& c) {
      InventoryEntry entry;
      if (!Chance(rng, 4))
        entry.traffic =
            Pick(rng, std::array{0.0, 0.05, 0.25, 0.5, 0.6, 1.0, Near(rng, 0.05), Near(rng, 0.25)});
      if (!Chance(rng, 3)) entry.instances = Pick(rng, std::array{0, 1, 2, 10});
      if (!Chance(rng, 3)) entry.users = Pick(rng, std::array{0.0, 10.0, 1000.0});
      c.rules.inventory.Add("deployment", Chance(rng, 3) ? "cart" : "checkout", entry);
    },
    [](Rng&, PolicyCase& c) { c.call.reach = {}; },
    [](Rng& rng, PolicyCase& c) {
      c.rules.auto_reach.traffic = Chance(rng, 3) ? std::nullopt : std::optional(Near(rng, 0.004));
    },
};

// How often, when, and who agrees
constexpr std::array<Change, 17> kWhen = {
    [](Rng& rng, PolicyCase& c) { c.facts.history.push_back(Past(rng, c)); },
    [](Rng& rng, PolicyCase& c) { c.facts.history.push_back(Past(rng, c)); },
    [](Rng& rng, PolicyCase& c) {
      for (int n = Int(rng, 1, 4); n > 0; --n) c.facts.history.push_back(Past(rng, c));
    },
    [](Rng& rng, PolicyCase& c) {
      c.call.cooldown =
          Pick(rng, std::array{Duration{}, Duration{1}, Duration::Minutes(5), Duration::Hours(2)});
      c.facts.history.push_back(Past(rng, c));
    },
    [](Rng& rng, PolicyCase& c) {
      static const std::array<std::string, 6> kPer = {"all", "agent", "action", "target", "incident", "moon"};
      RateLimit limit{Pick(rng, kPer), Int(rng, 0, 3),
                      Pick(rng, std::array{Duration::Minutes(5), Duration::Hours(1), Duration::Hours(24)})};
      c.rules.rates = {limit};
      for (int n = Int(rng, 0, 3); n > 0; --n) {
        c.facts.history.push_back(Past(rng, c));
        if (Chance(rng, 2)) c.facts.history.back().at = c.facts.now - Near(rng, limit.window);
      }
    },
    [](Rng& rng, PolicyCase& c) {
      Budget& budget = c.rules.access.agents["fixer"].budget;
      budget = {Int(rng, 0, 3), 0, Pick(rng, std::array{Duration::Minutes(30), Duration::Hours(24)})};
      if (Chance(rng, 2)) budget.money = Int(rng, 1, 8);
      if (Chance(rng, 2)) c.call.reach.money = Near(rng, Int(rng, 0, 8));
      for (int n = Int(rng, 0, 3); n > 0; --n) {
        c.facts.history.push_back(Past(rng, c));
        if (Chance(rng, 2)) c.facts.history.back().at = c.facts.now - Near(rng, budget.window);
      }
    },
    [](Rng& rng, PolicyCase& c) {
      c.call.runs_per_hour = Int(rng, 0, 2);
      c.call.runs_per_incident = Int(rng, 0, 2);
      for (int n = Int(rng, 0, 3); n > 0; --n) c.facts.history.push_back(Past(rng, c));
    },
    [](Rng& rng, PolicyCase& c) { c.facts.freezes.push_back({"holiday", "nobody is in", Patterns(rng)}); },
    [](Rng&, PolicyCase& c) { c.facts.breaker_open = true; },
    [](Rng& rng, PolicyCase& c) {
      c.facts.claims_required = Int(rng, 0, 3);
      c.facts.claims_required_held = c.facts.claims_required + Int(rng, -1, 1);
    },
    [](Rng&, PolicyCase& c) { c.facts.stop_condition = true; },
    [](Rng& rng, PolicyCase& c) { c.facts.claims_verified = c.rules.auto_claims + Int(rng, -1, 1); },
    [](Rng&, PolicyCase& c) { c.facts.incident_global = true; },
    [](Rng&, PolicyCase& c) { c.facts.runbook_stale = true; },
    [](Rng& rng, PolicyCase& c) { c.call.incident = Pick(rng, kIncidents); },
    [](Rng& rng, PolicyCase& c) {
      for (int n = Int(rng, 1, 3); n > 0; --n) {
        static const std::array<std::string, 7> kPeople = {"ada", "bob",    "bob",  "dan",
                                                           "eve", "nobody", "fixer"};
        c.facts.approvals.push_back({Pick(rng, kPeople), !Chance(rng, 6),
                                     Chance(rng, 5) ? "else" : c.call.hash,
                                     c.facts.now + Duration{Chance(rng, 3) ? Int(rng, -1, 1) : 1'000'000}});
      }
    },
    [](Rng& rng, PolicyCase& c) { c.rules.cooldown = Pick(rng, std::array{Duration{}, Duration::Hours(1)}); },
};

}  // namespace

PolicyCase CalmCase() {
  PolicyCase c;
  c.rules.access.people["ada"] = {"", true, {"*"}};
  c.rules.access.people["bob"] = {"", true, {"kubernetes.*", "flag.*"}};
  c.rules.access.people["dan"] = {"", false, {"*"}};
  c.rules.access.people["eve"] = {"", true, {"http.*"}};
  c.rules.access.agents["fixer"] = {"", Tier::kAuto, {"kubernetes.*", "flag.set"}, true, {}};
  c.rules.access.agents["helper"] = {"", Tier::kApprove, {"kubernetes.scale"}, false, {}};
  c.rules.inventory.Add("deployment", "checkout", {0.04, 10, 100, {}});
  c.rules.inventory.Add("deployment", "cart", {0.5, 4, {}, {}});
  c.rules.inventory.Add("flag", "new-ui", {});
  c.facts.now = kNow;
  c.facts.action_known = c.facts.step_current = true;
  c.facts.claims_verified = 3;
  c.facts.targets[{"deployment", "checkout"}] = {10, 10};
  c.facts.targets[{"deployment", "cart"}] = {4, 4};
  c.call.run = "RUN-9";
  c.call.runbook = "restart";
  c.call.step = "scale";
  c.call.incident = "INC-1";
  c.call.action = "kubernetes.scale";
  c.call.hash = "hash";
  c.call.tier = Tier::kAuto;
  c.call.has_inverse = true;
  c.call.targets = {{"deployment", "checkout"}};
  c.call.reach.instances = 1;
  c.call.actor = "fixer";
  c.call.by_agent = true;
  return c;
}

PolicyCase RandomCase(Rng& rng) {
  static const PolicyCase kCalm = CalmCase();
  PolicyCase c = kCalm;
  if (Chance(rng, 4)) {
    c.call.actor = "ada";
    c.call.by_agent = false;
  }
  if (Chance(rng, 8)) c.call.tier = Tier::kApprove;
  // One change in half of the cases, two in a quarter, and so on.
  do {
    const uint64_t which = rng.Below(kWhoAndWhat.size() + kHowFar.size() + kWhen.size());
    if (which < kWhoAndWhat.size())
      kWhoAndWhat[which](rng, c);
    else if (which < kWhoAndWhat.size() + kHowFar.size())
      kHowFar[which - kWhoAndWhat.size()](rng, c);
    else
      kWhen[which - kWhoAndWhat.size() - kHowFar.size()](rng, c);
  } while (Chance(rng, 2));
  return c;
}

std::string Describe(const PolicyCase& c) {
  const auto number = [](const std::optional<double>& v) { return v ? fmt::format("{}", *v) : "-"; };
  const auto reach = [&](const Reach& r) {
    return fmt::format("({} {} {} {})", number(r.traffic), number(r.instances), number(r.users),
                       number(r.money));
  };
  std::string out = fmt::format(
      "{} by {}{} tier {}{}{}{} reach {} auto {} agent {} in '{}' inverse {}\n", c.call.action, c.call.actor,
      c.call.by_agent ? " (agent)" : "", TierName(c.call.tier), c.call.advise_only ? " advise_only" : "",
      c.call.read_only ? " reads" : "", c.call.is_inverse ? " undoes" : "", reach(c.call.reach),
      reach(c.rules.auto_reach), reach(c.rules.agent_reach), c.call.incident, c.call.has_inverse);
  for (const Target& t : c.call.targets) out += fmt::format("  target {} {}\n", t.kind, t.name);
  for (const auto& [t, f] : c.facts.targets)
    out += fmt::format("  facts {} {}: {} of {} healthy\n", t.kind, t.name, f.healthy.value_or(-1),
                       f.instances.value_or(-1));
  for (const auto& p : c.call.parameters)
    for (const auto& part : p.parts)
      out += fmt::format("  parameter {} from {} as {} {} [{}] {}..{}\n", part.value.dump(),
                         OriginName(part.origin), part.type.kind, part.type.inventory,
                         fmt::join(part.type.choices, ","), part.type.minimum, part.type.maximum);
  for (const auto& k : c.facts.killed) out += fmt::format("  kill {} {}\n", k.scope.ToText(), k.engaged);
  for (const auto& a : c.facts.approvals)
    out += fmt::format("  answer {} {} {} {}\n", a.by, a.approve, a.call_hash, a.expires.ns - c.facts.now.ns);
  for (const auto& p : c.facts.history)
    out += fmt::format("  past {} by {} of {} in {} {} ns ago, {} {}{}{}\n", p.action, p.actor, p.runbook,
                       p.incident, (c.facts.now - p.at).ns, p.run, p.targets[0].name,
                       p.failed ? " failed" : "", p.inverse ? " inverse" : "");
  for (const auto& r : c.rules.rates) out += fmt::format("  rate {} {} {}\n", r.per, r.count, r.window.ns);
  return out;
}

}  // namespace tocsin::act::testing
