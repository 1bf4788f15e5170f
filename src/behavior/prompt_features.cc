#include "behavior/prompt_features.h"

#include <algorithm>
#include <cmath>

#include "behavior/generation_features.h"
#include "behavior/lexicon.h"
#include "behavior/token_scanner.h"

namespace tocsin::behavior {

std::string_view PromptFeatureName(PromptFeature feature) {
  static constexpr std::array<std::string_view, kPromptCount> kNames = {
      "prompt.chars",    "prompt.words",     "prompt.lines",  "prompt.question",
      "prompt.wh_word",  "prompt.how",       "prompt.write",  "prompt.list",
      "prompt.explain",  "prompt.code",      "prompt.digits", "prompt.quotes",
      "prompt.examples", "prompt.transform", "prompt.math",   "prompt.short_answer"};
  return kNames[static_cast<size_t>(feature)];
}

PromptVector PromptFeatures(std::string_view prompt) {
  const Lexicon& lexicon = Lexicon::Instance();
  static constexpr uint64_t kHow = HashToken("how");
  double words = 0;
  double lines = 0;
  double digits = 0;
  double quotes = 0;
  double braces = 0;
  uint32_t classes = 0;
  uint32_t opening = 0;
  bool how = false;
  bool question = false;
  ScanTokens(prompt.substr(0, std::min(prompt.size(), kMaxScannedBytes)), [&](const Token& token) {
    switch (token.kind) {
      case TokenKind::kWord: {
        const uint32_t cls = lexicon.Word(token.hash);
        ++words;
        classes |= cls;
        if (words <= 6) opening |= cls;
        if (words <= 6 && token.hash == kHow) how = true;
        break;
      }
      case TokenKind::kNumber:
        ++digits;
        break;
      case TokenKind::kNewline:
        ++lines;
        break;
      case TokenKind::kPunct: {
        const char c = token.text[0];
        if (c == '?') question = true;
        if (c == '"') ++quotes;
        if (c == '{' || c == ';' || c == '`' || c == '<') ++braces;
        break;
      }
    }
  });
  PromptVector out{};
  const auto set = [&](PromptFeature f, double v) { out[static_cast<size_t>(f)] = static_cast<float>(v); };
  const auto flag = [&](PromptFeature f, bool v) { set(f, v ? 1.0 : 0.0); };
  set(PromptFeature::kLogChars, std::log1p(static_cast<double>(prompt.size())));
  set(PromptFeature::kLogWords, std::log1p(words));
  set(PromptFeature::kLogLines, std::log1p(lines));
  flag(PromptFeature::kQuestion, question);
  flag(PromptFeature::kWhWord, (opening & kWhWord) != 0);
  flag(PromptFeature::kHow, how);
  flag(PromptFeature::kWrite, (opening & kWriteWord) != 0);
  flag(PromptFeature::kList, (classes & kListWord) != 0);
  flag(PromptFeature::kExplain, (classes & kExplainWord) != 0);
  flag(PromptFeature::kCode, (classes & kCodeWord) != 0 || braces >= 3);
  set(PromptFeature::kDigits, std::log1p(digits));
  set(PromptFeature::kQuotes, std::log1p(quotes));
  flag(PromptFeature::kExamples, (classes & kExampleWord) != 0);
  flag(PromptFeature::kTransform, (classes & kTransformWord) != 0);
  flag(PromptFeature::kMath, (classes & kMathWord) != 0);
  flag(PromptFeature::kShortAnswer, (classes & kShortWord) != 0);
  return out;
}

}  // namespace tocsin::behavior
