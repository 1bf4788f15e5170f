#include "detect/internal/text_sketch.h"

#include <cmath>

#include "behavior/token_scanner.h"

namespace tocsin::detect {
namespace {

constexpr size_t kMaxScanned = 8192;

// Sparse projection (Achlioptas 2003; Li, Hastie & Church 2006): four of the coordinates, signed.
void AddSigned(Sketch& sketch, uint64_t hash, float weight) {
  for (int k = 0; k < 4; ++k, hash >>= 7) {
    const float signed_weight = (hash & kSketchSize) != 0 ? weight : -weight;
    sketch[hash & (kSketchSize - 1)] += signed_weight;
  }
}

void Normalise(Sketch& sketch) {
  double sum = 0;
  for (const float v : sketch) sum += static_cast<double>(v) * static_cast<double>(v);
  if (sum <= 0) return;
  const auto scale = static_cast<float>(1.0 / std::sqrt(sum));
  for (float& v : sketch) v *= scale;
}

}  // namespace

Sketch SketchText(std::string_view text) {
  Sketch sketch{};
  behavior::ScanTokens(text.substr(0, kMaxScanned), [&](const behavior::Token& token) {
    if (token.kind != behavior::TokenKind::kWord || token.text.size() < 4) return;
    AddSigned(sketch, token.hash >> 16, 1.0F);
  });
  Normalise(sketch);
  return sketch;
}

Sketch SketchNgrams(const behavior::NgramVector& ngrams) {
  Sketch sketch{};
  for (const auto& entry : ngrams) {
    const uint64_t hash = behavior::MixHash(entry.bucket * 0x9E3779B97F4A7C15ULL + 0x1234567ULL);
    AddSigned(sketch, hash >> 8, entry.value);
  }
  return sketch;
}

double SquaredDistance(const Sketch& a, const Sketch& b) {
  double sum = 0;
  for (size_t i = 0; i < kSketchSize; ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += d * d;
  }
  return sum;
}

}  // namespace tocsin::detect
