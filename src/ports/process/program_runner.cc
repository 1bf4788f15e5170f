#include "ports/process/program_runner.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>

#include "ports/process/internal/supervise.h"
#include "ports/process/internal/syscall_filter.h"

namespace tocsin::ports {
namespace {

using internal::Launch;
using internal::LaunchReport;
using internal::LaunchStage;
using SteadyClock = std::chrono::steady_clock;

constexpr size_t kMaxArguments = 256, kMaxArgumentBytes = 64u << 10, kMaxKeyBytes = 96;
constexpr size_t kMaxOutputBytes = 16u << 20;
constexpr std::chrono::milliseconds kAfterStop{200}, kAfterTimeout{10'000};
constexpr std::chrono::hours kRemoveEvery{1};
constexpr int64_t kKeptSeconds = 7 * 24 * 3600;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string Why(int error) { return std::generic_category().message(error); }

bool IsKey(std::string_view key) {
  return !key.empty() && key.size() <= kMaxKeyBytes && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

struct Account {
  uid_t user;
  gid_t group;
  std::vector<gid_t> groups;
};

Result<std::optional<Account>> FindAccount(const std::string& name) {
  if (name.empty()) return std::nullopt;
  passwd entry{}, *found = nullptr;
  std::vector<char> buffer(16384);
  getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return Error(Code::kNotFound, fmt::format("this machine has no user '{}'", name));
  if (entry.pw_uid == geteuid()) return std::nullopt;
  if (geteuid() != 0)
    return Error(Code::kPermissionDenied, fmt::format("only root can run a program as '{}'", name));
  int count = 64;
  Account account{entry.pw_uid, entry.pw_gid, std::vector<gid_t>(static_cast<size_t>(count))};
  if (getgrouplist(name.c_str(), entry.pw_gid, account.groups.data(), &count) < 0)
    return Error(Code::kInvalidArgument, fmt::format("user '{}' is in more than 64 groups", name));
  account.groups.resize(static_cast<size_t>(count));
  return account;
}

// Threads of a user now: the kernel's limit counts them all.
int64_t CountTasks(uid_t user) {
  int64_t tasks = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator it("/proc", error), end; !error && it != end;
       it.increment(error)) {
    const std::string path = it->path().string() + "/task";
    struct stat info{};
    if (stat(path.c_str(), &info) == 0 && info.st_uid == user)
      tasks += static_cast<int64_t>(info.st_nlink) - 2;
  }
  return tasks;
}

// Everything a supervisor reads, made before the fork.
struct Prepared {
  std::vector<std::string> environment;
  std::vector<char*> argument_pointers, environment_pointers;
  std::optional<Account> account;
  std::vector<sock_filter> filter;
  std::string begin, started, partial, result;
  std::vector<char> out, err;
  LaunchReport* report = nullptr;

  Prepared() = default;
  ~Prepared() {
    if (report != nullptr) munmap(report, sizeof(LaunchReport));
  }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
};

std::string FreshName() {
  static std::atomic<uint64_t> count{0};
  return fmt::format("{}-{}-{}", getpid(), SteadyClock::now().time_since_epoch().count(), ++count);
}

Status Prepare(const std::string& key, const Program& program, Prepared& made) {
  TOCSIN_ASSIGN_OR_RETURN(made.account, FindAccount(program.user));
  for (const auto& [name, value] : program.environment) made.environment.push_back(name + "=" + value);
  for (const std::string& argument : program.arguments)
    made.argument_pointers.push_back(const_cast<char*>(argument.c_str()));
  for (std::string& line : made.environment) made.environment_pointers.push_back(line.data());
  made.argument_pointers.push_back(nullptr);
  made.environment_pointers.push_back(nullptr);
  made.filter = internal::MakeSyscallFilter(program.network);
  const std::string fresh = FreshName();
  made.begin = fresh + ".begin";
  made.partial = fresh + ".partial";
  made.started = key + ".started";
  made.result = key + ".result";
  made.out.resize(program.limits.output_bytes);
  made.err.resize(program.limits.output_bytes);
  void* shared =
      mmap(nullptr, sizeof(LaunchReport), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return Status(Code::kResourceExhausted, "no memory to run a program");
  made.report = new (shared) LaunchReport();
  return {};
}

Status NotBegun(const Program& program, const LaunchReport& report) {
  const std::string& path = program.arguments.front();
  switch (report.stage) {
    case LaunchStage::kStopped:
      return Status(Code::kCancelled, fmt::format("{} was stopped before it began", path));
    case LaunchStage::kDirectory:
      return Status(Code::kNotFound,
                    fmt::format("{} cannot begin in {} ({})", path, program.directory, Why(report.error)));
    case LaunchStage::kUser:
      return Status(Code::kPermissionDenied,
                    fmt::format("{} cannot run as '{}' ({})", path, program.user, Why(report.error)));
    default:
      return Status(Code::kUnavailable, fmt::format("{} could not begin ({})", path, Why(report.error)));
  }
}

// Blocks every signal of this thread, so that a handler of Tocsin's cannot run in the child.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

ProgramEnd Nobody() { return {}; }

int64_t Millis(Duration span) { return std::max<int64_t>(1, span.ns / 1'000'000); }

}  // namespace

Result<std::unique_ptr<ProgramRunner>> ProgramRunner::Make(const std::string& directory,
                                                           std::vector<std::string> allowed) {
  for (const std::string& path : allowed) {
    if (!path.starts_with('/'))
      return Error(Code::kInvalidArgument, fmt::format("'{}' is not an absolute path", path));
  }
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Error(Code::kUnavailable, fmt::format("cannot use {} ({})", directory, Why(errno)));
  fchmod(fd, 0700);
  std::unique_ptr<ProgramRunner> runner(new ProgramRunner(directory, fd, std::move(allowed)));
  runner->RemoveOld();
  return runner;
}

ProgramRunner::ProgramRunner(std::string directory, int directory_fd, std::vector<std::string> allowed)
    : directory_(std::move(directory)), directory_fd_(directory_fd), allowed_(std::move(allowed)) {}

ProgramRunner::~ProgramRunner() {
  Reap(-1);
  close(directory_fd_);
}

// Waits for those that are over, without blocking; a pid is added to them.
void ProgramRunner::Reap(pid_t pid) {
  const std::scoped_lock lock(mutex_);
  if (pid > 0) unreaped_.push_back(pid);
  std::erase_if(unreaped_, [](pid_t one) { return waitpid(one, nullptr, WNOHANG) != 0; });
}

Status ProgramRunner::CheckAllowed(const Program& program) const {
  if (program.arguments.empty() || program.arguments.size() > kMaxArguments)
    return Status(Code::kInvalidArgument, fmt::format("a program takes 1 to {} arguments", kMaxArguments));
  const std::string& path = program.arguments.front();
  if (std::find(allowed_.begin(), allowed_.end(), path) == allowed_.end())
    return Status(Code::kPermissionDenied, fmt::format("'{}' is not a program that may be run", path));
  size_t bytes = 0;
  for (const std::string& argument : program.arguments) {
    bytes += argument.size();
    if (argument.find('\0') != std::string::npos)
      return Status(Code::kInvalidArgument, "an argument has a zero byte in it");
  }
  if (bytes > kMaxArgumentBytes)
    return Status(Code::kInvalidArgument,
                  fmt::format("the arguments have more than {} bytes", kMaxArgumentBytes));
  if (program.limits.output_bytes > kMaxOutputBytes)
    return Status(Code::kInvalidArgument,
                  fmt::format("at most {} bytes of output are kept", kMaxOutputBytes));
  struct stat info{};
  if (stat(path.c_str(), &info) != 0)
    return Status(Code::kNotFound, fmt::format("there is no program {} ({})", path, Why(errno)));
  if (!S_ISREG(info.st_mode) || (info.st_mode & S_IWOTH) != 0)
    return Status(Code::kPermissionDenied,
                  fmt::format("{} is no file, or one that anybody may change", path));
  return {};
}

Result<ProgramEnd> ProgramRunner::Run(const std::string& key, const Program& program, std::stop_token stop) {
  if (!key.empty() && !IsKey(key)) return Error(Code::kInvalidArgument, "a key has [A-Za-z0-9._-] only");
  TOCSIN_RETURN_IF_ERROR(CheckAllowed(program));
  if (stop.stop_requested()) return Error(Code::kCancelled, "stopped before it began");
  Reap(-1);
  if (SteadyClock::now() - removed_old_.load() > kRemoveEvery) RemoveOld();
  const std::string name = key.empty() ? FreshName() : key;
  Prepared made;
  TOCSIN_RETURN_IF_ERROR(Prepare(name, program, made));
  ProgramLimits limits = program.limits;
  const uid_t user = made.account ? made.account->user : geteuid();
  if (limits.processes > 0 && user != 0) limits.processes += CountTasks(user);
  const Launch launch{.path = program.arguments.front().c_str(),
                      .arguments = made.argument_pointers.data(),
                      .environment = made.environment_pointers.data(),
                      .directory = program.directory.c_str(),
                      .switch_user = made.account.has_value(),
                      .user = user,
                      .group = made.account ? made.account->group : getegid(),
                      .groups = made.account ? made.account->groups.data() : nullptr,
                      .group_count = made.account ? made.account->groups.size() : 0,
                      .survives = !key.empty(),
                      .timeout_ms = Millis(program.timeout),
                      .limits = limits,
                      .filter = {static_cast<unsigned short>(made.filter.size()), made.filter.data()},
                      .directory_fd = directory_fd_,
                      .begin_name = made.begin.c_str(),
                      .started_name = made.started.c_str(),
                      .partial_name = made.partial.c_str(),
                      .result_name = made.result.c_str(),
                      .out = made.out.data(),
                      .err = made.err.data(),
                      .report = made.report,
                      .parent = getpid()};
  pid_t supervisor = -1;
  {
    const SignalsBlocked blocked;
    supervisor = fork();
    if (supervisor == 0) internal::Supervise(launch);
  }
  if (supervisor < 0)
    return Error(Code::kResourceExhausted, fmt::format("cannot make a process ({})", Why(errno)));
  auto end = Await(supervisor, name, std::move(stop));
  if (key.empty()) Forget(name);
  if (!end && end.error().code() == Code::kInternal) return Error(NotBegun(program, *made.report));
  return end;
}

// kInternal stands for: nothing began, the report says why.
Result<ProgramEnd> ProgramRunner::Await(pid_t supervisor, const std::string& key, std::stop_token stop) {
  const Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, supervisor, 0)));
  const Descriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback on_stop(stop, [&] { eventfd_write(wake.get(), 1); });
  std::optional<SteadyClock::time_point> give_up;
  int status = 0;
  while (waitpid(supervisor, &status, WNOHANG) == 0) {
    int64_t left = 1'000;
    if (give_up) {
      left = std::chrono::duration_cast<std::chrono::milliseconds>(*give_up - SteadyClock::now()).count();
      if (left <= 0) {
        Reap(supervisor);
        return Nobody();
      }
    } else if (stop.stop_requested()) {
      kill(supervisor, SIGTERM);
      give_up = SteadyClock::now() + kAfterStop;
      continue;
    }
    pollfd wait[2] = {{process.get(), POLLIN, 0}, {give_up ? -1 : wake.get(), POLLIN, 0}};
    poll(wait, 2, static_cast<int>(process.get() < 0 ? std::min<int64_t>(left, 10) : left));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == internal::kBeganBefore)
    return Error(Code::kAlreadyExists, fmt::format("'{}' has begun before", key));
  if (WIFEXITED(status) && WEXITSTATUS(status) == internal::kNothingBegan) return Error(Code::kInternal, "");
  auto end = ReadEnd(key);
  return end ? std::move(end) : Nobody();
}

Result<ProgramEnd> ProgramRunner::ReadEnd(const std::string& key) const {
  const Descriptor file(openat(directory_fd_, (key + ".result").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0) return Error(Code::kNotFound, "no result");
  internal::ResultHeader header{};
  const Status damaged(Code::kDataLoss, fmt::format("{}/{}.result is damaged", directory_, key));
  if (read(file.get(), &header, sizeof(header)) != static_cast<ssize_t>(sizeof(header)) ||
      memcmp(header.magic, internal::ResultHeader::kMagic, sizeof(header.magic)) != 0 ||
      header.out_bytes > kMaxOutputBytes || header.err_bytes > kMaxOutputBytes || header.outcome < 0 ||
      header.outcome > static_cast<int32_t>(ProgramEnd::Outcome::kUnknown)) {
    return Error(damaged);
  }
  ProgramEnd end{.outcome = static_cast<ProgramEnd::Outcome>(header.outcome),
                 .value = header.value,
                 .out = std::string(header.out_bytes, '\0'),
                 .err = std::string(header.err_bytes, '\0'),
                 .out_cut = header.out_cut != 0,
                 .err_cut = header.err_cut != 0};
  if (read(file.get(), end.out.data(), end.out.size()) != static_cast<ssize_t>(end.out.size()) ||
      read(file.get(), end.err.data(), end.err.size()) != static_cast<ssize_t>(end.err.size())) {
    return Error(damaged);
  }
  return end;
}

Result<ProgramEnd> ProgramRunner::Recover(const std::string& key, Duration timeout, std::stop_token stop) {
  if (!IsKey(key)) return Error(Code::kInvalidArgument, "a key has [A-Za-z0-9._-] only");
  const std::string name = key + ".started";
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(Millis(timeout)) + kAfterTimeout;
  std::optional<SteadyClock::time_point> give_up;
  while (true) {
    const Descriptor file(openat(directory_fd_, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (file.get() < 0) {
      if (errno == ENOENT) return Error(Code::kNotFound, fmt::format("'{}' never began", key));
      return Error(Code::kUnavailable, fmt::format("cannot read {}/{} ({})", directory_, name, Why(errno)));
    }
    const bool over = flock(file.get(), LOCK_SH | LOCK_NB) == 0;
    if (over) {
      auto end = ReadEnd(key);
      return end ? std::move(end) : Nobody();
    }
    const auto now = SteadyClock::now();
    if (now >= (give_up ? *give_up : deadline)) return Nobody();
    if (!give_up && stop.stop_requested()) {
      // Whoever holds the lock lives, so the number is still its own.
      char text[24] = "";
      if (pread(file.get(), text, sizeof(text) - 1, 0) > 0 && atoi(text) > 1) kill(atoi(text), SIGTERM);
      give_up = now + kAfterStop;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void ProgramRunner::Forget(const std::string& key) const {
  for (const char* kind : {".started", ".result"}) unlinkat(directory_fd_, (key + kind).c_str(), 0);
}

void ProgramRunner::RemoveOld() {
  removed_old_ = SteadyClock::now();
  DIR* const listing = fdopendir(openat(directory_fd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (listing == nullptr) return;
  const int64_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  while (const dirent* entry = readdir(listing)) {
    struct stat info{};
    if (fstatat(directory_fd_, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode) ||
        now - info.st_mtim.tv_sec < kKeptSeconds) {
      continue;
    }
    const Descriptor file(openat(directory_fd_, entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (file.get() >= 0 && flock(file.get(), LOCK_EX | LOCK_NB) == 0)
      unlinkat(directory_fd_, entry->d_name, 0);
  }
  closedir(listing);
}

}  // namespace tocsin::ports
