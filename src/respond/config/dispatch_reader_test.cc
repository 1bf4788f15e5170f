// What is read of people, places and receivers; what names lead to; and that no secret is in an error.
#include "respond/config/dispatch_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "store/testing/scratch_directory.h"

namespace tocsin::respond {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Read {
  DispatchConfig config;
  std::vector<std::string> problems;
};

Read ReadText(const std::string& text, const std::string& file = "t.yaml") {
  Read out;
  const auto root = ports::YamlValue::Parse(text, file);
  EXPECT_TRUE(root) << root.error().message();
  if (!root) return out;
  ports::YamlSection section(*root);
  out.config = ReadDispatch(section);
  section.Finish();
  for (const auto& problem : root->Problems()) out.problems.push_back(problem.message());
  return out;
}

constexpr std::string_view kPeople = R"(people:
  ada:
    zone: Europe/Berlin
    slack_user: U024BE7LH
    channels:
      - {kind: ntfy, url: "https://ntfy.example.org/ada", key: tk_1}
      - {kind: email, address: ada@example.org}
      - {kind: ntfy, url: "https://ntfy.example.org/ada2"}
      - {kind: webhook, name: phone, url: "https://phone.example.org/", rate_limit: {burst: 3, every: 1m}}
    low_urgency: [ada/email, phone]
    quiet_hours:
      - {from: "22:00", to: "07:00", days: [mon-fri], urgencies: [low, high]}
      - {from: "00:00", to: "24:00", days: [sun]}
    quiet_channels: [email]
  bob: {}
mail: {url: "smtps://mail.example.org:465", from: tocsin@example.org}
policies:
  default: {steps: [{targets: [{person: ada}]}]}
  slow: {steps: [{targets: [{person: bob}]}]}
)";

TEST(DispatchReader, AChannelBecomesADestinationAndAPersonHasPreferences) {
  const auto read = ReadText(std::string(kPeople));
  ASSERT_THAT(read.problems, IsEmpty());
  const auto& config = read.config;
  std::vector<std::string> names;
  for (const auto& destination : config.destinations) names.push_back(destination.name);
  EXPECT_THAT(names, ElementsAre("ada/ntfy", "ada/email", "ada/ntfy-2", "ada/phone"));
  EXPECT_EQ(config.destinations[0].secret, "tk_1");
  EXPECT_EQ(config.destinations[1].address, "ada@example.org");
  EXPECT_EQ(config.destinations[3].channel, "webhook");
  EXPECT_EQ(config.destinations[3].limit.burst, 3);
  EXPECT_EQ(config.destinations[3].limit.every, Duration::Minutes(1));
  ASSERT_EQ(config.preferences.size(), 1u);
  const Preferences& ada = config.preferences.at("ada");
  EXPECT_EQ(ada.channels.at("high"), names);
  EXPECT_THAT(ada.channels.at("low"), ElementsAre("ada/email", "ada/phone"));
  EXPECT_THAT(ada.quiet_channels, ElementsAre("ada/email"));
  ASSERT_EQ(ada.quiet.size(), 2u);
  EXPECT_EQ(ada.quiet[0].days, 0b0011111);
  EXPECT_THAT(ada.quiet[0].urgencies, ElementsAre("low", "high"));
  EXPECT_EQ(ada.quiet[1].to_minute, 0);  // the whole day
  EXPECT_EQ(config.slack_people.at("U024BE7LH"), "ada");
  const auto known = [&](const std::string& name) { return std::ranges::find(names, name) != names.end(); };
  EXPECT_TRUE(CheckPreferences(ada, known).ok());
  ASSERT_TRUE(config.mail);
  EXPECT_EQ(config.mail->server.url, "smtps://mail.example.org:465");
}

TEST(DispatchReader, WithoutReceiversThereIsOneThatDoesWhatIncidentsDo) {
  auto read = ReadText(std::string(kPeople));
  EXPECT_EQ(read.config.incidents.policy, "default");
  EXPECT_EQ(read.config.ReceiverOf("on-call")->policy, "default");
  read = ReadText(std::string(kPeople) + "incidents: {policy: slow, tell: [ada/phone]}\n");
  EXPECT_EQ(read.config.ReceiverOf("on-call")->policy, "slow");
  EXPECT_THAT(read.config.ReceiverOf("on-call")->tell, ElementsAre("ada/phone"));
  read = ReadText(std::string(kPeople) + "incidents: {policy: \"\"}\n");
  EXPECT_EQ(read.config.incidents.policy, "");
  read = ReadText(std::string(kPeople) + "receivers: [{name: x, policy: slow}, {name: null receiver}]\n");
  EXPECT_EQ(read.config.ReceiverOf("on-call"), nullptr);
  EXPECT_EQ(read.config.ReceiverOf("x")->policy, "slow");
  EXPECT_TRUE(read.config.ReceiverOf("null receiver")->discards);
  read = ReadText("");
  EXPECT_THAT(read.problems, IsEmpty());
  EXPECT_FALSE(read.config.ReceiverOf("on-call")->discards) << "nobody asked for nothing";
}

TEST(DispatchReader, TheRestIsRead) {
  const auto read = ReadText(R"(
destinations:
  - {name: ml-slack, kind: slack, url: "https://hooks.slack.example.org/services/T/B/X", rate_limit: {burst: 5}}
  - {name: pd, kind: pagerduty, key: R0UT1NG}
url: https://tocsin.example.org//
mail: {url: "smtp://mail", from: t@example.org, user: t, password: secret1, tls: never, ca_file: /ca.pem}
templates: {subject: "{{title}}", body: "{{#lines}}{{.}}{{/lines}}"}
slack: {signing_secret: secret2}
pages_per_shift: 5
)");
  ASSERT_THAT(read.problems, IsEmpty());
  EXPECT_EQ(read.config.destinations.at(0).name, "ml-slack");
  EXPECT_EQ(read.config.destinations.at(0).limit.burst, 5);
  EXPECT_EQ(read.config.destinations.at(1).secret, "R0UT1NG");
  EXPECT_EQ(read.config.destinations.at(1).address, "");
  EXPECT_EQ(read.config.url, "https://tocsin.example.org");
  EXPECT_EQ(read.config.mail->server.password, "secret1");
  EXPECT_EQ(read.config.mail->server.starttls, "never");
  NotificationMessage message;
  message.title = "hello";
  EXPECT_EQ(read.config.templates.subject.Render(message, 100, false), "hello");
  EXPECT_EQ(read.config.slack_signing_secret, "secret2");
  EXPECT_EQ(read.config.pages_per_shift, 5);
}

TEST(DispatchReader, EverythingWrongIsFoundWithItsPlace) {
  const auto read = ReadText(R"(people:
  ada: {channels: [{kind: email, address: a@b.c}, {kind: ntfy, name: x, url: "https://a/b"}, {kind: ntfy, name: x, url: "https://a/c"}]}
  bob: {slack_user: U1, quiet_hours: [{from: "25:00", to: "07:00"}, {from: "22:00", to: "07:00", urgencies: [mid]}]}
  cyd: {slack_user: U1, quiet_channels: [email]}
destinations:
  - {name: a, kind: slack, url: "https://x/y"}
  - {name: a, kind: slack, url: "https://x/y"}
  - {kind: slack, url: "https://x/y"}
  - {name: a/b, kind: slack, url: "https://x/y"}
receivers:
  - {name: r, policy: defualt, tell: [b]}
  - {name: r}
  - {policy: x}
incidents: {tell: [a, a], polcy: x}
url: tocsin.example.org
templates: {body: "{{#lines}}"}
slack: {signing_secret: ""}
pages_per_shift: -1
)");
  EXPECT_THAT(
      read.problems,
      ElementsAre(
          "t.yaml:2: people.ada.channels[2]: the name 'x' comes twice",
          "t.yaml:2: people.ada.channels[0]: email needs 'mail' at the root: the server by which it is sent",
          "t.yaml:3: people.bob.quiet_hours[0].from: '25:00' is not a time such as 09:00",
          "t.yaml:3: people.bob.quiet_hours[1].urgencies: 'mid' is neither high nor low",
          "t.yaml:4: people.cyd.quiet_channels[0]: cyd has no channel 'email'",
          "t.yaml:4: people.cyd.slack_user: is the same as that of bob",
          "t.yaml:7: destinations[1].name: 'a' comes twice", "t.yaml:8: destinations[2]: 'name' is missing",
          "t.yaml:9: destinations[3].name: 'a/b' is not a name: letters, digits, - _ . @, at most 64",
          "t.yaml:11: receivers[0].policy: no policy is called 'defualt'",
          "t.yaml:11: receivers[0].tell[0]: no destination is called 'b'",
          "t.yaml:12: receivers[1].name: 'r' comes twice", "t.yaml:13: receivers[2]: 'name' is missing",
          "t.yaml:14: incidents: unknown key 'polcy'; is it 'policy'?",
          "t.yaml:14: incidents.tell[1]: 'a' comes twice",
          "t.yaml:15: url: is not an address such as https://tocsin.example.org",
          HasSubstr("t.yaml:16: templates.body: "), "t.yaml:17: slack.signing_secret: is empty",
          "t.yaml:18: pages_per_shift: '-1' is not a whole number from 0 to 1000"));
}

TEST(DispatchReader, SecretsComeFromFilesAndAreInNoError) {
  const store::testing::ScratchDirectory scratch;
  std::ofstream(scratch.path() + "/key") << "  s3cret-key\n";
  std::ofstream(scratch.path() + "/url") << "https://hooks.example.org/s3cret-hook";
  std::ofstream(scratch.path() + "/empty") << " \n";
  std::ofstream(scratch.path() + "/huge") << std::string(1u << 20, 'x');
  std::ofstream(scratch.path() + "/two") << "s3cret words";
  const std::string file = scratch.path() + "/tocsin.yaml";
  const auto read = ReadText(
      "destinations:\n- {name: a, kind: slack, url_file: url}\n"
      "- {name: b, kind: webhook, url: 'https://x', key_file: key}\n",
      file);
  ASSERT_THAT(read.problems, IsEmpty());
  EXPECT_EQ(read.config.destinations[0].address, "https://hooks.example.org/s3cret-hook");
  EXPECT_EQ(read.config.destinations[1].secret, "s3cret-key");
  for (const std::string bad :
       {"{name: a, kind: pagerduty, key_file: none}", "{name: a, kind: pagerduty, key_file: empty}",
        "{name: a, kind: pagerduty, key_file: huge}", "{name: a, kind: pagerduty, key_file: two}",
        "{name: a, kind: pagerduty, key_file: /dev/zero}",
        "{name: a, kind: pagerduty, key: s3cret, key_file: key}",
        "{name: a, kind: slack, key: s3cret, url_file: url}", "{name: a, kind: slack, url_file: key}",
        "{name: a, kind: slack, url: s3cret}", "{name: a, kind: ntfy, url: 'https://x', key: [s3cret]}",
        "{name: a, kind: pagerduty, key: 's3cret key'}"}) {
    const auto wrong = ReadText("destinations:\n- " + bad + "\n", file);
    ASSERT_EQ(wrong.problems.size(), 1u) << bad;
    EXPECT_THAT(wrong.problems[0], HasSubstr("tocsin.yaml:2: destinations[0]")) << bad;
    EXPECT_THAT(wrong.problems[0], Not(HasSubstr("s3cret"))) << bad;
  }
  const auto mail = ReadText("mail: {url: 'smtp://u:s3cret@h', from: a@b.c}\n");
  ASSERT_EQ(mail.problems.size(), 1u);
  EXPECT_THAT(mail.problems[0], Not(HasSubstr("s3cret")));
}

// Any cut and any changed byte is read or refused with a place.
TEST(DispatchReader, DamagedDocumentsAreReadOrRefused) {
  const std::string good(kPeople);
  for (size_t i = 0; i < good.size(); ++i) {
    for (const std::string& text :
         {good.substr(0, i), good.substr(0, i) + "-:{[&*!\n"[i % 8] + good.substr(i + 1)}) {
      const auto root = ports::YamlValue::Parse(text, "t.yaml");
      if (!root) {
        ASSERT_TRUE(root.error().message().starts_with("t.yaml:"));
        continue;
      }
      ports::ReadGuarded(*root, [&] {
        ports::YamlSection section(*root);
        (void)ReadDispatch(section);
      });
      for (const auto& problem : root->Problems())
        ASSERT_TRUE(problem.message().starts_with("t.yaml:")) << problem.message();
    }
  }
}

}  // namespace
}  // namespace tocsin::respond
