#include "runtime/internal/read_act.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>

#include "act/execute/read_executors.h"
#include "act/kill/signed_switch.h"
#include "ports/yaml/secret_value.h"
#include "respond/config/time_interval_reader.h"

namespace tocsin::runtime::internal {
namespace {

using act::Access;
using ports::YamlSection;
using ports::YamlValue;

constexpr size_t kMaxNames = 1000;
constexpr size_t kMaxKinds = 100;
constexpr size_t kMaxEntries = 20'000;
constexpr double kMaxAmount = 1e12;
// What the policy knows of the past is one day.
constexpr Duration kMaxWindow = Duration::Hours(24);

// A number from 0 to `most`; noted otherwise.
std::optional<double> ReadNumber(const YamlValue& at, double most) {
  const auto text = at.Text();
  if (!text) {
    at.Note(text.error());
    return {};
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  const bool whole = error == std::errc() && end == text->data() + text->size();
  if (whole && value >= 0 && value <= most) return value;
  at.Note(at.Wrong(most == 1 ? "is no share from 0 to 1, such as 0.05"
                             : fmt::format("is no number from 0 to {:g}", most)));
  return {};
}

void Number(YamlSection& section, std::string_view key, double most, std::optional<double>& out) {
  if (const auto at = section.Value(key)) {
    if (const auto value = ReadNumber(*at, most)) out = value;
  }
}

// A day at most.
void Window(YamlSection& section, std::string_view key, Duration& out) {
  Duration read = out;
  section.Span(key, read);
  if (read > kMaxWindow) return section.Fail(key, "is more than 24h: only a day is remembered");
  out = read;
}

// "kubernetes.scale", "kubernetes.*", "*": anything else would match nothing, and nobody would see it.
bool IsPattern(std::string_view text) {
  if (text == "*") return true;
  if (text.ends_with(".*")) text.remove_suffix(2);
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

void Patterns(YamlSection& section, std::string_view key, std::vector<std::string>& out) {
  const auto at = section.Value(key);
  if (!at) return;
  const auto items = at->Items(kMaxNames);
  if (!items) return at->Note(items.error());
  out.clear();
  for (const YamlValue& item : *items) {
    auto text = item.Text();
    if (!text) {
      item.Note(text.error());
    } else if (!IsPattern(*text)) {
      item.Note(
          item.Wrong(fmt::format("'{}' names no action: 'kubernetes.scale', 'kubernetes.*' or '*'", *text)));
    } else {
      out.push_back(*std::move(text));
    }
  }
}

void ReadReach(YamlSection& section, std::string_view key, act::Reach& reach) {
  section.Map(key, [&](YamlSection& r) {
    Number(r, "traffic", 1, reach.traffic);
    Number(r, "instances", kMaxAmount, reach.instances);
    Number(r, "users", kMaxAmount, reach.users);
    Number(r, "money", kMaxAmount, reach.money);
  });
}

// Calls read for each name under the key.
void EachNamed(YamlSection& section, std::string_view key,
               const std::function<void(const std::string&, YamlSection&)>& read) {
  const auto at = section.Value(key);
  if (!at) return;
  const auto named = at->Named(kMaxNames);
  if (!named) return at->Note(named.error());
  for (const auto& [name, value] : *named) {
    YamlSection child(value);
    read(name, child);
    child.Finish();
  }
}

class AccessReader {
 public:
  explicit AccessReader(Access& access) : access_(access) {}
  void Read(YamlSection& root) {
    root.Map("access", [&](YamlSection& r) {
      EachNamed(r, "people", [&](const std::string& name, YamlSection& p) { Person(name, p); });
      EachNamed(r, "agents", [&](const std::string& name, YamlSection& a) { Agent(name, a); });
    });
  }

 private:
  void Name(const std::string& name, YamlSection& section) {
    if (name == "tocsin" || name == "file")
      section.value().Note(section.value().Wrong("is a name that Tocsin uses for itself"));
    if (!names_.insert(name).second)
      section.value().Note(section.value().Wrong(
          "is the name of a person already: what one of the two did would be the other's"));
  }

  std::string Token(const std::string& name, YamlSection& section) {
    std::string hash;
    section.Text("token_sha256", hash);
    if (hash.empty()) return hash;
    const bool hex = hash.size() == 64 && hash.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!hex) {
      section.Fail("token_sha256", "is not 64 hex digits: 'tocsin token new' prints what belongs here");
      return "";
    }
    const auto [at, fresh] = tokens_.emplace(hash, name);
    if (!fresh) section.Fail("token_sha256", fmt::format("is the token of {} already", at->second));
    return hash;
  }

  void Person(const std::string& name, YamlSection& section) {
    Name(name, section);
    act::PersonAccess person;
    person.token_sha256 = Token(name, section);
    section.Flag("may_approve", person.may_approve);
    Patterns(section, "actions", person.actions);
    access_.people.emplace(name, std::move(person));
  }

  void Agent(const std::string& name, YamlSection& section) {
    Name(name, section);
    act::AgentAccess agent;
    agent.token_sha256 = Token(name, section);
    if (!section.value().Find("token_sha256"))
      section.Fail("token_sha256", "'token_sha256' is missing: tocsin token new " + name + " --agent");
    std::string ceiling(act::TierName(agent.ceiling));
    section.Text("ceiling", ceiling);
    if (!act::ParseTier(ceiling, agent.ceiling) || agent.ceiling == act::Tier::kNever)
      section.Fail("ceiling", "is none of observe, advise, approve, auto");
    Patterns(section, "actions", agent.actions);
    section.Flag("may_reach_people", agent.may_reach_people);
    section.Map("budget", [&](YamlSection& b) {
      b.Number("actions", agent.budget.actions, 1, 1'000'000);
      std::optional<double> money;
      Number(b, "money", kMaxAmount, money);
      agent.budget.money = money.value_or(agent.budget.money);
      Window(b, "window", agent.budget.window);
    });
    access_.agents.emplace(name, std::move(agent));
  }

  Access& access_;
  std::set<std::string> names_;
  std::map<std::string, std::string> tokens_;  // whose it is
};

act::InventoryEntry ReadEntry(const YamlValue& value) {
  act::InventoryEntry entry;
  if (value.IsNull()) return entry;
  YamlSection section(value);
  Number(section, "traffic", 1, entry.traffic);
  Number(section, "users", kMaxAmount, entry.users);
  if (section.value().Find("instances")) {
    int instances = 0;
    section.Number("instances", instances, 0, 1'000'000);
    entry.instances = instances;
  } else {
    (void)section.Value("instances");
  }
  section.TextMap("facts", entry.facts, 100);
  section.Finish();
  return entry;
}

void ReadInventory(YamlSection& root, act::Inventory& inventory) {
  const auto at = root.Value("inventory");
  if (!at) return;
  const auto kinds = at->Named(kMaxKinds);
  if (!kinds) return at->Note(kinds.error());
  for (const auto& [kind, value] : *kinds) {
    const auto entries = value.Pairs(kMaxEntries);
    if (!entries) {
      value.Note(entries.error());
      continue;
    }
    for (const auto& [name, entry] : *entries) inventory.Add(kind, name, ReadEntry(entry));
  }
}

void ReadRates(YamlSection& limits, std::vector<act::RateLimit>& rates) {
  static constexpr std::array<std::string_view, 5> kPer = {"all", "agent", "action", "target", "incident"};
  if (limits.value().Find("rates")) rates.clear();
  limits.Each(
      "rates",
      [&](YamlSection& r) {
        act::RateLimit rate;
        rate.window = Duration::Hours(1);
        r.Text("per", rate.per);
        if (std::ranges::find(kPer, rate.per) == kPer.end())
          r.Fail("per", "is none of all, agent, action, target, incident");
        r.Number("count", rate.count, 1, 1'000'000);
        if (!r.value().Find("count")) r.Fail("count", "'count' is missing");
        Window(r, "window", rate.window);
        rates.push_back(std::move(rate));
      },
      100);
}

void ReadLimits(YamlSection& root, act::PolicyRules& rules) {
  root.Map("limits", [&](YamlSection& r) {
    ReadReach(r, "auto_reach", rules.auto_reach);
    ReadReach(r, "agent_reach", rules.agent_reach);
    Window(r, "cooldown", rules.cooldown);
    Window(r, "auto_pause", rules.auto_pause);
    r.Number("auto_claims", rules.auto_claims, 0, 100);
    ReadRates(r, rules.rates);
    Patterns(r, "two_person_actions", rules.two_person_actions);
    Patterns(r, "never_actions", rules.never_actions);
    Window(r, "approval_expires", rules.approval_expires);
  });
}

void ReadFreezes(YamlSection& root, std::vector<act::Freeze>& freezes) {
  std::set<std::string> names;
  root.Each("freezes", [&](YamlSection& r) {
    act::Freeze freeze;
    r.Text("name", freeze.name);
    if (freeze.name.empty()) r.Fail("name", "'name' is missing");
    if (!freeze.name.empty() && !names.insert(freeze.name).second) r.Fail("name", "comes twice");
    r.Text("reason", freeze.reason, 500);
    if (const auto times = r.Value("times")) respond::ReadIntervals(*times, freeze.intervals);
    Patterns(r, "except", freeze.except);
    freezes.push_back(std::move(freeze));
  });
}

void ReadBreaker(YamlSection& root, act::BreakerSettings& breaker) {
  root.Map("breaker", [&](YamlSection& r) {
    r.Number("failures", breaker.failures, 1, 1000);
    r.Number("refusals", breaker.refusals, 1, 1000);
    Window(r, "window", breaker.window);
    Window(r, "pause", breaker.pause);
  });
}

void ReadSwitch(YamlSection& root, act::ActSettings& settings) {
  root.Map("switch", [&](YamlSection& r) {
    r.Number("seconds", settings.switch_seconds, 1, 3600);
    (void)r.Value("key");
    (void)r.Value("key_file");
    const auto secret = ports::FindSecret(r.value(), "key");
    if (!secret) return r.value().Note(secret.error());
    if (!*secret) return r.Fail("key", "'key_file' is missing: openssl genpkey -algorithm ed25519");
    auto key = act::ParseSwitchKey((*secret)->text);
    if (!key) return (*secret)->at.Note((*secret)->at.Wrong(key.error().message()));
    settings.switch_key = *std::move(key);
  });
}

}  // namespace

void ReadAct(YamlSection& root, act::ActSettings& settings) {
  root.Map("act", [&](YamlSection& r) {
    r.Text("runbooks", settings.runbooks, 4096);
    // As a secret's file: relative to the configuration.
    const std::filesystem::path directory(settings.runbooks);
    if (!settings.runbooks.empty() && directory.is_relative())
      settings.runbooks = (std::filesystem::path(r.value().file()).parent_path() / directory).string();
    AccessReader(settings.rules.access).Read(r);
    ReadInventory(r, settings.rules.inventory);
    ReadLimits(r, settings.rules);
    ReadFreezes(r, settings.freezes);
    ReadBreaker(r, settings.breaker);
    r.Number("workers", settings.workers, 1, 1024);
    r.Number("max_runs", settings.max_runs, 1, 10'000);
    ReadSwitch(r, settings);
    r.Map("executors", [&](YamlSection& e) { act::ReadExecutors(e, settings.executors); });
  });
}

}  // namespace tocsin::runtime::internal
