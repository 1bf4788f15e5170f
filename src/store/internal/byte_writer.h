// ByteWriter and ByteReader: the primitives of the journal's encoding (docs/formats/journal.md).
// Writer: refers to a buffer the caller sized. Reader: refers to bytes that must outlive it, never reads
// outside them, and remembers the first failure. One owner each.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tocsin::store::internal {

static_assert(std::endian::native == std::endian::little, "the journal is written as the machine has it");

inline uint64_t ZigZag(int64_t v) { return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63); }
inline int64_t UnZigZag(uint64_t v) { return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1); }

class ByteWriter {
 public:
  // Writes to `buffer`, which must be large enough for what is put and outlive the writer.
  explicit ByteWriter(char* buffer) : begin_(buffer), at_(buffer) {}

  void Byte(uint8_t b) { *at_++ = static_cast<char>(b); }
  void Varint(uint64_t v) {
    while (v >= 0x80) {
      Byte(static_cast<uint8_t>(v | 0x80));
      v >>= 7;
    }
    Byte(static_cast<uint8_t>(v));
  }
  template <class T>
  void Fixed(T v) {
    std::memcpy(at_, &v, sizeof v);
    at_ += sizeof v;
  }
  void Text(std::string_view s) {
    Varint(s.size());
    if (!s.empty()) std::memcpy(at_, s.data(), s.size());
    at_ += s.size();
  }
  size_t offset() const { return static_cast<size_t>(at_ - begin_); }
  void PatchU32(size_t offset, uint32_t v) { std::memcpy(begin_ + offset, &v, sizeof v); }
  std::string_view bytes() const { return {begin_, offset()}; }

 private:
  char* begin_;
  char* at_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes)
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  uint8_t Byte() {
    if (at_ == end_) return Fail();
    return static_cast<uint8_t>(*at_++);
  }
  uint64_t Varint() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t b = Byte();
      v |= static_cast<uint64_t>(b & 0x7f) << shift;
      if (b < 0x80) return v;
    }
    return Fail();
  }
  template <class T>
  T Fixed() {
    T v{};
    if (left() < sizeof v) {
      Fail();
      return v;
    }
    std::memcpy(&v, at_, sizeof v);
    at_ += sizeof v;
    return v;
  }
  std::string_view Text() {
    const uint64_t n = Varint();
    if (n > left()) {
      Fail();
      return {};
    }
    const std::string_view s(at_, static_cast<size_t>(n));
    at_ += n;
    return s;
  }
  size_t left() const { return static_cast<size_t>(end_ - at_); }
  size_t offset() const { return static_cast<size_t>(at_ - begin_); }
  bool ok() const { return !failed_; }
  size_t failed_at() const { return failed_at_; }
  // Marks the bytes as damaged here; everything read afterwards is zero.
  uint8_t Fail() {
    if (!failed_) failed_at_ = offset();
    failed_ = true;
    at_ = end_;
    return 0;
  }

 private:
  const char* begin_;
  const char* at_;
  const char* end_;
  bool failed_ = false;
  size_t failed_at_ = 0;
};

}  // namespace tocsin::store::internal
