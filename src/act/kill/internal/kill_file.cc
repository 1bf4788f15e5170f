#include "act/kill/internal/kill_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>

namespace tocsin::act::internal {
namespace {

KillState State(KillScope scope, std::string reason) {
  KillState state;
  state.scope = std::move(scope);
  state.by = "file";
  state.reason = std::move(reason);
  state.by_file = true;
  return state;
}

std::vector<KillState> All(const std::string& path, const std::string& why) {
  return {State({"all", ""}, "the file " + path + " is there" + (why.empty() ? "" : ", and " + why))};
}

// Nothing at all under this name, not even a link that leads nowhere.
bool Missing(const std::string& path) {
  struct stat status{};
  return lstat(path.c_str(), &status) != 0 && errno == ENOENT;
}

// Nothing, with `why`, when it cannot be read.
std::optional<std::string> Read(const std::string& path, std::string& why) {
  const int file = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (file < 0) {
    why = std::string("cannot be read: ") + std::strerror(errno);
    return {};
  }
  std::string text;
  struct stat status{};
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) why = "is no regular file";
  while (why.empty()) {
    char part[4096];
    const ssize_t n = read(file, part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) why = std::string("cannot be read: ") + std::strerror(errno);
    if (n <= 0) break;
    text.append(part, static_cast<size_t>(n));
    if (text.size() > kMaxKillFileBytes) why = "is too large to be a list of scopes";
  }
  close(file);
  if (!why.empty()) return {};
  return text;
}

}  // namespace

std::vector<KillState> ReadKillFile(const std::string& path) {
  if (Missing(path)) return {};
  std::string why;
  const auto text = Read(path, why);
  if (!text) return Missing(path) ? std::vector<KillState>{} : All(path, why);
  std::set<KillScope> scopes;
  size_t number = 0;
  for (size_t at = 0; at < text->size();) {
    const size_t end = std::min(text->find('\n', at), text->size());
    std::string_view line(text->data() + at, end - at);
    at = end + 1;
    ++number;
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    auto scope = ParseKillScope(line);
    if (!scope) return All(path, "its line " + std::to_string(number) + " is no scope");
    scopes.insert(*std::move(scope));
  }
  if (scopes.empty()) return All(path, "");
  std::vector<KillState> states;
  for (const KillScope& scope : scopes) states.push_back(State(scope, "the file " + path + " names it"));
  return states;
}

}  // namespace tocsin::act::internal
