// The bytes of a journal segment (docs/formats/journal.md). Little-endian.
//
//   segment: magic "TOCSINJ1" │ first position u64 │ xxh3 of the 16 bytes before u64 │ record…
//   record:  length u32 │ zero u32 │ position u64 │ group u64 │ xxh3 of the payload u64 │
//            xxh3 of the 32 bytes before u64 │ payload
//
// `group` is the position of the first record that was made durable by the same fdatasync: a record whose
// group is later than a damaged record proves that the damaged one had been durable, hence acknowledged.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "kernel/id.h"

namespace tocsin::store::internal {

inline constexpr std::string_view kSegmentMagic = "TOCSINJ1";
inline constexpr size_t kSegmentHeaderBytes = 24;
inline constexpr size_t kRecordHeaderBytes = 40;
inline constexpr uint32_t kMaxRecordBytes = 1u << 30;

struct RecordHeader {
  uint32_t length = 0;
  uint32_t zero = 0;
  uint64_t position = 0;
  uint64_t group = 0;
  uint64_t payload_hash = 0;
  uint64_t header_hash = 0;

  uint64_t ComputeHash() const {
    return StableHash({reinterpret_cast<const char*>(this), kRecordHeaderBytes - sizeof header_hash});
  }
};
static_assert(sizeof(RecordHeader) == kRecordHeaderBytes);

inline std::array<char, kSegmentHeaderBytes> SegmentHeader(uint64_t first_position) {
  std::array<char, kSegmentHeaderBytes> bytes{};
  std::memcpy(bytes.data(), kSegmentMagic.data(), kSegmentMagic.size());
  std::memcpy(bytes.data() + 8, &first_position, sizeof first_position);
  const uint64_t hash = StableHash({bytes.data(), 16});
  std::memcpy(bytes.data() + 16, &hash, sizeof hash);
  return bytes;
}

// The header at an offset, when there is a good one.
inline std::optional<RecordHeader> ReadHeader(std::string_view bytes, size_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < kRecordHeaderBytes) return std::nullopt;
  RecordHeader header;
  std::memcpy(&header, bytes.data() + offset, sizeof header);
  if (header.header_hash != header.ComputeHash() || header.length > kMaxRecordBytes) return std::nullopt;
  return header;
}

}  // namespace tocsin::store::internal
