#include "act/kill/signed_switch.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

namespace tocsin::act {
namespace {

using nlohmann::json;

class TurnedClock final : public ports::Clock {
 public:
  Time Now() const override { return now; }
  Time Monotonic() const override { return now; }
  Time now{1'790'000'000'000'000'000};
};

// RFC 8032, 7.1, test 1.
constexpr const char* kSecret = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
constexpr const char* kPublic = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";  // RFC 8037, A.1

json Payload(const std::string& jwt) {
  const size_t from = jwt.find('.') + 1;
  std::string text = jwt.substr(from, jwt.rfind('.') - from);
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  std::string out(text.size(), '\0');
  const int n =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  EXPECT_GT(n, 0);
  while (!out.empty() && out.back() == '\0') out.pop_back();
  return json::parse(out, nullptr, false);
}

class SignedSwitchTest : public ::testing::Test {
 protected:
  SignedSwitchTest() { switch_ = std::move(*SignedSwitch::Make(*ParseSwitchKey(kSecret), 5, clock_)); }
  SignedSwitch::Document Ask(const std::string& scope) {
    return *switch_->Answer(*ParseKillScope(scope), engaged_);
  }
  bool Engaged(const std::string& scope) {
    const json body = json::parse(Ask(scope).body);
    EXPECT_EQ(Payload(body["jwt"])["engaged"], body["engaged"]);
    return body["engaged"];
  }
  void Engage(const char* scope) {
    KillState state;
    state.scope = *ParseKillScope(scope);
    state.reason = "it loops";
    state.at = clock_.now;
    engaged_.push_back(state);
  }
  TurnedClock clock_;
  std::unique_ptr<SignedSwitch> switch_;
  std::vector<KillState> engaged_;
};

TEST_F(SignedSwitchTest, ThePublicKeyIsThatOfTheStandardsExample) {
  const json key = switch_->keys()["keys"][0];
  EXPECT_EQ(key["x"], kPublic);
  EXPECT_EQ(key["kid"], "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");  // RFC 8037, A.3
}

TEST_F(SignedSwitchTest, ReadsKeysAsPeopleHaveThem) {
  EVP_PKEY* made = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  BIO* bio = BIO_new(BIO_s_mem());
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(bio, made, nullptr, nullptr, 0, nullptr, nullptr), 1);
  char* text = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(bio, &text));
  std::string raw(32, '\0');
  size_t length = raw.size();
  EVP_PKEY_get_raw_private_key(made, reinterpret_cast<unsigned char*>(raw.data()), &length);
  EXPECT_EQ(*ParseSwitchKey({text, size}), raw);
  BIO_free(bio);
  EVP_PKEY_free(made);
  for (const std::string& wrong :
       {std::string(), std::string("abc"), std::string(64, 'g'),
        std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")}) {
    const auto read = ParseSwitchKey(wrong);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), Code::kInvalidArgument);
    EXPECT_TRUE(wrong.empty() || read.error().message().find(wrong) == std::string::npos);
  }
}

TEST_F(SignedSwitchTest, WhatCoversAScope) {
  EXPECT_FALSE(Engaged("agent:fixer"));
  Engage("agent:fixer");
  EXPECT_TRUE(Engaged("agent:fixer"));
  EXPECT_FALSE(Engaged("agent:other"));
  EXPECT_FALSE(Engaged("agents"));
  Engage("agents");
  EXPECT_TRUE(Engaged("agent:other"));
  EXPECT_TRUE(Engaged("agents"));
  EXPECT_FALSE(Engaged("action:summaries"));
  Engage("all");
  EXPECT_TRUE(Engaged("action:summaries"));
  EXPECT_EQ(json::parse(Ask("agent:fixer").body)["by_scope"], "all");
}

TEST_F(SignedSwitchTest, OneSignatureASlotAndANewOneWhenItChanges) {
  clock_.now = Time{1'790'000'000'000'000'000};
  const auto first = Ask("agents");
  clock_.now = clock_.now + Duration::Millis(4'900);
  EXPECT_EQ(Ask("agents").body, first.body);
  EXPECT_EQ(Ask("agents").etag, first.etag);
  Engage("all");
  const auto changed = Ask("agents");
  EXPECT_NE(changed.etag, first.etag);
  EXPECT_TRUE(json::parse(changed.body)["engaged"]);
  clock_.now = clock_.now + Duration::Seconds(1);
  const auto later = Ask("agents");
  EXPECT_NE(later.etag, changed.etag) << "a new slot has a new expiry";
  const json a = Payload(json::parse(first.body)["jwt"]), b = Payload(json::parse(changed.body)["jwt"]),
             c = Payload(json::parse(later.body)["jwt"]);
  EXPECT_LT(a["serial"], b["serial"]);
  EXPECT_LT(b["serial"], c["serial"]);
  EXPECT_EQ(c["exp"].get<int64_t>() - c["iat"].get<int64_t>(), 15);
  EXPECT_EQ(c["sub"], "switch:agents");
  EXPECT_EQ(later.max_age_s, 5);
}

}  // namespace
}  // namespace tocsin::act
