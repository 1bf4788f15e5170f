// git.revert and git.restore with the real git, against a bare repository as the remote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "act/execute/catalogue.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using Outcome = Receipt::Outcome;

class GitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/tocsin-git-XXXXXX";
    folder_ = mkdtemp(name);
    Shell("git init -q --bare -b main remote.git && git init -q -b main work && cd work && " + Me() +
          "mkdir conf && echo 10 > conf/pool && echo x > other && git add . && git commit -qm first && "
          "echo 100 > conf/pool && git commit -qam 'Raise the \"pool\" size' && git push -q ../remote.git "
          "main");
    RepositoryEntry entry;
    entry.remote = folder_ + "/remote.git";
    entry.paths = {"conf*"};
    settings_.repositories["config"] = entry;
    Open();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void Open() {
    auto made = MakeExecutors(settings_, ports::SystemClock(), folder_ + "/data");
    ASSERT_TRUE(made) << made.error().ToString();
    executors_ = std::move(*made);
  }
  static std::string Me() { return "git config user.name Ada && git config user.email ada@example.org && "; }
  std::string Shell(const std::string& script) const {
    const std::string command = "cd " + folder_ + " && (" + script + ") 2>&1";
    std::string out;
    FILE* pipe = popen(command.c_str(), "r");
    char buffer[4096];
    while (size_t got = fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, got);
    EXPECT_EQ(pclose(pipe), 0) << script << "\n" << out;
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
  }
  std::string Remote(const std::string& what) const { return Shell("git -C remote.git " + what); }
  static ExecutorCall Call(const std::string& action, const json& with,
                           const std::string& key = "run-1.step") {
    ExecutorCall call;
    call.action = action;
    call.with = with;
    call.idempotency_key = key;
    call.timeout = Duration::Seconds(60);
    return call;
  }
  ExecutorCall Revert(const std::string& key = "run-1.step") const {
    return Call("git.revert", {{"commit", Shell("git -C work rev-parse HEAD")}}, key);
  }
  Result<Preview> Look(const ExecutorCall& call) { return executors_->Find(call.action)->Look(call, {}); }
  Receipt Run(const ExecutorCall& call, std::stop_token stop = {}) {
    return executors_->Find(call.action)->Run(call, std::move(stop));
  }
  Receipt Recover(const ExecutorCall& call) { return executors_->Find(call.action)->Recover(call, {}); }
  Status Check(const ExecutorCall& call) { return executors_->Find(call.action)->Check(call); }

  std::string folder_;
  ExecutorSettings settings_;
  std::unique_ptr<ExecutorDirectory> executors_;
};

TEST_F(GitTest, RevertsAndAppliesAgain) {
  const auto call = Revert();
  const std::string before = Remote("rev-parse main");
  const auto preview = Look(call);
  ASSERT_TRUE(preview) << preview.error().ToString();
  EXPECT_EQ(preview->text,
            "reverts " + before.substr(0, 10) +
                " 'Raise the 'pool' size' on main of config: 1 file changed, 1 insertion(+), 1 deletion(-)");
  EXPECT_EQ(Remote("rev-parse main"), before) << "looking changes nothing";
  EXPECT_EQ(Recover(call).outcome, Outcome::kNotDone);
  const auto receipt = Run(call);
  EXPECT_EQ(receipt.outcome, Outcome::kDone) << receipt.text;
  EXPECT_EQ(Remote("show main:conf/pool"), "10");
  EXPECT_EQ(receipt.outputs["commit"], Remote("rev-parse main"));
  EXPECT_EQ(Remote("log -1 --format=%an,%ae,%s main"),
            "Tocsin,tocsin@localhost,Revert \"Raise the 'pool' size\"");
  EXPECT_EQ(Remote("log -1 '--format=%(trailers:key=Tocsin-Key,valueonly)' main"), "run-1.step");
  Open();
  EXPECT_EQ(Recover(call).outputs["commit"], receipt.outputs["commit"]);
  EXPECT_EQ(Recover(Revert("run-1.ste")).outcome, Outcome::kNotDone)
      << "the beginning of a key is another key";
  EXPECT_TRUE(Look(Revert("k2"))->no_change || !Look(Revert("k2"))) << "it cannot be reverted twice";
  auto again = Revert("k3");
  again.with["reapply"] = true;
  EXPECT_EQ(Run(again).outcome, Outcome::kDone);
  EXPECT_EQ(Remote("show main:conf/pool"), "100");
}

TEST_F(GitTest, RestoresAPathAndPutsItBack) {
  const auto call = Call("git.restore", {{"path", "conf/pool"}, {"revision", "HEAD~1"}});
  const auto there = Call("git.restore", {{"path", "conf/pool"}, {"revision", Remote("rev-parse main~1")}});
  EXPECT_TRUE(Look(call));
  const auto preview = Look(there);
  ASSERT_TRUE(preview) << preview.error().ToString();
  const std::string before = preview->undo["revision"];
  EXPECT_EQ(Run(there).outcome, Outcome::kDone);
  EXPECT_EQ(Remote("show main:conf/pool"), "10");
  EXPECT_EQ(Run(Call("git.restore", {{"path", "conf/pool"}, {"revision", before}}, "k2")).outcome,
            Outcome::kDone);
  EXPECT_EQ(Remote("show main:conf/pool"), "100");
  Shell(
      "cd work && git pull -q ../remote.git main && git rm -q conf/pool && git commit -qm gone && git push "
      "-q ../remote.git main");
  EXPECT_EQ(Run(Call("git.restore", {{"path", "conf"}, {"revision", before}}, "k3")).outcome, Outcome::kDone);
  EXPECT_EQ(Remote("show main:conf/pool"), "100") << "a folder with a file that was gone";
}

TEST_F(GitTest, StaysWhereItMay) {
  for (const char* commit : {"HEAD", "main", "--all", "abc", "1234567; id", "../x", "G234567"})
    EXPECT_FALSE(Check(Call("git.revert", {{"commit", commit}})).ok()) << commit;
  for (const char* path :
       {"/etc/passwd", "conf/../other", "conf/.git/config", "", "-x", "conf//a", ":(top)other", "other"})
    EXPECT_FALSE(Check(Call("git.restore", {{"path", path}, {"revision", "HEAD"}})).ok()) << path;
  for (const char* revision : {"--output=/tmp/x", "a..b", "main:other", "@{u}", ""})
    EXPECT_FALSE(Check(Call("git.restore", {{"path", "conf"}, {"revision", revision}})).ok()) << revision;
  Shell("cd work && echo y > other && git commit -qam 'another file' && git push -q ../remote.git main");
  EXPECT_THAT(Look(Revert()).error().message(), HasSubstr("would change 'other'"));
  EXPECT_EQ(Run(Revert()).outcome, Outcome::kFailed);
  Shell(
      "cd work && git checkout -qb side && echo 7 > conf/pool && git commit -qam side && git push -q "
      "../remote.git side");
  EXPECT_EQ(Look(Revert()).error().code(), Code::kNotFound) << "not on the branch";
  EXPECT_EQ(Run(Call("git.revert", {{"commit", "1234567"}})).outcome, Outcome::kFailed);
  EXPECT_EQ(Remote("log --format=%s main").find("Revert"), std::string::npos);
}

TEST_F(GitTest, NeitherHooksNorFiltersOfTheRepositoryRun) {
  Shell(
      "cd work && printf 'conf/* filter=evil diff=evil merge=evil\\n' > .gitattributes && "
      "printf '[filter \"evil\"]\\n smudge = touch " +
      folder_ +
      "/ran; cat\\n' > .gitconfig && git add . && "
      "git commit -qm attributes && echo 200 > conf/pool && git commit -qam more && git push -q "
      "../remote.git main");
  (void)Look(Revert());
  const std::string hooks = folder_ + "/data/executors/git/clone-config/.git/hooks";
  std::filesystem::create_directories(hooks);
  for (const char* hook :
       {"pre-commit", "commit-msg", "post-checkout", "pre-push", "reference-transaction"}) {
    std::ofstream(hooks + "/" + hook) << "#!/bin/sh\ntouch " << folder_ << "/ran\n";
    std::filesystem::permissions(hooks + "/" + hook, std::filesystem::perms::owner_all);
  }
  EXPECT_EQ(Run(Revert()).outcome, Outcome::kDone);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/ran"));
}

TEST_F(GitTest, AConflictAndARemoteThatSaysNo) {
  Shell("cd work && echo 300 > conf/pool && git commit -qam later && git push -q ../remote.git main");
  const std::string before = Remote("rev-parse main");
  const auto conflict = Call("git.revert", {{"commit", Remote("rev-parse main~1")}});
  EXPECT_EQ(Run(conflict).outcome, Outcome::kFailed);
  Shell(
      "printf '#!/bin/sh\\necho protected branch >&2; exit 1\\n' > remote.git/hooks/pre-receive && chmod +x "
      "remote.git/hooks/pre-receive");
  const auto refused = Run(Revert());
  EXPECT_EQ(refused.outcome, Outcome::kFailed) << refused.text;
  EXPECT_EQ(Remote("rev-parse main"), before);
  Shell("mv remote.git away.git");
  EXPECT_EQ(Run(Revert()).outcome, Outcome::kNotDone);
  EXPECT_EQ(Recover(Revert()).outcome, Outcome::kUnknown) << "nobody to ask";
}

TEST_F(GitTest, SomebodyElsePushesFirst) {
  // The first push finds the branch moved: the hook of the remote moves it, once.
  Shell(
      "cd work && echo z > conf/more && git add . && git commit -qm meanwhile && git push -q ../remote.git "
      "main:waiting && git reset -q --hard HEAD~1");
  Shell(
      "printf '#!/bin/sh\\nif git rev-parse -q --verify refs/heads/waiting >/dev/null; then unset "
      "GIT_QUARANTINE_PATH; git update-ref "
      "refs/heads/main refs/heads/waiting; git update-ref -d refs/heads/waiting; fi\\n' > "
      "remote.git/hooks/pre-receive && chmod +x remote.git/hooks/pre-receive");
  const auto receipt = Run(Revert());
  EXPECT_EQ(receipt.outcome, Outcome::kDone) << receipt.text;
  EXPECT_EQ(Remote("show main:conf/pool"), "10");
  EXPECT_EQ(Remote("show main:conf/more"), "z") << "nothing is lost";
}

TEST_F(GitTest, ACrashAroundThePush) {
  const auto crash_when = [&](const std::string& key, const std::string& hook) {
    std::filesystem::remove(folder_ + "/sign");
    Shell("rm -f remote.git/hooks/*");
    std::ofstream(folder_ + "/remote.git/hooks/" + hook)
        << "#!/bin/sh\ntouch " << folder_ << "/sign; sleep 1\n";
    Shell("chmod +x remote.git/hooks/" + hook);
    const auto call = Revert(key);
    const pid_t tocsin = fork();
    if (tocsin == 0) {
      (void)Run(call);
      _exit(0);
    }
    for (int i = 0; i < 6'000 && !std::filesystem::exists(folder_ + "/sign"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    kill(tocsin, SIGKILL);
    waitpid(tocsin, nullptr, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(1200));
    Shell("rm -f remote.git/hooks/*");
    Open();
    return Recover(call);
  };
  const auto before = crash_when("before", "pre-receive");
  EXPECT_EQ(before.outcome, Outcome::kNotDone) << before.text;
  EXPECT_EQ(Remote("show main:conf/pool"), "100");
  const auto after = crash_when("after", "post-receive");
  EXPECT_EQ(after.outcome, Outcome::kDone) << after.text;
  EXPECT_EQ(Remote("show main:conf/pool"), "10");
  EXPECT_EQ(Run(Revert("next")).outcome, Outcome::kFailed)
      << "the clone still works; there is nothing left to revert";
}

TEST_F(GitTest, AStop) {
  std::ofstream(folder_ + "/remote.git/hooks/pre-receive")
      << "#!/bin/sh\ntouch " << folder_ << "/sign; sleep 20\n";
  Shell("chmod +x remote.git/hooks/pre-receive");
  std::stop_source stop;
  std::chrono::steady_clock::time_point at;
  std::jthread stopper([&] {
    for (int i = 0; i < 6'000 && !std::filesystem::exists(folder_ + "/sign"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    at = std::chrono::steady_clock::now();
    stop.request_stop();
  });
  const auto receipt = Run(Revert(), stop.get_token());
  stopper.join();
  EXPECT_LE(std::chrono::steady_clock::now() - at, std::chrono::milliseconds(250));
  EXPECT_EQ(receipt.outcome, Outcome::kUnknown) << receipt.text;
  EXPECT_EQ(Recover(Revert()).outcome, Outcome::kNotDone);
}

}  // namespace
}  // namespace tocsin::act
