#include "detect/behavior_source.h"

#include <algorithm>
#include <cmath>

#include "detect/internal/named_features.h"
#include "detect/internal/observation.h"
#include "detect/internal/trace_assembler.h"

namespace tocsin::detect {
namespace {

std::optional<size_t> NamedIndex(std::string_view feature) {
  for (size_t i = 0; i < kNamedCount; ++i) {
    if (SpecOf(i).name == feature && static_cast<Named>(i) != Named::kFeedback) return i;
  }
  return std::nullopt;
}

std::optional<behavior::Style> StyleOf(std::string_view feature) {
  for (size_t i = 0; i < behavior::kStyleCount; ++i) {
    if (behavior::StyleName(static_cast<behavior::Style>(i)) == feature)
      return static_cast<behavior::Style>(i);
  }
  return std::nullopt;
}

// Digits and letters alone, lower case: an account number is the same with and without its dashes.
std::string Squeezed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool kept =
        upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    if (kept) out += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

class BehaviorSourceImpl final : public claims::BehaviorSource {
 public:
  explicit BehaviorSourceImpl(const BehaviorSourceOptions& options) {
    options_.grounding.entity_prefixes = options.entity_prefixes;
    for (size_t i = 0; i < kNamedCount; ++i) {
      if (static_cast<Named>(i) == Named::kFeedback) continue;
      named_.push_back(i);
      features_.emplace_back(SpecOf(i).name);
    }
    for (size_t i = 0; i < behavior::kStyleCount; ++i) {
      const auto style = static_cast<behavior::Style>(i);
      std::string name(behavior::StyleName(style));
      if (std::ranges::find(features_, name) != features_.end()) continue;  // named in a way of its own
      styles_.push_back(style);
      features_.push_back(std::move(name));
    }
  }

  const std::vector<std::string>& Features() const override { return features_; }

  Measured Measure(claims::JoinedGeneration joined) const override {
    Observation o = JoinSiblings(std::move(joined.generation), joined.retrievals, joined.tools);
    detect::Measure(o, options_, nullptr);
    Measured out;
    out.stratum = o.features.prompt_stratum;
    out.values.reserve(features_.size());
    const auto add = [&](bool applies, float value) {
      if (applies && !std::isnan(value))
        out.values.emplace_back(static_cast<double>(value));
      else
        out.values.emplace_back();
    };
    for (const size_t i : named_) add(true, o.values[i]);
    for (const auto style : styles_)
      add(!o.generation.output.empty(), behavior::StyleValue(o.features, style));
    return out;
  }

  Grounded Ground(claims::JoinedGeneration joined, const std::string& identifier) const override {
    const Observation o = JoinSiblings(std::move(joined.generation), joined.retrievals, joined.tools);
    const auto& g = o.generation;
    const std::string wanted = Squeezed(identifier);
    Grounded out;
    if (wanted.empty()) return out;
    const auto holds = [&](std::string_view text) {
      return Squeezed(text).find(wanted) != std::string::npos;
    };
    out.named = holds(g.output);
    out.supported = holds(g.system) || holds(g.input) || holds(g.history);
    for (const auto& d : g.documents) out.supported = out.supported || holds(d.text) || holds(d.id);
    for (const auto& t : g.tool_calls) out.supported = out.supported || holds(t.arguments) || holds(t.result);
    return out;
  }

 private:
  MeasureOptions options_;
  std::vector<std::string> features_;  // named_, then styles_
  std::vector<size_t> named_;
  std::vector<behavior::Style> styles_;
};

}  // namespace

std::unique_ptr<claims::BehaviorSource> MakeBehaviorSource(const BehaviorSourceOptions& options) {
  return std::make_unique<BehaviorSourceImpl>(options);
}

std::string_view BehaviorWords(std::string_view feature, bool up) {
  if (const auto named = NamedIndex(feature)) return up ? SpecOf(*named).up : SpecOf(*named).down;
  if (const auto style = StyleOf(feature))
    return up ? behavior::StyleWordsUp(*style) : behavior::StyleWordsDown(*style);
  return "";
}

}  // namespace tocsin::detect
