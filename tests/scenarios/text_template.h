// TextTemplate: seeded variation of texts in scenario files.
//   {a|b|c}       one of them            {30%:a|b}   a in 30 of 100, else b
//   {@name}       a list of the file     {#6}        six digits, fresh each time
//   {$order}      six digits, the same everywhere in one generation
// Braces nest. Not thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "kernel/rng.h"

namespace tocsin::scenarios {

class TextTemplate {
 public:
  explicit TextTemplate(uint64_t seed) : rng_(seed) {}
  void Define(const std::string& name, const std::string& text) { lists_[name] = text; }
  void Reseed(uint64_t seed) { rng_ = Rng(seed); }
  void NewGeneration() { variables_.clear(); }
  std::string Expand(std::string_view text, int depth = 0);
  Rng& rng() { return rng_; }

 private:
  std::string Choose(std::string_view inside, int depth);
  std::string Digits(int n);

  Rng rng_;
  std::map<std::string, std::string> lists_;
  std::map<std::string, std::string> variables_;
};

}  // namespace tocsin::scenarios
