// YamlValue: a YAML node that knows its file and its path, so that everything wrong says where it is.
//
// Reading is by value; what is wrong is either returned (Status, Result) or noted at the document (Note) so
// that reading goes on and a person sees everything at once. Bounded before anything is built: 1 MiB, 16
// levels, one document, no anchors or aliases; each list by the number its reader gives, each text by its
// own. Exceptions of yaml-cpp end in Parse; a reader that walks values wraps itself (ReadGuarded). The
// document remembers which keys its readers know (known), as "people.*.channels[].kind", so that a test can
// hold a schema against the reader. No error shows a value unless its reader puts it there: secrets.
// Ownership: values share the document. Thread-safety: none, as yaml-cpp's nodes.
// Errors: kInvalidArgument, "tocsin.yaml:12: teams.ml[0]: unknown person 'eve'".
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/status.h"
#include "kernel/time.h"

namespace tocsin::ports {

class YamlValue {
 public:
  static constexpr size_t kMaxBytes = 1u << 20;
  static constexpr int kMaxDepth = 16;
  static constexpr size_t kMaxTextBytes = 256;
  static constexpr size_t kMaxProblems = 200;

  // An empty document is an empty mapping.
  static Result<YamlValue> Parse(std::string_view text, const std::string& file);

  Status Wrong(std::string_view what) const;
  // Adds to what is wrong with the document; an ok status adds nothing.
  void Note(const Status& status) const;
  // What was noted, by line; at most kMaxProblems.
  std::vector<Status> Problems() const;
  Status FirstProblem() const;
  const std::set<std::string>& known() const { return document_->known; }
  const std::string& file() const { return document_->file; }
  int line() const;
  const std::string& path() const { return path_; }

  // A mapping of these keys: another key, or one that comes twice, is noted. An error only when this is no
  // mapping at all.
  Status Keys(std::initializer_list<std::string_view> allowed) const {
    return Keys(std::span(allowed.begin(), allowed.size()));
  }
  Status Keys(std::span<const std::string_view> allowed) const;
  std::optional<YamlValue> Find(std::string_view key) const;  // nothing when absent or null
  Result<YamlValue> Need(std::string_view key) const;
  Result<std::vector<YamlValue>> Items(size_t most) const;
  // A mapping from names (letters, digits, and - _ . @; at most 64 bytes), none twice.
  Result<std::vector<std::pair<std::string, YamlValue>>> Named(size_t most) const;
  // A mapping from any texts.
  Result<std::vector<std::pair<std::string, YamlValue>>> Pairs(size_t most) const;
  bool IsMapping() const { return node_.IsMap(); }
  bool IsList() const { return node_.IsSequence(); }
  bool IsNull() const { return node_.IsNull(); }
  bool IsQuoted() const { return node_.Tag() == "!"; }

  // As YAML, to compare: without comments, the same for the same values in the same order.
  std::string Written() const;

  Result<std::string> Text(size_t most = kMaxTextBytes) const;
  Result<std::vector<std::string>> Texts(size_t most, size_t most_bytes = kMaxTextBytes) const;
  Result<bool> Flag() const;
  Result<int> Count(int low, int high) const;
  Result<Duration> Span() const;  // 5m
  Result<Time> Instant() const;   // RFC 3339

 private:
  struct Document {
    std::string file;
    std::vector<Status> problems;
    std::set<std::string> known;
  };
  YamlValue(const YAML::Node& node, std::shared_ptr<Document> document, std::string path, std::string shape)
      : node_(node), document_(std::move(document)), path_(std::move(path)), shape_(std::move(shape)) {}
  YamlValue Child(const YAML::Node& node, std::string path, std::string shape) const {
    return {node, document_, std::move(path), std::move(shape)};
  }
  Result<std::vector<std::pair<std::string, YamlValue>>> Entries(size_t most, bool names) const;
  std::string PathOf(std::string_view key) const;
  std::string ShapeOf(std::string_view key) const;

  YAML::Node node_;
  std::shared_ptr<Document> document_;
  std::string path_;
  std::string shape_;  // the path with [] for every index and * for every name
};

// A word a person may have meant, near enough to be asked about; empty when none is.
std::string NearestWord(std::string_view word, std::span<const std::string_view> words);
// Letters, digits, - _ . and @, at most 64 bytes.
bool IsPlainName(std::string_view text);
// Calls read, and notes at `root` what yaml-cpp throws.
void ReadGuarded(const YamlValue& root, const std::function<void()>& read);

}  // namespace tocsin::ports
