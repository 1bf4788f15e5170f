// LocatedYaml: a YAML node that knows its file and its path, so that every error says where it is.
//
// Reading is by value and ends at the first error. Bounded: the document's size and nesting (Parse), and each
// list by the number its reader gives. Exceptions of yaml-cpp end here. Ownership: shares the document.
// Thread-safety: none, as yaml-cpp's nodes. Errors: kInvalidArgument, "tocsin.yaml:12: teams.ml[0]: …".
#pragma once

#include <yaml-cpp/yaml.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/status.h"
#include "kernel/time.h"

namespace tocsin::respond::internal {

class LocatedYaml {
 public:
  static constexpr size_t kMaxBytes = 1u << 20;
  static constexpr int kMaxDepth = 16;
  static constexpr size_t kMaxTextBytes = 256;

  LocatedYaml(YAML::Node node, std::string file, std::string path)
      : node_(std::move(node)), file_(std::move(file)), path_(std::move(path)) {}
  // An empty document is an empty mapping.
  static Result<LocatedYaml> Parse(std::string_view text, const std::string& file);

  Status Wrong(std::string_view what) const;
  // A mapping with these keys only, none of them twice.
  Status Keys(std::initializer_list<std::string_view> allowed) const;
  std::optional<LocatedYaml> Find(std::string_view key) const;  // nothing when absent or null
  Result<LocatedYaml> Need(std::string_view key) const;
  Result<std::vector<LocatedYaml>> Items(size_t most) const;
  // A mapping from names (letters, digits, and - _ . @; at most 64 bytes), none twice.
  Result<std::vector<std::pair<std::string, LocatedYaml>>> Named(size_t most) const;
  bool IsMapping() const { return node_.IsMap(); }

  Result<std::string> Text() const;
  Result<bool> Flag() const;
  Result<int> Count(int low, int high) const;
  Result<Duration> Span() const;     // 5m
  Result<Time> Instant() const;      // RFC 3339
  Result<int> MinuteOfDay() const;   // "09:00"; "24:00" is 1440
  Result<int64_t> Day() const;       // 2026-12-25
  Result<uint8_t> Weekdays() const;  // [mon, sat] or [mon-fri]; bit 0 is Monday

 private:
  LocatedYaml Child(const YAML::Node& node, std::string path) const { return {node, file_, std::move(path)}; }
  std::string PathOf(std::string_view key) const;

  YAML::Node node_;
  std::string file_;
  std::string path_;
};

}  // namespace tocsin::respond::internal
