#include "investigate/evaluation/verify_evaluation.h"

#include <gtest/gtest.h>

namespace tocsin::investigate {
namespace {

// Seeds other than those the command uses by default.
TEST(VerifyEvaluation, FalseClaimsAreCaughtAndTrueOnesAreNotRefuted) {
  VerifyOptions options;
  options.worlds = 2;
  options.seed = 70;
  const auto result = EvaluateVerifier(options);
  ASSERT_TRUE(result) << result.error().ToString();
  for (const auto& miss : result->misses)
    ADD_FAILURE_AT(__FILE__, __LINE__)
        << miss.how << ": " << miss.claim << " → " << miss.verdict << ": " << miss.why;
  EXPECT_GT(result->false_claims.n, 300u);
  EXPECT_GT(result->true_claims.n, 150u);
  EXPECT_GE(result->false_caught(), 0.99);
  EXPECT_LE(result->true_refuted(), 0.01);
  EXPECT_EQ(result->partial.verified, 0u);
  // Catching all by never verifying would be easy.
  EXPECT_GT(static_cast<double>(result->true_claims.verified),
            0.9 * static_cast<double>(result->true_claims.n));
}

}  // namespace
}  // namespace tocsin::investigate
