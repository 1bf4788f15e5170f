#include "surface/http/alert_json.h"

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>

namespace tocsin::surface {
namespace {

using nlohmann::json;

// Length of the well-formed UTF-8 sequence at the start, 0 when there is none.
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const size_t n = first < 0x80   ? 1
                   : first < 0xc2 ? 0
                   : first < 0xe0 ? 2
                   : first < 0xf0 ? 3
                   : first < 0xf5 ? 4
                                  : 0;
  if (n == 0 || text.size() < n) return 0;
  for (size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (n < 3) return n;
  const unsigned char second = byte(1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool outside = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
  return overlong || outside ? 0 : n;
}

bool Plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x80 && c != '"' &&
         c != '\\';
}

// Of 8 bytes at once: all plain. Each term has the high bit of a byte that is below 0x20, a quote, a
// backslash or above 0x7f; a borrow only ever runs on from such a byte.
bool AllPlain(const char* bytes) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  uint64_t w = 0;
  std::memcpy(&w, bytes, sizeof w);
  const uint64_t quote = w ^ kOnes * '"', backslash = w ^ kOnes * '\\';
  const uint64_t low = (w - kOnes * 0x20) & ~w;
  const uint64_t marks = ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash);
  return ((w | low | marks) & kOnes * 0x80) == 0;
}

size_t PlainRun(std::string_view text, size_t at) {
  while (at + 8 <= text.size() && AllPlain(text.data() + at)) at += 8;
  while (at < text.size() && Plain(text[at])) ++at;
  return at;
}

void AppendDigits(std::string& out, int64_t value, int digits) {
  std::array<char, 9> text{};
  for (int i = digits; i-- > 0; value /= 10)
    text[static_cast<size_t>(i)] = static_cast<char>('0' + value % 10);
  out.append(text.data(), static_cast<size_t>(digits));
}

void AppendTime(std::string& out, Time time) { AppendJsonText(out, FormatTime(time)); }

template <class Pairs>
void AppendPairs(std::string& out, const Pairs& pairs) {
  out += '{';
  bool first = true;
  for (const auto& [name, value] : pairs) {
    if (!first) out += ',';
    first = false;
    AppendJsonText(out, name);
    out += ':';
    AppendJsonText(out, value);
  }
  out += '}';
}

void AppendTexts(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ',';
    AppendJsonText(out, texts[i]);
  }
  out += ']';
}

Result<std::string> Text(const json& in, const char* name, bool required) {
  const auto it = in.find(name);
  if (it == in.end() || it->is_null()) {
    if (required) return Error(Code::kInvalidArgument, std::string(name) + " is missing");
    return std::string();
  }
  if (!it->is_string()) return Error(Code::kInvalidArgument, std::string(name) + " is not a text");
  return it->get<std::string>();
}

Result<Time> Instant(const json& in, const char* name) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, Text(in, name, true));
  auto time = ParseTime(text);
  if (!time) return Error(Status(time.error()).WithContext(name));
  return *time;
}

Result<respond::Matcher> ReadMatcher(const json& in) {
  if (!in.is_object()) return Error(Code::kInvalidArgument, "it is not an object");
  TOCSIN_ASSIGN_OR_RETURN(std::string name, Text(in, "name", true));
  TOCSIN_ASSIGN_OR_RETURN(std::string value, Text(in, "value", true));
  const json regex = in.value("isRegex", json(false)), equal = in.value("isEqual", json(true));
  if (!regex.is_boolean() || !equal.is_boolean())
    return Error(Code::kInvalidArgument, "isRegex or isEqual is neither true nor false");
  using respond::MatchOp;
  const MatchOp op = regex.get<bool>() ? (equal.get<bool>() ? MatchOp::kRegex : MatchOp::kNotRegex)
                                       : (equal.get<bool>() ? MatchOp::kEqual : MatchOp::kNotEqual);
  return respond::Matcher::Make(op, std::move(name), std::move(value));
}

}  // namespace

void AppendJsonText(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  size_t i = 0;
  while (i < text.size()) {
    const size_t run = PlainRun(text, i);
    out.append(text, i, run - i);
    i = run;
    if (i == text.size()) break;
    const char c = text[i];
    if (c == '"' || c == '\\') {
      out += {'\\', c};
      ++i;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      const auto value = static_cast<unsigned char>(c);
      out += "\\u00";
      out += kHex[value >> 4];
      out += kHex[value & 15];
      ++i;
    } else if (const size_t n = SequenceLength(text.substr(i)); n > 0) {
      out.append(text, i, n);
      i += n;
    } else {
      out += "\xef\xbf\xbd";
      ++i;
    }
  }
  out += '"';
}

void AppendLabels(std::string& out, const signal::LabelSet& labels) { AppendPairs(out, labels); }

void TimeWriter::Append(std::string& out, Time time) {
  constexpr int64_t kSecond = 1'000'000'000, kDay = 86'400 * kSecond;
  if (time.ns < 0) {
    out += FormatTime(time);
    return;
  }
  if (time.ns / kDay != day_) {
    day_ = time.ns / kDay;
    date_ = FormatTime(Time{day_ * kDay}).substr(0, 11);
  }
  const int64_t second = time.ns % kDay / kSecond, ns = time.ns % kSecond;
  out += date_;
  AppendDigits(out, second / 3600, 2);
  out += ':';
  AppendDigits(out, second / 60 % 60, 2);
  out += ':';
  AppendDigits(out, second % 60, 2);
  if (ns != 0) {
    out += '.';
    if (ns % 1'000'000 == 0) {
      AppendDigits(out, ns / 1'000'000, 3);
    } else if (ns % 1000 == 0) {
      AppendDigits(out, ns / 1000, 6);
    } else {
      AppendDigits(out, ns, 9);
    }
  }
  out += 'Z';
}

void AlertWriter::AppendTime(std::string& out, Time time) {
  out += '"';
  times_.Append(out, time);
  out += '"';
}

void AlertWriter::Append(std::string& out, const respond::ShownAlert& shown) {
  const respond::AlertTable::View& a = *shown.alert;
  out += R"({"annotations":)";
  AppendPairs(out, a.annotations);
  out += R"(,"endsAt":)";
  AppendTime(out, a.ends_at);
  out += R"(,"fingerprint":")";
  out += signal::FormatFingerprint(a.fingerprint);
  out += R"(","receivers":[)";
  for (size_t i = 0; i < shown.receivers.size(); ++i) {
    out += i > 0 ? R"(,{"name":)" : R"({"name":)";
    AppendJsonText(out, shown.receivers[i]);
    out += '}';
  }
  out += R"(],"startsAt":)";
  AppendTime(out, a.starts_at);
  out += R"(,"status":{"inhibitedBy":[)";
  for (size_t i = 0; i < shown.inhibited_by.size(); ++i) {
    out += i > 0 ? R"(,")" : R"(")";
    out += signal::FormatFingerprint(shown.inhibited_by[i]);
    out += '"';
  }
  out += R"(],"mutedBy":[],"silencedBy":)";
  AppendTexts(out, shown.silenced_by);
  out += R"(,"state":")";
  out += shown.state();
  out += R"("},"updatedAt":)";
  AppendTime(out, a.updated_at);
  if (!a.generator_url.empty()) {
    out += R"(,"generatorURL":)";
    AppendJsonText(out, a.generator_url);
  }
  out += R"(,"labels":)";
  AppendPairs(out, a.labels);
  out += '}';
}

void AppendSilence(std::string& out, const respond::Silence& s, Time now) {
  using respond::MatchOp;
  out += R"({"id":)";
  AppendJsonText(out, s.id);
  out += R"(,"status":{"state":")";
  out += s.StateAt(now);
  out += R"("},"updatedAt":)";
  AppendTime(out, s.updated_at);
  out += R"(,"comment":)";
  AppendJsonText(out, s.comment);
  out += R"(,"createdBy":)";
  AppendJsonText(out, s.created_by);
  out += R"(,"endsAt":)";
  AppendTime(out, s.ends_at);
  out += R"(,"matchers":[)";
  for (size_t i = 0; i < s.matchers.size(); ++i) {
    const auto& m = s.matchers[i];
    const bool equal = m.op() == MatchOp::kEqual || m.op() == MatchOp::kRegex;
    const bool regex = m.op() == MatchOp::kRegex || m.op() == MatchOp::kNotRegex;
    out += i > 0 ? "," : "";
    out += std::string(R"({"isEqual":)") + (equal ? "true" : "false") + R"(,"isRegex":)" +
           (regex ? "true" : "false") + R"(,"name":)";
    AppendJsonText(out, m.name());
    out += R"(,"value":)";
    AppendJsonText(out, m.value());
    out += '}';
  }
  out += R"(],"startsAt":)";
  AppendTime(out, s.starts_at);
  out += '}';
}

Result<respond::Silence> ReadSilence(const json& in) {
  if (!in.is_object()) return Error(Code::kInvalidArgument, "a silence is a JSON object");
  respond::Silence silence;
  TOCSIN_ASSIGN_OR_RETURN(silence.id, Text(in, "id", false));
  TOCSIN_ASSIGN_OR_RETURN(silence.created_by, Text(in, "createdBy", true));
  TOCSIN_ASSIGN_OR_RETURN(silence.comment, Text(in, "comment", true));
  TOCSIN_ASSIGN_OR_RETURN(silence.starts_at, Instant(in, "startsAt"));
  TOCSIN_ASSIGN_OR_RETURN(silence.ends_at, Instant(in, "endsAt"));
  const auto matchers = in.find("matchers");
  if (matchers == in.end() || !matchers->is_array() || matchers->empty())
    return Error(Code::kInvalidArgument, "matchers is not a list with at least one");
  if (matchers->size() > respond::kMaxMatchers)
    return Error(Code::kOutOfRange, "matchers has more than 64 entries");
  for (size_t i = 0; i < matchers->size(); ++i) {
    auto matcher = ReadMatcher((*matchers)[i]);
    if (!matcher) return Error(Status(matcher.error()).WithContext("matchers[" + std::to_string(i) + "]"));
    silence.matchers.push_back(std::move(*matcher));
  }
  return silence;
}

}  // namespace tocsin::surface
