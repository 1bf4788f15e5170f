#include "behavior/style_counter.h"

#include <algorithm>
#include <cmath>

#include "behavior/format_check.h"

namespace tocsin::behavior {
namespace {

constexpr uint64_t kBoxed = HashToken("boxed");
constexpr size_t kOpeningTokens = 60;
constexpr size_t kMaxFormatBytes = size_t{256} << 10U;

bool EndsWithLower(std::string_view word, std::string_view suffix) {
  return word.size() > suffix.size() + 2 && word.ends_with(suffix);
}

double LogCount(size_t n) { return std::log1p(static_cast<double>(n)); }

bool AnyBlockBroken(std::string_view text) {
  for (const CodeBlock& block : FindCodeBlocks(text)) {
    if (!block.closed) return true;
    if (block.language == "json" ? !IsValidJson(block.code) : !BracketsBalanced(block.code, block.language)) {
      return true;
    }
  }
  return false;
}

bool LooksJson(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[') && IsValidJson(text);
}

}  // namespace

StyleCounter::StyleCounter(std::string_view text, StyleScratch& scratch)
    : text_(text), scratch_(scratch), lexicon_(Lexicon::Instance()) {
  scratch_.words.Clear();
  scratch_.trigrams.Clear();
}

void StyleCounter::Add(const Token& token) {
  for (size_t k = kMaxPhraseTokens - 1; k > 0; --k) recent_[k] = recent_[k - 1];
  recent_[0] = token.hash;
  ++tokens_;
  if (token.kind == TokenKind::kNewline) {
    AddNewline(token);
    return;
  }
  if (line_tokens_ == 0) StartLine(token);
  newlines_in_row_ = 0;
  switch (token.kind) {
    case TokenKind::kWord:
      AddWord(token);
      break;
    case TokenKind::kNumber:
      ++numbers_;
      break;
    case TokenKind::kPunct:
      AddPunct(token);
      break;
    case TokenKind::kNewline:
      break;
  }
  NotePhrases();
  if (line_tokens_ == 1 && line_is_number_ && token.kind == TokenKind::kPunct && !token.space_before &&
      (token.text[0] == '.' || token.text[0] == ')')) {
    ++numbered_;
    if (!previous_blank_) ++tight_items_;
  }
  if (line_tokens_ == 1 && line_mark_ != 0 && token.space_before) {
    if (line_mark_ == '#') {
      ++headings_;
    } else {
      ++bullets_;
      if (!previous_blank_) ++tight_items_;
    }
  }
  const bool heading_mark =
      line_tokens_ == 1 && line_mark_ == '#' && token.text[0] == '#';  // "##" is one mark
  if (!heading_mark) ++line_tokens_;
}

void StyleCounter::StartLine(const Token& token) {
  line_is_number_ = token.kind == TokenKind::kNumber && token.text.size() <= 3;
  const char c = token.text[0];
  const bool bullet_dot = token.text.size() >= 3 && token.text.substr(0, 3) == "\xE2\x80\xA2";
  line_mark_ = (c == '-' || c == '*' || c == '+' || c == '#') ? c : '\0';
  if (bullet_dot) {
    ++bullets_;
    if (!previous_blank_) ++tight_items_;
  }
  if (c == '|') ++table_rows_;
  last_line_begin_ = static_cast<size_t>(token.text.data() - text_.data());
}

void StyleCounter::AddWord(const Token& token) {
  ++words_;
  word_bytes_ += token.text.size();
  capitalised_ += token.capitalised ? 1 : 0;
  contractions_ += token.has_apostrophe ? 1 : 0;
  if (static_cast<unsigned char>(token.text[0]) >= 0x80) ++non_ascii_words_;
  if (scratch_.words.Insert(token.hash)) {
    ++distinct_;
    if (scratch_.prompt_words.Contains(token.hash)) ++prompt_hits_;
  }
  const uint32_t cls = lexicon_.Word(token.hash);
  if (cls != 0) {
    function_ += (cls & kFunctionWord) ? 1 : 0;
    first_person_ += (cls & kFirstPersonWord) ? 1 : 0;
    second_person_ += (cls & kSecondPersonWord) ? 1 : 0;
    hedges_ += (cls & kHedgeWord) ? 1 : 0;
    steps_ += (cls & kStepWord) ? 1 : 0;
    connectors_ += (cls & kConnectorWord) ? 1 : 0;
    emphasis_ += (cls & kEmphasisWord) ? 1 : 0;
    apologies_ += (cls & kApologyWord) ? 1 : 0;
    if (words_ == 1 && (cls & kYesNoWord)) yes_no_ = true;
  }
  if (!(cls & kFunctionWord) && opening_words_ < 12) {
    ++opening_words_;
    if (scratch_.prompt_words.Contains(token.hash)) ++opening_hits_;
  }
  if (EndsWithLower(token.text, "ly")) ++adverbs_;
  if (EndsWithLower(token.text, "ing")) ++gerunds_;
  if (token.hash == kBoxed) boxed_ = true;
  if (tokens_ >= 3) {
    ++trigrams_;
    if (!scratch_.trigrams.Insert(CombineHash(CombineHash(recent_[2], recent_[1]), recent_[0]))) ++repeated_;
  }
  if (sentences_ == 0) ++first_sentence_words_;
}

void StyleCounter::AddPunct(const Token& token) {
  const char c = token.text[0];
  const bool doubled = !token.space_before && last_punct_at_ != nullptr && last_punct_ == c &&
                       token.text.data() == last_punct_at_ + 1;
  switch (c) {
    case ',':
      ++commas_;
      break;
    case '.':
      ++periods_;
      ++sentences_;
      break;
    case ':':
      ++colons_;
      break;
    case ';':
      ++semicolons_;
      break;
    case '!':
      ++bangs_;
      ++sentences_;
      break;
    case '?':
      ++questions_;
      ++sentences_;
      break;
    case '(':
      ++parens_;
      break;
    case '"':
      ++quotes_;
      break;
    case '-':
      ++dashes_;
      break;
    case '*':
      bold_ += doubled ? 1 : 0;
      break;
    case '`':
      ++ticks_;
      break;
    case '$':
    case '\\':
    case '^':
    case '=':
      ++math_;
      break;
    default:
      break;
  }
  last_punct_ = c;
  last_punct_at_ = token.text.data();
}

void StyleCounter::AddNewline(const Token& token) {
  ++newlines_in_row_;
  const bool blank = line_tokens_ == 0;
  if (blank) ++blank_lines_;
  if (!blank) {
    ++lines_;
    previous_blank_ = false;
    if (lines_ == 2) first_line_chars_ = static_cast<size_t>(token.text.data() - text_.data());
  } else {
    previous_blank_ = true;
  }
  if (newlines_in_row_ == 2) ++paragraphs_;
  if (sentences_ == 0 && words_ > 0) sentences_ = 1;
  line_tokens_ = 0;
  line_mark_ = 0;
  line_is_number_ = false;
}

void StyleCounter::NotePhrases() {
  const uint32_t found = lexicon_.Phrases(recent_, std::min(tokens_, kMaxPhraseTokens));
  if (found == 0) return;
  const bool opening = tokens_ <= kOpeningTokens;
  if (opening && (found & kRefusalPhrase)) refusal_ = true;
  if (tokens_ <= 20 && (found & kFlatteryPhrase)) flattery_ = true;
  if (found & kSelfAiPhrase) self_ai_ = true;
  if (found & kConclusionPhrase) conclusion_ = true;
  if (found & kOfferPhrase) offer_ = true;
  if (found & kApologyPhrase) apology_ = true;
  if (found & kStepPhrase) ++steps_;
  if (found & kHedgePhrase) ++hedges_;
}

StyleVector StyleCounter::Finish(bool language_differs) {
  StyleVector v{};
  const double words = static_cast<double>(std::max<size_t>(words_, 1));
  const double chars = static_cast<double>(std::max<size_t>(text_.size(), 1));
  const auto set = [&](Style f, double x) { v[static_cast<size_t>(f)] = static_cast<float>(x); };
  const auto flag = [&](Style f, bool x) { set(f, x ? 1.0 : 0.0); };
  const auto rate = [&](Style f, size_t n) { set(f, std::log1p(100.0 * static_cast<double>(n) / words)); };
  const auto share = [](size_t n, size_t of) {
    return of == 0 ? 0.0 : static_cast<double>(n) / static_cast<double>(of);
  };
  const std::string_view format_text = text_.substr(0, kMaxFormatBytes);
  if (first_line_chars_ == 0) first_line_chars_ = text_.size();
  fences_ = FindCodeBlocks(format_text).size();

  set(Style::kLogChars, std::log1p(static_cast<double>(text_.size())));
  set(Style::kLogWords, LogCount(words_));
  set(Style::kLogSentences, LogCount(sentences_));
  set(Style::kWordLength, static_cast<double>(word_bytes_) / words / 4.0);
  set(Style::kSentenceWords, std::log1p(words / static_cast<double>(std::max<size_t>(sentences_, 1))));
  set(Style::kLogParagraphs, LogCount(paragraphs_));
  set(Style::kLogLines, LogCount(lines_));
  set(Style::kLineChars, std::log1p(chars / static_cast<double>(lines_)));
  set(Style::kNumberedItems, LogCount(numbered_));
  set(Style::kBulletItems, LogCount(bullets_));
  set(Style::kTightList, share(tight_items_, numbered_ + bullets_));
  set(Style::kBlankLines, share(blank_lines_, lines_));
  set(Style::kHeadings, LogCount(headings_));
  set(Style::kBold, LogCount(bold_));
  set(Style::kCodeFences, LogCount(fences_));
  set(Style::kInlineCode, LogCount(ticks_ > 6 * fences_ ? ticks_ - 6 * fences_ : 0));
  set(Style::kTableRows, LogCount(table_rows_));
  rate(Style::kMath, math_);
  rate(Style::kCommas, commas_);
  rate(Style::kPeriods, periods_);
  rate(Style::kColons, colons_);
  rate(Style::kSemicolons, semicolons_);
  rate(Style::kExclamations, bangs_);
  rate(Style::kQuestions, questions_);
  rate(Style::kParentheses, parens_);
  rate(Style::kQuotes, quotes_);
  rate(Style::kDashes, dashes_);
  rate(Style::kDigits, numbers_);
  rate(Style::kCapitals, capitalised_);
  rate(Style::kNonAscii, non_ascii_words_);
  set(Style::kTypeToken, static_cast<double>(distinct_) / std::sqrt(words) / 4.0);
  set(Style::kRepetition, share(repeated_, trigrams_));
  set(Style::kStopWords, share(function_, words_));
  rate(Style::kFirstPerson, first_person_);
  rate(Style::kSecondPerson, second_person_);
  rate(Style::kContractions, contractions_);
  rate(Style::kHedging, hedges_);
  flag(Style::kRefusal, refusal_);
  flag(Style::kApology, apology_ || apologies_ > 0);
  flag(Style::kFlattery, flattery_);
  flag(Style::kSelfAi, self_ai_);
  rate(Style::kSteps, steps_);
  rate(Style::kConnectors, connectors_);
  flag(Style::kConclusion, conclusion_);
  flag(Style::kOffer, offer_);
  rate(Style::kEmphasis, emphasis_);
  rate(Style::kAdverbs, adverbs_);
  rate(Style::kGerunds, gerunds_);
  const size_t last = text_.find_last_not_of(" \t\r\n");
  const char end = last == std::string_view::npos ? '\0' : text_[last];
  flag(Style::kEndsQuestion, end == '?');
  flag(Style::kEndsClosed, end == '.' || end == '!');
  flag(Style::kStartsYesNo, yes_no_);
  set(Style::kFirstSentence, LogCount(first_sentence_words_));
  set(Style::kFirstLine, LogCount(first_line_chars_));
  set(Style::kLastLine, LogCount(text_.size() - std::min(last_line_begin_, text_.size())));
  set(Style::kPromptEcho, share(opening_hits_, opening_words_));
  set(Style::kPromptCover, share(prompt_hits_, std::max<size_t>(scratch_.prompt_content_words, 1)));
  flag(Style::kBoxed, boxed_);
  flag(Style::kJson, LooksJson(format_text));
  flag(Style::kCodeBroken, fences_ > 0 && AnyBlockBroken(format_text));
  flag(Style::kOtherLanguage, language_differs);
  return v;
}

}  // namespace tocsin::behavior
