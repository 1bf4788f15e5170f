#include "runtime/internal/brief_follower.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

namespace tocsin::runtime::internal {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kLook = std::chrono::seconds(1);
constexpr int kTries = 5;

struct Tried {
  int times = 0;
  Clock::time_point next;
};

}  // namespace

BriefFollower::BriefFollower(investigate::InvestigationDesk& desk, bool ask_model)
    : desk_(desk), ask_model_(ask_model), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

BriefFollower::~BriefFollower() {
  thread_.request_stop();
  thread_.join();
}

void BriefFollower::Run(const std::stop_token& stop) {
  std::map<std::string, Tried> tried;
  std::set<std::string> briefed;
  std::mutex mutex;
  std::condition_variable_any wake;
  while (!stop.stop_requested()) {
    const auto waiting = desk_.WithoutBrief(briefed);
    for (const auto& id : waiting ? *waiting : std::vector<IncidentId>{}) {
      if (stop.stop_requested()) return;
      auto& t = tried[id.value];
      if (t.times >= kTries || Clock::now() < t.next) continue;
      const auto brief = desk_.Make(id, ask_model_, stop);
      // That somebody else's brief is being made is no failure of this one.
      if (!brief && brief.error().code() == Code::kResourceExhausted) continue;
      t.next = Clock::now() + std::chrono::seconds(2 << ++t.times);
      if (!brief) spdlog::warn("the brief of {} was not made: {}", id.value, brief.error().message());
    }
    if (tried.size() > 10'000) tried.clear();
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, kLook, [] { return false; });
  }
}

}  // namespace tocsin::runtime::internal
