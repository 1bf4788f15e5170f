#include "tests/e2e/peer_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "ports/http_client.h"

namespace tocsin::e2e {
namespace {

constexpr int kTries = 5;
constexpr std::chrono::seconds kReady{20};

// In the child: nothing but system calls.
[[noreturn]] void Become(char* const* argv, int log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execvp(argv[0], argv);
  _exit(127);
}

bool AnswersInTime(PeerProcess& process, const std::string& url) {
  ports::HttpClient client;
  const auto end = std::chrono::steady_clock::now() + kReady;
  while (process.Running() && std::chrono::steady_clock::now() < end) {
    const auto answer = client.Send({"GET", url, {}, {}});
    if (answer && answer->status == 200) return process.Running();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

}  // namespace

PeerProcess::PeerProcess(const std::vector<std::string>& arguments, std::string log_path)
    : log_path_(std::move(log_path)) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const int log = open(log_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) throw std::runtime_error("cannot write " + log_path_);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) Become(argv.data(), log, parent);
  close(log);
  if (pid_ < 0) throw std::runtime_error("cannot start " + arguments[0]);
}

PeerProcess::~PeerProcess() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool PeerProcess::Running() {
  if (pid_ >= 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ >= 0;
}

std::string PeerProcess::LogTail() const {
  std::ifstream file(log_path_);
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  return all.size() > 2000 ? all.substr(all.size() - 2000) : all;
}

bool HaveProgram(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::stringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((folder + "/" + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

ListeningPeer StartListening(const std::function<std::vector<std::string>(uint16_t port)>& arguments,
                             const std::string& log_path, const std::string& ready_path) {
  std::string said;
  for (int i = 0; i < kTries; ++i) {
    ListeningPeer peer;
    peer.port = FreePort();
    const auto command = arguments(peer.port);
    peer.process = std::make_unique<PeerProcess>(command, log_path);
    if (AnswersInTime(*peer.process, fmt::format("http://127.0.0.1:{}{}", peer.port, ready_path)))
      return peer;
    said = command[0] + " does not answer; it wrote: " + peer.process->LogTail();
  }
  throw std::runtime_error(said);
}

}  // namespace tocsin::e2e
