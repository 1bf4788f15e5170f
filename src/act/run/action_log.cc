#include "act/run/action_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "respond/json_text.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
constexpr const char* kCollection = "actions";
constexpr Duration kRemember = Duration::Hours(24);
constexpr size_t kMaxRefusals = 1'000;  // of one agent

json ToJson(const PastAction& past) {
  json targets = json::array();
  for (const Target& target : past.targets) targets.push_back({target.kind, target.name});
  return {{"at_ns", past.at.ns},   {"run", past.run},       {"runbook", past.runbook},
          {"action", past.action}, {"actor", past.actor},   {"incident", past.incident},
          {"targets", targets},    {"failed", past.failed}, {"inverse", past.inverse},
          {"money", past.money}};
}

PastAction FromJson(const json& j) {
  PastAction past{Time{j.at("at_ns").get<int64_t>()},
                  j.at("run").get<std::string>(),
                  j.at("runbook").get<std::string>(),
                  j.at("action").get<std::string>(),
                  j.at("actor").get<std::string>(),
                  j.at("incident").get<std::string>(),
                  {},
                  j.at("failed").get<bool>(),
                  j.at("inverse").get<bool>(),
                  j.at("money").get<double>()};
  for (const json& target : j.at("targets"))
    past.targets.push_back({target.at(0).get<std::string>(), target.at(1).get<std::string>()});
  return past;
}

// The last time at which `most` of them lay within the window.
Time LastFull(std::vector<Time> times, int most, Duration window) {
  if (most <= 0) return {};
  std::sort(times.begin(), times.end());
  const auto n = static_cast<size_t>(most);
  for (size_t i = times.size(); i >= n; --i) {
    if (times[i - 1] - times[i - n] < window) return times[i - 1];
  }
  return {};
}

}  // namespace

AgentTrouble BreakerOf(const std::vector<Time>& failures, const std::vector<Time>& refusals,
                       const BreakerSettings& settings, Time now) {
  const auto open = [&](Time at) { return at.known() && now - at < settings.pause; };
  if (const Time at = LastFull(failures, settings.failures, settings.window); open(at))
    return {true, fmt::format("{} of its actions failed within {}, until {}", settings.failures,
                              FormatDuration(settings.window), FormatTimeForPeople(at + settings.pause))};
  if (const Time at = LastFull(refusals, settings.refusals, settings.window); open(at))
    return {true, fmt::format("{} of its calls were refused within {}, until {}", settings.refusals,
                              FormatDuration(settings.window), FormatTimeForPeople(at + settings.pause))};
  return {};
}

Status ActionLog::Restore(store::Ledger& ledger, Time now) {
  store::DocumentFilter filter;
  filter.collection = kCollection;
  const std::lock_guard lock(mutex_);
  actions_.clear();
  refusals_.clear();
  for (;;) {
    TOCSIN_ASSIGN_OR_RETURN(const auto documents, ledger.FindDocuments(filter));
    for (const store::Document& document : documents) {
      const json j = json::parse(document.body_json, nullptr, false);
      try {
        if (j.contains("refused")) {
          const Time at{j.at("at_ns").get<int64_t>()};
          if (now - at < kRemember) refusals_[j.at("refused").get<std::string>()].push_back(at);
        } else if (PastAction past = FromJson(j); now - past.at < kRemember) {
          actions_.emplace(document.id, std::move(past));
        }
      } catch (const json::exception& e) {
        return {Code::kDataLoss, "a stored action cannot be read: " + document.id + ": " + e.what()};
      }
    }
    if (documents.size() < filter.limit) return {};
    filter.after_id = documents.back().id;
  }
}

std::vector<PastAction> ActionLog::HistoryBut(const std::string& key, Time now) const {
  std::vector<PastAction> history;
  for (const auto& [id, past] : actions_) {
    if (id == key || now - past.at >= kRemember) continue;
    history.push_back(past);
    // Reserved while the facts were gathered, or before a clock was set back: it was just now.
    history.back().at = std::min(past.at, now);
  }
  return history;
}

Decision ActionLog::DecideOnly(const PolicyRules& rules, PolicyFacts facts, const ActionCall& call) const {
  {
    const std::lock_guard lock(mutex_);
    facts.history = HistoryBut("", facts.now);
  }
  return Decide(rules, facts, call);
}

Decision ActionLog::DecideAndReserve(const PolicyRules& rules, PolicyFacts facts, const ActionCall& call,
                                     const std::string& key) {
  const std::lock_guard lock(mutex_);
  facts.history = HistoryBut(key, facts.now);
  Decision decision = Decide(rules, facts, call);
  if (decision.verdict == Decision::Verdict::kAllow && !call.read_only)
    actions_[key] = {
        facts.now,     call.run,     call.runbook, call.action,     call.actor,
        call.incident, call.targets, false,        call.is_inverse, call.reach.money.value_or(0)};
  return decision;
}

AgentTrouble ActionLog::Breaker(const std::string& agent, const BreakerSettings& settings, Time now) const {
  std::vector<Time> failures, refusals;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, past] : actions_) {
      if (past.actor == agent && past.failed) failures.push_back(past.at);
    }
    if (const auto it = refusals_.find(agent); it != refusals_.end())
      refusals.assign(it->second.begin(), it->second.end());
  }
  return BreakerOf(failures, refusals, settings, now);
}

Status ActionLog::Put(store::LedgerTransaction& transaction, const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto it = actions_.find(key);
  if (it == actions_.end()) return {};
  return transaction.PutDocument(
      {kCollection, key, it->second.at + kRemember, respond::DumpJson(ToJson(it->second))});
}

void ActionLog::Failed(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (const auto it = actions_.find(key); it != actions_.end()) it->second.failed = true;
}

void ActionLog::Forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  actions_.erase(key);
}

Status ActionLog::Drop(store::LedgerTransaction& transaction, const std::string& key) const {
  TOCSIN_ASSIGN_OR_RETURN(const bool there, transaction.DeleteDocument(kCollection, key));
  (void)there;
  return {};
}

Status ActionLog::Refused(store::LedgerTransaction& transaction, const std::string& agent,
                          const std::string& key, Time now) {
  {
    const std::lock_guard lock(mutex_);
    auto& times = refusals_[agent];
    times.push_back(now);
    if (times.size() > kMaxRefusals) times.pop_front();
  }
  return transaction.PutDocument({kCollection, "refused." + key, now + kRemember,
                                  respond::DumpJson({{"refused", agent}, {"at_ns", now.ns}})});
}

Status ActionLog::Prune(store::Ledger& ledger, Time now) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(actions_, [&](const auto& entry) { return now - entry.second.at >= kRemember; });
    for (auto& [agent, times] : refusals_) {
      while (!times.empty() && now - times.front() >= kRemember) times.pop_front();
    }
  }
  store::DocumentFilter filter;
  filter.collection = kCollection;
  filter.due_until = now;
  return ledger.Transact([&](store::LedgerTransaction& transaction) -> Status {
    TOCSIN_ASSIGN_OR_RETURN(const auto documents, transaction.FindDocuments(filter));
    for (const store::Document& document : documents) {
      TOCSIN_ASSIGN_OR_RETURN(const bool there, transaction.DeleteDocument(kCollection, document.id));
      (void)there;
    }
    return {};
  });
}

}  // namespace tocsin::act
