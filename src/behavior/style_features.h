// The dense, named style features of one answer: lengths, layout, punctuation,
// vocabulary, stance and format. Deterministic, cheap, no model.
//
// Every value is finite and roughly of order one before standardisation:
// counts enter as log(1+n), shares and rates lie in [0, 1].
// Names are stable: they appear in incidents, claims and stored state.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace tocsin::behavior {

// X(identifier, stable name, words when higher, words when lower)
#define TOCSIN_STYLE_FEATURES(X)                                                                          \
  X(LogChars, "length.chars", "answers are longer", "answers are shorter")                                \
  X(LogWords, "length.words", "answers have more words", "answers have fewer words")                      \
  X(LogSentences, "length.sentences", "more sentences", "fewer sentences")                                \
  X(WordLength, "words.mean_length", "longer words", "shorter words")                                     \
  X(SentenceWords, "sentences.words", "longer sentences", "shorter sentences")                            \
  X(LogParagraphs, "layout.paragraphs", "more paragraphs", "fewer paragraphs")                            \
  X(LogLines, "layout.lines", "more lines", "fewer lines")                                                \
  X(LineChars, "layout.line_length", "longer lines", "shorter lines")                                     \
  X(NumberedItems, "list.numbered", "more numbered list items", "fewer numbered list items")              \
  X(BulletItems, "list.bullets", "more bullet points", "fewer bullet points")                             \
  X(TightList, "list.tight", "list items without blank lines between",                                    \
    "list items separated by blank lines")                                                                \
  X(BlankLines, "layout.blank_lines", "more blank lines", "fewer blank lines")                            \
  X(Headings, "markdown.headings", "more headings", "fewer headings")                                     \
  X(Bold, "markdown.bold", "more bold text", "less bold text")                                            \
  X(CodeFences, "markdown.code_fences", "more code blocks", "fewer code blocks")                          \
  X(InlineCode, "markdown.inline_code", "more inline code", "less inline code")                           \
  X(TableRows, "markdown.table_rows", "more table rows", "fewer table rows")                              \
  X(Math, "format.math", "more mathematical notation", "less mathematical notation")                      \
  X(Commas, "punctuation.commas", "more commas", "fewer commas")                                          \
  X(Periods, "punctuation.periods", "more full stops", "fewer full stops")                                \
  X(Colons, "punctuation.colons", "more colons", "fewer colons")                                          \
  X(Semicolons, "punctuation.semicolons", "more semicolons", "fewer semicolons")                          \
  X(Exclamations, "punctuation.exclamations", "more exclamation marks", "fewer exclamation marks")        \
  X(Questions, "punctuation.questions", "more questions", "fewer questions")                              \
  X(Parentheses, "punctuation.parentheses", "more parentheses", "fewer parentheses")                      \
  X(Quotes, "punctuation.quotes", "more quotation marks", "fewer quotation marks")                        \
  X(Dashes, "punctuation.dashes", "more dashes", "fewer dashes")                                          \
  X(Digits, "chars.digits", "more digits", "fewer digits")                                                \
  X(Capitals, "words.capitalised", "more capitalised words", "fewer capitalised words")                   \
  X(NonAscii, "chars.non_ascii", "more non-ASCII characters", "fewer non-ASCII characters")               \
  X(TypeToken, "words.variety", "richer vocabulary", "poorer vocabulary")                                 \
  X(Repetition, "words.repetition", "more repeated phrases", "fewer repeated phrases")                    \
  X(StopWords, "words.function", "more function words", "fewer function words")                           \
  X(FirstPerson, "voice.first_person", "more first person", "less first person")                          \
  X(SecondPerson, "voice.second_person", "addresses the user more", "addresses the user less")            \
  X(Contractions, "voice.contractions", "more contractions", "fewer contractions")                        \
  X(Hedging, "stance.hedging", "more hedging", "less hedging")                                            \
  X(Refusal, "stance.refusal", "more refusals", "fewer refusals")                                         \
  X(Apology, "stance.apology", "more apologies", "fewer apologies")                                       \
  X(Flattery, "stance.flattery", "more agreement and flattery", "less agreement and flattery")            \
  X(SelfAi, "stance.as_an_ai", "speaks of itself as an AI more", "speaks of itself as an AI less")        \
  X(Steps, "structure.steps", "more step-by-step reasoning", "less step-by-step reasoning")               \
  X(Connectors, "structure.connectors", "more connecting adverbs", "fewer connecting adverbs")            \
  X(Conclusion, "structure.conclusion", "more closing summaries", "fewer closing summaries")              \
  X(Offer, "stance.offer", "more closing offers of help", "fewer closing offers of help")                 \
  X(Emphasis, "words.emphasis", "more emphasis words", "fewer emphasis words")                            \
  X(Adverbs, "words.adverbs", "more adverbs", "fewer adverbs")                                            \
  X(Gerunds, "words.gerunds", "more -ing forms", "fewer -ing forms")                                      \
  X(EndsQuestion, "end.question", "more answers end in a question", "fewer answers end in a question")    \
  X(EndsClosed, "end.closed", "more answers end with a full stop", "fewer answers end with a full stop")  \
  X(StartsYesNo, "start.yes_no", "more answers open with yes or no", "fewer answers open with yes or no") \
  X(FirstSentence, "start.sentence_words", "longer opening sentence", "shorter opening sentence")         \
  X(FirstLine, "start.line_chars", "longer opening line", "shorter opening line")                         \
  X(LastLine, "end.line_chars", "longer closing line", "shorter closing line")                            \
  X(PromptEcho, "prompt.echo_in_opening", "opening repeats the question more",                            \
    "opening repeats the question less")                                                                  \
  X(PromptCover, "prompt.coverage", "answers repeat more of the prompt",                                  \
    "answers repeat less of the prompt")                                                                  \
  X(Boxed, "format.boxed", "more boxed answers", "fewer boxed answers")                                   \
  X(Json, "format.json", "more answers are valid JSON", "fewer answers are valid JSON")                   \
  X(CodeBroken, "format.code_broken", "more code blocks with unbalanced brackets",                        \
    "fewer code blocks with unbalanced brackets")                                                         \
  X(OtherLanguage, "language.differs_from_prompt", "more answers in another language than the prompt",    \
    "fewer answers in another language than the prompt")

enum class Style : std::size_t {
#define TOCSIN_X(id, name, up, down) k##id,
  TOCSIN_STYLE_FEATURES(TOCSIN_X)
#undef TOCSIN_X
      kCount
};

inline constexpr std::size_t kStyleCount = static_cast<std::size_t>(Style::kCount);
using StyleVector = std::array<float, kStyleCount>;

// Features of the prompt alone, the covariates the style is judged given.
inline constexpr std::size_t kPromptCount = 16;
using PromptVector = std::array<float, kPromptCount>;

std::string_view StyleName(Style feature);       // "length.chars"
std::string_view StyleWordsUp(Style feature);    // "answers are longer"
std::string_view StyleWordsDown(Style feature);  // "answers are shorter"

}  // namespace tocsin::behavior
