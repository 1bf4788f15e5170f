// The real binary as a child process: `tocsin serve` on ephemeral ports, killed at the end whatever happens.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tocsin::e2e {

class ServerProcess {
 public:
  // Starts and waits until it says that it is ready (at most 60 s; throws otherwise, with what it printed).
  explicit ServerProcess(const std::string& data, const std::vector<std::string>& more_arguments = {});
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  uint16_t port() const { return http_port_; }
  uint16_t grpc_port() const { return grpc_port_; }
  pid_t pid() const { return pid_; }
  std::string url() const;
  // kill -9, and waits for the end.
  void Kill();
  // SIGTERM; returns the exit code.
  int Stop();

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  uint16_t http_port_ = 0;
  uint16_t grpc_port_ = 0;
};

struct CommandResult {
  int exit_code = -1;
  std::string out;
  std::string err;
};
// Runs a program to its end (at most `seconds`; then it is killed and exit_code is -1).
CommandResult RunCommand(const std::vector<std::string>& arguments, int seconds = 120);

}  // namespace tocsin::e2e
