#include "claims/verifier.h"

#include "claims/internal/checks.h"
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
  Verdict verdict = std::visit([&](const auto& kind) { return internal::CheckKind(session, kind); }, claim);
  return std::move(session).Finish(std::move(verdict));
}

}  // namespace tocsin::claims
