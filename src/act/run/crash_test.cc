// kill -9 at every step boundary of a ten-step runbook, forwards and while it is undone: no step's effect is
// there twice, none is missing, and all of it can still be undone. TOCSIN_CRASH_SEEDS sets how many runbooks
// each boundary is tried with (the slow suite: fifty).
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "act/testing/act_world.h"

namespace tocsin::act::testing {
namespace {

constexpr int kSteps = 10;
constexpr int kNever = 1 << 30;

// A directory in memory: what a killed process wrote is there for the next one, with or without fsync.
class MemoryDirectory {
 public:
  MemoryDirectory() {
    std::string pattern =
        (std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp") + std::string("/tocsin-crash-XXXXXX");
    path_ = mkdtemp(pattern.data());
  }
  ~MemoryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  MemoryDirectory(const MemoryDirectory&) = delete;
  MemoryDirectory& operator=(const MemoryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Ten steps, each after some earlier ones, some with a proof.
Plan RandomPlan(uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<PlanStep> steps;
  for (int i = 0; i < kSteps; ++i) {
    const std::string name = "n" + std::to_string(i);
    PlanStep step = ActWorld::Write("s" + std::to_string(i), name, "v" + std::to_string(seed));
    for (int before = 0; before < i; ++before) {
      if (before == i - 1 ? random() % 3 != 0 : random() % 4 == 0)
        step.after.push_back("s" + std::to_string(before));
    }
    if (random() % 3 == 0) {
      step.expects = {ActWorld::Proof(name, "v" + std::to_string(seed))};
      step.effect_within = Duration::Seconds(10);
    }
    steps.push_back(std::move(step));
  }
  return ActWorld::PlanOf(std::move(steps));
}

// One process: ends itself at its `kill_at`th boundary, else when the run is over (and undone). Its exit code
// says what it came to; it never returns.
[[noreturn]] void Live(const std::string& directory, uint32_t seed, int kill_at, bool undo) {
  std::atomic<int> passed{0};
  EngineOptions options;
  options.at_boundary = [&](std::string_view, const std::string&) {
    if (++passed == kill_at) kill(getpid(), SIGKILL);
  };
  ActWorld world(directory, options);
  const auto runs = world.engine->List({"", "", "", 10});
  const std::string id = runs->empty() ? world.Begin(RandomPlan(seed)).id : runs->front().id;
  if (undo && world.engine->View(id)->state == "done")
    (void)world.engine->Undo(id, "test", {"ada", true, "cli"});
  const std::string wanted = undo ? "undone" : "done";
  const auto over = world.Wait(id, [&](const RunView& view) { return view.state == wanted; });
  if (over.state != wanted) fprintf(stderr, "%s", RenderRun(over).c_str());
  world.engine->Stop();
  _exit(over.state == wanted ? 0 : 1);
}

// True when it was killed at its boundary; false when it came to its end before.
bool RunUntil(const std::string& directory, uint32_t seed, int kill_at, bool undo) {
  const pid_t child = fork();
  if (child == 0) Live(directory, seed, kill_at, undo);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    return true;
  }
  EXPECT_EQ(WEXITSTATUS(status), 0) << "seed " << seed << ", boundary " << kill_at
                                    << (undo ? ", undoing" : "");
  return false;
}

// Killed at the boundary, again soon after, then left alone. False when there is no such boundary.
bool KillAndGoOn(const std::string& directory, uint32_t seed, int boundary, bool undo) {
  if (!RunUntil(directory, seed, boundary, undo)) return false;
  std::mt19937 random(seed * 31 + static_cast<uint32_t>(boundary));
  RunUntil(directory, seed, 1 + static_cast<int>(random() % 6), undo);
  RunUntil(directory, seed, kNever, undo);
  return true;
}

void ExpectEachOnce(const std::string& directory, const std::string& suffix, int boundary, uint32_t seed) {
  std::map<std::string, int> times;
  for (const NotebookLine& line : ReadNotebook(directory + "/notebook")) {
    const std::string step = line.key.substr(line.key.find('.') + 1);
    ++times[step];
  }
  for (int i = 0; i < kSteps; ++i)
    EXPECT_EQ(times["s" + std::to_string(i) + suffix], 1)
        << "step " << i << suffix << ", boundary " << boundary << ", seed " << seed;
}

int Seeds() {
  const char* text = std::getenv("TOCSIN_CRASH_SEEDS");
  return text == nullptr ? 1 : std::max(1, std::atoi(text));
}

TEST(Crash, NoStepTwiceNoneLostAndAllCanStillBeUndone) {
  int forwards = 0, backwards = 0;
  for (int boundary = 1;; ++boundary) {
    bool any = false;
    for (int k = 0; k < Seeds(); ++k) {
      const auto seed = static_cast<uint32_t>(1000 * k + boundary);
      const MemoryDirectory directory;
      const bool killed = KillAndGoOn(directory.path(), seed, boundary, false);
      ExpectEachOnce(directory.path(), "", boundary, seed);
      any = any || killed;
      forwards += killed ? 1 : 0;
      // Undone, with a kill of its own.
      const int within = 1 + static_cast<int>(seed % 31);
      backwards += KillAndGoOn(directory.path(), seed, within, true) ? 1 : 0;
      ExpectEachOnce(directory.path(), ".undo", within, seed);
      if (HasFailure()) return;
    }
    if (!any) break;
  }
  // Four boundaries a step and the end at least, so that the test cannot pass by killing nobody.
  EXPECT_GE(forwards, 4 * kSteps + 1);
  EXPECT_GE(backwards, kSteps);
}

}  // namespace
}  // namespace tocsin::act::testing
