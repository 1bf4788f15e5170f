#include "text_template.h"

#include <cstdlib>
#include <vector>

namespace tocsin::scenarios {

std::string TextTemplate::Digits(int n) {
  std::string text;
  for (int i = 0; i < n; ++i) text += static_cast<char>('0' + (i == 0 ? 1 + rng_.Below(9) : rng_.Below(10)));
  return text;
}

namespace {

std::vector<std::string_view> SplitTop(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  size_t from = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}') --depth;
    if (text[i] == '|' && depth == 0) {
      parts.push_back(text.substr(from, i - from));
      from = i + 1;
    }
  }
  parts.push_back(text.substr(from));
  return parts;
}

}  // namespace

std::string TextTemplate::Choose(std::string_view inside, int depth) {
  if (inside.starts_with("#")) return Digits(std::max(1, std::atoi(std::string(inside.substr(1)).c_str())));
  if (inside.starts_with("$")) {
    auto& value = variables_[std::string(inside.substr(1))];
    if (value.empty()) value = Digits(6);
    return value;
  }
  if (inside.starts_with("@")) {
    const auto it = lists_.find(std::string(inside.substr(1)));
    return it == lists_.end() ? "<no list " + std::string(inside) + ">" : Expand(it->second, depth + 1);
  }
  const size_t percent = inside.find("%:");
  if (percent != std::string_view::npos && percent <= 5) {
    const double share = std::atof(std::string(inside.substr(0, percent)).c_str()) / 100;
    const auto parts = SplitTop(inside.substr(percent + 2));
    const bool first = rng_.Uniform() < share;
    if (first) return Expand(parts[0], depth + 1);
    return parts.size() > 1 ? Expand(parts[1], depth + 1) : std::string();
  }
  const auto parts = SplitTop(inside);
  return Expand(parts[rng_.Below(parts.size())], depth + 1);
}

std::string TextTemplate::Expand(std::string_view text, int depth) {
  if (depth > 16) return "<too deep>";
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      const char next = text[++i];
      out += next == 'n' ? '\n' : next;
      continue;
    }
    if (text[i] != '{') {
      out += text[i];
      continue;
    }
    int open = 1;
    size_t end = i + 1;
    while (end < text.size() && open > 0) {
      if (text[end] == '{') ++open;
      if (text[end] == '}') --open;
      ++end;
    }
    out += Choose(text.substr(i + 1, end - i - 2), depth);
    i = end - 1;
  }
  return out;
}

}  // namespace tocsin::scenarios
