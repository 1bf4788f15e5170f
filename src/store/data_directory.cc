#include "store/data_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace tocsin::store {
namespace {

Status Errno(const std::string& doing) {
  return Status(Code::kUnavailable, fmt::format("{}: {}", doing, std::strerror(errno)));
}

std::string HolderOf(int fd) {
  char text[32] = {};
  const ssize_t n = pread(fd, text, sizeof text - 1, 0);
  std::string pid(text, n > 0 ? static_cast<size_t>(n) : 0);
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid.empty() ? "another process" : "process " + pid;
}

}  // namespace

Result<DataDirectory> DataDirectory::Open(const std::string& path) {
  std::error_code error;
  const bool existed = std::filesystem::exists(path, error);
  std::filesystem::create_directories(path + "/journal", error);
  if (error) {
    return tocsin::Error(Code::kUnavailable,
                         fmt::format("data directory {} cannot be created: {}", path, error.message()));
  }
  if (!existed) chmod(path.c_str(), 0700);
  const std::string lock = path + "/lock";
  const int fd = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return tocsin::Error(Errno("opening " + lock));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const Status status = errno == EWOULDBLOCK
                              ? Status(Code::kFailedPrecondition,
                                       fmt::format("data directory {} is in use by {}", path, HolderOf(fd)))
                              : Errno("locking " + lock);
    close(fd);
    return tocsin::Error(status);
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    const Status status = Errno("writing " + lock);
    close(fd);
    return tocsin::Error(status);
  }
  return DataDirectory(path, fd);
}

DataDirectory::~DataDirectory() {
  if (lock_fd_ >= 0) close(lock_fd_);  // releases the lock
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_fd_(std::exchange(other.lock_fd_, -1)) {}

DataDirectory& DataDirectory::operator=(DataDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_fd_, other.lock_fd_);
  return *this;
}

Result<Stores> OpenStores(const StoreOptions& options) {
  TOCSIN_ASSIGN_OR_RETURN(DataDirectory directory, DataDirectory::Open(options.directory));
  DuckDbOptions duckdb;
  duckdb.path = directory.telemetry();
  duckdb.memory_limit_mb = options.memory_limit_mb;
  duckdb.threads = options.threads;
  TOCSIN_ASSIGN_OR_RETURN(auto telemetry, OpenDuckDb(duckdb));
  SqliteOptions sqlite;
  sqlite.path = directory.ledger();
  TOCSIN_ASSIGN_OR_RETURN(auto ledger, OpenSqlite(sqlite));
  return Stores{std::move(directory), std::move(telemetry), std::move(ledger)};
}

}  // namespace tocsin::store
