// Channels of people, layers with a zone of their own, and the four keys inside the product's own file.
#include <gtest/gtest.h>

#include "respond/oncall/oncall_config.h"

namespace tocsin::respond {
namespace {

constexpr std::string_view kGood = R"(http: 127.0.0.1:4318
people:
  ada:
    zone: Europe/Berlin
    channels:
      - {kind: ntfy, url: "https://ntfy.example.org/ada", key: tk_1}
      - {kind: email, address: ada@example.org}
  bob:
    channels: [{kind: pagerduty, key: R0UT1NG}]
schedules:
  primary:
    zone: Europe/Berlin
    layers:
      - participants: [ada]
        start: 2026-11-02
      - participants: [bob]
        start: 2026-11-02
        zone: America/New_York
        restrictions: [{from: "09:00", to: "17:00"}]
policies:
  default: {steps: [{targets: [{schedule: primary}]}]}
)";

Result<OnCallConfig> Read(std::string_view text) {
  TOCSIN_ASSIGN_OR_RETURN(const auto root, ports::YamlValue::Parse(text, "tocsin.yaml"));
  OnCallConfig out = ReadOnCall(root);
  TOCSIN_RETURN_IF_ERROR(root.FirstProblem());
  return out;
}

std::string Wrong(const std::string& from, const std::string& to) {
  std::string text(kGood);
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  const auto read = Read(text);
  return read ? "accepted" : read.error().message();
}

TEST(OnCallChannels, AreReadFromTheWholeFile) {
  TargetResolver resolver;
  {
    const auto read = Read(kGood);
    ASSERT_TRUE(read.has_value()) << read.error().ToString();
    const auto& channels = read->people.at("ada").channels;
    ASSERT_EQ(channels.size(), 2u);
    EXPECT_EQ(channels[0].url, "https://ntfy.example.org/ada");
    EXPECT_EQ(channels[0].key, "tk_1");
    EXPECT_EQ(channels[1].address, "ada@example.org");
    resolver = ResolverOf(std::make_shared<const OnCallConfig>(*read));
  }
  // 13:59 and 14:00 UTC are 08:59 and 09:00 in New York.
  EXPECT_EQ(resolver.on_call("primary", *ParseTime("2026-11-24T13:59:00Z")), std::vector<std::string>{"ada"});
  EXPECT_EQ(resolver.on_call("primary", *ParseTime("2026-11-24T14:00:00Z")), std::vector<std::string>{"bob"});
  EXPECT_EQ(resolver.members("primary"), (std::vector<std::string>{"ada", "bob"}));
  EXPECT_TRUE(resolver.members("none").empty());
}

TEST(OnCallChannels, NothingIsFine) {
  EXPECT_TRUE(Read("").has_value());
  EXPECT_TRUE(Read("http: off").has_value());
}

TEST(OnCallChannels, ErrorsSayWhere) {
  EXPECT_EQ(Wrong("America/New_York", "Europe/Berln"),
            "tocsin.yaml:18: schedules.primary.layers[1].zone: unknown time zone 'Europe/Berln'");
  EXPECT_EQ(
      Wrong("kind: email", "kind: fax"),
      "tocsin.yaml:7: people.ada.channels[1].kind: 'fax' is not email, slack, webhook, ntfy or pagerduty");
  EXPECT_EQ(Wrong("key: R0UT1NG", "url: 'https://x'"),
            "tocsin.yaml:9: people.bob.channels[0]: pagerduty needs 'key'");
  EXPECT_EQ(Wrong("{kind: email,", "{kind: email, key: x,"),
            "tocsin.yaml:7: people.ada.channels[1].key: is of no use to email");
  EXPECT_EQ(Wrong("https://ntfy", "ftp://ntfy"),
            "tocsin.yaml:6: people.ada.channels[0].url: begins with neither https:// nor http://");
  EXPECT_EQ(
      Wrong("ada@example.org", "\"ada@example.org,eve@example.org\""),
      "tocsin.yaml:7: people.ada.channels[1].address: is not an e-mail address such as ada@example.org");
  EXPECT_EQ(
      Wrong("ada@example.org", "\"a@b\\r\\nBcc: c@d\"").find("tocsin.yaml:7: people.ada.channels[1].address"),
      0u);
  EXPECT_EQ(Wrong("key: tk_1", "kex: tk_1").find("tocsin.yaml:6: people.ada.channels[0]"), 0u);
}

}  // namespace
}  // namespace tocsin::respond
