// A configuration that changes under a running server: a wrong one is refused with every line, a right one
// routes what already fires.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "ports/http_client.h"
#include "store/testing/scratch_directory.h"
#include "tests/e2e/server_process.h"

namespace tocsin::e2e {
namespace {

using ::testing::HasSubstr;

class ReloadTest : public ::testing::Test {
 protected:
  // As an editor does it.
  void Write(const std::string& text) {
    std::ofstream(path_ + ".new") << text;
    std::filesystem::rename(path_ + ".new", path_);
  }
  ports::HttpResponse Ask(const std::string& method, const std::string& path, const std::string& body = "") {
    ports::HttpRequest request;
    request.method = method;
    request.url = server_->url() + path;
    request.headers = {{"Content-Type", "application/json"}};
    request.body = body;
    const auto response = client_.Send(request);
    EXPECT_TRUE(response) << response.error().message();
    return response.value_or(ports::HttpResponse{});
  }
  bool Becomes(const std::function<bool()>& so) {
    for (int i = 0; i < 200; ++i) {
      if (so()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }
  store::testing::ScratchDirectory scratch_;
  const std::string path_ = scratch_.path() + "/tocsin.yaml";
  std::unique_ptr<ServerProcess> server_;
  ports::HttpClient client_;
};

std::string RoutedTo(const std::string& receiver) {
  return "receivers: [{name: first}, {name: second}]\nroute:\n  receiver: first\n  routes: [{receiver: " +
         receiver + ", matchers: [service=pay]}]\n";
}

TEST_F(ReloadTest, AWrongFileIsRefusedARightOneRoutesWhatFires) {
  Write(RoutedTo("first"));
  server_ =
      std::make_unique<ServerProcess>(scratch_.path() + "/data", std::vector<std::string>{"--config", path_});
  ASSERT_EQ(Ask("POST", "/api/v2/alerts", R"([{"labels": {"alertname": "Slow", "service": "pay"}}])").status,
            200);
  const auto groups = [&] { return Ask("GET", "/api/v2/alerts/groups").body; };
  ASSERT_TRUE(Becomes([&] { return groups().find("Slow") != std::string::npos; }));

  Write("peopel: {}\n" + RoutedTo("third"));
  const auto refused = Ask("POST", "/-/reload");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("tocsin.yaml:1: unknown key 'peopel'; is it 'people'?\n"));
  EXPECT_THAT(refused.body,
              HasSubstr("tocsin.yaml:5: route.routes[0].receiver: no receiver is called 'third'"));
  EXPECT_THAT(groups(), Not(HasSubstr("second")));

  Write(RoutedTo("second"));
  ASSERT_EQ(::kill(server_->pid(), SIGHUP), 0);
  EXPECT_TRUE(Becomes([&] { return groups().find("second") != std::string::npos; })) << groups();
  EXPECT_THAT(groups(), HasSubstr("Slow"));

  // And by itself, when the file has changed.
  Write("receivers: [{name: third}]\nroute: {receiver: third}\n");
  EXPECT_TRUE(
      Becomes([&] { return Ask("GET", "/api/v2/receivers").body.find("third") != std::string::npos; }));
  EXPECT_THAT(groups(), HasSubstr("third"));
  EXPECT_EQ(server_->Stop(), 0);
}

}  // namespace
}  // namespace tocsin::e2e
