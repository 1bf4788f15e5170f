#include "detect/internal/title.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tocsin::detect {
namespace {

std::string Percent(double share) {
  const double p = share * 100;
  return p >= 10 || p == 0 ? fmt::format("{:.0f} %", p) : fmt::format("{:.1f} %", p);
}

std::string Since(const TitleFacts& facts) {
  return facts.onset.known() ? " since " + FormatTimeForPeople(facts.onset) : std::string();
}

std::string Where(const TitleFacts& facts) {
  if (!facts.concentration) return {};
  return fmt::format(", mainly {} {}", facts.concentration->attribute, facts.concentration->value);
}

// "became 40 % shorter"; empty when the length did not move much.
std::string LengthPhrase(const Effect& e) {
  if (e.before <= 0) return "became longer";
  const double ratio = e.after / e.before;
  if (ratio >= 2) return fmt::format("became {:.1f} times as long", ratio);
  if (ratio >= 1.02) return fmt::format("became {:.0f} % longer", (ratio - 1) * 100);
  if (ratio <= 0.98) return fmt::format("became {:.0f} % shorter", (1 - ratio) * 100);
  return {};
}

std::string Phrase(const NamedChange& c) {
  if (c.is_named && SpecOf(c.feature).unit == "share") {
    return fmt::format("{} ({})", c.words, BeforeAfter(c.effect.before, c.effect.after, "share"));
  }
  // "more answers open with …" reads as a clause; in a list of nouns it needs "that".
  std::string words = c.words;
  for (const std::string_view verb :
       {"answers open ", "answers end ", "answers are valid ", "answers repeat "}) {
    if (const size_t at = words.find(verb); at != std::string::npos) words.insert(at + 8, "that ");
  }
  for (const auto& [verb, noun] : {std::pair{"speaks of itself", "speaking of itself"},
                                   std::pair{"addresses the user", "addressing the user"},
                                   std::pair{"opening repeats", "an opening that repeats"}}) {
    if (words.starts_with(verb)) words.replace(0, std::string_view(verb).size(), noun);
  }
  return words;
}

std::string BehaviourTitle(const TitleFacts& facts) {
  std::string length;
  std::vector<std::string> rest;
  const auto add = [&](const NamedChange& c) {
    if (c.name == "length.chars" && c.is_named) {
      length = LengthPhrase(c.effect);
    } else if (!c.name.starts_with("length.")) {
      std::string phrase = Phrase(c);
      if (std::ranges::find(rest, phrase) == rest.end()) rest.push_back(std::move(phrase));
    }
  };
  if (facts.leading) add(*facts.leading);
  for (const auto& c : facts.changes) {
    if (rest.size() + (length.empty() ? 0 : 1) >= 3) break;
    add(c);
  }
  std::string title = "Answers of " + WhoAnswers(facts.stream);
  if (!length.empty()) title += " " + length;
  if (length.empty()) title += " changed";
  for (size_t i = 0; i < rest.size(); ++i) {
    title += i == 0 ? (length.empty() ? ": " : ", with ") : i + 1 == rest.size() ? " and " : ", ";
    title += rest[i];
  }
  return title + Where(facts) + Since(facts);
}

std::string ScoreTitle(const TitleFacts& facts, std::string_view what) {
  const double before = facts.score_before;
  const double after = facts.score_after;
  const bool fell = after < before;
  std::string size = fmt::format("({:.2f} → {:.2f})", before, after);
  if (before > 0) {
    size = fmt::format("{:.0f} % ({:.2f} → {:.2f})", std::abs(after - before) / before * 100, before, after);
  }
  return fmt::format("{} {} {} {}", what, WhoAnswers(facts.stream), fell ? "fell" : "rose", size);
}

}  // namespace

std::string BeforeAfter(double before, double after, std::string_view unit) {
  if (unit == "share") return Percent(before) + " → " + Percent(after);
  const double most = std::max(std::abs(before), std::abs(after));
  const std::string suffix = unit.empty() ? std::string() : " " + std::string(unit);
  if (most >= 100) return fmt::format("{:.0f} → {:.0f}{}", before, after, suffix);
  if (most >= 10) return fmt::format("{:.1f} → {:.1f}{}", before, after, suffix);
  if (most >= 0.1) return fmt::format("{:.2f} → {:.2f}{}", before, after, suffix);
  return fmt::format("{:.2g} → {:.2g}{}", before, after, suffix);
}

std::string WhoAnswers(const StreamKey& stream) {
  std::string who = Excerpt(stream.service.empty() ? "unknown_service" : stream.service, 48);
  if (!stream.feature.empty() && stream.feature != stream.service) {
    who += " (" + Excerpt(stream.feature, 40) + ")";
  }
  return who;
}

std::string MakeTitle(const TitleFacts& facts) {
  const std::string who = WhoAnswers(facts.stream);
  const auto leading = [&] {
    return facts.leading ? BeforeAfter(facts.leading->effect.before, facts.leading->effect.after, "share")
                         : std::string();
  };
  switch (facts.kind) {
    case FindingKind::kGrounding:
      return fmt::format("Answers of {} invent identifiers their context does not hold ({}){}{}", who,
                         leading(), Where(facts), Since(facts));
    case FindingKind::kActionClaim:
      return fmt::format("Answers of {} claim actions that no tool performed ({}){}{}", who, leading(),
                         Where(facts), Since(facts));
    case FindingKind::kFeedback:
      return ScoreTitle(facts, "Satisfaction with") + Since(facts);
    case FindingKind::kRetrieval: {
      const std::string words = facts.leading ? facts.leading->words : "passages changed";
      const std::string unit = facts.leading ? std::string(SpecOf(facts.leading->feature).unit) : "";
      const std::string numbers =
          facts.leading ? BeforeAfter(facts.leading->effect.before, facts.leading->effect.after, unit) : "";
      return fmt::format("Retrieval of {}: {} ({}){}{}", who, words, numbers, Where(facts), Since(facts));
    }
    case FindingKind::kEvaluator:
      return ScoreTitle(facts, "Scores of evaluator " + Excerpt(facts.score_name, 40) + " for") +
             " while the answers did not change: suspect the evaluator" + Since(facts);
    case FindingKind::kTrafficMix:
      return fmt::format("Questions to {} changed; answers to like questions did not{}", who, Since(facts));
    default:
      break;
  }
  if (!facts.score_name.empty()) {
    return ScoreTitle(facts, "Scores of evaluator " + Excerpt(facts.score_name, 40) + " for") + Since(facts);
  }
  return BehaviourTitle(facts);
}

}  // namespace tocsin::detect
