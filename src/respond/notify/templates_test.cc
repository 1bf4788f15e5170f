#include "respond/notify/templates.h"

#include <gtest/gtest.h>

#include "respond/notify/notice_text.h"

namespace tocsin::respond {
namespace {

NotificationMessage Sample() {
  return {.kind = "page",
          .incident_id = "INC-1",
          .title = "Refunds <b>fail</b> & \"more\"",
          .severity = "sev2",
          .source = "shop",
          .lines = {"first", "second"},
          .links = {{"Open", "https://t.example/1"}},
          .idempotency_key = "k",
          .at = {}};
}

TEST(Templates, DefaultSaysSeverityPlaceAndWhereToLook) {
  const auto& templates = MessageTemplates::Default();
  EXPECT_EQ(templates.subject.Render(Sample(), 200, false), "[SEV2] Refunds <b>fail</b> & \"more\" (INC-1)");
  EXPECT_EQ(templates.body.Render(Sample(), 4000, true),
            "Refunds <b>fail</b> & \"more\"\nWhere: shop\n\n- first\n- second\n\nOpen: https://t.example/1");
}

TEST(Templates, ResolvedSaysSoAndManyLinesAreCounted) {
  NotificationMessage message = Sample();
  message.kind = "resolved";
  message.lines.assign(100, "x");
  EXPECT_TRUE(
      MessageTemplates::Default().subject.Render(message, 200, false).starts_with("[SEV2] Resolved: "));
  const std::string body = MessageTemplates::Default().body.Render(message, 4000, true);
  EXPECT_NE(body.find("- and 60 more"), std::string::npos) << body;
}

TEST(Templates, BadOnesAreRefusedWithTheReason) {
  for (const std::string text : {"{{#lines}}never closed", "{{/lines}}", "{{=<% %>=}}", "{{> other}}",
                                 "{{#lines}}{{#lines}}{{#lines}}{{/lines}}{{/lines}}{{/lines}}"}) {
    const auto result = Template::Compile(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code(), Code::kInvalidArgument) << text;
    EXPECT_GT(result.error().message().size(), 12U);
  }
  EXPECT_FALSE(Template::Compile(std::string(20'000, 'x')));
}

TEST(Templates, OutputEndsAtTheBoundAndTemplatesInValuesStayText) {
  auto nested = Template::Compile("{{#lines}}{{#lines}}0123456789{{/lines}}{{/lines}}");
  ASSERT_TRUE(nested);
  NotificationMessage message = Sample();
  message.lines.assign(10'000, "{{title}}");
  EXPECT_LE(nested->Render(message, 100, true).size(), 100U);
  message.title = "{{severity}} {{#lines}}";
  EXPECT_EQ(Template::Compile("{{title}}")->Render(message, 100, false), "{{severity}} {{#lines}}");
}

TEST(NoticeText, CutsAtCharactersAndCleansBytes) {
  EXPECT_EQ(CutUtf8("caf\xc3\xa9s", 6), "caf\xc3\xa9s");
  EXPECT_EQ(CutUtf8("ab\xc3\xa9\xc3\xa9", 5), "ab\xe2\x80\xa6");
  EXPECT_EQ(CutCharacters("\xc3\xa9\xc3\xa9\xc3\xa9", 2), "\xc3\xa9\xe2\x80\xa6");
  EXPECT_EQ(CutCharacters("\xc3\xa9\xc3\xa9\xc3\xa9", 3), "\xc3\xa9\xc3\xa9\xc3\xa9");
  EXPECT_EQ(CleanText("a\r\nb\x1b[31m\xff\xc2\x9b", false), "a  b [31m\xef\xbf\xbd ");
  EXPECT_EQ(CleanText("a\nb\r", true), "a\nb ");
  EXPECT_EQ(CleanText("\xed\xa0\x80", true), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // a surrogate
  EXPECT_EQ(PublicPartOfUrl("https://user:pw@h.example/secret"), "https://h.example/\xe2\x80\xa6");
}

}  // namespace
}  // namespace tocsin::respond
