#include "runtime/internal/yaml_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::runtime::internal {
namespace {

using ports::YamlValue;

constexpr size_t kMost = 100'000;
constexpr size_t kMostText = YamlValue::kMaxBytes;

// One line, for a text, an empty list, or a list of texts; nothing otherwise.
std::optional<std::string> Inline(const YamlValue& value) {
  if (const auto text = value.Text(kMostText)) return QuotedYaml(*text);
  if (!value.IsList()) return std::nullopt;
  const auto texts = value.Texts(kMost, kMostText);
  if (!texts) return std::nullopt;
  std::string out = "[";
  for (const std::string& text : *texts) out += (out.size() > 1 ? ", " : "") + QuotedYaml(text);
  return out + "]";
}

}  // namespace

std::string QuotedYaml(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", c);
    else if (c == '\n')
      out += "\\n";
    else if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out + "\"";
}

std::string CommentText(std::string_view text) {
  std::string out(text.substr(0, 200));
  std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

std::vector<std::string> CopyYaml(const YamlValue& value, const CopyShape* shape,
                                  const std::function<void(const std::string& path)>& left_out) {
  std::vector<std::string> out;
  const auto add = [&out](std::string first, std::string_view rest, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      out.push_back(first + line);
      first = rest;
    }
  };
  if (value.IsList()) {
    for (const auto& item : value.Items(kMost).value_or(std::vector<YamlValue>{})) {
      const auto one = Inline(item);
      add("- ", "  ", one ? std::vector{*one} : CopyYaml(item, shape, left_out));
    }
    return out;
  }
  const auto pairs = value.Pairs(kMost);
  if (!pairs) return out;
  for (const auto& [key, child] : *pairs) {
    if (shape != nullptr && !shape->keys.contains(key)) {
      left_out(child.path());
      continue;
    }
    const CopyShape* below = nullptr;
    if (shape != nullptr) {
      const auto found = shape->under.find(key);
      if (found != shape->under.end()) below = found->second;
    }
    const std::string name = ports::IsPlainName(key) ? key : QuotedYaml(key);
    if (const auto one = Inline(child)) {
      out.push_back(name + ": " + *one);
    } else if (const auto lines = CopyYaml(child, below, left_out); !lines.empty()) {
      out.push_back(name + ":");
      add("  ", "  ", lines);
    } else if (child.IsMapping()) {
      out.push_back(name + ": {}");
    }
  }
  return out;
}

}  // namespace tocsin::runtime::internal
