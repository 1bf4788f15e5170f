// ProgramRunner: runs other programs, without a shell, locked in as far as the kernel allows, and tells what
// became of one that ran while Tocsin crashed. Linux only.
//
//   Run ─fork─► supervisor ─fork─► program      own session, empty environment, no new privileges, system
//        │         │    ▲ pipes       │         calls filtered, resources limited, no open descriptors
//        │         ├─ KEY.started     before the program begins: fsync, locked as long as the supervisor
//        lives │         └─ KEY.result      once it is over, and everything that it started is dead └─◄ reads
//        KEY.result
//
// The supervisor outlives Tocsin: a run with a key goes on when Tocsin dies, and Recover finds it. Whatever
// the program leaves running is killed when it ends. A run without a key leaves nothing behind and dies with
// Tocsin. Files of a key are kept for a week.
// Ownership: owns its directory. Thread-safety: all methods; Run and Recover block for as long as the
// program takes, and return within 250 ms once `stop` is requested (SIGTERM to the whole group, SIGKILL
// after 60 ms). Bounds: ProgramLimits.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"
#include "kernel/time.h"

namespace tocsin::ports {

// What one program may use. 0 lifts a limit, but for output_bytes.
struct ProgramLimits {
  int64_t cpu_seconds = 300;
  size_t memory_bytes = size_t{2} << 30;  // address space of each process
  size_t file_bytes = 256u << 20;         // of any file it writes
  int64_t open_files = 256;
  int64_t processes = 256;          // at once, beyond those its user has already; root is not held to it
  size_t output_bytes = 64u << 10;  // kept of each of stdout and stderr; the rest is read and dropped
  friend bool operator==(const ProgramLimits&, const ProgramLimits&) = default;
};

struct Program {
  std::vector<std::string> arguments;              // [0]: absolute path, on the runner's list
  std::map<std::string, std::string> environment;  // all of it
  std::string directory = "/";
  std::string user;      // "" = Tocsin's own; another one only when Tocsin is root
  bool network = false;  // false: no sockets at all
  Duration timeout = Duration::Seconds(60);
  ProgramLimits limits;
};

struct ProgramEnd {
  enum class Outcome {
    kExited,    // by itself; value: exit code
    kSignaled,  // killed by a signal that was not ours, as for a limit; value: the signal
    kTimedOut,  // killed by us
    kStopped,   // killed by us
    kUnknown,   // nobody saw its end
  };
  Outcome outcome = Outcome::kUnknown;
  int value = 0;
  std::string out, err;  // as they were written, any bytes
  bool out_cut = false, err_cut = false;
};

class ProgramRunner {
 public:
  // `directory` is made (0700) when missing; `allowed` are absolute paths of programs.
  static Result<std::unique_ptr<ProgramRunner>> Make(const std::string& directory,
                                                     std::vector<std::string> allowed);
  ~ProgramRunner();
  ProgramRunner(const ProgramRunner&) = delete;
  ProgramRunner& operator=(const ProgramRunner&) = delete;

  // An error says that the program did not begin: kPermissionDenied (not on the list, user), kNotFound (no
  // such program, user, directory), kInvalidArgument, kCancelled, kUnavailable; but kAlreadyExists says that
  // a run of this key did begin before: Recover it. `key`: "" or [A-Za-z0-9._-], at most 96 bytes.
  Result<ProgramEnd> Run(const std::string& key, const Program& program, std::stop_token stop);
  // What became of the run of this key. One that still runs is waited for until `timeout`, then it is
  // kUnknown; `stop` stops it. kNotFound: it never began.
  Result<ProgramEnd> Recover(const std::string& key, Duration timeout, std::stop_token stop);
  // Removes what is older than a week and not running. Make does so, and Run once an hour.
  void RemoveOld();

 private:
  ProgramRunner(std::string directory, int directory_fd, std::vector<std::string> allowed);
  Status CheckAllowed(const Program& program) const;
  Result<ProgramEnd> Await(pid_t supervisor, const std::string& key, std::stop_token stop);
  Result<ProgramEnd> ReadEnd(const std::string& key) const;
  void Forget(const std::string& key) const;
  void Reap(pid_t pid);

  std::string directory_;
  int directory_fd_;
  std::vector<std::string> allowed_;
  std::mutex mutex_;
  std::vector<pid_t> unreaped_;  // supervisors that were not waited for
  std::atomic<std::chrono::steady_clock::time_point> removed_old_{};
};

}  // namespace tocsin::ports
