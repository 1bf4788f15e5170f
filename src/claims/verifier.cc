#include "claims/verifier.h"

#include "claims/internal/checks.h"
#include "claims/internal/claim_rules.h"
#include "claims/internal/session.h"

namespace tocsin::claims {

struct Verifier::State {
  internal::Shared shared;
};

Verifier::Verifier(const VerifierSources& sources, const VerifierOptions& options)
    : state_(new State{{sources, options, {}, {}, std::nullopt}}) {}
Verifier::~Verifier() = default;

Verdict Verifier::Check(const Claim& claim) {
  internal::Session session(state_->shared);
  // A claim that code has made keeps the rules that one read from a file does: else it could not be read
  // back.
  const Status rules =
      std::visit([](const auto& kind) { return internal::CheckRules(kind, "claim"); }, claim);
  if (!rules.ok()) {
    session.Unverifiable(rules.message());
    return std::move(session).Finish();
  }
  Verdict verdict = std::visit([&](const auto& kind) { return internal::CheckKind(session, kind); }, claim);
  return std::move(session).Finish(std::move(verdict));
}

}  // namespace tocsin::claims
