#include "ports/process/internal/supervise.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace tocsin::ports::internal {
namespace {

constexpr int kFilesFd = 3;
constexpr int64_t kStopGraceMs = 60, kTimeoutGraceMs = 2'000, kForever = INT64_MAX / 4;
constexpr int kKillRounds = 1'000, kReadsAtOnce = 64;

int64_t NowMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000 + now.tv_nsec / 1'000'000;
}

bool WriteAll(int fd, const void* data, size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t wrote = write(fd, at, size);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    at += wrote;
    size -= static_cast<size_t>(wrote);
  }
  return true;
}

[[noreturn]] void GiveUp(LaunchReport* report, LaunchStage stage) {
  report->error = errno;
  report->stage = stage;
  _exit(127);
}

void ResetHandlers() {
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &standard, nullptr);
}

bool Limit(__rlimit_resource resource, uint64_t most) {
  if (most == 0) return true;
  const rlimit both{most, most};
  return setrlimit(resource, &both) == 0;
}

bool ApplyLimits(const ProgramLimits& limits) {
  const rlimit no_core{0, 0};
  return setrlimit(RLIMIT_CORE, &no_core) == 0 &&
         Limit(RLIMIT_CPU, static_cast<uint64_t>(limits.cpu_seconds)) &&
         Limit(RLIMIT_AS, limits.memory_bytes) && Limit(RLIMIT_FSIZE, limits.file_bytes) &&
         Limit(RLIMIT_NOFILE, static_cast<uint64_t>(limits.open_files)) &&
         Limit(RLIMIT_NPROC, static_cast<uint64_t>(limits.processes));
}

bool BecomeUser(const Launch& launch) {
  return !launch.switch_user || (setgroups(launch.group_count, launch.groups) == 0 &&
                                 setresgid(launch.group, launch.group, launch.group) == 0 &&
                                 setresuid(launch.user, launch.user, launch.user) == 0);
}

// From the fork to the program.
[[noreturn]] void BecomeProgram(const Launch& launch, int out, int err) {
  const pid_t supervisor = getppid();
  setsid();
  umask(077);
  if (dup2(out, 1) < 0 || dup2(err, 2) < 0) GiveUp(launch.report, LaunchStage::kPipes);
  syscall(SYS_close_range, 3, ~0U, 0);
  if (!ApplyLimits(launch.limits)) GiveUp(launch.report, LaunchStage::kLimits);
  if (!BecomeUser(launch)) GiveUp(launch.report, LaunchStage::kUser);
  // After the change of user, which clears it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor) _exit(127);
  if (chdir(launch.directory) != 0) GiveUp(launch.report, LaunchStage::kDirectory);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &launch.filter) != 0) {
    GiveUp(launch.report, LaunchStage::kFilter);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(launch.path, launch.arguments, launch.environment);
  GiveUp(launch.report, LaunchStage::kExecute);
}

struct Pipe {
  int fd = -1;
  char* kept = nullptr;
  size_t size = 0, most = 0;
  bool cut = false;

  // What is there now, unless it comes faster than it is read.
  void Drain() {
    char buffer[16384];
    for (int reads = 0; fd >= 0 && reads < kReadsAtOnce; ++reads) {
      const ssize_t got = read(fd, buffer, sizeof(buffer));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return;
      if (got == 0) {
        close(fd);
        fd = -1;
        return;
      }
      const size_t take = std::min(static_cast<size_t>(got), most - size);
      memcpy(kept + size, buffer, take);
      size += take;
      cut = cut || take < static_cast<size_t>(got);
    }
  }
};

// The direct children of this process, SIGKILLed. As their reaper it inherits theirs in turn.
void KillChildren() {
  const int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char buffer[4096];
  pid_t pid = 0;
  for (ssize_t got = read(fd, buffer, sizeof(buffer)); got > 0; got = read(fd, buffer, sizeof(buffer))) {
    for (ssize_t i = 0; i < got; ++i) {
      if (buffer[i] >= '0' && buffer[i] <= '9') {
        pid = pid * 10 + (buffer[i] - '0');
      } else {
        if (pid > 1) kill(pid, SIGKILL);
        pid = 0;
      }
    }
  }
  if (pid > 1) kill(pid, SIGKILL);
  close(fd);
}

class Supervisor {
 public:
  explicit Supervisor(const Launch& launch) : launch_(launch) {}
  [[noreturn]] void Go() {
    TakeDescriptors();
    MakeStartedFile();
    Begin();
    Watch();
    EndEverything();
    WriteResult();
    _exit(kResultWritten);
  }

 private:
  void TakeDescriptors() const;
  void MakeStartedFile() const;
  [[noreturn]] void NothingBegan(LaunchStage stage) const;
  void Begin();
  bool HeardStop() const;
  void Watch();
  void Reap();
  void EndEverything();
  void WriteResult() const;

  const Launch& launch_;
  int signals_ = -1;
  Pipe out_, err_;
  pid_t program_ = -1;
  bool alive_ = true;
  int status_ = 0;
  ProgramEnd::Outcome reason_ = ProgramEnd::Outcome::kExited;  // kTimedOut and kStopped: we ended it
};

void Supervisor::TakeDescriptors() const {
  if (launch_.directory_fd != kFilesFd) dup3(launch_.directory_fd, kFilesFd, O_CLOEXEC);
  syscall(SYS_close_range, kFilesFd + 1, ~0U, 0);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
  if (null > kFilesFd) close(null);
}

// Visible under its name only once it is locked.
void Supervisor::MakeStartedFile() const {
  const int fd = openat(kFilesFd, launch_.begin_name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) _exit(kNothingBegan);
  char text[24];
  size_t at = sizeof(text);
  text[--at] = '\n';
  for (pid_t pid = getpid(); pid > 0; pid /= 10) text[--at] = static_cast<char>('0' + pid % 10);
  const bool written =
      flock(fd, LOCK_EX | LOCK_NB) == 0 && WriteAll(fd, text + at, sizeof(text) - at) && fsync(fd) == 0;
  // Whoever asks after Tocsin's death and finds no such file is told that nothing began.
  const bool orphan = getppid() != launch_.parent;
  const bool linked =
      written && !orphan && linkat(kFilesFd, launch_.begin_name, kFilesFd, launch_.started_name, 0) == 0;
  const int error = errno;
  unlinkat(kFilesFd, launch_.begin_name, 0);
  if (!linked) {
    launch_.report->error = error;
    _exit(written && !orphan && error == EEXIST ? kBeganBefore : kNothingBegan);
  }
  if (fsync(kFilesFd) != 0) NothingBegan(LaunchStage::kPipes);
}

void Supervisor::NothingBegan(LaunchStage stage) const {
  if (launch_.report->stage == LaunchStage::kNone) {
    launch_.report->error = errno;
    launch_.report->stage = stage;
  }
  unlinkat(kFilesFd, launch_.started_name, 0);
  fsync(kFilesFd);
  _exit(kNothingBegan);
}

void Supervisor::Begin() {
  int out[2], err[2];
  sigset_t heard;
  sigemptyset(&heard);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&heard, signal);
  signals_ = signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
    NothingBegan(LaunchStage::kPipes);
  if (HeardStop()) NothingBegan(LaunchStage::kStopped);
  program_ = fork();
  if (program_ < 0) NothingBegan(LaunchStage::kPipes);
  if (program_ == 0) BecomeProgram(launch_, out[1], err[1]);
  close(out[1]);
  close(err[1]);
  fcntl(out[0], F_SETFL, O_NONBLOCK);
  fcntl(err[0], F_SETFL, O_NONBLOCK);
  out_ = {out[0], launch_.out, 0, launch_.limits.output_bytes, false};
  err_ = {err[0], launch_.err, 0, launch_.limits.output_bytes, false};
}

bool Supervisor::HeardStop() const {
  signalfd_siginfo info{};
  bool stop = false;
  while (read(signals_, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
    stop = stop || info.ssi_signo != SIGCHLD;
  }
  return stop;
}

void Supervisor::Reap() {
  int status = 0;
  for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
    if (pid != program_) continue;
    alive_ = false;
    status_ = status;
  }
}

void Supervisor::Watch() {
  int64_t deadline = NowMs() + launch_.timeout_ms, kill_at = kForever;
  while (alive_) {
    pollfd wait[3] = {{signals_, POLLIN, 0}, {out_.fd, POLLIN, 0}, {err_.fd, POLLIN, 0}};
    const int64_t left = std::min(deadline, kill_at) - NowMs();
    poll(wait, 3, static_cast<int>(std::clamp<int64_t>(left, 0, 60'000)));
    out_.Drain();
    err_.Drain();
    const bool stop = HeardStop();
    Reap();
    if (!alive_) return;
    const int64_t now = NowMs();
    if (stop || now >= deadline) {
      deadline = kForever;
      if (reason_ == ProgramEnd::Outcome::kExited) kill(-program_, SIGTERM);
      reason_ = stop ? ProgramEnd::Outcome::kStopped : ProgramEnd::Outcome::kTimedOut;
      kill_at = std::min(kill_at, now + (stop ? kStopGraceMs : kTimeoutGraceMs));
    }
    if (now >= kill_at) {
      kill(-program_, SIGKILL);
      KillChildren();
      kill_at = now + kStopGraceMs;
    }
  }
}

void Supervisor::EndEverything() {
  kill(-program_, SIGKILL);
  for (int round = 0; round < kKillRounds; ++round) {
    KillChildren();
    out_.Drain();
    err_.Drain();
    int status = 0;
    const pid_t reaped = waitpid(-1, &status, WNOHANG);
    if (reaped < 0 && errno == ECHILD) break;
    const timespec nap{0, 1'000'000};
    if (reaped == 0) nanosleep(&nap, nullptr);
  }
  out_.Drain();
  err_.Drain();
  if (launch_.report->stage != LaunchStage::kNone) NothingBegan(launch_.report->stage);
}

void Supervisor::WriteResult() const {
  ResultHeader header{};
  memcpy(header.magic, ResultHeader::kMagic, sizeof(header.magic));
  const bool exited = WIFEXITED(status_);
  auto outcome = exited ? ProgramEnd::Outcome::kExited : ProgramEnd::Outcome::kSignaled;
  if (reason_ != ProgramEnd::Outcome::kExited && !(exited && WEXITSTATUS(status_) == 0)) outcome = reason_;
  header.outcome = static_cast<int32_t>(outcome);
  header.value = exited ? WEXITSTATUS(status_) : WTERMSIG(status_);
  header.out_bytes = out_.size;
  header.err_bytes = err_.size;
  header.out_cut = out_.cut;
  header.err_cut = err_.cut;
  const int fd = openat(kFilesFd, launch_.partial_name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0 || !WriteAll(fd, &header, sizeof(header)) || !WriteAll(fd, out_.kept, out_.size) ||
      !WriteAll(fd, err_.kept, err_.size) || (launch_.survives && fsync(fd) != 0) ||
      renameat(kFilesFd, launch_.partial_name, kFilesFd, launch_.result_name) != 0) {
    _exit(kResultLost);
  }
  if (launch_.survives) fsync(kFilesFd);
}

}  // namespace

void Supervise(const Launch& launch) {
  ResetHandlers();
  setsid();
  prctl(PR_SET_NAME, "tocsin-program");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (!launch.survives) prctl(PR_SET_PDEATHSIG, SIGTERM);
  Supervisor(launch).Go();
}

}  // namespace tocsin::ports::internal
