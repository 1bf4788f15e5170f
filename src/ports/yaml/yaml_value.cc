#include "ports/yaml/yaml_value.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace tocsin::ports {
namespace {

// Looks at a document before anything is built of it: the parser's recursion ends where this throws.
class ShapeCheck final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { Refuse(mark, anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { Refuse(mark, 1); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string&) override {
    Refuse(mark, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, anchor);
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, anchor);
  }
  void OnMapEnd() override { --depth_; }

 private:
  static void Refuse(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) throw YAML::ParserException(mark, "anchors and aliases (& and *) are not taken");
  }
  void Open(const YAML::Mark& mark, YAML::anchor_t anchor) {
    Refuse(mark, anchor);
    if (++depth_ > YamlValue::kMaxDepth) throw YAML::ParserException(mark, "nested too deep");
  }
  int depth_ = 0;
};

void CheckShape(const std::string& text) {
  std::istringstream in(text);
  YAML::Parser parser(in);
  ShapeCheck check;
  if (parser.HandleNextDocument(check) && parser.HandleNextDocument(check)) {
    throw YAML::ParserException(YAML::Mark::null_mark(), "holds more than one document");
  }
}

std::string Cut(std::string_view text) { return std::string(text.substr(0, 64)); }

std::optional<int> Number(std::string_view text) {
  int out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return out;
}

// Letters added, left out, changed or swapped with their neighbour.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      cost[i][j] = std::min(
          {cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

// The number that Wrong wrote after the file's name.
int LineOf(const Status& problem, const std::string& file) {
  const std::string_view text = problem.message();
  if (text.size() <= file.size() + 1 || !text.starts_with(file)) return 0;
  const std::string_view rest = text.substr(file.size() + 1);
  return Number(rest.substr(0, rest.find(':'))).value_or(0);
}

}  // namespace

std::string NearestWord(std::string_view word, std::span<const std::string_view> words) {
  std::string_view best;
  size_t least = std::min<size_t>(3, word.size() / 3 + 1) + 1;
  if (word.size() > 64) return "";
  for (const std::string_view one : words) {
    const size_t distance = Distance(word, one);
    if (distance < least) {
      least = distance;
      best = one;
    }
  }
  return std::string(best);
}

bool IsPlainName(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '@';
  });
}

void ReadGuarded(const YamlValue& root, const std::function<void()>& read) {
  try {
    read();
  } catch (const YAML::Exception&) {
    root.Note(Status::FromException("reading " + root.file(), Code::kInvalidArgument));
  }
}

Result<YamlValue> YamlValue::Parse(std::string_view text, const std::string& file) {
  if (text.size() > kMaxBytes)
    return Error(Code::kInvalidArgument, fmt::format("{}: larger than 1 MiB", file));
  try {
    const std::string copy(text);
    CheckShape(copy);
    YAML::Node node = YAML::Load(copy);
    if (node.IsNull()) node = YAML::Node(YAML::NodeType::Map);
    auto document = std::make_shared<Document>();
    document->file = file;
    return YamlValue(node, std::move(document), "", "");
  } catch (const YAML::Exception& error) {
    return Error(Code::kInvalidArgument,
                 fmt::format("{}:{}: {}", file, std::max(error.mark.line, 0) + 1, error.msg));
  }
}

int YamlValue::line() const { return std::max(node_.Mark().line, 0) + 1; }

Status YamlValue::Wrong(std::string_view what) const {
  return Status(Code::kInvalidArgument,
                fmt::format("{}:{}: {}{}{}", file(), line(), path_, path_.empty() ? "" : ": ", what));
}

void YamlValue::Note(const Status& status) const {
  if (status.ok() || document_->problems.size() >= kMaxProblems) return;
  const auto same = [&](const Status& other) { return other == status; };
  if (std::ranges::none_of(document_->problems, same)) document_->problems.push_back(status);
}

std::vector<Status> YamlValue::Problems() const {
  std::vector<Status> out = document_->problems;
  std::ranges::stable_sort(out, {}, [this](const Status& problem) { return LineOf(problem, file()); });
  return out;
}

Status YamlValue::FirstProblem() const {
  const auto all = Problems();
  return all.empty() ? Status() : all.front();
}

std::string YamlValue::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

std::string YamlValue::ShapeOf(std::string_view key) const {
  return shape_.empty() ? std::string(key) : fmt::format("{}.{}", shape_, key);
}

Status YamlValue::Keys(std::span<const std::string_view> allowed) const {
  for (const std::string_view key : allowed) document_->known.insert(ShapeOf(key));
  if (!node_.IsMap()) return Wrong("is not a mapping of keys to values");
  std::set<std::string> seen;
  for (const auto& item : node_) {
    const YamlValue key = Child(item.first, path_, shape_);
    if (!item.first.IsScalar()) {
      Note(key.Wrong("has a key that is not a word"));
      continue;
    }
    const std::string& name = item.first.Scalar();
    if (!seen.insert(name).second) Note(key.Wrong(fmt::format("key '{}' comes twice", Cut(name))));
    if (std::ranges::find(allowed, name) != allowed.end()) continue;
    const std::string meant = NearestWord(name, allowed);
    Note(key.Wrong(meant.empty() ? fmt::format("unknown key '{}'", Cut(name))
                                 : fmt::format("unknown key '{}'; is it '{}'?", Cut(name), meant)));
  }
  return Status::Ok();
}

std::optional<YamlValue> YamlValue::Find(std::string_view key) const {
  if (!node_.IsMap()) return std::nullopt;
  for (const auto& item : node_) {
    if (item.first.IsScalar() && item.first.Scalar() == key && !item.second.IsNull())
      return Child(item.second, PathOf(key), ShapeOf(key));
  }
  return std::nullopt;
}

Result<YamlValue> YamlValue::Need(std::string_view key) const {
  auto found = Find(key);
  if (!found) return Error(Wrong(fmt::format("'{}' is missing", key)));
  return *std::move(found);
}

Result<std::vector<YamlValue>> YamlValue::Items(size_t most) const {
  if (!node_.IsSequence()) return Error(Wrong("is not a list"));
  if (node_.size() > most) return Error(Wrong(fmt::format("has more than {} entries", most)));
  std::vector<YamlValue> out;
  for (const auto& item : node_) {
    out.push_back(Child(YAML::Node(item), fmt::format("{}[{}]", path_, out.size()), shape_ + "[]"));
  }
  return out;
}

Result<std::vector<std::pair<std::string, YamlValue>>> YamlValue::Entries(size_t most, bool names) const {
  if (!node_.IsMap()) return Error(Wrong("is not a mapping of names to values"));
  if (node_.size() > most) return Error(Wrong(fmt::format("has more than {} entries", most)));
  std::vector<std::pair<std::string, YamlValue>> out;
  std::set<std::string> seen;
  for (const auto& item : node_) {
    const YamlValue key = Child(item.first, path_, shape_);
    if (!item.first.IsScalar() || (names && !IsPlainName(item.first.Scalar()))) {
      const std::string shown = item.first.IsScalar() ? Cut(item.first.Scalar()) : "";
      Note(key.Wrong(fmt::format("'{}' is not a name: letters, digits, - _ . @, at most 64", shown)));
      continue;
    }
    const std::string& name = item.first.Scalar();
    if (!seen.insert(name).second) {
      Note(key.Wrong(fmt::format("'{}' comes twice", Cut(name))));
      continue;
    }
    out.emplace_back(name, Child(item.second, PathOf(name), ShapeOf("*")));
  }
  return out;
}

Result<std::vector<std::pair<std::string, YamlValue>>> YamlValue::Named(size_t most) const {
  return Entries(most, true);
}

Result<std::vector<std::pair<std::string, YamlValue>>> YamlValue::Pairs(size_t most) const {
  return Entries(most, false);
}

std::string YamlValue::Written() const { return YAML::Dump(node_); }

Result<std::string> YamlValue::Text(size_t most) const {
  if (!node_.IsScalar()) return Error(Wrong("is not a single value"));
  if (node_.Scalar().size() > most) return Error(Wrong(fmt::format("is longer than {} bytes", most)));
  return node_.Scalar();
}

Result<std::vector<std::string>> YamlValue::Texts(size_t most, size_t most_bytes) const {
  TOCSIN_ASSIGN_OR_RETURN(const auto items, Items(most));
  std::vector<std::string> out;
  for (const auto& item : items) {
    TOCSIN_ASSIGN_OR_RETURN(std::string text, item.Text(most_bytes));
    out.push_back(std::move(text));
  }
  return out;
}

Result<bool> YamlValue::Flag() const {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, Text());
  if (text != "true" && text != "false")
    return Error(Wrong(fmt::format("'{}' is neither true nor false", Cut(text))));
  return text == "true";
}

Result<int> YamlValue::Count(int low, int high) const {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, Text());
  const auto value = Number(text);
  if (!value || *value < low || *value > high)
    return Error(Wrong(fmt::format("'{}' is not a whole number from {} to {}", Cut(text), low, high)));
  return *value;
}

Result<Duration> YamlValue::Span() const {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, Text());
  auto out = ParseDuration(text);
  if (!out) return Error(Wrong(fmt::format("'{}' is not a length of time such as 30s, 5m or 7d", Cut(text))));
  return *out;
}

Result<Time> YamlValue::Instant() const {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, Text());
  auto out = ParseTime(text);
  if (!out)
    return Error(Wrong(fmt::format("'{}' is not an instant such as 2026-03-29T09:00:00+02:00", Cut(text))));
  return *out;
}

}  // namespace tocsin::ports
