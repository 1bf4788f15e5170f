// PeerProcess: a program that is not ours, run for as long as the object lives and killed with it, or with
// this process if that dies first.
//
// Ownership: owns the process. Thread-safety: none. Errors: std::runtime_error when it cannot be started or
// does not answer in time, with the end of what it wrote.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tocsin::e2e {

class PeerProcess {
 public:
  // What it prints goes to the file.
  PeerProcess(const std::vector<std::string>& arguments, std::string log_path);
  ~PeerProcess();
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;

  pid_t pid() const { return pid_; }
  bool Running();
  std::string LogTail() const;

 private:
  pid_t pid_ = -1;
  std::string log_path_;
};

struct ListeningPeer {
  std::unique_ptr<PeerProcess> process;
  uint16_t port = 0;
};

// True when the program is on the PATH.
bool HaveProgram(const std::string& name);
// A port nobody listens at now.
uint16_t FreePort();
// Starts a server that must be told its port, and waits until it answers GET ready_path with 200. Somebody
// else may take the port first: tried again with another one.
ListeningPeer StartListening(const std::function<std::vector<std::string>(uint16_t port)>& arguments,
                             const std::string& log_path, const std::string& ready_path);

}  // namespace tocsin::e2e
