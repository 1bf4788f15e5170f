#include "runtime/settings_reloader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace tocsin::runtime {
namespace {

// What tells one state of a file from another.
struct FileMark {
  int64_t time_ns = 0;
  int64_t size = -1;  // -1: not there
  uint64_t inode = 0;
  friend bool operator==(const FileMark&, const FileMark&) = default;
};

FileMark MarkOf(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return {};
  return {int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec, found.st_size, found.st_ino};
}

class Reloader final : public SettingsReloader {
 public:
  Reloader(const Settings& settings, const ports::Clock& clock, Apply apply, Duration look_every)
      : path_(settings.file),
        fixed_(settings.fixed_keys),
        clock_(clock),
        apply_(std::move(apply)),
        look_every_(look_every),
        read_(MarkOf(path_)) {
    if (!path_.empty()) thread_ = std::thread([this] { Watch(); });
  }

  ~Reloader() override {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Status Reload(const std::string& why) override {
    if (path_.empty())
      return Status(Code::kFailedPrecondition, "the server was started without a configuration file");
    const std::lock_guard one_at_a_time(reload_mutex_);
    const FileMark mark = MarkOf(path_);
    const CheckedSettings checked = CheckSettingsFile(path_);
    const Status status = checked.settings ? Use(*checked.settings) : Refusal(checked.problems);
    const std::lock_guard lock(mutex_);
    read_ = mark;
    stats_.last_error = status.message();
    if (!status.ok()) {
      ++stats_.refused;
      spdlog::error("configuration refused ({}), the old one stays in use", why);
      return status;
    }
    ++stats_.reloads;
    stats_.last_reload = clock_.Now();
    stats_.needs_restart = ChangedKeys(checked.settings->fixed_keys);
    spdlog::info("configuration {} read again ({}) and in use", path_, why);
    if (!stats_.needs_restart.empty())
      spdlog::warn("these keys have changed and need a restart: {}", stats_.needs_restart);
    return status;
  }

  ReloadStats Stats() const override {
    const std::lock_guard lock(mutex_);
    return stats_;
  }

 private:
  Status Use(const Settings& settings) const {
    Status status = apply_(settings);
    if (!status.ok()) spdlog::error("{}: {}", path_, status.message());
    return status;
  }

  static Status Refusal(const std::vector<Status>& problems) {
    std::string all;
    for (const Status& problem : problems) {
      spdlog::error("{}", problem.message());
      all += (all.empty() ? "" : "\n") + problem.message();
    }
    return Status(problems.front().code(), std::move(all));
  }

  std::string ChangedKeys(const std::map<std::string, std::string>& now) const {
    std::vector<std::string> keys;
    for (const auto& [key, text] : now) {
      const auto before = fixed_.find(key);
      if (before == fixed_.end() || before->second != text) keys.push_back(key);
    }
    for (const auto& [key, text] : fixed_) {
      if (!now.contains(key)) keys.push_back(key);
    }
    return fmt::format("{}", fmt::join(keys, ", "));
  }

  // A file that is gone is waited for: editors replace files.
  void Watch() {
    FileMark last = read_;
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, std::chrono::nanoseconds(look_every_.ns), [this] { return stopped_; })) {
      const FileMark mark = MarkOf(path_);
      const bool settled = mark == last;
      last = mark;
      if (!settled || mark == read_ || mark.size < 0) continue;
      lock.unlock();
      (void)Reload("the file has changed");
      lock.lock();
    }
  }

  const std::string path_;
  const std::map<std::string, std::string> fixed_;  // keys that only a restart changes
  const ports::Clock& clock_;
  const Apply apply_;
  const Duration look_every_;
  std::mutex reload_mutex_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;  // guarded by mutex_, as all below
  FileMark read_;
  ReloadStats stats_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<SettingsReloader> SettingsReloader::Start(const Settings& settings, const ports::Clock& clock,
                                                          Apply apply, Duration look_every) {
  return std::make_unique<Reloader>(settings, clock, std::move(apply), look_every);
}

}  // namespace tocsin::runtime
