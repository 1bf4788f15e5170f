#include "store/internal/journal.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <vector>

#include "store/internal/journal_format.h"
#include "store/internal/journal_recovery.h"

namespace tocsin::store::internal {
namespace {

namespace fs = std::filesystem;

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = file.tellg();
  if (!file || size < 0) return Error(Code::kUnavailable, "reading " + path + " failed");
  std::string bytes(static_cast<size_t>(size), '\0');
  file.seekg(0);
  if (!file.read(bytes.data(), size)) return Error(Code::kUnavailable, "reading " + path + " failed");
  return bytes;
}

Result<std::map<uint64_t, std::string>> FindSegments(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  std::map<uint64_t, std::string> segments;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().extension() != ".seg") continue;
    const std::string stem = entry.path().stem().string();
    uint64_t first = 0;
    const auto [end, bad] = std::from_chars(stem.data(), stem.data() + stem.size(), first);
    if (bad != std::errc() || end != stem.data() + stem.size() || first == 0) {
      return tocsin::Error(Code::kDataLoss,
                           "journal " + entry.path().string() + " is not named by a position");
    }
    segments[first] = entry.path().string();
  }
  if (error) {
    return tocsin::Error(Code::kUnavailable, fmt::format("journal {}: {}", directory, error.message()));
  }
  return segments;
}

// Keeps the cut bytes for whoever wants to look, then shortens the segment.
Status CutTail(const std::string& path, const std::string& bytes, size_t good, uint64_t position) {
  const std::string aside =
      fmt::format("{}/torn-{:020}.bad", fs::path(path).parent_path().string(), position);
  std::ofstream(aside, std::ios::binary) << bytes.substr(good);
  spdlog::warn(
      "journal {}: the last write, {} bytes at {}, was cut short by a crash and never acknowledged; kept in "
      "{}",
      path, bytes.size() - good, good, aside);
  std::error_code error;
  if (good <= kSegmentHeaderBytes) {
    fs::remove(path, error);
  } else {
    fs::resize_file(path, good, error);
  }
  if (error) return Status(Code::kUnavailable, fmt::format("cutting {}: {}", path, error.message()));
  return Status::Ok();
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::Open(const std::string& directory, size_t segment_bytes,
                                               uint64_t applied, JournalFileFactory factory,
                                               const Replay& replay) {
  std::unique_ptr<Journal> journal(new Journal(directory, segment_bytes, std::move(factory)));
  TOCSIN_ASSIGN_OR_RETURN(journal->segments_, FindSegments(directory));
  uint64_t last = 0;
  const auto segments = journal->segments_;
  for (const auto& [first, path] : segments) {
    TOCSIN_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
    const bool newest = first == segments.rbegin()->first;
    const uint64_t wanted = last == 0 ? applied + 1 : last + 1;
    if (first > wanted) {
      return Error(Code::kDataLoss, fmt::format("journal {}: positions {} to {} are missing before it", path,
                                                wanted, first - 1));
    }
    TOCSIN_ASSIGN_OR_RETURN(const SegmentEnd end, ReadSegment(path, bytes, first, newest, replay));
    if (end.good_bytes < bytes.size()) {
      const uint64_t cut = end.last_position == 0 ? first : end.last_position + 1;
      TOCSIN_RETURN_IF_ERROR(CutTail(path, bytes, end.good_bytes, cut));
    }
    if (end.last_position == 0) {
      std::error_code ignored;
      fs::remove(path, ignored);
      journal->segments_.erase(first);
    } else {
      last = end.last_position;
    }
  }
  journal->position_ = std::max(last, applied);
  TOCSIN_RETURN_IF_ERROR(SyncDirectory(directory));
  return journal;
}

Status Journal::StartSegment() {
  const uint64_t first = position_.load() + 1;
  const std::string path = fmt::format("{}/{:020}.seg", directory_, first);
  file_.reset();
  TOCSIN_ASSIGN_OR_RETURN(file_, factory_(path));
  {
    const std::lock_guard lock(mutex_);
    segments_[first] = path;
  }
  auto header = SegmentHeader(first);
  iovec part{header.data(), header.size()};
  const Status status = file_->Append({&part, 1});
  if (!status.ok()) {
    file_.reset();
    std::error_code ignored;
    fs::remove(path, ignored);
    const std::lock_guard lock(mutex_);
    segments_.erase(first);
    return status;
  }
  file_bytes_ = kSegmentHeaderBytes;
  return Status::Ok();
}

Status Journal::AppendAndSync(std::span<const JournalPayload> payloads) {
  std::vector<RecordHeader> headers(payloads.size());
  std::vector<iovec> parts;
  parts.reserve(payloads.size() * 2);
  const uint64_t group = position_.load() + 1;
  uint64_t bytes = 0;
  for (size_t i = 0; i < payloads.size(); ++i) {
    RecordHeader& h = headers[i];
    h.length = static_cast<uint32_t>(payloads[i].bytes.size());
    h.position = group + i;
    h.group = group;
    h.payload_hash = payloads[i].hash;
    h.header_hash = h.ComputeHash();
    parts.push_back({&h, sizeof h});
    parts.push_back({const_cast<char*>(payloads[i].bytes.data()), payloads[i].bytes.size()});
    bytes += sizeof h + payloads[i].bytes.size();
  }
  if (Status status = file_->Append(parts); !status.ok()) {
    // What got into the file must go, or a later record would follow it.
    if (Status cut = file_->Truncate(file_bytes_); !cut.ok()) failed_ = cut;
    return status;
  }
  if (Status status = file_->Sync(); !status.ok()) {
    // The kernel may have dropped the pages and reported it once: the file cannot be trusted any more.
    failed_ = status;
    (void)file_->Truncate(file_bytes_);
    return status;
  }
  file_bytes_ += bytes;
  return Status::Ok();
}

Result<uint64_t> Journal::Write(std::span<const JournalPayload> payloads) {
  if (!failed_.ok())
    return Error(failed_.WithContext("the journal has failed, restart when the disk is well"));
  if (file_ == nullptr || file_bytes_ >= segment_bytes_) TOCSIN_RETURN_IF_ERROR(StartSegment());
  TOCSIN_RETURN_IF_ERROR(AppendAndSync(payloads));
  const uint64_t first = position_.load() + 1;
  position_ += payloads.size();
  return first;
}

Status Journal::Drop(uint64_t applied) {
  std::vector<std::string> gone;
  {
    const std::lock_guard lock(mutex_);
    // A segment ends where the next begins.
    while (segments_.size() > 1 && std::next(segments_.begin())->first <= applied + 1) {
      gone.push_back(segments_.begin()->second);
      segments_.erase(segments_.begin());
    }
  }
  for (const std::string& path : gone) {
    std::error_code error;
    fs::remove(path, error);
    if (error) return Status(Code::kUnavailable, fmt::format("deleting {}: {}", path, error.message()));
  }
  return Status::Ok();
}

}  // namespace tocsin::store::internal
