#include "respond/oncall/internal/located_yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "respond/oncall/time_zone.h"

namespace tocsin::respond::internal {
namespace {

// yaml-cpp recurses: nesting is bounded before it sees the text.
Status CheckShape(std::string_view text, const std::string& file) {
  if (text.size() > LocatedYaml::kMaxBytes)
    return Status(Code::kInvalidArgument, fmt::format("{}: larger than 1 MiB", file));
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
    if (depth > LocatedYaml::kMaxDepth || dashes > 1000)
      return Status(Code::kInvalidArgument, fmt::format("{}:{}: nested too deep", file, line));
  }
  return Status::Ok();
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '@';
  });
}

std::string Cut(std::string_view text) { return std::string(text.substr(0, 64)); }

std::optional<int> Number(std::string_view text) {
  int out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return out;
}

std::optional<int> WeekdayOf(std::string_view text) {
  static constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  const auto found = std::ranges::find(kDays, text);
  if (found == kDays.end()) return std::nullopt;
  return static_cast<int>(found - kDays.begin());
}

}  // namespace

Result<LocatedYaml> LocatedYaml::Parse(std::string_view text, const std::string& file) {
  TOCSIN_RETURN_IF_ERROR(CheckShape(text, file));
  try {
    YAML::Node node = YAML::Load(std::string(text));
    if (node.IsNull()) node = YAML::Node(YAML::NodeType::Map);
    return LocatedYaml(node, file, "");
  } catch (const YAML::Exception& error) {
    return Error(Code::kInvalidArgument,
                 fmt::format("{}:{}: {}", file, std::max(error.mark.line, 0) + 1, error.msg));
  }
}

Status LocatedYaml::Wrong(std::string_view what) const {
  return Status(Code::kInvalidArgument,
                fmt::format("{}:{}: {}{}{}", file_, std::max(node_.Mark().line, 0) + 1, path_,
                            path_.empty() ? "" : ": ", what));
}

std::string LocatedYaml::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

Status LocatedYaml::Keys(std::initializer_list<std::string_view> allowed) const {
  if (!node_.IsMap()) return Wrong("is not a mapping of keys to values");
  std::set<std::string> seen;
  for (const auto& item : node_) {
    const LocatedYaml key = Child(item.first, path_);
    if (!item.first.IsScalar()) return key.Wrong("has a key that is not a word");
    const std::string& name = item.first.Scalar();
    if (std::ranges::find(allowed, name) == allowed.end())
      return key.Wrong(fmt::format("unknown key '{}'", Cut(name)));
    if (!seen.insert(name).second) return key.Wrong(fmt::format("key '{}' comes twice", name));
  }
  return Status::Ok();
}

std::optional<LocatedYaml> LocatedYaml::Find(std::string_view key) const {
  if (!node_.IsMap()) return std::nullopt;
  for (const auto& item : node_) {
    if (item.first.IsScalar() && item.first.Scalar() == key && !item.second.IsNull())
      return Child(item.second, PathOf(key));
  }
  return std::nullopt;
}

Result<LocatedYaml> LocatedYaml::Need(std::string_view key) const {
  auto found = Find(key);
  if (!found) return Error(Wrong(fmt::format("'{}' is missing", key)));
  return *std::move(found);
}

Result<std::vector<LocatedYaml>> LocatedYaml::Items(size_t most) const {
  if (!node_.IsSequence()) return Error(Wrong("is not a list"));
  if (node_.size() > most) return Error(Wrong(fmt::format("has more than {} entries", most)));
  std::vector<LocatedYaml> out;
  for (const auto& item : node_) {
    out.push_back(Child(YAML::Node(item), fmt::format("{}[{}]", path_, out.size())));
  }
  return out;
}

Result<std::vector<std::pair<std::string, LocatedYaml>>> LocatedYaml::Named(size_t most) const {
  if (!node_.IsMap()) return Error(Wrong("is not a mapping of names to values"));
  if (node_.size() > most) return Error(Wrong(fmt::format("has more than {} entries", most)));
  std::vector<std::pair<std::string, LocatedYaml>> out;
  std::set<std::string> seen;
  for (const auto& item : node_) {
    const LocatedYaml key = Child(item.first, path_);
    if (!item.first.IsScalar() || !IsName(item.first.Scalar())) {
      const std::string shown = item.first.IsScalar() ? Cut(item.first.Scalar()) : "";
      return Error(key.Wrong(fmt::format("'{}' is not a name: letters, digits, - _ . @, at most 64", shown)));
    }
    const std::string& name = item.first.Scalar();
    if (!seen.insert(name).second) return Error(key.Wrong(fmt::format("'{}' comes twice", name)));
    out.emplace_back(name, Child(item.second, PathOf(name)));
  }
  return out;
}

Result<std::string> LocatedYaml::Text() const {
  if (!node_.IsScalar()) return Error(Wrong("is not a single value"));
  if (node_.Scalar().size() > kMaxTextBytes)
    return Error(Wrong(fmt::format("is longer than {} bytes", kMaxTextBytes)));
  return node_.Scalar();
}

Result<bool> LocatedYaml::Flag() const {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, Text());
  if (text != "true" && text != "false")
    return Error(Wrong(fmt::format("'{}' is neither true nor false", Cut(text))));
  return text == "true";
}

Result<int> LocatedYaml::Count(int low, int high) const {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, Text());
  const auto value = Number(text);
  if (!value || *value < low || *value > high)
    return Error(Wrong(fmt::format("'{}' is not a whole number from {} to {}", Cut(text), low, high)));
  return *value;
}

Result<Duration> LocatedYaml::Span() const {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, Text());
  auto out = ParseDuration(text);
  if (!out) return Error(Wrong(fmt::format("'{}' is not a length of time such as 5m", Cut(text))));
  return *out;
}

Result<Time> LocatedYaml::Instant() const {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, Text());
  auto out = ParseTime(text);
  if (!out)
    return Error(Wrong(fmt::format("'{}' is not an instant such as 2026-03-29T09:00:00+02:00", Cut(text))));
  return *out;
}

Result<int> LocatedYaml::MinuteOfDay() const {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, Text());
  const auto bad = [&] { return Error(Wrong(fmt::format("'{}' is not a time such as 09:00", Cut(text)))); };
  if (text.size() != 5 || text[2] != ':' || text[0] == '-' || text[3] == '-') return bad();
  const auto hour = Number(std::string_view(text).substr(0, 2));
  const auto minute = Number(std::string_view(text).substr(3));
  if (!hour || !minute || *minute > 59) return bad();
  const int out = *hour * 60 + *minute;
  if (out > kMinutesADay) return bad();
  return out;
}

Result<int64_t> LocatedYaml::Day() const {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, Text());
  auto out = ParseDay(text);
  if (!out) return Error(Wrong(out.error().message()));
  return *out;
}

Result<uint8_t> LocatedYaml::Weekdays() const {
  TOCSIN_ASSIGN_OR_RETURN(const auto items, Items(7));
  unsigned out = 0;
  for (const auto& item : items) {
    TOCSIN_ASSIGN_OR_RETURN(const std::string text, item.Text());
    const std::string_view all = text;
    const size_t dash = all.find('-');
    const auto first = WeekdayOf(all.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : WeekdayOf(all.substr(dash + 1));
    if (!first || !last)
      return Error(
          item.Wrong(fmt::format("'{}' is not a day such as mon, or days such as mon-fri", Cut(all))));
    for (int day = *first;; day = (day + 1) % 7) {
      out |= 1u << static_cast<unsigned>(day);
      if (day == *last) break;
    }
  }
  return static_cast<uint8_t>(out);
}

}  // namespace tocsin::respond::internal
