// Real programs, really locked in: what they may not do, how they end, and what is known after a crash.
#include "ports/process/program_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

namespace tocsin::ports {
namespace {

using ::testing::HasSubstr;
using Outcome = ProgramEnd::Outcome;
using SteadyClock = std::chrono::steady_clock;

class ProgramRunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/tocsin-programs-XXXXXX";
    folder_ = mkdtemp(name);
    runner_ = Open();
  }
  void TearDown() override {
    runner_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::unique_ptr<ProgramRunner> Open() const {
    auto made = ProgramRunner::Make(folder_ + "/programs", {"/bin/sh", "/usr/bin/python3", "/usr/bin/printf",
                                                            folder_ + "/missing", folder_ + "/open"});
    EXPECT_TRUE(made) << made.error().ToString();
    return std::move(*made);
  }
  static Program Shell(const std::string& script) {
    Program program;
    program.arguments = {"/bin/sh", "-c", script};
    program.environment = {{"PATH", "/usr/bin:/bin"}};
    program.timeout = Duration::Seconds(20);
    return program;
  }
  static Program Python(const std::string& script) {
    Program program = Shell("");
    program.arguments = {"/usr/bin/python3", "-I", "-c", script};
    return program;
  }
  ProgramEnd Run(const Program& program, const std::string& key = "") {
    auto end = runner_->Run(key, program, {});
    EXPECT_TRUE(end) << end.error().ToString();
    return end ? *end : ProgramEnd{};
  }
  size_t Files() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_ + "/programs"), {}));
  }
  bool Exists(const std::string& name) const { return std::filesystem::exists(folder_ + "/" + name); }

  std::string folder_;
  std::unique_ptr<ProgramRunner> runner_;
};

int64_t MillisSince(SteadyClock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - start).count();
}

// Stops after so long.
class StopsAfter {
 public:
  explicit StopsAfter(int millis)
      : thread_([this, millis] {
          std::this_thread::sleep_for(std::chrono::milliseconds(millis));
          at_ = SteadyClock::now();
          source_.request_stop();
        }) {}
  std::stop_token token() const { return source_.get_token(); }
  int64_t MillisAgo() {
    thread_.join();
    return MillisSince(at_);
  }

 private:
  std::stop_source source_;
  SteadyClock::time_point at_;
  std::jthread thread_;
};

TEST_F(ProgramRunnerTest, TellsHowAProgramEnded) {
  const auto good = Run(Shell("echo out; echo err >&2"));
  EXPECT_EQ(good.outcome, Outcome::kExited);
  EXPECT_EQ(good.value, 0);
  EXPECT_EQ(good.out, "out\n");
  EXPECT_EQ(good.err, "err\n");
  EXPECT_EQ(Run(Shell("exit 7")).value, 7);
  const auto killed = Run(Shell("kill -SEGV $$"));
  EXPECT_EQ(killed.outcome, Outcome::kSignaled);
  EXPECT_EQ(killed.value, SIGSEGV);
  EXPECT_EQ(Files(), 0u) << "runs without a key leave nothing";
}

TEST_F(ProgramRunnerTest, NoShellAndNothingInherited) {
  setenv("TOCSIN_TEST_SECRET", "hunter2", 1);
  Program program;
  program.arguments = {"/usr/bin/printf", "%s|", "$(id)", "a b; rm -rf /", "*", "`id`"};
  EXPECT_EQ(Run(program).out, "$(id)|a b; rm -rf /|*|`id`|");
  EXPECT_EQ(Run(Shell("env | grep -c SECRET; env | wc -l")).out, "0\n2\n") << "PATH, and PWD which sh sets";
  std::ofstream inherited(folder_ + "/kept-open");
  const int fd = dup(1);  // one without CLOEXEC
  EXPECT_EQ(Run(Python("import os; print(sorted(os.listdir('/proc/self/fd'))[:-1])")).out,
            "['0', '1', '2']\n");
  close(fd);
  EXPECT_EQ(Run(Shell("read line; echo \"[$line]\"; grep -E 'NoNewPrivs|^Seccomp:' /proc/self/status")).out,
            "[]\nNoNewPrivs:\t1\nSeccomp:\t2\n");
}

TEST_F(ProgramRunnerTest, OnlyWhatIsOnTheListBegins) {
  Program program;
  program.arguments = {"/bin/ls"};
  EXPECT_EQ(runner_->Run("k", program, {}).error().code(), Code::kPermissionDenied);
  program.arguments = {"/bin/../bin/sh"};
  EXPECT_EQ(runner_->Run("k", program, {}).error().code(), Code::kPermissionDenied);
  program.arguments = {folder_ + "/missing"};
  EXPECT_EQ(runner_->Run("k", program, {}).error().code(), Code::kNotFound);
  std::ofstream(folder_ + "/open") << "#!/bin/sh\n";
  std::filesystem::permissions(folder_ + "/open", std::filesystem::perms::all);
  program.arguments = {folder_ + "/open"};
  EXPECT_EQ(runner_->Run("k", program, {}).error().code(), Code::kPermissionDenied);
  std::filesystem::permissions(folder_ + "/open", std::filesystem::perms::owner_all);
  std::ofstream(folder_ + "/open") << "#!/no/such/interpreter\n";
  EXPECT_EQ(runner_->Run("k", program, {}).error().code(), Code::kUnavailable);
  program.arguments = {"/bin/sh", "-c", std::string("a\0b", 3)};
  EXPECT_EQ(runner_->Run("k", program, {}).error().code(), Code::kInvalidArgument);
  program = Shell("true");
  program.directory = folder_ + "/nowhere";
  EXPECT_EQ(runner_->Run("k", program, {}).error().code(), Code::kNotFound);
  EXPECT_EQ(runner_->Run("../k", Shell("true"), {}).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(runner_->Recover("k", Duration::Seconds(1), {}).error().code(), Code::kNotFound)
      << "what did not begin does not count as begun";
  EXPECT_FALSE(ProgramRunner::Make(folder_, {"sh"}));
}

TEST_F(ProgramRunnerTest, TheKernelSaysNo) {
  EXPECT_THAT(Run(Shell("unshare -U true || unshare -m true")).err, HasSubstr("Operation not permitted"));
  EXPECT_THAT(Run(Shell("mount -t tmpfs none /mnt")).err, HasSubstr("permi"));
  // ptrace(PTRACE_TRACEME), bpf, keyctl, userfaultfd, perf_event_open, io_uring_setup by their numbers.
  const std::string calls =
      "import ctypes, errno\n"
      "c = ctypes.CDLL(None, use_errno=True)\n"
      "for n in (NUMBERS):\n"
      "  ctypes.set_errno(0); r = c.syscall(n, 0, 0, 0, 0, 0)\n"
      "  print(r, errno.errorcode.get(ctypes.get_errno()))\n";
#if defined(__x86_64__)
  const std::string numbers = "101, 321, 250, 323, 298, 425, 308";
#else
  const std::string numbers = "117, 280, 219, 282, 241, 425, 268";
#endif
  std::string script = calls;
  script.replace(script.find("NUMBERS"), 7, numbers);
  std::string expected;
  for (int i = 0; i < 7; ++i) expected += "-1 EPERM\n";
  EXPECT_EQ(Run(Python(script)).out, expected);
}

TEST_F(ProgramRunnerTest, SocketsOnlyWhereTheyAreAllowed) {
  const std::string script =
      "import socket\n"
      "for f in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_PACKET):\n"
      "  try:\n    socket.socket(f, socket.SOCK_STREAM if f != socket.AF_PACKET else "
      "socket.SOCK_RAW).close()\n"
      "    print('open')\n"
      "  except OSError as e: print(e.errno == 1)\n"
      "socket.socketpair()\n";
  Program program = Python(script);
  EXPECT_EQ(Run(program).out, "True\nTrue\nTrue\nTrue\n");
  program.network = true;
  EXPECT_EQ(Run(program).out, "open\nopen\nopen\nTrue\n");
}

TEST_F(ProgramRunnerTest, LimitsHold) {
  Program program = Shell("dd if=/dev/zero of=" + folder_ + "/big bs=1024 count=100");
  program.limits.file_bytes = 16u << 10;
  (void)Run(program);
  EXPECT_EQ(std::filesystem::file_size(folder_ + "/big"), 16u << 10);
  program = Python("x = bytearray(1 << 29)");
  program.limits.memory_bytes = 256u << 20;
  EXPECT_THAT(Run(program).err, HasSubstr("MemoryError"));
  program = Shell("while :; do :; done");
  program.limits.cpu_seconds = 1;
  const auto spun = Run(program);
  EXPECT_EQ(spun.outcome, Outcome::kSignaled);
  program = Python("import os\nfds = [os.dup(1) for _ in range(100)]");
  program.limits.open_files = 20;
  EXPECT_THAT(Run(program).err, HasSubstr("Too many open files"));
}

TEST_F(ProgramRunnerTest, HugeOutputsAreReadAndCut) {
  Program program = Shell("head -c 50000000 /dev/zero; head -c 3000000 /dev/zero >&2; echo end >&2; exit 3");
  program.limits.output_bytes = 1000;
  const auto end = Run(program);
  EXPECT_EQ(end.outcome, Outcome::kExited);
  EXPECT_EQ(end.value, 3);
  EXPECT_EQ(end.out.size(), 1000u);
  EXPECT_TRUE(end.out_cut && end.err_cut);
}

TEST_F(ProgramRunnerTest, AnotherUser) {
  if (geteuid() != 0 || getpwnam("nobody") == nullptr) GTEST_SKIP() << "only root can";
  Program program = Python("import os; print(os.getuid(), os.geteuid(), os.getgroups() != [0])");
  program.user = "nobody";
  EXPECT_EQ(Run(program).out, "65534 65534 True\n");
  program.arguments.back() =
      "import os\nfor i in range(50):\n  if os.fork() == 0:\n    import time; time.sleep(9); os._exit(0)";
  program.limits.processes = 10;
  EXPECT_THAT(Run(program).err, HasSubstr("Resource temporarily unavailable"));
  program.user = "nobody-of-that-name";
  EXPECT_EQ(runner_->Run("k", program, {}).error().code(), Code::kNotFound);
}

// A program whose child ignores SIGTERM, left its session and holds stdout.
std::string Stubborn(const std::string& folder) {
  return "trap '' TERM; (setsid sh -c 'trap \"\" TERM; echo $$ > " + folder +
         "/child; while :; do sleep 0.05; done') & while :; do sleep 0.05; done";
}

bool IsAlive(const std::string& file) {
  pid_t pid = 0;
  std::ifstream(file) >> pid;
  EXPECT_GT(pid, 1);
  return kill(pid, 0) == 0;
}

TEST_F(ProgramRunnerTest, AStopKillsTheWholeGroupAtOnce) {
  int64_t took = 1'000;
  for (int i = 0; i < 3 && took > 250; ++i) {  // the best of three: other programs run here too
    StopsAfter stop(300);
    const std::string key = "key-" + std::to_string(i);
    const auto end = runner_->Run(key, Shell(Stubborn(folder_)), stop.token());
    took = stop.MillisAgo();
    ASSERT_TRUE(end);
    EXPECT_EQ(runner_->Recover(key, Duration::Seconds(1), {})->outcome, Outcome::kStopped);
    EXPECT_FALSE(IsAlive(folder_ + "/child"));
  }
  EXPECT_LE(took, 250);
  std::stop_source already;
  already.request_stop();
  EXPECT_EQ(runner_->Run("another", Shell("true"), already.get_token()).error().code(), Code::kCancelled);
}

TEST_F(ProgramRunnerTest, ATimeoutKillsTheWholeGroup) {
  Program program = Shell(Stubborn(folder_));
  program.timeout = Duration::Millis(300);
  EXPECT_EQ(Run(program).outcome, Outcome::kTimedOut);
  EXPECT_FALSE(IsAlive(folder_ + "/child"));
  program = Shell("trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done");
  program.timeout = Duration::Millis(200);
  const auto polite = Run(program);
  EXPECT_EQ(polite.outcome, Outcome::kExited) << "it ended well in the time it is given after SIGTERM";
  EXPECT_EQ(polite.out, "bye\n");
}

TEST_F(ProgramRunnerTest, NothingIsLeftRunning) {
  const auto start = SteadyClock::now();
  const auto end = Run(Shell("(setsid sh -c 'echo $$ > " + folder_ + "/child; sleep 30') & while ! test -s " +
                             folder_ + "/child; do :; done; echo over"));
  EXPECT_EQ(end.outcome, Outcome::kExited);
  EXPECT_EQ(end.out, "over\n");
  EXPECT_LT(MillisSince(start), 10'000);
  EXPECT_FALSE(IsAlive(folder_ + "/child"));
}

TEST_F(ProgramRunnerTest, AKeyRunsOnce) {
  EXPECT_EQ(runner_->Recover("once", Duration::Seconds(1), {}).error().code(), Code::kNotFound);
  const Program program = Shell("echo ran >> " + folder_ + "/log; cat " + folder_ + "/log; exit 4");
  EXPECT_EQ(Run(program, "once").out, "ran\n");
  EXPECT_EQ(runner_->Run("once", program, {}).error().code(), Code::kAlreadyExists);
  const auto again = runner_->Recover("once", Duration::Seconds(1), {});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->out, "ran\n");
  EXPECT_EQ(again->value, 4);
}

// Runs `program` in another process, which is killed once `sign` exists.
void RunAndCrash(const std::string& directory, const std::string& key, const Program& program,
                 const std::string& sign) {
  const pid_t tocsin = fork();
  if (tocsin == 0) {
    auto runner = ProgramRunner::Make(directory, {"/bin/sh"});
    (void)(*runner)->Run(key, program, {});
    _exit(0);
  }
  for (int i = 0; i < 6'000 && !std::filesystem::exists(sign); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  kill(tocsin, SIGKILL);
  waitpid(tocsin, nullptr, 0);
}

TEST_F(ProgramRunnerTest, ARunOutlivesACrash) {
  const Program program = Shell("touch " + folder_ + "/began; while ! test -e " + folder_ +
                                "/go; do sleep 0.02; done; echo done");
  RunAndCrash(folder_ + "/programs", "crash", program, folder_ + "/began");
  const auto runner = Open();
  EXPECT_EQ(runner->Run("crash", program, {}).error().code(), Code::kAlreadyExists);
  std::jthread go([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    std::ofstream(folder_ + "/go") << "x";
  });
  const auto end = runner->Recover("crash", Duration::Seconds(10), {});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->outcome, Outcome::kExited);
  EXPECT_EQ(end->out, "done\n");
}

TEST_F(ProgramRunnerTest, WhatStillRunsAfterACrashCanBeStopped) {
  RunAndCrash(folder_ + "/programs", "crash", Shell(Stubborn(folder_)), folder_ + "/child");
  StopsAfter stop(200);
  const auto end = Open()->Recover("crash", Duration::Seconds(10), stop.token());
  EXPECT_LE(stop.MillisAgo(), 250);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->outcome, Outcome::kStopped);
  EXPECT_FALSE(IsAlive(folder_ + "/child"));
}

TEST_F(ProgramRunnerTest, NobodySawTheEnd) {
  Program program = Shell("echo $PPID > " + folder_ + "/supervisor; mv " + folder_ + "/supervisor " +
                          folder_ + "/child; sleep 20");
  RunAndCrash(folder_ + "/programs", "lost", program, folder_ + "/child");
  pid_t supervisor = 0;
  std::ifstream(folder_ + "/child") >> supervisor;
  kill(supervisor, SIGKILL);
  const auto end = Open()->Recover("lost", Duration::Seconds(10), {});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->outcome, Outcome::kUnknown);
}

TEST_F(ProgramRunnerTest, OldFilesAreRemoved) {
  (void)Run(Shell("true"), "old");
  (void)Run(Shell("true"), "new");
  const auto past = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 8);
  for (const char* name : {"old.started", "old.result"})
    std::filesystem::last_write_time(folder_ + "/programs/" + name, past);
  (void)Open();
  EXPECT_EQ(Files(), 2u);
  EXPECT_TRUE(Exists("programs/new.result"));
}

TEST_F(ProgramRunnerTest, ManyAtOnce) {
  std::vector<std::jthread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 5; ++n) {
        const auto end =
            runner_->Run("many-" + std::to_string(i * 10 + n), Shell("echo " + std::to_string(i)), {});
        if (end && end->out == std::to_string(i) + "\n") ++good;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(good, 40);
}

}  // namespace
}  // namespace tocsin::ports
