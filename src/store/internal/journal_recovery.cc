#include "store/internal/journal_recovery.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/internal/journal_format.h"

namespace tocsin::store::internal {
namespace {

constexpr size_t kSector = 512;
constexpr size_t kLeastZeros = 64;  // fewer may be content

bool AllZero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

// A crash leaves whole sectors that never reached the disk: zeros. True when the part of a sector that
// belongs to the bytes from `from` on, and touches those before `to`, is such.
bool HasZeroSector(std::string_view bytes, size_t from, size_t to) {
  for (size_t sector = from / kSector * kSector; sector < to; sector += kSector) {
    const size_t begin = std::max(sector, from), end = std::min(sector + kSector, bytes.size());
    if (end - begin >= kLeastZeros && AllZero(bytes.substr(begin, end - begin))) return true;
  }
  return AllZero(bytes.substr(from, to - from));
}

bool IsGood(std::string_view bytes, size_t offset, const RecordHeader& header) {
  return bytes.size() - offset - kRecordHeaderBytes >= header.length &&
         StableHash(bytes.substr(offset + kRecordHeaderBytes, header.length)) == header.payload_hash;
}

// True when a later good record was synced after the one at `expected`: that one had been durable.
bool ProvenDurable(std::string_view bytes, size_t offset, uint64_t expected) {
  for (size_t at = offset + 1; at + kRecordHeaderBytes <= bytes.size(); ++at) {
    const auto header = ReadHeader(bytes, at);
    if (!header || header->position <= expected) continue;
    if (header->group > expected && IsGood(bytes, at, *header)) return true;
    at += kRecordHeaderBytes - 1;
  }
  return false;
}

// True when the bytes from `offset` are what a cut write leaves.
bool IsTorn(std::string_view bytes, size_t offset, uint64_t expected) {
  const size_t left = bytes.size() - offset;
  if (ProvenDurable(bytes, offset, expected)) return false;
  if (left < kRecordHeaderBytes) return true;
  const auto header = ReadHeader(bytes, offset);
  if (!header) return HasZeroSector(bytes, offset, bytes.size());
  if (header->position != expected) return false;
  if (left - kRecordHeaderBytes < header->length) return true;
  return HasZeroSector(bytes, offset, offset + kRecordHeaderBytes + header->length);
}

}  // namespace

Result<SegmentEnd> ReadSegment(const std::string& name, std::string_view bytes, uint64_t expected, bool last,
                               const std::function<Status(uint64_t, std::string_view)>& each) {
  const auto wanted = SegmentHeader(expected);
  if (bytes.substr(0, kSegmentHeaderBytes) != std::string_view(wanted.data(), wanted.size())) {
    const bool unfinished = bytes.size() < kSegmentHeaderBytes || AllZero(bytes);
    if (last && unfinished) return SegmentEnd{};
    return Error(Code::kDataLoss, fmt::format("journal {}: the header at byte 0 is damaged", name));
  }
  SegmentEnd end{kSegmentHeaderBytes, 0};
  while (end.good_bytes < bytes.size()) {
    const size_t offset = end.good_bytes;
    const auto header = ReadHeader(bytes, offset);
    if (!header || header->position != expected || !IsGood(bytes, offset, *header)) {
      if (last && IsTorn(bytes, offset, expected)) break;
      return Error(
          Code::kDataLoss,
          fmt::format("journal {}: the record of position {} at byte {} is damaged, and it was acknowledged; "
                      "restore the file, or move it away to give up position {} and those after it",
                      name, expected, offset, expected));
    }
    TOCSIN_RETURN_IF_ERROR(each(expected, bytes.substr(offset + kRecordHeaderBytes, header->length))
                               .WithContext(fmt::format("journal {} at byte {}", name, offset)));
    end.last_position = expected++;
    end.good_bytes = offset + kRecordHeaderBytes + header->length;
  }
  return end;
}

}  // namespace tocsin::store::internal
