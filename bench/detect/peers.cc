#include "bench/detect/peers.h"

#include <algorithm>
#include <cmath>

#include "bench/detect/adwin.h"
#include "bench/detect/kolmogorov.h"

namespace tocsin::bench {
namespace {

constexpr size_t kWindow = 60;  // of the Kolmogorov-Smirnov tests; 40 to 100 differ little

class AdwinPeer : public Peer {
 public:
  AdwinPeer(double strictness, bool difference)
      : adwin_(std::exp(-25.0 * strictness + 2.0)), difference_(difference) {}
  void Start(const std::vector<double>& reference) override {
    adwin_.Reset();
    if (difference_) return;
    for (double x : reference) adwin_.Add(x);
  }
  bool Add(const Point& p) override {
    return adwin_.Add(difference_ ? 0.5 + 0.5 * (p.live - p.reference) : p.live);
  }

 private:
  Adwin adwin_;
  bool difference_;
};

class KsPeer : public Peer {
 public:
  KsPeer(double strictness, bool paired)
      : bar_(4.0 * strictness), paired_(paired), live_(kWindow), other_(kWindow) {}
  void Start(const std::vector<double>& reference) override {
    live_.Reset();
    other_.Reset();
    reference_ = reference;
    std::sort(reference_.begin(), reference_.end());
  }
  bool Add(const Point& p) override {
    live_.Add(p.live);
    if (paired_) other_.Add(p.reference);
    if (!live_.full()) return false;
    return KolmogorovStatistic(live_.sorted(), paired_ ? other_.sorted() : reference_) > bar_;
  }

 private:
  double bar_;
  bool paired_;
  SortedWindow live_, other_;
  std::vector<double> reference_;
};

}  // namespace

std::string PeerName(PeerKind kind) {
  switch (kind) {
    case PeerKind::kAdwinLength:
      return "adwin_length";
    case PeerKind::kAdwinScore:
      return "adwin_score";
    case PeerKind::kKsLength:
      return "ks_length";
    case PeerKind::kKsScore:
      return "ks_score";
  }
  return "";
}

bool UsesScore(PeerKind kind) { return kind == PeerKind::kAdwinScore || kind == PeerKind::kKsScore; }

std::unique_ptr<Peer> MakePeer(PeerKind kind, double strictness) {
  if (kind == PeerKind::kAdwinLength || kind == PeerKind::kAdwinScore) {
    return std::make_unique<AdwinPeer>(strictness, UsesScore(kind));
  }
  return std::make_unique<KsPeer>(strictness, UsesScore(kind));
}

NullRate MeasureNull(Peer& peer, const std::vector<Pass>& passes) {
  NullRate rate;
  bool first = true;
  for (const Pass& pass : passes) {
    if (first) peer.Start(pass.reference);
    first = false;
    for (const Point& point : pass.points) {
      rate.generations += 1.0;
      if (!peer.Add(point)) continue;
      rate.alarms += 1.0;
      peer.Start(pass.reference);
    }
  }
  return rate;
}

double Tune(PeerKind kind, const std::vector<Pass>& passes, double target) {
  double low = 0.0;
  double high = 1.0;
  for (int i = 0; i < 9; ++i) {
    const double mid = 0.5 * (low + high);
    (MeasureNull(*MakePeer(kind, mid), passes).MeanRunLength() < target ? low : high) = mid;
  }
  return high;
}

}  // namespace tocsin::bench
