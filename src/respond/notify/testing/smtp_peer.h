// SmtpPeer: a real mail server (python3-aiosmtpd) as a child process, for tests. Owns the process, which ends
// with it. The port is the system's choice. Not thread-safe.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace tocsin::respond::testing {

class SmtpPeer {
 public:
  // Debian's own interpreter: that is the one python3-aiosmtpd is installed for.
  static constexpr const char* kPython = "/usr/bin/python3";
  static bool Available() {
    static const bool there = std::system("/usr/bin/python3 -c 'import aiosmtpd' >/dev/null 2>&1") == 0;
    return there;
  }

  explicit SmtpPeer(std::vector<std::string> arguments) {
    const auto script = Script();
    std::vector<std::string> all = {kPython, script.string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (auto& one : all) argv.push_back(one.data());
    argv.push_back(nullptr);
    int in[2];
    int out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn(&pid_, kPython, &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    stdin_ = in[1];
    stdout_ = out[0];
    port_ = Line();
  }
  ~SmtpPeer() {
    if (pid_ > 0) kill(pid_, SIGKILL);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
    close(stdin_);
    close(stdout_);
  }
  SmtpPeer(const SmtpPeer&) = delete;
  SmtpPeer& operator=(const SmtpPeer&) = delete;

  std::string Url(const std::string& host = "127.0.0.1") const { return "smtp://" + host + ":" + port_; }
  // The next line it prints: a mail it took; "" when none comes in time.
  std::string Line(int timeout_ms = 15'000) {
    size_t end = 0;
    while ((end = buffer_.find('\n')) == std::string::npos) {
      pollfd wait{.fd = stdout_, .events = POLLIN, .revents = 0};
      if (poll(&wait, 1, timeout_ms) <= 0) return "";
      char chunk[4096];
      const ssize_t count = read(stdout_, chunk, sizeof chunk);
      if (count <= 0) return "";
      buffer_.append(chunk, static_cast<size_t>(count));
    }
    const std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return line;
  }

 private:
  // By the checkout the test runner names: a compiler cache may make __FILE__ relative to a folder long left.
  static std::filesystem::path Script() {
    const char* source = std::getenv("TOCSIN_SOURCE_DIR");
    if (source == nullptr) return std::filesystem::path(__FILE__).parent_path() / "smtp_peer.py";
    return std::filesystem::path(source) / "src/respond/notify/testing/smtp_peer.py";
  }

  pid_t pid_ = -1;
  int stdin_ = -1;
  int stdout_ = -1;
  std::string port_;
  std::string buffer_;
};

}  // namespace tocsin::respond::testing
