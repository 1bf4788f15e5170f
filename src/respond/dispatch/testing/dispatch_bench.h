// DispatchBench: a dispatcher on a ledger in memory, a clock that tests turn, and a channel that remembers
// what it was given: for tests and simulations. Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ports/clock.h"
#include "respond/dispatch/dispatcher.h"
#include "store/ledger.h"

namespace tocsin::respond::testing {

class TurnedClock : public ports::Clock {
 public:
  Time Now() const override { return now; }
  Time Monotonic() const override { return Time{1} + (now - Time{1'000'000'000'000'000'000}) + behind; }
  Duration behind;  // how far it was put back
  Time now{1'780'000'000'000'000'000};
};

// A channel without keys, as Slack or a phone: a second send is a second noise.
class RememberingNotifier : public Notifier {
 public:
  struct Sent {
    std::string destination;
    NotificationMessage message;
  };
  std::string_view channel() const override { return "ntfy"; }
  bool deduplicates_by_key() const override { return false; }
  bool takes_digests() const override { return false; }
  SendOutcome Send(const NotificationMessage& message, const Destination& destination) override {
    if (const SendOutcome outcome = answer(destination.name); !outcome.ok()) return outcome;
    sent.push_back({destination.name, message});
    return {};
  }
  std::function<SendOutcome(const std::string& destination)> answer = [](const std::string&) {
    return SendOutcome{};
  };
  std::vector<Sent> sent;
};

// ada at once, bob after five minutes, cto after ten more; twice. Each person has a phone and a spare one.
inline std::shared_ptr<DispatchConfig> BenchConfig() {
  auto config = std::make_shared<DispatchConfig>();
  EscalationPolicy policy;
  policy.name = "default";
  policy.steps = {{Duration{}, {{"person", "ada"}}},
                  {Duration::Minutes(5), {{"person", "bob"}}},
                  {Duration::Minutes(10), {{"person", "cto"}}}};
  policy.repeat = 1;
  policy.repeat_after = Duration::Minutes(15);
  config->oncall.policies["default"] = policy;
  policy.name = "data";
  policy.steps = {{Duration{}, {{"person", "dan"}}}};
  policy.repeat = 0;
  config->oncall.policies["data"] = policy;
  for (const std::string person : {"ada", "bob", "cto", "dan"}) {
    config->oncall.people[person] = {person, person, {}, {}};
    for (const std::string place : {"/phone", "/spare"})
      config->destinations.push_back({.name = person + place, .channel = "ntfy", .address = "http://x/t"});
    config->preferences[person] = {person, {{"high", {person + "/phone", person + "/spare"}}}, {}, {}};
  }
  config->destinations.push_back({.name = "team", .channel = "ntfy", .address = "http://x/team"});
  config->receivers["on-call"] = {"on-call", "default", {"team"}};
  config->receivers["data"] = {"data", "data", {}};
  config->receivers["nobody"] = {"nobody", "", {}, true};
  config->incidents = {"incidents", "default", {"team"}};
  return config;
}

class DispatchBench {
 public:
  DispatchBench() {
    auto opened = store::OpenSqlite({.path = ":memory:", .read_only = false});
    ledger = *std::move(opened);
    step = Restart();
  }
  // As after a crash: everything in memory is gone.
  Status Restart() {
    dispatcher.reset();
    DispatcherOptions options;
    options.equip = [this](const DispatchConfig& used, NotifierDirectory& directory) {
      directory.SetNotifier(notifier);
      return directory.SetDestinations(used.destinations);
    };
    auto opened = Dispatcher::Open(options, *ledger, nullptr, clock, config);
    if (!opened) return opened.error();
    dispatcher = *std::move(opened);
    return {};
  }
  // Looks, and sends all that is due.
  void Run() {
    step = dispatcher->Step(clock.now);
    for (int i = 0; i < 1000; ++i) {
      const auto sent = dispatcher->SendOne();
      if (!sent || !*sent) return;
    }
  }
  void After(Duration span) {
    clock.now = clock.now + span;
    Run();
  }
  std::vector<std::string> SentTo(const std::string& kind) const {
    std::vector<std::string> out;
    for (const auto& one : notifier->sent) {
      if (one.message.kind == kind) out.push_back(one.destination);
    }
    return out;
  }

  TurnedClock clock;
  std::shared_ptr<RememberingNotifier> notifier = std::make_shared<RememberingNotifier>();
  std::shared_ptr<DispatchConfig> config = BenchConfig();
  std::unique_ptr<store::Ledger> ledger;
  std::unique_ptr<Dispatcher> dispatcher;
  Status step;
};

inline signal::Alert AlertOf(const std::string& service, const std::string& name, Time starts_at,
                             const std::string& severity = "critical") {
  signal::Alert alert;
  alert.labels = {{"alertname", name}, {"service", service}, {"severity", severity}};
  alert.annotations = {{"summary", name + " since now"}};
  signal::NormalizeLabels(alert.labels);
  alert.fingerprint = signal::FingerprintOf(alert.labels);
  alert.starts_at = alert.updated_at = starts_at;
  alert.ends_at = signal::kOpenEnded;
  return alert;
}

inline AlertNotification Told(const std::string& group, std::vector<signal::Alert> firing, Time now,
                              const std::string& reason = "new", const std::string& receiver = "on-call") {
  AlertNotification out;
  out.key = group + "-" + receiver + "-" + std::to_string(now.ns) + "-" + reason;
  out.time = now;
  out.group_key = group;
  out.receiver = receiver;
  out.reason = reason;
  out.firing_count = firing.size();
  out.firing = std::move(firing);
  return out;
}

}  // namespace tocsin::respond::testing
