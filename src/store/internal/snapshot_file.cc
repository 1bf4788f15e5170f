#include "store/internal/snapshot_file.h"

#include <zstd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "kernel/id.h"
#include "store/internal/journal_file.h"

namespace tocsin::store::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "TOCSINS1";
constexpr size_t kHeaderBytes = 40;
constexpr uint64_t kMaxStateBytes = uint64_t{4} << 30;

std::string Header(uint64_t position, uint64_t length, uint64_t hash) {
  std::string header(kHeaderBytes, '\0');
  std::memcpy(header.data(), kMagic.data(), kMagic.size());
  std::memcpy(header.data() + 8, &position, 8);
  std::memcpy(header.data() + 16, &length, 8);
  std::memcpy(header.data() + 24, &hash, 8);
  const uint64_t own = StableHash({header.data(), 32});
  std::memcpy(header.data() + 32, &own, 8);
  return header;
}

}  // namespace

Status WriteSnapshot(const std::string& path, const StateSnapshot& snapshot) {
  std::string packed(ZSTD_compressBound(snapshot.state.size()), '\0');
  const size_t size =
      ZSTD_compress(packed.data(), packed.size(), snapshot.state.data(), snapshot.state.size(), 1);
  if (ZSTD_isError(size) != 0) return {Code::kInternal, "packing a snapshot failed"};
  std::string header = Header(snapshot.position, snapshot.state.size(), StableHash(snapshot.state));
  const std::string fresh = path + ".new";
  std::error_code error;
  fs::remove(fresh, error);
  {
    TOCSIN_ASSIGN_OR_RETURN(const auto file, CreateJournalFile(fresh));
    std::array<iovec, 2> parts{iovec{header.data(), header.size()}, iovec{packed.data(), size}};
    TOCSIN_RETURN_IF_ERROR(file->Append(parts));
    TOCSIN_RETURN_IF_ERROR(file->Sync());
  }
  fs::rename(fresh, path, error);
  if (error) return {Code::kUnavailable, "replacing " + path + ": " + error.message()};
  return SyncDirectory(fs::path(path).parent_path().string());
}

Result<std::optional<StateSnapshot>> ReadSnapshot(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::optional<StateSnapshot>();
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto damaged = [&] { return Error(Code::kDataLoss, "snapshot " + path + " is damaged"); };
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) return damaged();
  StateSnapshot snapshot;
  uint64_t length = 0, hash = 0;
  std::memcpy(&snapshot.position, bytes.data() + 8, 8);
  std::memcpy(&length, bytes.data() + 16, 8);
  std::memcpy(&hash, bytes.data() + 24, 8);
  if (Header(snapshot.position, length, hash) != bytes.substr(0, kHeaderBytes)) return damaged();
  if (length > kMaxStateBytes) return damaged();
  snapshot.state.resize(length);
  const size_t size = ZSTD_decompress(snapshot.state.data(), length, bytes.data() + kHeaderBytes,
                                      bytes.size() - kHeaderBytes);
  if (ZSTD_isError(size) != 0 || size != length || StableHash(snapshot.state) != hash) return damaged();
  return std::optional<StateSnapshot>(std::move(snapshot));
}

}  // namespace tocsin::store::internal
