// The file KILL: the switch that works when everything else is down. What is there and cannot be read, or
// says what is no scope, is all: whoever put it there wanted something to stop. Thread-safe; never waits on
// a pipe.
#pragma once

#include <string>
#include <vector>

#include "act/kill/kill_switch.h"

namespace tocsin::act::internal {

// More than this is no list of scopes.
inline constexpr size_t kMaxKillFileBytes = 64u << 10;

// The scopes that the file engages, sorted, each once, with reason; none when there is no file.
std::vector<KillState> ReadKillFile(const std::string& path);

}  // namespace tocsin::act::internal
