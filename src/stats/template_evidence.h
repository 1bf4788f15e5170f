// When are several log templates that differ in the same places one template with variables there?
//
// Lines of one kind with a parameter and kinds of line that share their words look alike when few have been
// seen. What tells them apart is how many different words stand in the place, given how much else is the same
// and what the place looks like:
//   * a variable was already seen there (a number where the other has a word): one is enough;
//   * after "for user", between quotes: a name is expected, two will do; after "from", half of what is
//   needed;
//   * words all in capitals are states of a machine ("from NEW to ASSIGNED"): four times as many;
//   * the first word is what the line is about: twice as many;
//   * words that still turn up anew after many lines are rarer kinds, not values: the need grows with
//   log10(lines).
// Never with fewer than two constant words for each place. The numbers were chosen once for all systems; the
// mean grouping accuracy moves by 0.024 over the whole grid of values tried around them
// (docs/guides/log-templates.md).
//
// Pure, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tocsin::stats {

enum class Expected : uint8_t { kNothing, kMaybeName, kName };

struct TemplateEvidence {
  size_t variants = 0;                     // templates, the new line among them
  size_t places = 0;                       // where they differ
  size_t constants = 0;                    // words they have in common
  bool variable_seen = false;              // in every place one of a pair has a variable
  Expected expected = Expected::kNothing;  // the least over the places
  bool capitals = false;                   // every word in the places is in capitals
  bool opening = false;                    // the first place is the first item
  uint64_t lines = 0;                      // lines of these templates so far
};

bool AreOneTemplate(const TemplateEvidence& evidence);

}  // namespace tocsin::stats
