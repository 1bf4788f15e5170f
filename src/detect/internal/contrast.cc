#include "detect/internal/contrast.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

namespace tocsin::detect {
namespace {

constexpr std::array<std::string_view, kBuiltInAttributes> kSurfaces{
    "model",   "model",   "prompt",     "tools",      "retrieval",  "sampling", "traffic",
    "traffic", "traffic", "dependency", "dependency", "dependency", "model",    "model"};

struct Tally {
  std::map<uint16_t, std::array<double, 2>> counts;
  std::array<double, 2> totals{};  // recorded
  std::array<double, 2> all{};
};

Tally Count(const RecordSpan& before, const RecordSpan& after, size_t attribute) {
  Tally tally;
  for (size_t side = 0; side < 2; ++side) {
    for (const Record* r : side == 0 ? before : after) {
      ++tally.all[side];
      const uint16_t v = r->attributes[attribute];
      if (v == 0) continue;
      ++tally.counts[v][side];
      ++tally.totals[side];
    }
  }
  return tally;
}

double ChiSquare(const Tally& t) {
  double chi = 0;
  const double n = t.totals[0] + t.totals[1];
  for (const auto& [value, c] : t.counts) {
    for (size_t side = 0; side < 2; ++side) {
      const double expected = (c[0] + c[1]) * t.totals[side] / n;
      if (expected > 0) chi += (c[side] - expected) * (c[side] - expected) / expected;
    }
  }
  return chi;
}

std::string Shares(const Tally& t, const SegmentTable& table, size_t attribute) {
  // The value that gained most.
  uint16_t gained = 0, lost = 0;
  double gain = 0, loss = 0;
  for (const auto& [value, c] : t.counts) {
    const double shift = c[1] / std::max(t.totals[1], 1.0) - c[0] / std::max(t.totals[0], 1.0);
    if (shift > gain) {
      gain = shift;
      gained = value;
    }
    if (shift < loss) {
      loss = shift;
      lost = value;
    }
  }
  const auto share = [&](uint16_t v, size_t side) {
    const auto it = t.counts.find(v);
    return it == t.counts.end() ? 0.0 : 100.0 * it->second[side] / std::max(t.totals[side], 1.0);
  };
  std::string text;
  if (gained != 0) {
    text = fmt::format("{} went from {:.0f} % to {:.0f} % of answers", table.ValueName(attribute, gained),
                       share(gained, 0), share(gained, 1));
  }
  if (lost != 0) {
    text += fmt::format("{}{} from {:.0f} % to {:.0f} %", text.empty() ? "" : ", ",
                        table.ValueName(attribute, lost), share(lost, 0), share(lost, 1));
  }
  return text;
}

ContrastLine Judge(const Tally& t, const SegmentTable& table, size_t attribute) {
  ContrastLine line;
  line.attribute = table.AttributeName(attribute);
  line.surface = attribute < kBuiltInAttributes ? std::string(kSurfaces[attribute]) : "traffic";
  if (t.totals[0] < 5 || t.totals[1] < 3) {
    const bool appeared = t.totals[1] >= 3 && t.all[0] >= 20 && t.totals[0] == 0;
    line.verdict = appeared ? "moved" : "not_recorded";
    line.words = appeared ? "not recorded before, recorded after" : "not recorded";
    line.association = appeared ? 1 : 0;
    return line;
  }
  if (t.counts.size() == 1) {
    line.verdict = "refuted";
    line.words = "did not vary: " + table.ValueName(attribute, t.counts.begin()->first);
    return line;
  }
  const double chi = ChiSquare(t);
  const double n = t.totals[0] + t.totals[1];
  line.association = std::sqrt(chi / n);
  const double df = static_cast<double>(t.counts.size() - 1);
  const bool significant = chi > df + 4 * std::sqrt(2 * df) + 6;
  if (line.association >= 0.7 && significant) {
    line.verdict = "moved";
    line.words = Shares(t, table, attribute);
  } else if (significant) {
    line.verdict = "partly";
    line.words = Shares(t, table, attribute);
  } else {
    line.verdict = "refuted";
    line.words = fmt::format("varied ({} values), but not with the change", t.counts.size());
  }
  return line;
}

}  // namespace

std::vector<ContrastLine> ContrastAttributes(const RecordSpan& before, const RecordSpan& after,
                                             const SegmentTable& table) {
  std::vector<ContrastLine> lines;
  for (size_t a = 0; a < kMaxAttributes; ++a) {
    const bool user = a >= kBuiltInAttributes;
    if (user && table.ValueCount(a) < 2) continue;
    lines.push_back(Judge(Count(before, after, a), table, a));
  }
  const auto rank = [](const ContrastLine& l) {
    return l.verdict == "moved" ? 0 : l.verdict == "partly" ? 1 : l.verdict == "refuted" ? 2 : 3;
  };
  std::ranges::stable_sort(lines, [&](const ContrastLine& a, const ContrastLine& b) {
    return rank(a) != rank(b) ? rank(a) < rank(b) : a.association > b.association;
  });
  return lines;
}

std::string ModelSentence(const std::vector<ContrastLine>& lines) {
  std::set<std::string> moved, unrecorded;
  for (const auto& line : lines) {
    if (line.verdict == "moved" || line.verdict == "partly") moved.insert(line.surface);
    if (line.verdict == "not_recorded") unrecorded.insert(line.attribute);
  }
  if (moved.contains("model")) return "The model reported by the provider moved with the change.";
  if (!moved.empty()) {
    std::string text = "What moved with the change: ";
    for (const auto& surface : moved) text += (text.ends_with(": ") ? "" : ", ") + surface;
    return text + ". The reported model did not.";
  }
  constexpr std::array<std::string_view, 2> kNeeded{"prompt_version", "sampling"};
  std::string missing;
  for (const auto name : kNeeded) {
    if (unrecorded.contains(std::string(name))) missing += (missing.empty() ? "" : ", ") + std::string(name);
  }
  if (!missing.empty()) {
    return "No recorded attribute moved. Not recorded, so not excluded: " + missing + ".";
  }
  return "Every recorded surface is refuted; the model is what remains: another model may be served "
         "under the same name.";
}

}  // namespace tocsin::detect
