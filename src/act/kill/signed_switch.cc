#include "act/kill/signed_switch.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <memory>

#include "respond/json_text.h"

namespace tocsin::act {
namespace {

using nlohmann::json;

constexpr size_t kKeyBytes = 32, kSignatureBytes = 64;
constexpr size_t kMostScopes = 10'000;
constexpr int64_t kLeastValidSeconds = 15;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
std::string_view Text(const unsigned char* bytes, size_t n) {
  return {reinterpret_cast<const char*>(bytes), n};
}

Key Private(const std::string& raw) {
  return {EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Bytes(raw), raw.size()), &EVP_PKEY_free};
}

// Never asks at a terminal.
int NoPassword(char*, int, int, void*) { return -1; }

Result<std::string> FromPem(std::string_view text) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> in(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  const Key key(PEM_read_bio_PrivateKey(in.get(), nullptr, NoPassword, nullptr), &EVP_PKEY_free);
  std::array<unsigned char, kKeyBytes> raw{};
  size_t size = raw.size();
  if (!key || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_private_key(key.get(), raw.data(), &size) != 1 || size != kKeyBytes)
    return Error(Code::kInvalidArgument, "is no Ed25519 private key: openssl genpkey -algorithm ed25519");
  return std::string(Text(raw.data(), raw.size()));
}

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Of the states that cover the scope, the widest; null when none does.
const KillState* Covering(const KillScope& scope, const std::vector<KillState>& engaged) {
  const KillState* found = nullptr;
  for (const KillState& state : engaged) {
    const bool covers = state.scope.kind == "all" || state.scope == scope ||
                        (state.scope.kind == "agents" && scope.kind == "agent");
    if (state.engaged && covers && (found == nullptr || state.scope.kind == "all")) found = &state;
  }
  return found;
}

}  // namespace

std::string Base64Url(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  uint32_t held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = (held << 8 | static_cast<unsigned char>(c)) & 0xffff;
    for (bits += 8; bits >= 6; bits -= 6) out += kDigits[held >> (bits - 6) & 63];
  }
  if (bits > 0) out += kDigits[held << (6 - bits) & 63];
  return out;
}

Result<std::string> ParseSwitchKey(std::string_view text) {
  if (text.starts_with("-----BEGIN")) return FromPem(text);
  std::string raw;
  for (size_t i = 0; text.size() == 2 * kKeyBytes && i < text.size(); i += 2) {
    const int high = Digit(text[i]), low = Digit(text[i + 1]);
    if (high < 0 || low < 0) break;
    raw += static_cast<char>(high * 16 + low);
  }
  if (raw.size() != kKeyBytes)
    return Error(Code::kInvalidArgument,
                 "is neither PEM (openssl genpkey -algorithm ed25519) nor 64 hex digits of an Ed25519 key");
  return raw;
}

Result<std::unique_ptr<SignedSwitch>> SignedSwitch::Make(const std::string& key, int seconds,
                                                         const ports::Clock& clock) {
  const Key pair = Private(key);
  std::array<unsigned char, kKeyBytes> point{};
  size_t size = point.size();
  if (key.size() != kKeyBytes || !pair || EVP_PKEY_get_raw_public_key(pair.get(), point.data(), &size) != 1)
    return Error(Code::kInvalidArgument, "the switch's key is no Ed25519 key of 32 bytes");
  std::unique_ptr<SignedSwitch> made(new SignedSwitch(key, std::clamp(seconds, 1, 3600), clock));
  json jwk{{"crv", "Ed25519"}, {"kty", "OKP"}, {"x", Base64Url(Text(point.data(), size))}};
  const std::string canonical = jwk.dump();  // RFC 7638: these members, sorted, without blanks
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  EVP_Digest(canonical.data(), canonical.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  made->kid_ = Base64Url(Text(digest.data(), digest.size()));
  jwk["kid"] = made->kid_;
  jwk["alg"] = "EdDSA";
  jwk["use"] = "sig";
  made->keys_ = {{"keys", json::array({jwk})}};
  return made;
}

Result<std::string> SignedSwitch::Token(const json& payload) const {
  const json header{{"alg", "EdDSA"}, {"kid", kid_}, {"typ", "JWT"}};
  const std::string text = Base64Url(header.dump()) + "." + Base64Url(respond::DumpJson(payload));
  const Key pair = Private(key_);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<unsigned char, kSignatureBytes> signature{};
  size_t size = signature.size();
  if (!pair || !context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pair.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, Bytes(text), text.size()) != 1)
    return Error(Code::kInternal, "the switch's answer could not be signed");
  return text + "." + Base64Url(Text(signature.data(), size));
}

Result<SignedSwitch::Document> SignedSwitch::Answer(const KillScope& scope,
                                                    const std::vector<KillState>& engaged) {
  const KillState* state = Covering(scope, engaged);
  json said{{"scope", scope.ToText()}, {"engaged", state != nullptr}};
  if (state != nullptr) {
    said["by_scope"] = state->scope.ToText();
    said["since"] = FormatTime(state->at);
    if (!state->reason.empty()) said["reason"] = state->reason;
  }
  const std::string key = respond::DumpJson(said);
  const std::lock_guard lock(mutex_);
  const int64_t now_s = clock_.Now().ns / 1'000'000'000;
  const int64_t slot = now_s / seconds_;
  if (const auto known = signed_.find(scope);
      known != signed_.end() && known->second.slot == slot && known->second.state == key)
    return known->second.document;
  serial_ = std::max(serial_ + 1, clock_.Now().ns / 1'000'000);
  const int64_t expires_s = now_s + std::max(int64_t{3} * seconds_, kLeastValidSeconds);
  json payload = said;
  payload["iss"] = "tocsin";
  payload["sub"] = "switch:" + scope.ToText();
  payload["iat"] = now_s;
  payload["exp"] = expires_s;
  payload["serial"] = serial_;
  TOCSIN_ASSIGN_OR_RETURN(const std::string token, Token(payload));
  said["at"] = FormatTime(Time{now_s * 1'000'000'000});
  said["expires"] = FormatTime(Time{expires_s * 1'000'000'000});
  said["serial"] = serial_;
  said["jwt"] = token;
  Document document{respond::DumpJson(said) + "\n", "\"" + std::to_string(serial_) + "\"", seconds_};
  if (signed_.size() >= kMostScopes) signed_.clear();
  signed_[scope] = {slot, key, document};
  return document;
}

}  // namespace tocsin::act
