#include "surface/http/router.h"

#include <gtest/gtest.h>

#include "surface/http/html.h"
#include "surface/http/internal/target.h"
#include "surface/http/problem.h"

namespace tocsin::surface {
namespace {

Router MakeRouter() {
  Router router;
  router.Add({"GET", "/a", nullptr, {}, false});
  router.Add({"POST", "/a", nullptr, {}, false});
  router.Add({"GET", "/a/{id}", nullptr, {}, false});
  return router;
}

TEST(Router, FindsExactPathsAndOneSegment) {
  const Router router = MakeRouter();
  EXPECT_EQ(router.Find("POST", "/a").route->method, "POST");
  EXPECT_EQ(router.Find("HEAD", "/a").route->method, "GET");
  const auto match = router.Find("GET", "/a/INC-1");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.params.front(), (std::pair<std::string, std::string>("id", "INC-1")));
}

TEST(Router, TellsAnUnknownPathFromAWrongMethod) {
  const Router router = MakeRouter();
  for (const char* path : {"", "/", "/A", "/a/", "/a/b/c", "/aa"}) {
    const auto match = router.Find("GET", path);
    EXPECT_EQ(match.route, nullptr) << path;
    EXPECT_EQ(match.allow, "") << path;
  }
  EXPECT_EQ(router.Find("PUT", "/a").allow, "GET, HEAD, POST");
}

TEST(Target, DecodesPathAndQuery) {
  Request request;
  ASSERT_TRUE(internal::ParseTarget("/x%20y?a=1%2B2&b&c=d+e&a=3", request).ok());
  EXPECT_EQ(request.path, "/x y");
  EXPECT_EQ(request.Query("a"), "1+2");
  EXPECT_EQ(request.Query("c"), "d e");
  EXPECT_EQ(request.query.size(), 4u);
  Request absolute;
  ASSERT_TRUE(internal::ParseTarget("http://host:1/p?q=1", absolute).ok());
  EXPECT_EQ(absolute.path, "/p");
  Request bad;
  for (const char* target : {"", "*", "x", "/%g1", "/a b", "ftp://h/"}) {
    EXPECT_EQ(internal::ParseTarget(target, bad).code(), Code::kInvalidArgument) << target;
  }
}

TEST(Problem, MapsEveryCodeOnceAndRetriesOnlyWhatMayPass) {
  EXPECT_EQ(ProblemResponse(Status(Code::kInvalidArgument, "x")).status, 400);
  EXPECT_EQ(ProblemResponse(Status(Code::kOutOfRange, "x")).status, 413);
  const Response busy = ProblemResponse(Status(Code::kResourceExhausted, "x"));
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(busy.headers.front(), (std::pair<std::string, std::string>("Retry-After", "1")));
  EXPECT_TRUE(ProblemResponse(Status(Code::kNotFound, "x")).headers.empty());
}

TEST(Message, AResponderAnswersOnceAndNeverForgets) {
  std::vector<int> answers;
  {
    const Responder responder([&](Response response) { answers.push_back(response.status); });
    const Responder copy = responder;
    copy(Response{});
    responder(Response{});
  }
  {
    const Responder dropped([&](Response response) { answers.push_back(response.status); });
  }
  EXPECT_EQ(answers, (std::vector<int>{200, 500}));
}

TEST(Html, EscapesEverythingThatCouldEndAText) {
  EXPECT_EQ(EscapeHtml("<a href=\"x\" y='z'>&\x01"), "&lt;a href=&quot;x&quot; y=&#39;z&#39;&gt;&amp;");
}

}  // namespace
}  // namespace tocsin::surface
