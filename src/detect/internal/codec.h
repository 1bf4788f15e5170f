// ByteWriter and ByteReader: the encoding of saved monitor states. Little-endian, lengths first, a reader
// that never runs past the end: after a short or damaged read ok() is false and every value is zero.
// Value types; not thread-safe.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tocsin::detect {

class ByteWriter {
 public:
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void Put(const T& value) {
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    std::memcpy(bytes_.data() + at, &value, sizeof(T));
  }
  void Text(std::string_view text) {
    Put(static_cast<uint32_t>(text.size()));
    bytes_.append(text);
  }
  template <class T>
  void Array(const std::vector<T>& values) {
    Put(static_cast<uint32_t>(values.size()));
    const size_t size = values.size() * sizeof(T);
    const size_t at = bytes_.size();
    bytes_.resize(at + size);
    if (size > 0) std::memcpy(bytes_.data() + at, values.data(), size);
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void Get(T& value) {
    if (!Has(sizeof(T))) {
      value = T{};
      return;
    }
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
  }
  template <class T>
  T Get() {
    T value{};
    Get(value);
    return value;
  }
  void Text(std::string& text) {
    const auto size = Get<uint32_t>();
    if (!Has(size)) {
      text.clear();
      return;
    }
    text.assign(bytes_.substr(at_, size));
    at_ += size;
  }
  std::string Text() {
    std::string text;
    Text(text);
    return text;
  }
  template <class T>
  void Array(std::vector<T>& values) {
    const size_t count = Get<uint32_t>();
    if (!Has(count * sizeof(T))) {
      values.clear();
      return;
    }
    values.resize(count);
    if (count > 0) std::memcpy(values.data(), bytes_.data() + at_, count * sizeof(T));
    at_ += count * sizeof(T);
  }
  // A count of items to follow, each at least one byte; 0 when that cannot be.
  uint32_t Count() {
    const auto count = Get<uint32_t>();
    return Has(count) ? count : 0;
  }
  bool ok() const { return ok_; }
  bool done() const { return at_ == bytes_.size(); }

 private:
  bool Has(size_t size) {
    if (bytes_.size() - at_ < size) ok_ = false;
    return ok_;
  }
  std::string_view bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace tocsin::detect
