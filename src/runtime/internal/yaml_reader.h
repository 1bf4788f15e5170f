// YamlReader: reads one YAML mapping key by key and remembers the first thing that is wrong, with its line.
// Keys nobody asked for are errors (Finish). Bounded: size, depth; anchors and aliases are refused.
// Thread-safety: none, one owner.
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"
#include "kernel/time.h"

namespace tocsin::runtime::internal {

class YamlReader {
 public:
  static constexpr size_t kMaxBytes = 1u << 20;
  static constexpr int kMaxDepth = 16;

  // An empty document is an empty mapping.
  static Result<YamlReader> Open(std::string_view text, const std::string& file_name);

  // Each sets `out` when the key is there; it stays as it is otherwise.
  void Text(const char* key, std::string& out);
  void Flag(const char* key, bool& out);
  void Fraction(const char* key, double& out);  // in (0, 1)
  void Count(const char* key, size_t& out, size_t low = 0, size_t high = size_t{1} << 40);
  void Bytes(const char* key, size_t& out);   // 1048576, 64KiB, 16MiB, 2GiB
  void Span(const char* key, Duration& out);  // 30s, 7d
  void Texts(const char* key, std::vector<std::string>& out);
  void TextMap(const char* key, std::map<std::string, std::string>& out);
  // A mapping, or a list of mappings, under the key.
  void Map(const char* key, const std::function<void(YamlReader&)>& read);
  void Each(const char* key, const std::function<void(YamlReader&)>& read);

  void Fail(const char* key, std::string_view what);
  // The first error; else the first key nobody asked for.
  Status Finish();

 private:
  YamlReader(YAML::Node node, std::string file, std::string path, std::shared_ptr<Status> status)
      : node_(std::move(node)), file_(std::move(file)), path_(std::move(path)), status_(std::move(status)) {}
  YAML::Node Find(const char* key);
  void FailAt(const YAML::Node& node, std::string_view key, std::string_view what);
  void ReadChild(const YAML::Node& node, const std::string& path,
                 const std::function<void(YamlReader&)>& read);
  // Scalar text under the key; false when the key is absent or (an error) not a scalar.
  bool Scalar(const char* key, YAML::Node& node, std::string& out);

  YAML::Node node_;
  std::string file_;
  std::string path_;  // "limits."
  std::shared_ptr<Status> status_;
  std::set<std::string> asked_;
};

}  // namespace tocsin::runtime::internal
