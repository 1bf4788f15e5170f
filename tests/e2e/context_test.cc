// The context of an incident, asked of the whole server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "running_server.h"

namespace tocsin {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

TEST(Context, OfADeclaredIncidentAsDocumentAndAsPage) {
  e2e::RunningServer server;
  const auto opened =
      server.Post("/api/v1/incidents", "application/json",
                  R"({"title":"Bot invents policies","service":"support-bot","actor":"kim"})");
  ASSERT_EQ(opened.status, 201) << opened.body;
  const std::string path =
      "/api/v1/incidents/" + json::parse(opened.body)["id"].get<std::string>() + "/context";
  const auto document = server.Get(path);
  ASSERT_EQ(document.status, 200) << document.body;
  const json pack = json::parse(document.body);
  EXPECT_EQ(pack["format"], 1);
  EXPECT_EQ(pack["incident"]["title"], "Bot invents policies");
  EXPECT_EQ(pack["sections"].size(), 12u);
  EXPECT_EQ(pack["affected"][0]["service"], "support-bot");
  const auto page = server.Get(path + "?format=text");
  ASSERT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("Bot invents policies"));
  EXPECT_THAT(page.body, HasSubstr("Not looked at: "));
  EXPECT_EQ(server.Get("/api/v1/incidents/INC-0000/context").status, 404);
}

}  // namespace
}  // namespace tocsin
