#include "behavior/lexicon.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "behavior/token_scanner.h"

namespace tocsin::behavior {
namespace {

constexpr const char* kFunction =
    "the a an of to in on at by for with from as is are was were be been being and or but if then than that "
    "this these those it its he she they them his her their we our us i me my you your not no so such can "
    "could will would should may might must do does did has have had which who whom what when where why how "
    "there here all any some each more most other into about over under between also only just very too up "
    "down out off again both few own same through during before after above below because while until";
constexpr const char* kFirstPerson =
    "i me my mine myself we us our ours i'm i've i'll i'd we're we've we'll let's";
constexpr const char* kSecondPerson = "you your yours yourself you're you've you'll you'd";
constexpr const char* kHedges =
    "perhaps maybe possibly probably likely unlikely generally typically usually often sometimes might may "
    "could seems seem appears appear approximately roughly somewhat potentially presumably apparently "
    "arguably relatively tends tend";
constexpr const char* kStepWords =
    "first firstly second secondly third thirdly next then finally lastly step steps";
constexpr const char* kConnectors =
    "however therefore additionally moreover furthermore thus hence consequently nevertheless nonetheless "
    "meanwhile similarly likewise overall ultimately besides accordingly although whereas";
constexpr const char* kEmphasis =
    "very really important importantly crucial essential key significant significantly vital highly "
    "extremely absolutely certainly definitely clearly truly great amazing excellent wonderful perfect "
    "various numerous";
constexpr const char* kApologies = "sorry apologize apologise apologies apology unfortunately regret";
constexpr const char* kWh = "what who whom whose when where which why";
constexpr const char* kWrite =
    "write create generate compose draft design make build develop craft produce invent suggest give "
    "provide tell propose brainstorm come imagine act pretend";
constexpr const char* kList = "list names examples ideas ways tips steps items titles bullet top table";
constexpr const char* kExplain = "explain describe discuss compare why how difference reasons analyze";
constexpr const char* kTransform =
    "translate rewrite summarize summarise paraphrase convert edit correct fix classify identify extract "
    "rephrase simplify shorten expand complete fill sort following given input";
constexpr const char* kMath =
    "calculate compute solve equation sum number prime probability percent average product divided times "
    "happy how-many many much";
constexpr const char* kShort = "yes no true false one word sentence short brief briefly only single";
constexpr const char* kYesNo = "yes no yep nope yeah true false correct incorrect";
constexpr const char* kCode =
    "python javascript java code function sql html css program script regex algorithm class bash api json "
    "excel formula query latex";
constexpr const char* kExample = "example examples e.g sample input output";

constexpr const char* kRefusals[] = {
    "i can't help",         "i cannot help",         "i can't assist",
    "i cannot assist",      "i can't provide",       "i cannot provide",
    "i can't fulfill",      "i cannot fulfill",      "i'm unable to",
    "i am unable to",       "i'm not able to",       "i am not able to",
    "i won't be able to",   "i will not be able to", "i cannot generate",
    "i can't generate",     "i cannot create",       "i can't create",
    "i cannot answer",      "i can't answer",        "i cannot comply",
    "i can't comply",       "i must decline",        "i have to decline",
    "i'm sorry but",        "i'm sorry , but",       "i am sorry but",
    "i am sorry , but",     "i cannot support",      "it is not appropriate",
    "it's not appropriate", "i don't have personal", "i do not have personal",
    "i cannot engage",      "i can't engage",        "i won't help",
    "i will not help",      "i cannot participate",  "against my programming",
    "not able to provide",  "i refuse to",           "i cannot promote",
    "i can't discuss",      "i cannot discuss",      "cannot offer",
    "i don't have access",  "i do not have access",  "i cannot access",
    "i can't do that",      "i cannot do that",      "i can't share",
    "i cannot share"};
constexpr const char* kHedgePhrases[] = {"it depends",
                                         "i think",
                                         "i believe",
                                         "in my opinion",
                                         "it seems",
                                         "it's possible",
                                         "it is possible",
                                         "i'm not sure",
                                         "i am not sure",
                                         "it's hard to say",
                                         "may or may not",
                                         "in general",
                                         "it's worth noting",
                                         "it is worth noting",
                                         "it is important to note",
                                         "it's important to note",
                                         "to some extent",
                                         "more or less",
                                         "as far as i know",
                                         "please note that",
                                         "keep in mind"};
constexpr const char* kFlatteries[] = {"great question",
                                       "good question",
                                       "excellent question",
                                       "what a great",
                                       "what a wonderful",
                                       "you're right",
                                       "you are right",
                                       "you're absolutely right",
                                       "you are absolutely right",
                                       "absolutely !",
                                       "certainly !",
                                       "of course !",
                                       "sure !",
                                       "sure thing",
                                       "great idea",
                                       "excellent idea",
                                       "excellent choice",
                                       "great choice",
                                       "that's a great",
                                       "that is a great",
                                       "that's an excellent",
                                       "that's a fantastic",
                                       "i completely agree",
                                       "i totally agree",
                                       "i agree with you",
                                       "you make a great",
                                       "you raise a great",
                                       "wonderful question",
                                       "fantastic question",
                                       "happy to help",
                                       "glad you asked",
                                       "i'd be happy to",
                                       "i love that",
                                       "i love this",
                                       "spot on",
                                       "well said",
                                       "you're so right",
                                       "brilliant idea"};
constexpr const char* kSelfAi[] = {"as an ai",
                                   "as a language model",
                                   "as an artificial intelligence",
                                   "i'm an ai",
                                   "i am an ai",
                                   "i'm just an ai",
                                   "ai language model",
                                   "as a large language model",
                                   "my training data",
                                   "my knowledge cutoff"};
constexpr const char* kConclusions[] = {
    "in conclusion", "in summary", "to summarize", "to sum up",          "overall ,",    "in short",
    "to conclude",   "all in all", "remember ,",   "by following these", "ultimately ,", "these are just"};
constexpr const char* kOffers[] = {
    "let me know",     "feel free to",   "i hope this helps", "hope this helps",   "if you have any",
    "happy to help",   "would you like", "do you want me",    "is there anything", "please provide",
    "can you provide", "don't hesitate", "if you need",       "if you'd like",     "if you would like",
    "enjoy !",         "good luck"};
constexpr const char* kStepPhrases[] = {"step by step", "let's think", "let's break", "to solve this",
                                        "we need to",   "we can see",  "first ,",     "next ,",
                                        "finally ,",    "step 1",      "step 2",      "step 3",
                                        "let us",       "we have",     "we get"};
constexpr const char* kApologyPhrases[] = {"i apologize",  "i apologise", "i'm sorry",  "i am sorry",
                                           "my apologies", "sorry for",   "sorry about"};

}  // namespace

const Lexicon& Lexicon::Instance() {
  static const Lexicon instance;
  return instance;
}

Lexicon::Lexicon() {
  AddWords(kFunctionWord, kFunction);
  AddWords(kFirstPersonWord, kFirstPerson);
  AddWords(kSecondPersonWord, kSecondPerson);
  AddWords(kHedgeWord, kHedges);
  AddWords(kStepWord, kStepWords);
  AddWords(kConnectorWord, kConnectors);
  AddWords(kEmphasisWord, kEmphasis);
  AddWords(kApologyWord, kApologies);
  AddWords(kWhWord, kWh);
  AddWords(kWriteWord, kWrite);
  AddWords(kListWord, kList);
  AddWords(kExplainWord, kExplain);
  AddWords(kTransformWord, kTransform);
  AddWords(kMathWord, kMath);
  AddWords(kShortWord, kShort);
  AddWords(kYesNoWord, kYesNo);
  AddWords(kCodeWord, kCode);
  AddWords(kExampleWord, kExample);
  AddPhrases(kRefusalPhrase, kRefusals);
  AddPhrases(kHedgePhrase, kHedgePhrases);
  AddPhrases(kFlatteryPhrase, kFlatteries);
  AddPhrases(kSelfAiPhrase, kSelfAi);
  AddPhrases(kConclusionPhrase, kConclusions);
  AddPhrases(kOfferPhrase, kOffers);
  AddPhrases(kStepPhrase, kStepPhrases);
  AddPhrases(kApologyPhrase, kApologyPhrases);
  IndexPhrases();
}

void Lexicon::AddWords(uint32_t cls, const char* words) {
  ScanTokens(words, [&](const Token& token) {
    if (token.kind == TokenKind::kWord) FindOrInsert(token.hash).word_classes |= cls;
  });
}

void Lexicon::AddPhrases(uint32_t cls, std::span<const char* const> phrases) {
  for (const char* text : phrases) {
    Phrase phrase;
    phrase.cls = cls;
    ScanTokens(text, [&](const Token& token) {
      if (phrase.size < kMaxPhraseTokens) phrase.reversed[phrase.size++] = token.hash;
    });
    std::reverse(phrase.reversed.begin(), phrase.reversed.begin() + phrase.size);
    if (phrase.size > 0 && phrase_count_ < kMaxPhrases) phrases_[phrase_count_++] = phrase;
  }
}

void Lexicon::IndexPhrases() {
  std::sort(phrases_.begin(), phrases_.begin() + static_cast<std::ptrdiff_t>(phrase_count_),
            [](const Phrase& a, const Phrase& b) { return a.reversed < b.reversed; });
  for (size_t i = 0; i < phrase_count_; ++i) {
    Slot& slot = FindOrInsert(phrases_[i].reversed[0]);
    if (slot.phrase_count == 0) slot.phrase_begin = static_cast<uint16_t>(i);
    ++slot.phrase_count;
  }
}

const Lexicon::Slot* Lexicon::Find(uint64_t hash) const {
  size_t at = hash % kSlots;
  while (slots_[at].hash != 0) {
    if (slots_[at].hash == hash) return &slots_[at];
    at = (at + 1) % kSlots;
  }
  return nullptr;
}

Lexicon::Slot& Lexicon::FindOrInsert(uint64_t hash) {
  size_t at = hash % kSlots;
  while (slots_[at].hash != 0 && slots_[at].hash != hash) at = (at + 1) % kSlots;
  slots_[at].hash = hash;
  return slots_[at];
}

uint32_t Lexicon::Word(uint64_t hash) const {
  const Slot* slot = Find(hash);
  return slot == nullptr ? 0 : slot->word_classes;
}

uint32_t Lexicon::Phrases(std::span<const uint64_t, kMaxPhraseTokens> recent, size_t available) const {
  const Slot* slot = Find(recent[0]);
  if (slot == nullptr || slot->phrase_count == 0) return 0;
  uint32_t classes = 0;
  for (size_t i = slot->phrase_begin; i < size_t{slot->phrase_begin} + slot->phrase_count; ++i) {
    const Phrase& phrase = phrases_[i];
    if (phrase.size > available) continue;
    size_t k = 1;
    while (k < phrase.size && phrase.reversed[k] == recent[k]) ++k;
    if (k == phrase.size) classes |= phrase.cls;
  }
  return classes;
}

}  // namespace tocsin::behavior
