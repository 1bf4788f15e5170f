// The peers of bench/detect as one interface: a stream of points in, an alarm out, one tunable threshold.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace tocsin::bench {

struct Point {
  double live = 0.0, reference = 0.0;  // of one pair, in [0, 1]
};

// One pass over the live stream with the reference sample that stands before it.
struct Pass {
  std::vector<double> reference;  // values of the whole reference sample
  std::vector<Point> points;
};

class Peer {
 public:
  virtual ~Peer() = default;
  // Forgets everything and learns the reference sample.
  virtual void Start(const std::vector<double>& reference) = 0;
  virtual bool Add(const Point& point) = 0;
};

enum class PeerKind { kAdwinLength, kAdwinScore, kKsLength, kKsScore };
std::string PeerName(PeerKind kind);
bool UsesScore(PeerKind kind);
// `strictness` in (0, 1): larger alarms later.
std::unique_ptr<Peer> MakePeer(PeerKind kind, double strictness);

struct NullRate {
  double generations = 0.0, alarms = 0.0;
  double MeanRunLength() const { return generations / (alarms > 0.0 ? alarms : 1.0); }
};
NullRate MeasureNull(Peer& peer, const std::vector<Pass>& passes);

// The loosest strictness whose mean run length on the passes reaches `target`.
double Tune(PeerKind kind, const std::vector<Pass>& passes, double target);

}  // namespace tocsin::bench
