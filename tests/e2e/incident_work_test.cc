// Incidents worked on through the API of the whole server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "running_server.h"

namespace tocsin {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

struct Answer {
  int status = 0;
  json body;
  std::string text;
};

class IncidentWork : public ::testing::Test {
 protected:
  Answer Send(const std::string& method, const std::string& path, const std::string& body = "") {
    const auto response = method == "POST" ? server_.Post(path, "application/json", body) : server_.Get(path);
    return {response.status, json::parse(response.body, nullptr, false), response.body};
  }
  e2e::RunningServer server_;
};

TEST_F(IncidentWork, FromDeclaredToClosed) {
  const auto opened = Send("POST", "/api/v1/incidents",
                           R"({"title":"Bot invents policies","service":"support-bot","actor":"kim"})");
  ASSERT_EQ(opened.status, 201) << opened.text;
  const std::string path = "/api/v1/incidents/" + opened.body["id"].get<std::string>();
  EXPECT_EQ(Send("POST", path + "/actions", R"({"action":"acknowledge","actor":"kim"})").status, 200);
  EXPECT_EQ(Send("POST", path + "/actions",
                 R"({"action":"close","reason":"fine","actor":{"name":"bot","kind":"bot"}})")
                .status,
            403);
  EXPECT_EQ(
      Send("POST", path + "/actions", R"({"action":"note","text":"seen in Paris","actor":"kim"})").status,
      200);
  const auto closed =
      Send("POST", path + "/actions", R"({"action":"close","reason":"prompt reverted","actor":"kim"})");
  ASSERT_EQ(closed.status, 200);
  EXPECT_EQ(closed.body["work"]["state"], "closed");
  EXPECT_EQ(Send("POST", path + "/actions", R"({"action":"close","reason":"again","actor":"kim"})").status,
            409);
  const auto shown = Send("GET", path);
  EXPECT_EQ(shown.body["work"]["acknowledged_by"], "kim");
  const auto timeline = Send("GET", path + "/timeline");
  std::vector<std::string> kinds;
  for (const auto& event : timeline.body["events"]) {
    // The brief is made beside it, whenever it is done.
    if (event["kind"] != "brief.made") kinds.push_back(event["kind"]);
  }
  EXPECT_THAT(kinds, ::testing::ElementsAre("incident.opened", "incident.acknowledged", "incident.refused",
                                            "incident.noted", "incident.state"));
  EXPECT_THAT(Send("GET", path + "/timeline?format=text").text, HasSubstr("seen in Paris"));
  EXPECT_THAT(Send("GET", path + "?format=text").text, HasSubstr("acknowledged by kim"));
}

TEST_F(IncidentWork, NonsenseIsAnsweredWithWhatIsWrong) {
  EXPECT_EQ(Send("POST", "/api/v1/incidents/INC-NONE/actions", R"({"action":"note","text":"a","actor":"k"})")
                .status,
            404);
  for (const char* body : {"", "[]", "{", R"({"action":"note"})", R"({"action":7,"actor":"k"})",
                           R"({"actor":{"name":"k","kind":"cat"},"action":"note","text":"a"})"}) {
    const auto answer = Send("POST", "/api/v1/incidents/INC-NONE/actions", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_TRUE(answer.body.contains("detail")) << body;
  }
  EXPECT_EQ(Send("POST", "/api/v1/incidents", R"({"title":"","actor":"kim"})").status, 400);
  EXPECT_EQ(Send("POST", "/api/v1/incidents", R"({"title":"x","colour":"red","actor":"kim"})").status, 400);
  EXPECT_EQ(Send("GET", "/api/v1/incidents/INC-NONE/timeline").status, 404);
}

}  // namespace
}  // namespace tocsin
