// InjectionWatch: instruction-like text that the model seems to have followed.
//
// The text alone wakes nobody (users and documents may say "ignore all previous instructions" harmlessly).
// It counts when the same generation also does what this stream's baseline does not show: calls a tool the
// stream rarely calls, repeats an address planted in the text, or answers in a style further from the
// stream's usual one than any recent answer. Names the document, and which other conversations got it.
//
// A rule, not a statistical alarm: no false-alarm rate is promised. Not thread-safe. Bounded: 2,048 documents
// with 64 conversations each.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "detect/internal/codec.h"
#include "detect/internal/observation.h"

namespace tocsin::detect {

struct InjectionEffect {
  std::string source;    // "document kb-17", "the user's message", "the result of tool search"
  std::string document;  // id when it is a document
  std::string excerpt;   // of the planted text
  std::string effect;    // what the model did, in words
  std::vector<std::string> conversations;  // others that retrieved the document
};

class InjectionWatch {
 public:
  std::optional<InjectionEffect> Observe(const Observation& observation);
  uint64_t without_effect() const { return without_effect_; }

  void Save(ByteWriter& out) const;
  bool Restore(ByteReader& in);

 private:
  std::string Effect(const Observation& o, const behavior::InjectionFinding& finding) const;
  double StyleDistance(const Observation& o) const;
  void Learn(const Observation& o);
  void IndexDocuments(const Observation& o);

  uint64_t learned_ = 0;
  uint64_t without_effect_ = 0;
  std::array<double, behavior::kStyleCount> mean_{}, m2_{};
  std::deque<float> distances_;  // of recent ordinary answers
  std::unordered_map<std::string, uint64_t> tools_;
  std::unordered_map<std::string, std::deque<std::string>> documents_;
  std::deque<std::string> document_order_;
};

}  // namespace tocsin::detect
