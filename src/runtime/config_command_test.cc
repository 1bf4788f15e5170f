// `tocsin config` as it is typed.
#include "runtime/config_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "runtime/settings_schema.h"
#include "runtime/settings_summary.h"
#include "store/testing/scratch_directory.h"

namespace tocsin::runtime {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kGood = R"(people:
  ada: {channels: [{kind: ntfy, url: "https://ntfy.example.org/a", key: s3cret}]}
  bob: {}
schedules:
  days:
    zone: Europe/Berlin
    layers: [{participants: [ada], start: 2026-11-02, restrictions: [{from: "09:00", to: "17:00"}]}]
policies:
  default: {steps: [{targets: [{schedule: days}]}], repeat_after: 10m}
  firm: {steps: [{targets: [{schedule: days}, {person: ada}]}]}
destinations: [{name: hook, kind: webhook, url: "https://hook.example.org"}]
receivers: [{name: on-call, policy: default, tell: [hook]}, {name: quiet}, {name: unused, policy: firm}]
route: {receiver: on-call, routes: [{matchers: [severity=none], receiver: quiet}]}
)";

struct Ran {
  int code = 0;
  std::string out, err;
};

Ran Typed(std::vector<std::string> arguments) {
  std::ostringstream out, err;
  surface::CommandContext context{out, err};
  CLI::App app("tocsin");
  AddConfig(app, context);
  arguments.insert(arguments.begin(), "config");
  std::reverse(arguments.begin(), arguments.end());
  app.parse(arguments);
  return {context.exit_code, out.str(), err.str()};
}

class ConfigCommandTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, std::string_view text) {
    const std::string path = scratch_.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  store::testing::ScratchDirectory scratch_;
};

TEST_F(ConfigCommandTest, CheckSaysWhatAFileMeansAndWarns) {
  const auto ran = Typed({"check", Write("t.yaml", kGood)});
  EXPECT_EQ(ran.code, 0) << ran.err;
  for (const char* expected :
       {"t.yaml can be used", "On call now", "pages by default (1 step, 10 min until its end); tells hook",
        "person bob", "has no channel", "schedule days", "nobody is on call for 9 d", "policy default",
        "the last step pages nobody at times", "receiver quiet", "does nothing", "receiver unused",
        "no route leads"})
    EXPECT_THAT(ran.out, HasSubstr(expected));
  EXPECT_THAT(ran.out, Not(HasSubstr("policy firm ")));
  EXPECT_THAT(ran.out, Not(HasSubstr("s3cret")));
}

TEST_F(ConfigCommandTest, CheckAsJson) {
  const auto ran = Typed({"check", "--json", Write("t.yaml", kGood)});
  const auto json = nlohmann::json::parse(ran.out);
  EXPECT_TRUE(json["ok"]);
  EXPECT_EQ(json["on_call"][0]["schedule"], "days");
  EXPECT_EQ(json["receivers"].size(), 3u);
  EXPECT_EQ(json["receivers"][1]["discards"], true);
  EXPECT_EQ(json["routes"], 2);
  EXPECT_EQ(json["warnings"].size(), 5u);
}

TEST_F(ConfigCommandTest, CheckSaysEverythingThatIsWrong) {
  const std::string path = Write("t.yaml", "peopel: {}\nlimits: {max_text_bytes: x}\nroute: {receiver: r}\n");
  const auto ran = Typed({"check", path});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, path + ":1: unknown key 'peopel'; is it 'people'?\n" + path +
                         ":2: limits.max_text_bytes: 'x' is not a size such as 1048576 or 16MiB\n" + path +
                         ":3: route.receiver: no receiver is called 'r'\n" + path +
                         ": 3 things are wrong; nothing of it would be used\n");
  const auto json = nlohmann::json::parse(Typed({"check", path, "--json"}).out);
  EXPECT_FALSE(json["ok"]);
  EXPECT_EQ(json["problems"].size(), 3u);
  EXPECT_EQ(Typed({"check", scratch_.path() + "/none.yaml"}).code, 2);
  EXPECT_EQ(Typed({"check", scratch_.path()}).code, 2);
}

TEST_F(ConfigCommandTest, NothingIsFineButNobodyIsPaged) {
  const auto ran = Typed({"check", Write("t.yaml", "")});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("nobody is paged: there is no policy"));
}

TEST_F(ConfigCommandTest, ImportWritesAFileThatPassesAndOverwritesNone) {
  const std::string from = Write("alertmanager.yml",
                                 "route: {receiver: a, odd: 1}\nreceivers:\n- name: a\n"
                                 "  webhook_configs: [{url: 'https://a.example.org/s3cret'}]\n");
  const std::string to = scratch_.path() + "/made.yaml";
  const auto ran = Typed({"import", from, "-o", to});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("not carried over: route.odd\n"));
  EXPECT_THAT(ran.err, Not(HasSubstr("s3cret")));
  struct stat made{};
  ASSERT_EQ(::stat(to.c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 0777u, 0600u);
  EXPECT_EQ(Typed({"check", to}).code, 0);
  EXPECT_EQ(Typed({"import", from, "-o", to}).code, 2);
  EXPECT_EQ(Typed({"import", from, "-o", to, "--force"}).code, 0);
  EXPECT_THAT(Typed({"import", from}).out, HasSubstr("a-webhook"));
  EXPECT_EQ(Typed({"import", scratch_.path() + "/none.yml"}).code, 2);
  const auto unusable = Typed({"import", Write("b.yml", "route: {receiver: b}\nreceivers: []\n")});
  EXPECT_EQ(unusable.code, 2);
  EXPECT_THAT(unusable.err, HasSubstr("route.receiver: no receiver is called 'b'"));
}

TEST_F(ConfigCommandTest, SchemaIsPrinted) { EXPECT_EQ(Typed({"schema"}).out, SettingsSchema()); }

TEST(SettingsSummary, GapsAndWhoComesNextAreThoseOfTheInstant) {
  const auto settings = ParseSettings(kGood, "t.yaml");
  ASSERT_TRUE(settings);
  const Time tuesday = *ParseTime("2026-11-24T12:00:00Z");
  const auto summary = Summarize(*settings, tuesday);
  ASSERT_EQ(summary.on_call.size(), 1u);
  EXPECT_EQ(summary.on_call[0].person, "ada");
  EXPECT_EQ(summary.on_call[0].until, *ParseTime("2026-11-24T16:00:00Z"));
  EXPECT_THAT(RenderSummary(*settings, summary),
              HasSubstr("ada until Tue 24 Nov 17:00 (Europe/Berlin), then nobody"));
  const auto warning = std::ranges::find(summary.warnings, "schedule", &SettingsWarning::kind);
  ASSERT_NE(warning, summary.warnings.end());
  EXPECT_EQ(warning->text,
            "nobody is on call for 9 d 8 h of the next 14 days, first from Tue 24 Nov 17:00 to Wed "
            "25 Nov 09:00");
}

}  // namespace
}  // namespace tocsin::runtime
