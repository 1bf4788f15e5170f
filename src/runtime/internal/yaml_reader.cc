#include "runtime/internal/yaml_reader.h"

#include <fmt/format.h>

#include <charconv>

namespace tocsin::runtime::internal {
namespace {

// yaml-cpp recurses: depth is bounded before it sees the text, by indentation and by brackets.
Status CheckShape(std::string_view text, const std::string& file) {
  if (text.size() > YamlReader::kMaxBytes) {
    return Status(Code::kInvalidArgument, fmt::format("{} is larger than 1 MiB", file));
  }
  int depth = 0;
  int line = 1;
  int dashes = 0;
  for (const char c : text) {
    if (c == '\n') {
      ++line;
      dashes = 0;
    }
    if (c == '-' || c == '?') ++dashes;
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    if (depth > YamlReader::kMaxDepth || dashes > 1000) {
      return Status(Code::kInvalidArgument, fmt::format("{}:{}: nested too deep", file, line));
    }
  }
  return Status::Ok();
}

bool TooDeep(const YAML::Node& node, int left) {
  if (left == 0) return true;
  if (node.IsSequence() || node.IsMap()) {
    for (const auto& item : node) {
      if (TooDeep(node.IsMap() ? item.second : YAML::Node(item), left - 1)) return true;
    }
  }
  return false;
}

template <class Number>
bool ParseNumber(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Result<YamlReader> YamlReader::Open(std::string_view text, const std::string& file) {
  TOCSIN_RETURN_IF_ERROR(CheckShape(text, file));
  try {
    YAML::Node node = YAML::Load(std::string(text));
    if (node.IsNull()) node = YAML::Node(YAML::NodeType::Map);
    if (!node.IsMap())
      return Error(Code::kInvalidArgument, fmt::format("{}: not a mapping of keys to values", file));
    if (TooDeep(node, kMaxDepth))
      return Error(Code::kInvalidArgument, fmt::format("{}: nested too deep", file));
    return YamlReader(node, file, "", std::make_shared<Status>());
  } catch (const YAML::Exception& error) {
    return Error(Code::kInvalidArgument, fmt::format("{}:{}: {}", file, error.mark.line + 1, error.msg));
  }
}

YAML::Node YamlReader::Find(const char* key) {
  asked_.insert(key);
  for (const auto& item : node_) {
    if (item.first.IsScalar() && item.first.Scalar() == key) return item.second;
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

void YamlReader::FailAt(const YAML::Node& node, std::string_view key, std::string_view what) {
  if (!status_->ok()) return;
  *status_ = Status(Code::kInvalidArgument,
                    fmt::format("{}:{}: {}{} {}", file_, node.Mark().line + 1, path_, key, what));
}

void YamlReader::Fail(const char* key, std::string_view what) {
  FailAt(Find(key), key, fmt::format(": {}", what));
}

bool YamlReader::Scalar(const char* key, YAML::Node& node, std::string& out) {
  node.reset(Find(key));
  if (!node.IsDefined() || node.IsNull()) return false;
  if (!node.IsScalar()) {
    FailAt(node, key, "is not a single value");
    return false;
  }
  out = node.Scalar();
  return true;
}

void YamlReader::Text(const char* key, std::string& out) {
  YAML::Node node;
  (void)Scalar(key, node, out);
}

void YamlReader::Flag(const char* key, bool& out) {
  YAML::Node node;
  std::string text;
  if (!Scalar(key, node, text)) return;
  if (text == "true")
    out = true;
  else if (text == "false")
    out = false;
  else
    FailAt(node, key, fmt::format("is '{}', not true or false", text));
}

void YamlReader::Fraction(const char* key, double& out) {
  YAML::Node node;
  std::string text;
  if (!Scalar(key, node, text)) return;
  double value = 0;
  if (!ParseNumber(text, value) || !(value > 0 && value < 1)) {
    return FailAt(node, key, fmt::format("is '{}', not a number between 0 and 1", text));
  }
  out = value;
}

void YamlReader::Count(const char* key, size_t& out, size_t low, size_t high) {
  YAML::Node node;
  std::string text;
  if (!Scalar(key, node, text)) return;
  size_t value = 0;
  if (!ParseNumber(text, value) || value < low || value > high) {
    return FailAt(node, key, fmt::format("is '{}', not a whole number from {} to {}", text, low, high));
  }
  out = value;
}

void YamlReader::Bytes(const char* key, size_t& out) {
  YAML::Node node;
  std::string text;
  if (!Scalar(key, node, text)) return;
  std::string_view digits = text;
  size_t unit = 1;
  for (const auto& [suffix, size] :
       {std::pair<std::string_view, size_t>{"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}}) {
    if (digits.ends_with(suffix)) {
      digits.remove_suffix(suffix.size());
      unit = size;
      break;
    }
  }
  while (!digits.empty() && digits.back() == ' ') digits.remove_suffix(1);
  size_t value = 0;
  if (!ParseNumber(digits, value) || value == 0 || value > (size_t{1} << 44) / unit) {
    return FailAt(node, key, fmt::format("is '{}', not a size such as 1048576 or 16MiB", text));
  }
  out = value * unit;
}

void YamlReader::Span(const char* key, Duration& out) {
  YAML::Node node;
  std::string text;
  if (!Scalar(key, node, text)) return;
  const auto parsed = ParseDuration(text);
  if (!parsed || parsed->ns <= 0)
    return FailAt(node, key, fmt::format("is '{}', not a duration such as 30s or 7d", text));
  out = *parsed;
}

void YamlReader::Texts(const char* key, std::vector<std::string>& out) {
  const YAML::Node node = Find(key);
  if (!node.IsDefined() || node.IsNull()) return;
  if (!node.IsSequence()) return FailAt(node, key, "is not a list");
  out.clear();
  for (const auto& item : node) {
    if (!item.IsScalar()) return FailAt(item, key, "holds something that is not a text");
    out.push_back(item.Scalar());
  }
}

void YamlReader::TextMap(const char* key, std::map<std::string, std::string>& out) {
  const YAML::Node node = Find(key);
  if (!node.IsDefined() || node.IsNull()) return;
  if (!node.IsMap()) return FailAt(node, key, "is not a mapping");
  out.clear();
  for (const auto& item : node) {
    if (!item.first.IsScalar() || !item.second.IsScalar())
      return FailAt(node, key, "does not map texts to texts");
    out[item.first.Scalar()] = item.second.Scalar();
  }
}

void YamlReader::ReadChild(const YAML::Node& node, const std::string& path,
                           const std::function<void(YamlReader&)>& read) {
  YamlReader child(node, file_, path_ + path + ".", status_);
  read(child);
  (void)child.Finish();
}

void YamlReader::Map(const char* key, const std::function<void(YamlReader&)>& read) {
  const YAML::Node node = Find(key);
  if (!node.IsDefined() || node.IsNull()) return;
  if (!node.IsMap()) return FailAt(node, key, "is not a mapping of keys to values");
  ReadChild(node, key, read);
}

void YamlReader::Each(const char* key, const std::function<void(YamlReader&)>& read) {
  const YAML::Node node = Find(key);
  if (!node.IsDefined() || node.IsNull()) return;
  if (!node.IsSequence()) return FailAt(node, key, "is not a list");
  for (size_t i = 0; i < node.size(); ++i) {
    if (!node[i].IsMap()) return FailAt(node[i], key, "holds something that is not a mapping");
    ReadChild(node[i], fmt::format("{}[{}]", key, i), read);
  }
}

Status YamlReader::Finish() {
  for (const auto& item : node_) {
    const std::string key = item.first.IsScalar() ? item.first.Scalar() : "(not a text)";
    if (!asked_.contains(key)) FailAt(item.first, key, "is not a setting");
  }
  return *status_;
}

}  // namespace tocsin::runtime::internal
