#include "act/access.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>

#include "act/policy/call_hash.h"

namespace tocsin::act {
namespace {
constexpr std::string_view kPrefix = "tcs_";
constexpr size_t kMostTokenBytes = 256;

bool SameHash(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}
}  // namespace

std::string NewToken() {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<unsigned char, 43> bytes{};                                            // six bits of each
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) std::abort();  // no randomness, no token
  std::string token(kPrefix);
  for (const unsigned char byte : bytes) token += kDigits[byte & 63];
  return token;
}

std::string TokenHash(std::string_view token) { return Sha256Hex(token); }

Result<Caller> Authenticate(const Access& access, std::string_view token) {
  if (token.empty() || token.size() > kMostTokenBytes)
    return Error(Code::kUnauthenticated, "no token: send 'Authorization: Bearer …' (tocsin token new)");
  const std::string hash = TokenHash(token);
  std::optional<Caller> found;
  // Every one is compared, so that the time says nothing.
  for (const auto& [name, person] : access.people) {
    if (SameHash(person.token_sha256, hash)) found = Caller{name, true, ""};
  }
  for (const auto& [name, agent] : access.agents) {
    if (SameHash(agent.token_sha256, hash)) found = Caller{name, false, ""};
  }
  if (!found) return Error(Code::kUnauthenticated, "the token is nobody's: see act.access in tocsin.yaml");
  return *found;
}

bool MatchesAction(const std::vector<std::string>& patterns, std::string_view action) {
  for (const std::string& pattern : patterns) {
    if (pattern == "*" || pattern == action) return true;
    if (pattern.size() > 2 && pattern.ends_with(".*") &&
        action.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1)))
      return true;
  }
  return false;
}

}  // namespace tocsin::act
