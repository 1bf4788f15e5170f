#include "respond/notify/slack_interaction.h"

#include <gtest/gtest.h>

#include "kernel/rng.h"

namespace tocsin::respond {
namespace {

constexpr Time kNow{1'700'000'000'000'000'000};

// Computed by: printf 'v0:1700000000:BODY' | openssl dgst -sha256 -hmac SECRET
constexpr std::string_view kSecret = "8f742231-signing-secret";
constexpr std::string_view kBody = "payload=%7B%22type%22%3A%22block_actions%22%7D";
constexpr std::string_view kSignature = "v0=4d3e084fb26c2e3c3a3b2a043be45350c844328ed2fe89be281c7784a9648f1a";

std::string Form(const std::string& json) {
  std::string out = "payload=";
  for (const char c : json) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
  }
  return out;
}

std::string Click(const std::string& user) {
  return Form(R"({"type":"block_actions","user":)" + user +
              R"(,"team":{"id":"T1"},"response_url":"https://hooks.slack.com/actions/x",)"
              R"("actions":[{"action_id":"tocsin_acknowledge","value":"INC-2K7Q","type":"button"}]})");
}

TEST(SlackSignature, HoldsForWhatTheOpensslCommandComputes) {
  EXPECT_TRUE(VerifySlackSignature(kSecret, "1700000000", kSignature, kBody, kNow).ok());
}

TEST(SlackSignature, FailsForAnythingElse) {
  const auto verify = [](std::string_view secret, std::string_view timestamp, std::string_view signature,
                         std::string_view body, Time now) {
    return VerifySlackSignature(secret, timestamp, signature, body, now).code();
  };
  const auto s = kSecret;
  const auto g = kSignature;
  const auto b = kBody;
  EXPECT_EQ(verify("other", "1700000000", g, b, kNow), Code::kUnauthenticated);
  EXPECT_EQ(verify("", "1700000000", g, b, kNow), Code::kUnauthenticated);
  EXPECT_EQ(verify(s, "1700000001", g, b, kNow), Code::kUnauthenticated);
  EXPECT_EQ(verify(s, "1700000000x", g, b, kNow), Code::kUnauthenticated);
  EXPECT_EQ(verify(s, "", g, b, kNow), Code::kUnauthenticated);
  EXPECT_EQ(verify(s, "1700000000", "", b, kNow), Code::kUnauthenticated);
  EXPECT_EQ(verify(s, "1700000000", g.substr(3), b, kNow), Code::kUnauthenticated);
  EXPECT_EQ(verify(s, "1700000000", g, b.substr(1), kNow), Code::kUnauthenticated);
  EXPECT_EQ(verify(s, "1700000000", g, b, kNow + Duration::Seconds(301)), Code::kUnauthenticated);
  EXPECT_EQ(verify(s, "1700000000", g, b, kNow - Duration::Seconds(301)), Code::kUnauthenticated);
  EXPECT_EQ(verify(s, "1700000000", g, b, kNow + Duration::Seconds(300)), Code::kOk);
  EXPECT_EQ(verify(s, "1700000000", g, std::string(1 << 20, 'x'), kNow), Code::kOutOfRange);
}

TEST(SlackClick, SaysWhoPressedWhatForWhichIncident) {
  const auto click = ParseSlackClick("a=b&" + Click(R"({"id":"U024BE7LH","name":"ada"})"));
  ASSERT_TRUE(click) << click.error().ToString();
  EXPECT_EQ(click->user_id, "U024BE7LH");
  EXPECT_EQ(click->user_name, "ada");
  EXPECT_EQ(click->team_id, "T1");
  EXPECT_EQ(click->action, "acknowledge");
  EXPECT_EQ(click->value, "INC-2K7Q");
  EXPECT_FALSE(click->by_bot);
}

TEST(SlackClick, ABotIsMarked) {
  for (const std::string user : {R"({"id":"U1","is_bot":true})", R"({"id":"B0123"})", R"({"id":"USLACKBOT"})",
                                 R"({"id":"U1","bot_id":"B1"})"}) {
    const auto click = ParseSlackClick(Click(user));
    ASSERT_TRUE(click) << user;
    EXPECT_TRUE(click->by_bot) << user;
  }
}

TEST(SlackClick, HostileBodiesAreRefusedAndNeverCrash) {
  for (const std::string& body :
       {std::string("payload="), std::string("payload=%7"), std::string("payload=%zz"),
        std::string("other=1"), Form("[]"), Form("null"), Form(R"({"type":"block_actions"})"),
        Form(R"({"type":"block_actions","user":7,"actions":[{}]})"),
        Form(R"({"type":"block_actions","user":{"id":"U1"},"actions":{}})"),
        Form(std::string(40'000, '['))}) {
    EXPECT_EQ(ParseSlackClick(body).error().code(), Code::kInvalidArgument) << body.substr(0, 60);
  }
  Rng rng(7);
  const std::string good = Click(R"({"id":"U1","name":"ada"})");
  for (int i = 0; i < 3000; ++i) {
    std::string body = good;
    for (int j = 0; j < 3; ++j) body[rng.Below(body.size())] = static_cast<char>(rng.Below(256));
    (void)ParseSlackClick(body);
  }
}

}  // namespace
}  // namespace tocsin::respond
