// YamlSection: reads one YAML mapping key by key into variables that hold the defaults; what is wrong is
// noted at the document and the variable stays as it is. Finish notes the keys nobody asked for.
//
// Thread-safety: none, one owner. Bounds and errors: as YamlValue.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ports/yaml/yaml_value.h"

namespace tocsin::ports {

class YamlSection {
 public:
  // What is no mapping is noted, and read as one without keys.
  explicit YamlSection(YamlValue value);

  // Each sets `out` when the key is there and right.
  void Text(std::string_view key, std::string& out, size_t most = YamlValue::kMaxTextBytes);
  void Flag(std::string_view key, bool& out);
  void Fraction(std::string_view key, double& out);  // in (0, 1)
  void Count(std::string_view key, size_t& out, size_t low = 0, size_t high = size_t{1} << 40);
  void Number(std::string_view key, int& out, int low, int high);
  void Bytes(std::string_view key, size_t& out);   // 1048576, 64KiB, 16MiB, 2GiB
  void Span(std::string_view key, Duration& out);  // 30s, 7d; above zero
  void Texts(std::string_view key, std::vector<std::string>& out, size_t most = 1000);
  void TextMap(std::string_view key, std::map<std::string, std::string>& out, size_t most = 1000);
  // A mapping, or a list of mappings, under the key.
  void Map(std::string_view key, const std::function<void(YamlSection&)>& read);
  void Each(std::string_view key, const std::function<void(YamlSection&)>& read, size_t most = 1000);
  // For another reader to read.
  std::optional<YamlValue> Value(std::string_view key);

  // Where the key is, or at the mapping when it is not there.
  void Fail(std::string_view key, std::string_view what);
  const YamlValue& value() const { return value_; }
  void Finish() const;

 private:
  template <class T>
  void Take(const YamlValue& at, Result<T> read, T& out);

  YamlValue value_;
  std::vector<std::string_view> asked_;
};

}  // namespace tocsin::ports
