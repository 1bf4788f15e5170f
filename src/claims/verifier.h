// Verifier: runs claims over stored telemetry. Read-only, deterministic, bounded.
//
// A claim over a window that is not over, that begins before the stored data, in which data are missing (a
// gap, a missing shard), or over too few records is unverifiable, never verified. Level claims speak of the
// recorded data and are decided exactly; changes, shares as rates and equivalence are decided by intervals at
// 95 %, so that chance does not verify them.
//
// Cost: at most a dozen queries a claim, each ended after `query_timeout`; at most kMaxGenerations texts a
// window are measured, by a fixed sample. Ownership: refers to what is in VerifierSources, which must outlive
// it. Thread-safety: one caller at a time; the coverage of windows is remembered, so make a new one to look
// again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "claims/claim.h"
#include "claims/verdict.h"
#include "store/ledger.h"
#include "store/sql_dialect.h"
#include "store/telemetry_store.h"

namespace tocsin::claims {

inline constexpr size_t kMaxGenerations = 4000;

// A generation with what its trace holds of it.
struct JoinedGeneration {
  signal::Generation generation;
  std::vector<signal::Retrieval> retrievals;
  std::vector<signal::ToolExecution> tools;
};

// Measures behaviour: implemented where behaviour is known (detect).
class BehaviorSource {
 public:
  virtual ~BehaviorSource() = default;
  virtual const std::vector<std::string>& Features() const = 0;
  struct Measured {
    std::vector<std::optional<double>> values;  // as Features; nothing where it does not apply
    uint32_t stratum = 0;                       // generations of one stratum have like prompts
  };
  // Everything at once: a text is read once for all that may be claimed of it.
  virtual Measured Measure(JoinedGeneration joined) const = 0;
  // Identifiers the answer names and its context does not hold, as written; and whether it names this one at
  // all.
  struct Grounded {
    bool named = false;
    bool supported = false;
  };
  virtual Grounded Ground(JoinedGeneration joined, const std::string& identifier) const = 0;
};

// Alerts with the time they fired: implemented where alerts are kept (respond).
class AlertSource {
 public:
  struct Firing {
    std::vector<std::pair<std::string, std::string>> labels;
    Time from, to;  // to unknown: still fires
    std::string id;
  };
  virtual ~AlertSource() = default;
  // Those that fired at some time in the window.
  virtual Result<std::vector<Firing>> Alerts(const Window& window, size_t limit) const = 0;
};

struct VerifierSources {
  store::TelemetryStore& telemetry;
  const store::SqlDialect& dialect;
  store::Ledger* ledger = nullptr;           // for incidents' onsets
  const BehaviorSource* behavior = nullptr;  // without it, claims about behaviour are unverifiable
  const AlertSource* alerts = nullptr;
};

struct VerifierOptions {
  Time as_of;  // nothing after it is known
  Duration query_timeout = Duration::Seconds(5);
};

class Verifier {
 public:
  Verifier(const VerifierSources& sources, const VerifierOptions& options);
  ~Verifier();
  Verdict Check(const Claim& claim);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tocsin::claims
