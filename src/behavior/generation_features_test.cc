#include "behavior/generation_features.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <string>

#include "behavior/prompt_features.h"
#include "behavior/prompt_stratum.h"
#include "behavior/token_scanner.h"

namespace tocsin::behavior {
namespace {

GenerationFeatures Of(std::string_view output, std::string_view prompt = "How do I reset my router?") {
  GenerationInput input;
  input.prompt = prompt;
  input.output = output;
  return ExtractFeatures(input);
}

float Style_(std::string_view output, Style feature) { return StyleValue(Of(output), feature); }

TEST(TokenScanner, SplitsWordsNumbersPunctuationAndLines) {
  std::string seen;
  ScanTokens("I\xE2\x80\x99ve got 12 items,\n\xC3\xA9t\xC3\xA9!",
             [&](const Token& token) { seen += std::string(token.text == "\n" ? "\\n" : token.text) + "|"; });
  EXPECT_EQ(seen, "I\xE2\x80\x99ve|got|12|items|,|\\n|\xC3\xA9t\xC3\xA9|!|");
  ScanTokens("I\xE2\x80\x99ve", [](const Token& token) { EXPECT_EQ(token.hash, HashToken("i've")); });
}

TEST(GenerationFeatures, CountsLayout) {
  const std::string text =
      "# Title\n\n1. **One** thing\n2. Two\n\n- a\n- b\n\n```python\nprint((1))\n```\n| a | b |\n";
  const GenerationFeatures f = Of(text);
  EXPECT_FLOAT_EQ(StyleValue(f, Style::kNumberedItems), std::log1p(2.0F));
  EXPECT_FLOAT_EQ(StyleValue(f, Style::kBulletItems), std::log1p(2.0F));
  EXPECT_FLOAT_EQ(StyleValue(f, Style::kHeadings), std::log1p(1.0F));
  EXPECT_FLOAT_EQ(StyleValue(f, Style::kBold), std::log1p(2.0F));
  EXPECT_FLOAT_EQ(StyleValue(f, Style::kCodeFences), std::log1p(1.0F));
  EXPECT_FLOAT_EQ(StyleValue(f, Style::kTableRows), std::log1p(1.0F));
  EXPECT_EQ(StyleValue(f, Style::kCodeBroken), 0.0F);
  EXPECT_EQ(Style_("```python\nprint((1)\n```", Style::kCodeBroken), 1.0F);
}

TEST(GenerationFeatures, RecognisesStance) {
  EXPECT_TRUE(Of("I'm sorry, but I can't help with that request.").refused());
  EXPECT_TRUE(Of("As an AI language model, I cannot provide medical advice.").refused());
  EXPECT_FALSE(Of("You can reset it by holding the button for ten seconds.").refused());
  EXPECT_EQ(Style_("Great question! Hold the button.", Style::kFlattery), 1.0F);
  EXPECT_EQ(Style_("Hold the button.", Style::kFlattery), 0.0F);
  EXPECT_EQ(Style_("I apologize for the trouble. Hold it.", Style::kApology), 1.0F);
  EXPECT_EQ(Style_("As an AI, I have no router.", Style::kSelfAi), 1.0F);
  EXPECT_GT(Style_("It might perhaps be the cable, possibly.", Style::kHedging),
            Style_("It is the cable and nothing else.", Style::kHedging));
  EXPECT_EQ(Style_("Hold it. Let me know if that works.", Style::kOffer), 1.0F);
}

TEST(GenerationFeatures, RecognisesAnswerFormats) {
  EXPECT_EQ(Style_("So the answer is \\boxed{12}.", Style::kBoxed), 1.0F);
  EXPECT_EQ(Style_("Yes, it is prime.", Style::kStartsYesNo), 1.0F);
  EXPECT_EQ(Style_(" {\"a\": [1, 2]} ", Style::kJson), 1.0F);
  EXPECT_EQ(Style_("{\"a\": [1, 2}", Style::kJson), 0.0F);
  EXPECT_GT(Style_("Step 1: divide. Step 2: then add. Finally, check.", Style::kSteps), 1.0F);
  EXPECT_EQ(Style_("Is that what you meant?", Style::kEndsQuestion), 1.0F);
  EXPECT_GT(Style_("the cat sat on the mat the cat sat on the mat", Style::kRepetition), 0.2F);
}

TEST(GenerationFeatures, DetectsLanguages) {
  EXPECT_EQ(DetectLanguage("The answer is that you can reset it with the button."), Language::kEnglish);
  EXPECT_EQ(DetectLanguage("Das ist nicht die Antwort, die ich von dem Modell erwartet habe."),
            Language::kGerman);
  EXPECT_EQ(DetectLanguage("Je ne sais pas si les chats sont dans la maison avec vous."), Language::kFrench);
  EXPECT_EQ(DetectLanguage("El gato está en la casa con los perros, pero no es muy grande."),
            Language::kSpanish);
  EXPECT_EQ(DetectLanguage("Это ответ на ваш вопрос."), Language::kRussian);
  EXPECT_EQ(DetectLanguage("これは質問への答えです。"), Language::kJapanese);
  EXPECT_EQ(DetectLanguage("这是对你的问题的回答。"), Language::kChinese);
  EXPECT_EQ(DetectLanguage("12 34 ok"), Language::kUnknown);
  EXPECT_EQ(StyleValue(Of("Das ist die Antwort, und sie ist nicht kurz."), Style::kOtherLanguage), 0.0F)
      << "the prompt is too short to tell its language";
  EXPECT_EQ(
      StyleValue(Of("Das ist die Antwort, und sie ist nicht kurz.", "What is the way to do it with this?"),
                 Style::kOtherLanguage),
      1.0F);
}

TEST(GenerationFeatures, NgramsAreNormalisedAndNamed) {
  NgramNames names;
  GenerationInput input;
  input.output = "Hello there, hello there";
  const GenerationFeatures f = ExtractFeatures(input, &names);
  double norm = 0.0;
  bool bigram = false;
  for (size_t i = 0; i < f.ngrams.size(); ++i) {
    norm += static_cast<double>(f.ngrams[i].value) * static_cast<double>(f.ngrams[i].value);
    if (i > 0) {
      EXPECT_LT(f.ngrams[i - 1].bucket, f.ngrams[i].bucket);
    }
    bigram |= names.Name(f.ngrams[i].bucket) == "hello there";
  }
  EXPECT_NEAR(norm, 1.0, 1e-5);
  EXPECT_TRUE(bigram);
}

TEST(GenerationFeatures, EmptyAndBrokenTextsAreFinite) {
  for (const std::string& text : {std::string(), std::string("\xFF\xFE\xC3"), std::string(300, '\0'),
                                  std::string("\n\n\n"), std::string("\xE2\x80"), std::string("'")}) {
    const GenerationFeatures f = Of(text, text);
    for (float v : f.style) EXPECT_TRUE(std::isfinite(v));
    for (float v : f.prompt) EXPECT_TRUE(std::isfinite(v));
    EXPECT_LT(f.prompt_stratum, kPromptStrata);
  }
}

TEST(GenerationFeatures, MegabytesTakeLinearTime) {
  // Texts that punish backtracking, nesting and repetition. A quadratic scan of 1 MB would take minutes.
  const auto begin = std::chrono::steady_clock::now();
  for (const char* unit :
       {"a", "(", "[", "{\"a\":", "```\n", "I have ", "1", "- ", "\"", "\\", "http://a ", "\xE2\x80\x8B"}) {
    std::string text;
    while (text.size() < (size_t{1} << 20U)) text += unit;
    const GenerationFeatures f = Of(text, text);
    EXPECT_LE(f.ngrams.size(), size_t{kNgramBuckets});
    EXPECT_NEAR(StyleValue(f, Style::kLogChars), std::log1p(static_cast<double>(text.size())), 1e-3);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(GenerationFeatures, SameInputSameBytes) {
  const GenerationFeatures a = Of("One. Two, three! Four?");
  Of(std::string(100'000, 'x'));  // scratch of another answer in between
  const GenerationFeatures b = Of("One. Two, three! Four?");
  EXPECT_EQ(a.style, b.style);
  ASSERT_EQ(a.ngrams.size(), b.ngrams.size());
  for (size_t i = 0; i < a.ngrams.size(); ++i) EXPECT_EQ(a.ngrams[i].value, b.ngrams[i].value);
}

TEST(StyleFeatures, NamesAreUniqueAndWordsExist) {
  for (size_t i = 0; i < kStyleCount; ++i) {
    EXPECT_FALSE(StyleName(static_cast<Style>(i)).empty());
    EXPECT_NE(StyleWordsUp(static_cast<Style>(i)), StyleWordsDown(static_cast<Style>(i)));
    for (size_t j = 0; j < i; ++j)
      EXPECT_NE(StyleName(static_cast<Style>(i)), StyleName(static_cast<Style>(j)));
  }
}

TEST(PromptStratum, FollowsTheKindOfPrompt) {
  const auto name = [](std::string_view p) { return PromptStratumName(PromptStratum(PromptFeatures(p))); };
  EXPECT_EQ(name("Write a Python function that sorts a dictionary"), "code");
  EXPECT_EQ(name("Write a poem about rain"), "short order to write");
  EXPECT_EQ(name("Is it going to rain?"), "short question");
}

}  // namespace
}  // namespace tocsin::behavior
