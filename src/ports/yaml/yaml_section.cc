#include "ports/yaml/yaml_section.h"

#include <fmt/format.h>

#include <charconv>

namespace tocsin::ports {
namespace {

template <class Value>
bool ParseNumber(std::string_view text, Value& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

tl::unexpected<Status> Not(const YamlValue& at, std::string_view text, std::string_view what) {
  return Error(at.Wrong(fmt::format("'{}' is not {}", text.substr(0, 64), what)));
}

Result<double> ReadFraction(const YamlValue& at) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, at.Text());
  double value = 0;
  if (!ParseNumber(text, value) || !(value > 0 && value < 1))
    return Not(at, text, "a number between 0 and 1");
  return value;
}

Result<size_t> ReadCount(const YamlValue& at, size_t low, size_t high) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, at.Text());
  size_t value = 0;
  if (!ParseNumber(text, value) || value < low || value > high)
    return Not(at, text, fmt::format("a whole number from {} to {}", low, high));
  return value;
}

Result<size_t> ReadBytes(const YamlValue& at) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, at.Text());
  std::string_view digits = text;
  size_t unit = 1;
  for (const auto& [suffix, size] :
       {std::pair<std::string_view, size_t>{"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}}) {
    if (!digits.ends_with(suffix)) continue;
    digits.remove_suffix(suffix.size());
    unit = size;
    break;
  }
  while (!digits.empty() && digits.back() == ' ') digits.remove_suffix(1);
  size_t value = 0;
  if (!ParseNumber(digits, value) || value == 0 || value > (size_t{1} << 44) / unit)
    return Not(at, text, "a size such as 1048576 or 16MiB");
  return value * unit;
}

Result<Duration> ReadSpan(const YamlValue& at) {
  TOCSIN_ASSIGN_OR_RETURN(const Duration out, at.Span());
  if (out.ns <= 0) return Error(at.Wrong("is not above zero"));
  return out;
}

Result<std::map<std::string, std::string>> ReadTextMap(const YamlValue& at, size_t most) {
  TOCSIN_ASSIGN_OR_RETURN(const auto entries, at.Pairs(most));
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : entries) {
    TOCSIN_ASSIGN_OR_RETURN(out[name], value.Text());
  }
  return out;
}

}  // namespace

YamlSection::YamlSection(YamlValue value) : value_(std::move(value)) {
  if (!value_.IsMapping()) value_.Note(value_.Wrong("is not a mapping of keys to values"));
}

template <class T>
void YamlSection::Take(const YamlValue& at, Result<T> read, T& out) {
  if (read)
    out = *std::move(read);
  else
    at.Note(read.error());
}

std::optional<YamlValue> YamlSection::Value(std::string_view key) {
  asked_.push_back(key);
  return value_.Find(key);
}

void YamlSection::Text(std::string_view key, std::string& out, size_t most) {
  if (const auto at = Value(key)) Take(*at, at->Text(most), out);
}
void YamlSection::Flag(std::string_view key, bool& out) {
  if (const auto at = Value(key)) Take(*at, at->Flag(), out);
}
void YamlSection::Fraction(std::string_view key, double& out) {
  if (const auto at = Value(key)) Take(*at, ReadFraction(*at), out);
}
void YamlSection::Count(std::string_view key, size_t& out, size_t low, size_t high) {
  if (const auto at = Value(key)) Take(*at, ReadCount(*at, low, high), out);
}
void YamlSection::Number(std::string_view key, int& out, int low, int high) {
  if (const auto at = Value(key)) Take(*at, at->Count(low, high), out);
}
void YamlSection::Bytes(std::string_view key, size_t& out) {
  if (const auto at = Value(key)) Take(*at, ReadBytes(*at), out);
}
void YamlSection::Span(std::string_view key, Duration& out) {
  if (const auto at = Value(key)) Take(*at, ReadSpan(*at), out);
}
void YamlSection::Texts(std::string_view key, std::vector<std::string>& out, size_t most) {
  if (const auto at = Value(key)) Take(*at, at->Texts(most), out);
}
void YamlSection::TextMap(std::string_view key, std::map<std::string, std::string>& out, size_t most) {
  if (const auto at = Value(key)) Take(*at, ReadTextMap(*at, most), out);
}

void YamlSection::Map(std::string_view key, const std::function<void(YamlSection&)>& read) {
  const auto at = Value(key);
  if (!at) return;
  YamlSection child(*at);
  read(child);
  child.Finish();
}

void YamlSection::Each(std::string_view key, const std::function<void(YamlSection&)>& read, size_t most) {
  const auto at = Value(key);
  if (!at) return;
  const auto items = at->Items(most);
  if (!items) return at->Note(items.error());
  for (const auto& item : *items) {
    YamlSection child(item);
    read(child);
    child.Finish();
  }
}

void YamlSection::Fail(std::string_view key, std::string_view what) {
  const auto at = value_.Find(key);
  value_.Note(at ? at->Wrong(what) : value_.Wrong(what));
}

void YamlSection::Finish() const {
  if (value_.IsMapping()) (void)value_.Keys(asked_);
}

}  // namespace tocsin::ports
