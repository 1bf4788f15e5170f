// SettingsReloader: a configuration changes while the server runs. Reads the file again when it is told to
// (SIGHUP, POST /-/reload) and when it has changed, looked at every two seconds by time and size; a change is
// read once two looks agree, so that half a file is not taken for a whole one.
//
//   file ─► read and checked ─┬─ wrong ─► logged line by line, refused, the old one stays
//                             └─ right ─► apply(settings): alert rules and who is told; ─► counted
//                                         the other keys need a restart: logged when one has changed
//
// Secrets in files of their own are read again with every reading, but only the file itself is watched.
// Ownership: owns one thread, ended by the destructor; `apply` is called by that thread or by Reload's
// caller, one at a time. Thread-safety: all methods, but Reload is not for `apply` to call. Errors of Reload:
// kInvalidArgument with every line that is wrong, kNotFound, or what `apply` said.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "kernel/status.h"
#include "ports/clock.h"
#include "runtime/settings.h"

namespace tocsin::runtime {

struct ReloadStats {
  uint64_t reloads = 0;  // taken
  uint64_t refused = 0;
  Time last_reload;        // not known: none yet
  std::string last_error;  // of the last reading; "" when it was taken
  std::string needs_restart =
      {};  // keys that have changed since the start and are not in use: "http, limits"
};

class SettingsReloader {
 public:
  // Not ok: nothing of it is in use, and the old settings stay.
  using Apply = std::function<Status(const Settings& settings)>;

  // `settings` are those in use; without a file (settings.file) there is nothing to read, and Reload says so.
  static std::unique_ptr<SettingsReloader> Start(const Settings& settings, const ports::Clock& clock,
                                                 Apply apply, Duration look_every = Duration::Seconds(2));
  virtual ~SettingsReloader() = default;

  // `why` is for the log: "SIGHUP".
  virtual Status Reload(const std::string& why) = 0;
  virtual ReloadStats Stats() const = 0;
};

}  // namespace tocsin::runtime
