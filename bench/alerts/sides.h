// The two servers that are compared: Tocsin's release binary and Debian's Alertmanager, each alone on the
// machine, in a new folder, on ephemeral ports, with the same route and inhibit rule.
//
// Ownership: a Side owns its process and its folder. Thread-safety: none. Errors: std::runtime_error when a
// server does not start.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

namespace tocsin::bench {

inline constexpr const char* kAlertmanager = "prometheus-alertmanager";

class Side {
 public:
  virtual ~Side() = default;
  virtual uint16_t port() const = 0;
  virtual pid_t pid() const = 0;
  // Memory in MiB: now, or the most it ever was.
  double ResidentMb() const { return StatusMb("VmRSS:"); }
  double PeakMb() const { return StatusMb("VmHWM:"); }

 private:
  double StatusMb(const char* field) const;
};

std::unique_ptr<Side> StartTocsin();
std::unique_ptr<Side> StartAlertmanager();

}  // namespace tocsin::bench
