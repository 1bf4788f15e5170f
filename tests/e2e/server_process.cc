#include "tests/e2e/server_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

extern char** environ;

namespace tocsin::e2e {
namespace {

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    read = ends[0];
    write = ends[1];
  }
};

pid_t Spawn(const std::vector<std::string>& arguments, int out, int err) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  if (err >= 0) posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + arguments[0]);
  return pid;
}

uint16_t PortAfter(const std::string& text, const std::string& label) {
  const size_t line = text.find(label);
  if (line == std::string::npos) return 0;
  size_t at = line + label.size();
  at = text.find_first_not_of(' ', at);
  const size_t end = text.find_first_of(" \n", at);
  const size_t colon = text.rfind(':', end);
  return static_cast<uint16_t>(std::atoi(text.c_str() + colon + 1));
}

int WaitFor(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

ServerProcess::ServerProcess(const std::string& data, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {TOCSIN_BINARY, "serve",  "--data",      data,          "--http",
                                        "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--log-level", "warn"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Pipe out;
  pid_ = Spawn(arguments, out.write, -1);
  close(out.write);
  out_ = out.read;
  std::string text;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (text.find("  Data ") == std::string::npos) {
    pollfd wait{out_, POLLIN, 0};
    std::array<char, 4096> piece{};
    ssize_t n = 0;
    if (std::chrono::steady_clock::now() > end || poll(&wait, 1, 1000) < 0 ||
        ((wait.revents & (POLLIN | POLLHUP)) != 0 && (n = read(out_, piece.data(), piece.size())) <= 0)) {
      Kill();
      throw std::runtime_error("the server did not start; it printed: " + text);
    }
    text.append(piece.data(), static_cast<size_t>(n));
  }
  http_port_ = PortAfter(text, "OTLP/HTTP");
  grpc_port_ = PortAfter(text, "OTLP/gRPC");
}

ServerProcess::~ServerProcess() {
  Kill();
  close(out_);
}

std::string ServerProcess::url() const { return fmt::format("http://127.0.0.1:{}", http_port_); }

void ServerProcess::Kill() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  WaitFor(pid_);
  pid_ = -1;
}

int ServerProcess::Stop() {
  if (pid_ < 0) return -1;
  kill(pid_, SIGTERM);
  const int code = WaitFor(pid_);
  pid_ = -1;
  return code;
}

CommandResult RunCommand(const std::vector<std::string>& arguments, int seconds) {
  const Pipe out;
  const Pipe err;
  const pid_t pid = Spawn(arguments, out.write, err.write);
  close(out.write);
  close(err.write);
  CommandResult result;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::array<pollfd, 2> wait{{{out.read, POLLIN, 0}, {err.read, POLLIN, 0}}};
  int open = 2;
  bool late = false;
  while (open > 0 && !late) {
    poll(wait.data(), wait.size(), 200);
    for (size_t i = 0; i < wait.size(); ++i) {
      if (wait[i].fd < 0 || (wait[i].revents & (POLLIN | POLLHUP)) == 0) continue;
      std::array<char, 8192> piece{};
      const ssize_t n = read(wait[i].fd, piece.data(), piece.size());
      if (n > 0) {
        (i == 0 ? result.out : result.err).append(piece.data(), static_cast<size_t>(n));
      } else {
        wait[i].fd = -1;
        --open;
      }
    }
    late = std::chrono::steady_clock::now() > end;
  }
  if (late) kill(pid, SIGKILL);
  const int code = WaitFor(pid);
  result.exit_code = late ? -1 : code;
  close(out.read);
  close(err.read);
  return result;
}

}  // namespace tocsin::e2e
