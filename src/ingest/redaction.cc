#include "ingest/redaction.h"

#include <re2/re2.h>

#include <algorithm>

#include "ingest/internal/secret_rules.h"

namespace tocsin::ingest {
namespace {

constexpr size_t kMaxNameBytes = 40;
constexpr size_t kMaxRegexBytes = 4096;

std::string Marker(std::string_view name) { return "[redacted:" + std::string(name) + "]"; }

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

int64_t ApplyOnce(std::string& text, bool with_cards) {
  internal::SecretScanner scanner(text, with_cards);
  std::string out;
  size_t copied = 0;
  int64_t found = 0;
  for (auto match = scanner.Next(0); match.found(); match = scanner.Next(match.end)) {
    out.append(text, copied, match.begin - copied);
    out += Marker(match.rule);
    copied = match.end;
    ++found;
  }
  if (found == 0) return 0;
  out.append(text, copied, text.size() - copied);
  text = std::move(out);
  return found;
}

// What stood beside a secret may only now be seen for what it is (a card number glued to a token), so again
// until nothing is found; a few times at most.
int64_t ApplyBuiltIn(std::string& text, bool with_cards) {
  static constexpr int kMaxPasses = 8;
  int64_t all = 0;
  for (int pass = 0; pass < kMaxPasses; ++pass) {
    const int64_t found = ApplyOnce(text, with_cards);
    if (found == 0) break;
    all += found;
  }
  return all;
}

bool ContainsIgnoringCase(std::string_view text, std::string_view lower) {
  return std::search(text.begin(), text.end(), lower.begin(), lower.end(), [](char t, char l) {
           return (t >= 'A' && t <= 'Z' ? static_cast<char>(t + 32) : t) == l;
         }) != text.end();
}

bool EndsWithIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() && ContainsIgnoringCase(text.substr(text.size() - lower.size()), lower);
}

}  // namespace

struct Redactor::Compiled {
  struct Pattern {
    std::string marker;
    std::unique_ptr<re2::RE2> regex;
  };
  bool built_in = true;
  std::vector<Pattern> patterns;
};

Redactor::Redactor() : compiled_(std::make_unique<Compiled>()) {}
Redactor::~Redactor() = default;

Result<std::shared_ptr<const Redactor>> Redactor::Make(const RedactionSettings& settings) {
  std::shared_ptr<Redactor> redactor(new Redactor());
  redactor->compiled_->built_in = settings.built_in;
  if (settings.patterns.size() > kMaxPatterns) {
    return Error(Code::kInvalidArgument, "redaction: at most " + std::to_string(kMaxPatterns) +
                                             " patterns, got " + std::to_string(settings.patterns.size()));
  }
  for (size_t i = 0; i < settings.patterns.size(); ++i) {
    const auto& pattern = settings.patterns[i];
    const std::string where = "redaction.patterns[" + std::to_string(i) + "]";
    const auto refuse = [&](const std::string& why) { return Error(Code::kInvalidArgument, where + why); };
    if (!IsName(pattern.name))
      return refuse(".name: must be 1 to 40 of a-z 0-9 _ -, got \"" + pattern.name + "\"");
    if (pattern.regex.empty() || pattern.regex.size() > kMaxRegexBytes) {
      return refuse(".regex: must be 1 to 4096 bytes");
    }
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(4 << 20);
    auto regex = std::make_unique<re2::RE2>(pattern.regex, options);
    if (!regex->ok()) return refuse(".regex: " + regex->error());
    if (regex->ProgramSize() > kMaxProgram) {
      return refuse(".regex: compiles to " + std::to_string(regex->ProgramSize()) +
                    " instructions, at most " + std::to_string(kMaxProgram));
    }
    if (re2::RE2::FullMatch("", *regex)) return refuse(".regex: matches the empty text");
    redactor->compiled_->patterns.push_back({Marker(pattern.name), std::move(regex)});
  }
  return std::shared_ptr<const Redactor>(std::move(redactor));
}

std::shared_ptr<const Redactor> Redactor::BuiltIn() {
  static const std::shared_ptr<const Redactor> built_in(new Redactor());
  return built_in;
}

bool Redactor::MayMatch(std::string_view text) const {
  if (compiled_->built_in && internal::SecretScanner(text, true).Next(0).found()) return true;
  return std::any_of(compiled_->patterns.begin(), compiled_->patterns.end(), [&](const auto& pattern) {
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern.regex);
  });
}

int64_t Redactor::Apply(std::string& text, Kind kind) const {
  int64_t found = compiled_->built_in ? ApplyBuiltIn(text, kind == Kind::kText) : 0;
  for (const auto& pattern : compiled_->patterns) {
    found += re2::RE2::GlobalReplace(&text, *pattern.regex, pattern.marker);
  }
  return found;
}

bool IsCredentialKey(std::string_view key) {
  if (key.size() < 5 || key.size() > 256) return false;
  switch (key.back() | 0x20) {  // every name below ends in one of these
    case 'n':                   // authorization, token
      return EndsWithIgnoringCase(key, "authorization") || EndsWithIgnoringCase(key, "access_token") ||
             EndsWithIgnoringCase(key, "access-token") || EndsWithIgnoringCase(key, "auth_token") ||
             EndsWithIgnoringCase(key, "auth-token") || EndsWithIgnoringCase(key, "refresh_token") ||
             EndsWithIgnoringCase(key, "id_token") || EndsWithIgnoringCase(key, "api_token") ||
             EndsWithIgnoringCase(key, "bearer_token") || EndsWithIgnoringCase(key, "session_token") ||
             EndsWithIgnoringCase(key, ".token") || (key.size() == 5 && EndsWithIgnoringCase(key, "token"));
    case 'd':
      return EndsWithIgnoringCase(key, "password") || EndsWithIgnoringCase(key, "passwd");
    case 'e':
      return EndsWithIgnoringCase(key, "passphrase") || EndsWithIgnoringCase(key, "cookie");
    case 't':
      return EndsWithIgnoringCase(key, "secret");
    case 'y':
      return EndsWithIgnoringCase(key, "api_key") || EndsWithIgnoringCase(key, "api-key") ||
             EndsWithIgnoringCase(key, "apikey") || EndsWithIgnoringCase(key, "secret_key") ||
             EndsWithIgnoringCase(key, "private_key") || EndsWithIgnoringCase(key, "access_key");
    case 's':
      return EndsWithIgnoringCase(key, "credentials");
    default:
      return false;
  }
}

}  // namespace tocsin::ingest
