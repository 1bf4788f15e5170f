#include "stats/online_kmeans.h"

namespace tocsin::stats {

double OnlineKMeans::Distance(std::span<const float> x, size_t cluster) const {
  double sum = 0.0;
  for (size_t i = 0; i < dim_; ++i) {
    const double d = static_cast<double>(x[i]) - centres_[cluster * dim_ + i];
    sum += d * d;
  }
  return sum;
}

size_t OnlineKMeans::Assign(std::span<const float> x) const {
  size_t best = 0;
  double least = -1.0;
  for (size_t c = 0; c < counts_.size(); ++c) {
    const double d = Distance(x, c);
    if (least < 0.0 || d < least) {
      least = d;
      best = c;
    }
  }
  return best;
}

size_t OnlineKMeans::Add(std::span<const float> x) {
  const size_t nearest = Assign(x);
  if (counts_.size() < k_ && (counts_.empty() || Distance(x, nearest) > 0.0)) {
    for (float v : x) centres_.push_back(static_cast<double>(v));
    counts_.push_back(1);
    return counts_.size() - 1;
  }
  const double step = 1.0 / static_cast<double>(++counts_[nearest]);
  for (size_t i = 0; i < dim_; ++i) {
    double& c = centres_[nearest * dim_ + i];
    c += step * (static_cast<double>(x[i]) - c);
  }
  return nearest;
}

void OnlineKMeans::Save(StateWriter& out) const {
  out.PutVector(centres_);
  out.PutVector(counts_);
}

bool OnlineKMeans::Restore(StateReader& in) {
  in.GetVector(centres_);
  in.GetVector(counts_);
  return in.ok() && counts_.size() <= k_ && centres_.size() == counts_.size() * dim_;
}

}  // namespace tocsin::stats
