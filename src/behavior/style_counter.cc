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

// Writes style values in the three shapes they come in.
class StyleCounter::Writer {
 public:
  explicit Writer(size_t words) : words_(static_cast<double>(std::max<size_t>(words, 1))) {}
  void Set(Style f, double x) { v[static_cast<size_t>(f)] = static_cast<float>(x); }
  void Flag(Style f, bool x) { Set(f, x ? 1.0 : 0.0); }
  void Rate(Style f, size_t n) { Set(f, std::log1p(100.0 * static_cast<double>(n) / words_)); }
  double words() const { return words_; }
  StyleVector v{};

 private:
  double words_;
};

namespace {
double Share(size_t n, size_t of) { return of == 0 ? 0.0 : static_cast<double>(n) / static_cast<double>(of); }
}  // namespace

void StyleCounter::FinishLayout(Writer& w) const {
  const double words = w.words();
  const double chars = static_cast<double>(std::max<size_t>(text_.size(), 1));
  w.Set(Style::kLogChars, std::log1p(static_cast<double>(text_.size())));
  w.Set(Style::kLogWords, LogCount(words_));
  w.Set(Style::kLogSentences, LogCount(sentences_));
  w.Set(Style::kWordLength, static_cast<double>(word_bytes_) / words / 4.0);
  w.Set(Style::kSentenceWords, std::log1p(words / static_cast<double>(std::max<size_t>(sentences_, 1))));
  w.Set(Style::kLogParagraphs, LogCount(paragraphs_));
  w.Set(Style::kLogLines, LogCount(lines_));
  w.Set(Style::kLineChars, std::log1p(chars / static_cast<double>(lines_)));
  w.Set(Style::kNumberedItems, LogCount(numbered_));
  w.Set(Style::kBulletItems, LogCount(bullets_));
  w.Set(Style::kTightList, Share(tight_items_, numbered_ + bullets_));
  w.Set(Style::kBlankLines, Share(blank_lines_, lines_));
  w.Set(Style::kHeadings, LogCount(headings_));
  w.Set(Style::kBold, LogCount(bold_));
  w.Set(Style::kCodeFences, LogCount(fences_));
  w.Set(Style::kInlineCode, LogCount(ticks_ > 6 * fences_ ? ticks_ - 6 * fences_ : 0));
  w.Set(Style::kTableRows, LogCount(table_rows_));
}

void StyleCounter::FinishWords(Writer& w) const {
  const double words = w.words();
  w.Rate(Style::kMath, math_);
  w.Rate(Style::kCommas, commas_);
  w.Rate(Style::kPeriods, periods_);
  w.Rate(Style::kColons, colons_);
  w.Rate(Style::kSemicolons, semicolons_);
  w.Rate(Style::kExclamations, bangs_);
  w.Rate(Style::kQuestions, questions_);
  w.Rate(Style::kParentheses, parens_);
  w.Rate(Style::kQuotes, quotes_);
  w.Rate(Style::kDashes, dashes_);
  w.Rate(Style::kDigits, numbers_);
  w.Rate(Style::kCapitals, capitalised_);
  w.Rate(Style::kNonAscii, non_ascii_words_);
  w.Set(Style::kTypeToken, static_cast<double>(distinct_) / std::sqrt(words) / 4.0);
  w.Set(Style::kRepetition, Share(repeated_, trigrams_));
  w.Set(Style::kStopWords, Share(function_, words_));
  w.Rate(Style::kFirstPerson, first_person_);
  w.Rate(Style::kSecondPerson, second_person_);
  w.Rate(Style::kContractions, contractions_);
  w.Rate(Style::kHedging, hedges_);
  w.Flag(Style::kRefusal, refusal_);
  w.Flag(Style::kApology, apology_ || apologies_ > 0);
  w.Flag(Style::kFlattery, flattery_);
  w.Flag(Style::kSelfAi, self_ai_);
  w.Rate(Style::kSteps, steps_);
  w.Rate(Style::kConnectors, connectors_);
  w.Flag(Style::kConclusion, conclusion_);
  w.Flag(Style::kOffer, offer_);
  w.Rate(Style::kEmphasis, emphasis_);
  w.Rate(Style::kAdverbs, adverbs_);
  w.Rate(Style::kGerunds, gerunds_);
}

void StyleCounter::FinishEnds(Writer& w, std::string_view format_text) const {
  const size_t last = text_.find_last_not_of(" \t\r\n");
  const char end = last == std::string_view::npos ? '\0' : text_[last];
  w.Flag(Style::kEndsQuestion, end == '?');
  w.Flag(Style::kEndsClosed, end == '.' || end == '!');
  w.Flag(Style::kStartsYesNo, yes_no_);
  w.Set(Style::kFirstSentence, LogCount(first_sentence_words_));
  w.Set(Style::kFirstLine, LogCount(first_line_chars_));
  w.Set(Style::kLastLine, LogCount(text_.size() - std::min(last_line_begin_, text_.size())));
  w.Set(Style::kPromptEcho, Share(opening_hits_, opening_words_));
  w.Set(Style::kPromptCover, Share(prompt_hits_, std::max<size_t>(scratch_.prompt_content_words, 1)));
  w.Flag(Style::kBoxed, boxed_);
  w.Flag(Style::kJson, LooksJson(format_text));
  w.Flag(Style::kCodeBroken, fences_ > 0 && AnyBlockBroken(format_text));
}

StyleVector StyleCounter::Finish(bool language_differs) {
  const std::string_view format_text = text_.substr(0, kMaxFormatBytes);
  if (first_line_chars_ == 0) first_line_chars_ = text_.size();
  fences_ = FindCodeBlocks(format_text).size();
  Writer w(words_);
  FinishLayout(w);
  FinishWords(w);
  FinishEnds(w, format_text);
  w.Flag(Style::kOtherLanguage, language_differs);
  return w.v;
}

}  // namespace tocsin::behavior
