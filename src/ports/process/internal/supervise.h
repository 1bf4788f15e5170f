// The process between Tocsin and a program it runs: everything from here on happens after a fork of a process
// with threads, so only system calls, and memory that was there before. What it needs is made by the caller.
//
// Exit codes tell the caller how far it came (Supervision).
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "ports/process/program_runner.h"

namespace tocsin::ports::internal {

// Shared memory of all three processes: why the program could not begin.
enum class LaunchStage : int32_t { kNone, kStopped, kLimits, kUser, kDirectory, kFilter, kExecute, kPipes };
struct LaunchReport {
  LaunchStage stage = LaunchStage::kNone;
  int32_t error = 0;  // errno
};

// KEY.result: this, then what the program wrote to stdout, then to stderr.
struct ResultHeader {
  static constexpr char kMagic[8] = {'T', 'O', 'C', 'S', 'I', 'N', 'P', '1'};
  char magic[8];
  int32_t outcome, value;
  uint64_t out_bytes, err_bytes;
  int32_t out_cut, err_cut;
};

enum Supervision : int { kResultWritten = 0, kBeganBefore = 3, kNothingBegan = 4, kResultLost = 5 };

struct Launch {
  const char* path;
  char* const* arguments;
  char* const* environment;
  const char* directory;
  bool switch_user;
  uid_t user;
  gid_t group;
  const gid_t* groups;
  size_t group_count;
  bool survives;  // Tocsin's death
  int64_t timeout_ms;
  ProgramLimits limits;  // processes: all of the user's
  sock_fprog filter;
  int directory_fd;  // of the runner's files, with their names
  const char *begin_name, *started_name, *partial_name, *result_name;
  char *out, *err;  // limits.output_bytes each
  LaunchReport* report;
  pid_t parent;
};

[[noreturn]] void Supervise(const Launch& launch);

}  // namespace tocsin::ports::internal
