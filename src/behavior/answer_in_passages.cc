#include "behavior/answer_in_passages.h"

#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "behavior/generation_features.h"
#include "behavior/lexicon.h"
#include "behavior/token_scanner.h"

namespace tocsin::behavior {
namespace {

// Content words (and numbers) of a text, in order.
std::vector<uint64_t> ContentWords(std::string_view text) {
  const Lexicon& lexicon = Lexicon::Instance();
  std::vector<uint64_t> words;
  ScanTokens(text.substr(0, kMaxScannedBytes), [&](const Token& token) {
    if (token.kind == TokenKind::kNumber ||
        (token.kind == TokenKind::kWord && (lexicon.Word(token.hash) & kFunctionWord) == 0)) {
      words.push_back(token.hash);
    }
  });
  return words;
}

double Share(size_t hit, size_t of) {
  return of == 0 ? 0.0 : static_cast<double>(hit) / static_cast<double>(of);
}

}  // namespace

PassageSupport AnswerInPassages(const GenerationInput& input) {
  PassageSupport out;
  out.share = std::numeric_limits<double>::quiet_NaN();
  if (input.documents.empty()) return out;
  const std::vector<uint64_t> prompt = ContentWords(input.prompt);
  const std::unordered_set<uint64_t> asked(prompt.begin(), prompt.end());
  const std::vector<uint64_t> answer = ContentWords(input.output);

  std::unordered_set<uint64_t> wanted;  // distinct new content words of the answer
  std::unordered_set<uint64_t> wanted_pairs;
  for (size_t i = 0; i < answer.size(); ++i) {
    if (asked.contains(answer[i])) continue;
    wanted.insert(answer[i]);
    if (i > 0) wanted_pairs.insert(CombineHash(answer[i - 1], answer[i]));
  }
  if (wanted.empty()) return out;

  std::unordered_set<uint64_t> seen;
  std::unordered_set<uint64_t> seen_pairs;
  size_t best = 0;
  for (const DocumentView& document : input.documents) {
    const std::vector<uint64_t> words = ContentWords(document.text);
    std::unordered_set<uint64_t> here;
    for (size_t i = 0; i < words.size(); ++i) {
      if (wanted.contains(words[i])) here.insert(words[i]);
      if (i == 0) continue;
      const uint64_t pair = CombineHash(words[i - 1], words[i]);
      if (wanted_pairs.contains(pair)) seen_pairs.insert(pair);
    }
    if (here.size() > best) {
      best = here.size();
      out.best_document = std::string(document.id);
    }
    seen.insert(here.begin(), here.end());
  }
  out.content_words = wanted.size();
  out.word_share = Share(seen.size(), wanted.size());
  out.bigram_share = wanted_pairs.empty() ? out.word_share : Share(seen_pairs.size(), wanted_pairs.size());
  out.share = 0.5 * (out.word_share + out.bigram_share);
  return out;
}

}  // namespace tocsin::behavior
