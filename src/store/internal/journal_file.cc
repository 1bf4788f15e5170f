#include "store/internal/journal_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace tocsin::store::internal {
namespace {

Status Errno(const std::string& doing) {
  return Status(Code::kUnavailable, fmt::format("{}: {}", doing, std::strerror(errno)));
}

class PosixJournalFile final : public JournalFile {
 public:
  PosixJournalFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  ~PosixJournalFile() override { close(fd_); }
  PosixJournalFile(const PosixJournalFile&) = delete;
  PosixJournalFile& operator=(const PosixJournalFile&) = delete;

  Status Append(std::span<iovec> parts) override {
    while (!parts.empty()) {
      const ssize_t n = writev(fd_, parts.data(), static_cast<int>(std::min<size_t>(parts.size(), IOV_MAX)));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Errno("writing " + path_);
      auto written = static_cast<size_t>(n);
      while (!parts.empty() && written >= parts.front().iov_len) {
        written -= parts.front().iov_len;
        parts = parts.subspan(1);
      }
      if (!parts.empty()) {
        parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + written;
        parts.front().iov_len -= written;
      }
    }
    return Status::Ok();
  }
  Status Truncate(uint64_t size) override {
    if (ftruncate(fd_, static_cast<off_t>(size)) != 0) return Errno("truncating " + path_);
    return Status::Ok();
  }
  Status Sync() override {
    if (fdatasync(fd_) != 0) return Errno("syncing " + path_);
    return Status::Ok();
  }

 private:
  std::string path_;
  int fd_;
};

}  // namespace

Status SyncDirectory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Errno("opening " + path);
  const int result = fsync(fd);
  const Status status = result == 0 ? Status::Ok() : Errno("syncing " + path);
  close(fd);
  return status;
}

Result<std::unique_ptr<JournalFile>> CreateJournalFile(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return Error(Errno("creating " + path));
  std::unique_ptr<JournalFile> file = std::make_unique<PosixJournalFile>(path, fd);
  TOCSIN_RETURN_IF_ERROR(SyncDirectory(std::filesystem::path(path).parent_path()));
  return file;
}

}  // namespace tocsin::store::internal
