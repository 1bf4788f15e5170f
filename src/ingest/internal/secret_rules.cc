#include "ingest/internal/secret_rules.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tocsin::ingest::internal {
namespace {

enum Class : uint8_t { kAlnum = 1, kToken = 2, kUpperDigit = 4, kBearer = 8, kValueEnd = 16 };

constexpr std::array<uint8_t, 256> MakeClasses() {
  std::array<uint8_t, 256> t{};
  for (int c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9', upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
    const bool alnum = digit || upper || lower;
    uint8_t bits = 0;
    if (alnum) bits |= kAlnum | kToken | kBearer;
    if (c == '_' || c == '-') bits |= kToken | kBearer;
    if (digit || upper) bits |= kUpperDigit;
    if (c == '.' || c == '~' || c == '+' || c == '/' || c == '=') bits |= kBearer;
    if (c <= ' ' || c == '"' || c == '\'' || c == ',' || c == ';' || c == '&' || c == '}' || c == '\\' ||
        c == '<')
      bits |= kValueEnd;
    t[static_cast<size_t>(c)] = bits;
  }
  return t;
}
constexpr auto kClasses = MakeClasses();
bool Is(char c, uint8_t bits) { return (kClasses[static_cast<unsigned char>(c)] & bits) != 0; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool StartsWithIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(), [](char l, char t) { return l == Lower(t); });
}

// A fixed prefix followed by enough characters of a class.
struct PrefixRule {
  std::string_view prefix;
  uint8_t chars;
  size_t min;    // of the part after the prefix
  bool at_word;  // not inside a longer word ("task-…" is no key)
  std::string_view name;
};
constexpr PrefixRule kPrefixes[] = {
    {"sk-", kToken, 20, true, "api_key"},
    {"sk_live_", kAlnum, 16, false, "stripe_key"},
    {"sk_test_", kAlnum, 16, false, "stripe_key"},
    {"rk_live_", kAlnum, 16, false, "stripe_key"},
    {"ghp_", kAlnum, 20, false, "github_token"},
    {"gho_", kAlnum, 20, false, "github_token"},
    {"ghu_", kAlnum, 20, false, "github_token"},
    {"ghs_", kAlnum, 20, false, "github_token"},
    {"ghr_", kAlnum, 20, false, "github_token"},
    {"github_pat_", kToken, 20, false, "github_token"},
    {"glpat-", kToken, 16, false, "gitlab_token"},
    {"AKIA", kUpperDigit, 16, false, "aws_access_key"},
    {"ASIA", kUpperDigit, 16, false, "aws_access_key"},
    {"xoxb-", kToken, 10, false, "slack_token"},
    {"xoxp-", kToken, 10, false, "slack_token"},
    {"xoxa-", kToken, 10, false, "slack_token"},
    {"xoxr-", kToken, 10, false, "slack_token"},
    {"xoxs-", kToken, 10, false, "slack_token"},
    {"xapp-", kToken, 10, false, "slack_token"},
    {"AIza", kToken, 30, false, "google_api_key"},
    {"hf_", kAlnum, 30, true, "huggingface_token"},
    {"npm_", kAlnum, 30, true, "npm_token"},
};

// name = value, name: value, "name":"value". The value goes, the name stays.
constexpr std::string_view kAssigned[] = {
    "password",     "passwd",     "passphrase",    "secret",       "api_key",     "api-key",      "apikey",
    "access_token", "auth_token", "refresh_token", "access-token", "private_key", "authorization"};

// What may follow "secret" in a name.
constexpr size_t kMaxNameTail = 32;

// Three 256-byte tables; a byte's bit says which group of anchors allows it at that place.
struct AnchorTables {
  std::array<uint8_t, 256> byte[3]{};
  constexpr void Add(std::string_view anchor, uint8_t bit, bool any_case) {
    for (size_t i = 0; i < 3; ++i) {
      const char c = anchor[i];
      byte[i][static_cast<unsigned char>(c)] |= bit;
      if (any_case && c >= 'a' && c <= 'z') byte[i][static_cast<unsigned char>(c - 32)] |= bit;
    }
  }
};
constexpr AnchorTables MakeAnchors() {
  AnchorTables t;
  const uint8_t groups[] = {1, 2, 4, 8, 16};
  size_t n = 0;
  for (const auto& rule : kPrefixes)
    t.Add(rule.prefix, rule.prefix[0] == 'g' ? 1 : groups[n++ % 3 + 1], false);
  for (const auto& name : kAssigned) t.Add(name, name[0] == 'p' ? 16 : (name[0] == 's' ? 32 : 64), true);
  t.Add("eyJ", 1, false);
  t.Add("---", 2, false);
  t.Add("bea", 64, true);
  t.Add("pwd", 16, true);
  for (char c = '0'; c <= '9'; ++c) {
    for (auto& table : t.byte) table[static_cast<unsigned char>(c)] |= 128;
  }
  return t;
}
constexpr AnchorTables kAnchors = MakeAnchors();

size_t RunLength(std::string_view text, size_t from, uint8_t chars) {
  size_t i = from;
  while (i < text.size() && Is(text[i], chars)) ++i;
  return i - from;
}

SecretMatch MatchPrefix(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at);
  for (const auto& rule : kPrefixes) {
    if (rest[0] != rule.prefix[0] || !rest.starts_with(rule.prefix)) continue;
    if (rule.at_word && at > 0 && Is(text[at - 1], kAlnum)) continue;
    const size_t run = RunLength(text, at + rule.prefix.size(), rule.chars);
    if (run >= rule.min) return {at, at + rule.prefix.size() + run, rule.name};
  }
  return {};
}

SecretMatch MatchPrivateKey(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at);
  if (!rest.starts_with("-----BEGIN ")) return {};
  // "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", …
  const size_t label =
      std::min(rest.substr(0, 80).find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ ", 11), rest.size());
  if (label > 64 || !rest.substr(0, label).ends_with("PRIVATE KEY")) return {};
  const size_t end = rest.find("-----END", label);
  if (end == std::string_view::npos) return {at, text.size(), "private_key"};
  const size_t close = rest.find("-----", end + 8);
  return {at, close == std::string_view::npos ? text.size() : at + close + 5, "private_key"};
}

SecretMatch MatchBearer(std::string_view text, size_t at) {
  if (!StartsWithIgnoringCase(text.substr(at), "bearer")) return {};
  size_t i = at + 6;
  while (i < text.size() && text[i] == ' ') ++i;
  if (i == at + 6) return {};
  const size_t run = RunLength(text, i, kBearer);
  return run >= 16 ? SecretMatch{i, i + run, "bearer"} : SecretMatch{};
}

// After the name: optional quote (possibly escaped), optional space, = or :, optional space and quote, value.
SecretMatch MatchValue(std::string_view text, size_t i) {
  const auto quotes = [&] {
    while (i < text.size() && (text[i] == '\\' || text[i] == '"' || text[i] == '\'')) ++i;
  };
  const auto spaces = [&] {
    while (i < text.size() && (text[i] == ' ' || text[i] == '\t')) ++i;
  };
  quotes();
  spaces();
  if (i >= text.size() || (text[i] != '=' && text[i] != ':')) return {};
  ++i;
  if (i < text.size() && text[i] == '=') return {};  // a comparison
  spaces();
  const size_t before = i;
  quotes();
  if (text.substr(i).starts_with("[redacted:") || text.substr(i, 1) == "{") return {};
  size_t end = i;
  if (i > before) {  // quoted: up to the closing quote
    const char quote = text[i - 1];
    while (end < text.size() && text[end] != quote && text[end] != '\n') ++end;
    while (end > i && text[end - 1] == '\\') --end;
  } else {
    for (const std::string_view scheme : {"basic ", "bearer ", "token ", "digest "}) {
      if (StartsWithIgnoringCase(text.substr(end), scheme)) end = i = end + scheme.size();
    }
    while (end < text.size() && !Is(text[end], kValueEnd)) ++end;
  }
  if (end - i < 4 || text.substr(i).starts_with("[redacted:")) return {};
  return {i, end, "password"};
}

SecretMatch MatchAssigned(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at);
  const char first = Lower(rest[0]);
  if (first != 'p' && first != 's' && first != 'a' && first != 'r') return {};
  if (StartsWithIgnoringCase(rest, "pwd")) return MatchValue(text, at + 3);
  for (const auto name : kAssigned) {
    if (name[0] == first && StartsWithIgnoringCase(rest, name)) {
      size_t i = at + name.size();
      // secret_key, SECRET_ACCESS_KEY
      if (name == "secret") i += RunLength(text.substr(0, i + kMaxNameTail), i, kToken);
      if (const SecretMatch m = MatchValue(text, i); m.found()) return m;
    }
  }
  return {};
}

// 13 to 19 digits, single spaces or hyphens between groups, with the check digit of ISO/IEC 7812 (Luhn).
SecretMatch MatchCard(std::string_view text, size_t at) {
  if (!IsDigit(text[at]) || (at > 0 && (Is(text[at - 1], kAlnum) || text[at - 1] == '.'))) return {};
  std::array<char, 20> digits{};
  size_t n = 0, i = at, end = at;
  for (; i < text.size(); ++i) {
    if (IsDigit(text[i])) {
      if (n == 19) return {};
      digits[n++] = text[i];
      end = i + 1;
    } else if ((text[i] != ' ' && text[i] != '-') || i == 0 || !IsDigit(text[i - 1])) {
      break;
    }
  }
  if (n < 13 || digits[0] < '2' || (end < text.size() && Is(text[end], kAlnum))) return {};
  int sum = 0;
  for (size_t k = 0; k < n; ++k) {
    int d = digits[n - 1 - k] - '0';
    if (k % 2 == 1) d = d * 2 > 9 ? d * 2 - 9 : d * 2;
    sum += d;
  }
  return sum % 10 == 0 ? SecretMatch{at, end, "card"} : SecretMatch{};
}

// False positives are rare, false negatives none. Reads three bytes.
bool MayStartSecret(const char* at) {
  return (kAnchors.byte[0][static_cast<unsigned char>(at[0])] &
          kAnchors.byte[1][static_cast<unsigned char>(at[1])] &
          kAnchors.byte[2][static_cast<unsigned char>(at[2])]) != 0;
}

size_t NextAnchor(std::string_view text, size_t from) {
  for (size_t i = from; i + 3 <= text.size(); ++i) {
    if (MayStartSecret(text.data() + i)) return i;
  }
  return std::string_view::npos;
}

}  // namespace

SecretMatch SecretScanner::MatchJwt(size_t at) {
  if (at < no_jwt_before_ || !text_.substr(at).starts_with("eyJ")) return {};
  const size_t head = RunLength(text_, at, kToken);
  size_t end = at + head;
  if (head < 10) return {};
  no_jwt_before_ = end;
  if (end >= text_.size() || text_[end] != '.') return {};
  const size_t body = RunLength(text_, end + 1, kToken);
  if (body < 8) return {};
  end += 1 + body;
  if (end < text_.size() && text_[end] == '.') end += 1 + RunLength(text_, end + 1, kToken);
  return {at, end, "jwt"};
}

SecretMatch SecretScanner::MatchAt(size_t at) {
  const char c = text_[at];
  if (IsDigit(c)) return with_cards_ ? MatchCard(text_, at) : SecretMatch{};
  if (c == '-') return MatchPrivateKey(text_, at);
  if (const SecretMatch m = MatchPrefix(text_, at); m.found()) return m;
  if (c == 'e') return MatchJwt(at);
  if (c == 'b' || c == 'B') return MatchBearer(text_, at);
  return MatchAssigned(text_, at);
}

SecretMatch SecretScanner::Next(size_t from) {
  for (size_t at = NextAnchor(text_, from); at != std::string_view::npos; at = NextAnchor(text_, at + 1)) {
    SecretMatch match = MatchAt(at);
    if (!match.found()) continue;
    // The value of an assignment begins after its name, and another secret may begin between them.
    for (size_t p = NextAnchor(text_, at + 1); p < match.begin; p = NextAnchor(text_, p + 1)) {
      if (const SecretMatch earlier = MatchAt(p); earlier.found() && earlier.begin < match.begin)
        match = earlier;
    }
    return match;
  }
  return {};
}

}  // namespace tocsin::ingest::internal
