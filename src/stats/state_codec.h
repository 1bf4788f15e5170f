// Writes and reads the state of estimators as bytes: little-endian, length-prefixed, no alignment.
//
// StateWriter grows a string it owns. StateReader borrows the bytes, never reads past them and never
// allocates more than they can hold; after the first error every read gives zeros and ok() is false.
// Not thread-safe.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tocsin::stats {

static_assert(std::endian::native == std::endian::little, "state is little-endian");

class StateWriter {
 public:
  template <class T>
  void Put(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    std::memcpy(bytes_.data() + at, &value, sizeof(T));
  }
  template <class T>
  void PutVector(const std::vector<T>& values) {
    Put<uint64_t>(values.size());
    if (values.empty()) return;
    const size_t at = bytes_.size();
    bytes_.resize(at + values.size() * sizeof(T));
    std::memcpy(bytes_.data() + at, values.data(), values.size() * sizeof(T));
  }
  void PutString(std::string_view text) {
    Put<uint64_t>(text.size());
    bytes_.append(text);
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T Get() {
    T value{};
    if (bytes_.size() < sizeof(T)) {
      Fail();
      return value;
    }
    std::memcpy(&value, bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    return value;
  }
  template <class T>
  void GetVector(std::vector<T>& values) {
    const auto n = Get<uint64_t>();
    values.clear();
    if (n > bytes_.size() / sizeof(T)) {
      Fail();
      return;
    }
    values.resize(static_cast<size_t>(n));
    if (n == 0) return;
    std::memcpy(values.data(), bytes_.data(), values.size() * sizeof(T));
    bytes_.remove_prefix(values.size() * sizeof(T));
  }
  std::string GetString() {
    const auto n = Get<uint64_t>();
    if (n > bytes_.size()) {
      Fail();
      return {};
    }
    std::string text(bytes_.substr(0, static_cast<size_t>(n)));
    bytes_.remove_prefix(static_cast<size_t>(n));
    return text;
  }
  void Fail() {
    ok_ = false;
    bytes_ = {};
  }
  bool ok() const { return ok_; }
  size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace tocsin::stats
