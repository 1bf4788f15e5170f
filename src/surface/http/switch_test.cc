// The switch over a real socket: what a polling client sees, how soon, and that the example of
// docs/formats/switch.md verifies it with nothing but Node.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "act/access.h"
#include "act/kill/signed_switch.h"
#include "ports/http_client.h"
#include "store/testing/scratch_directory.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/server.h"

namespace tocsin::surface {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

const act::Caller kAda{"ada", true, "cli"};

class SwitchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ledger_ = std::move(*store::OpenSqlite({scratch_.path() + "/ledger.sqlite", false}));
    kill_ = std::move(*act::KillSwitch::Open(*ledger_, ports::SystemClock(), scratch_.path() + "/KILL"));
    signer_ = std::move(*act::SignedSwitch::Make(std::string(32, 'k'), 2, ports::SystemClock()));
    sources_ = {signer_.get(), [this] { return kill_->Engaged(); }};
    Router router;
    AddSwitch(router, sources_);
    HttpServerOptions options;
    options.port = 0;
    auto server = HttpServer::Start(options, std::move(router));
    ASSERT_TRUE(server) << server.error().ToString();
    server_ = std::move(*server);
    url_ = "http://127.0.0.1:" + std::to_string(server_->port());
  }
  void TearDown() override { server_->Stop(); }

  ports::HttpResponse Get(const std::string& path, const std::string& etag = "") {
    ports::HttpRequest request;
    request.url = url_ + path;
    if (!etag.empty()) request.headers = {{"If-None-Match", etag}};
    auto response = client_.Send(request);
    EXPECT_TRUE(response) << response.error().ToString();
    return response ? *response : ports::HttpResponse{};
  }
  // Runs text as a module in the scratch directory; what it printed.
  std::string Node(const std::string& module) const {
    std::ofstream(scratch_.path() + "/run.mjs") << module;
    const std::string out = scratch_.path() + "/out";
    EXPECT_EQ(std::system(("node " + scratch_.path() + "/run.mjs > " + out + " 2>&1").c_str()), 0);
    std::ifstream in(out);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  store::testing::ScratchDirectory scratch_;
  std::unique_ptr<store::Ledger> ledger_;
  std::unique_ptr<act::KillSwitch> kill_;
  std::unique_ptr<act::SignedSwitch> signer_;
  SwitchSources sources_;
  std::unique_ptr<HttpServer> server_;
  ports::HttpClient client_;
  std::string url_;
};

TEST_F(SwitchTest, AnswersCachesAndRefuses) {
  const auto first = Get("/api/v1/switch/agent:fixer");
  ASSERT_EQ(first.status, 200);
  const json body = json::parse(first.body);
  EXPECT_EQ(body["engaged"], false);
  EXPECT_EQ(Get("/api/v1/switch/agent%3Afixer").status, 200);
  EXPECT_EQ(Get("/api/v1/switch/robots").status, 400);
  EXPECT_EQ(json::parse(Get("/api/v1/switch/key").body), signer_->keys());
  // A slot may end between the two.
  int same = 0;
  for (int i = 0; i < 3 && same != 304; ++i) {
    const json known = json::parse(Get("/api/v1/switch/agent:fixer").body);
    const auto again = Get("/api/v1/switch/agent:fixer", "\"" + known["serial"].dump() + "\"");
    same = again.status;
    if (same == 304) {
      EXPECT_TRUE(again.body.empty());
    }
  }
  EXPECT_EQ(same, 304);
  sources_.signer = nullptr;
  EXPECT_EQ(Get("/api/v1/switch/all").status, 501);
}

// An own poller, every 50 ms, with the ETag it has; no cache between.
TEST_F(SwitchTest, ReachesAPollingClientWithinItsPoll) {
  double worst_ms = 0;
  for (int round = 0; round < 5; ++round) {
    std::string etag;
    auto seen = [&] {
      const auto answer = Get("/api/v1/switch/agent:fixer", etag);
      if (answer.status == 304) return false;
      const json body = json::parse(answer.body);
      etag = "\"" + body["serial"].dump() + "\"";
      return body["engaged"].get<bool>();
    };
    EXPECT_FALSE(seen());
    const auto start = steady_clock::now();
    std::thread engaging([&] { EXPECT_TRUE(kill_->Engage({"agents", ""}, "stop", kAda)); });
    while (!seen() && steady_clock::now() - start < std::chrono::seconds(10))
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    worst_ms =
        std::max(worst_ms, std::chrono::duration<double, std::milli>(steady_clock::now() - start).count());
    engaging.join();
    EXPECT_TRUE(kill_->Release({"agents", ""}, "go on", kAda));
  }
  RecordProperty("worst_ms", std::to_string(worst_ms));
  EXPECT_LT(worst_ms, 2'000 + 50) << "the cache's seconds and one poll";
}

TEST_F(SwitchTest, TheDocumentationsExampleVerifiesItAndFailsClosed) {
  if (std::system("node --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "node is not installed";
  const char* source = std::getenv("TOCSIN_SOURCE_DIR");
  std::ifstream page(std::string(source != nullptr ? source : ".") + "/docs/formats/switch.md");
  const std::string text{std::istreambuf_iterator<char>(page), {}};
  const size_t from = text.find("```js\n");
  ASSERT_NE(from, std::string::npos);
  std::ofstream(scratch_.path() + "/may_act.mjs")
      << text.substr(from + 6, text.find("```", from + 6) - from - 6);
  json other = signer_->keys()["keys"][0];
  other["x"] = act::Base64Url(std::string(32, '\x02'));
  ASSERT_TRUE(kill_->Engage({"agent", "fixer"}, "stop", kAda));
  const std::string out = Node(
      "import { mayAct } from './may_act.mjs';\n"
      "const server = '" +
      url_ +
      "';\n"
      "const [key] = (await (await fetch(server + '/api/v1/switch/key')).json()).keys;\n"
      "const out = [];\n"
      "out.push(await mayAct(server, 'agent:fixer', key));\n"
      "out.push(await mayAct(server, 'agent:other', key));\n"
      "out.push(await mayAct(server, 'agent:other', " +
      other.dump() +
      "));\n"
      "out.push(await mayAct('http://127.0.0.1:1', 'agent:other', key));\n"
      "const honest = globalThis.fetch;\n"
      "const old = await (await honest(server + '/api/v1/switch/agent:other')).json();\n"
      "globalThis.fetch = async () => ({ ok: true, json: async () => old });\n"
      "out.push(await mayAct(server, 'agent:another', key));\n"
      "const [h, p, s] = old.jwt.split('.');\n"
      "const forged = Buffer.from(Buffer.from(p, 'base64url').toString().replace('other', "
      "'cruel')).toString('base64url');\n"
      "globalThis.fetch = async () => ({ ok: true, json: async () => ({ jwt: [h, forged, s].join('.') }) "
      "});\n"
      "out.push(await mayAct(server, 'agent:cruel', key));\n"
      "globalThis.fetch = async () => ({ ok: true, json: async () => old });\n"
      "out.push(await mayAct(server, 'agent:other', key));\n"
      "Date.now = () => 9e15;\n"
      "out.push(await mayAct(server, 'agent:other', key));\n"
      "console.log(out.join(' '));\n");
  // Stopped; free; another key; no server; another scope's answer; forged; free; expired.
  EXPECT_EQ(out, "false true false false false false true false\n");
}

}  // namespace
}  // namespace tocsin::surface
