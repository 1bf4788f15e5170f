// HTTP as an attacker or a broken client speaks it. Each request has to get one precise answer, and the
// server has to serve the next client as if nothing had been.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "tests/e2e/raw_socket.h"
#include "tests/e2e/running_server.h"
#include "tests/e2e/telemetry_requests.h"

namespace tocsin::e2e {
namespace {

using ::testing::HasSubstr;

class HostileHttp : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    runtime::Settings settings;
    settings.limits.request_timeout_ms = 1500;
    settings.limits.max_request_bytes = 1u << 20;
    settings.limits.max_inflated_bytes = 4u << 20;
    settings.limits.max_inflight_bytes = 8u << 20;
    server_ = std::make_unique<RunningServer>(settings);
  }
  static void TearDownTestSuite() { server_.reset(); }

  std::string Exchange(const std::string& bytes) {
    RawSocket socket(server_->port());
    socket.Send(bytes);
    return socket.ReadResponse();
  }
  void TearDown() override { EXPECT_EQ(server_->Get("/livez").status, 200); }

  static std::unique_ptr<RunningServer> server_;
};
std::unique_ptr<RunningServer> HostileHttp::server_;

TEST_F(HostileHttp, MalformedHeadersAre400) {
  for (const std::string& request : {
           std::string("GARBAGE\r\n\r\n"),
           std::string("GET /livez HTTP/1.1\r\n\r\n"),                            // no Host
           std::string("GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),      // two
           std::string("GET /livez HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n"),  // space in a name
           std::string("GET /livez HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n"),        // space before the colon
           std::string("GET /li\x01vez HTTP/1.1\r\nHost: a\r\n\r\n"),             // control character
           std::string("GET /livez HTTP/9.9\r\nHost: a\r\n\r\n"),
       }) {
    const int status = StatusOf(Exchange(request));
    EXPECT_TRUE(status == 400 || status == 505) << status << " for " << request;
  }
}

TEST_F(HostileHttp, SmugglingIsRefusedAndTheConnectionCloses) {
  for (const char* fields : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked",
           "Transfer-Encoding: chunked\r\nContent-Length: 5",
           "Content-Length: 5\r\nContent-Length: 6",
           "Content-Length: 5, 6",
           "Content-Length: +5",
           "Content-Length: -1",
           "Content-Length: 99999999999999999999",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
           "Transfer-Encoding: chunked, identity",
           "Transfer-Encoding: gzip, chunked",
           "Transfer-Encoding: xchunked",
       }) {
    RawSocket socket(server_->port());
    socket.Send(
        fmt::format("POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{}\r\n\r\n"
                    "0\r\n\r\nGET /livez HTTP/1.1\r\nHost: a\r\n\r\n",
                    fields));
    const std::string all = socket.ReadAll();
    const int status = StatusOf(all);
    EXPECT_TRUE(status == 400 || status == 501) << fields << "\n" << all;
    EXPECT_EQ(all.find("\r\nDate: "), all.rfind("\r\nDate: "))
        << "a smuggled request was answered: " << fields << all;
    EXPECT_THAT(all, HasSubstr("Connection: close")) << fields;
  }
}

TEST_F(HostileHttp, HeaderTooLargeIs431) {
  const std::string response =
      Exchange("GET /livez HTTP/1.1\r\nHost: a\r\nX-Big: " + std::string(100'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(StatusOf(response), 431) << response;
}

TEST_F(HostileHttp, DeclaredTooLargeIs413BeforeTheBodyComes) {
  const std::string response = Exchange(
      "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
      "1048577\r\n\r\n");
  EXPECT_EQ(StatusOf(response), 413);
  EXPECT_THAT(response, HasSubstr("1048576 bytes allowed"));
}

TEST_F(HostileHttp, ChunkedTooLargeIs413) {
  RawSocket socket(server_->port());
  socket.Send(
      "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: "
      "chunked\r\n\r\n");
  const std::string chunk = fmt::format("{:x}\r\n{}\r\n", 1u << 18, std::string(1u << 18, ' '));
  for (int i = 0; i < 5 && socket.Send(chunk); ++i) {
  }
  EXPECT_EQ(StatusOf(socket.ReadResponse()), 413);
}

TEST_F(HostileHttp, BadChunksAre400) {
  const std::string head =
      "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: "
      "chunked\r\n\r\n";
  EXPECT_EQ(StatusOf(Exchange(head + "zz\r\n{}\r\n0\r\n\r\n")), 400);
  EXPECT_EQ(StatusOf(Exchange(head + "2\r\n{}XX0\r\n\r\n")), 400);
}

TEST_F(HostileHttp, ChunkedBodyIsRead) {
  EXPECT_EQ(StatusOf(Exchange(
                "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: "
                "chunked\r\n\r\n1\r\n{\r\n1;ext=1\r\n}\r\n0\r\nTrailer: x\r\n\r\n")),
            200);
}

TEST_F(HostileHttp, SlowHeaderAndSlowBodyAre408) {
  RawSocket header(server_->port());
  header.Send("GET /livez HTTP/1.1\r\nHo");
  EXPECT_EQ(StatusOf(header.ReadResponse()), 408);
  EXPECT_TRUE(header.PeerCloses());
  RawSocket body(server_->port());  // drips, so that a timer that starts anew with each byte never ends
  body.Send(
      "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
      "1000\r\n\r\n");
  for (int i = 0; i < 30 && body.Send(" "); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(StatusOf(body.ReadResponse()), 408);
}

TEST_F(HostileHttp, ShorterBodyThanDeclaredAndGoneLeavesNothing) {
  RawSocket socket(server_->port());
  socket.Send(
      "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
      "100\r\n\r\n{}");
  socket.CloseSending();
  EXPECT_TRUE(socket.PeerCloses());
}

TEST_F(HostileHttp, LongerBodyThanDeclaredDoesNotCorruptTheNextRequest) {
  RawSocket socket(server_->port());
  socket.Send(
      "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
      "2\r\n\r\n{}{}{}");
  EXPECT_EQ(StatusOf(socket.ReadResponse()), 200);
  socket.Send("\r\n\r\n");
  EXPECT_EQ(StatusOf(socket.ReadResponse()), 400);
}

TEST_F(HostileHttp, PipelinedRequestsAreAnsweredInOrder) {
  RawSocket socket(server_->port());
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";
    all +=
        "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
        "2\r\n\r\n{}";
    all += "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  socket.Send(all);
  for (int i = 0; i < 50; ++i) {
    ASSERT_THAT(socket.ReadResponse(), HasSubstr("ok"));
    ASSERT_THAT(socket.ReadResponse(), HasSubstr("{}"));
    ASSERT_EQ(StatusOf(socket.ReadResponse()), 404);
  }
}

TEST_F(HostileHttp, UnknownPathIs404AndWrongMethod405WithAllow) {
  EXPECT_EQ(StatusOf(Exchange("GET /v1/tracez HTTP/1.1\r\nHost: a\r\n\r\n")), 404);
  const std::string response = Exchange("DELETE /v1/traces HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(StatusOf(response), 405);
  EXPECT_THAT(response, HasSubstr("Allow: POST\r\n"));
  EXPECT_THAT(response, HasSubstr("application/problem+json"));
  EXPECT_EQ(StatusOf(Exchange("GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n")), 404);
  EXPECT_EQ(StatusOf(Exchange("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n")), 400);
}

TEST_F(HostileHttp, HeadHasNoBody) {
  RawSocket socket(server_->port());
  socket.Send("HEAD /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string all = socket.ReadAll();
  EXPECT_EQ(StatusOf(all), 200);
  EXPECT_TRUE(all.ends_with("\r\n\r\n")) << all;
}

TEST_F(HostileHttp, ExpectContinueIsAnswered) {
  RawSocket socket(server_->port());
  socket.Send(
      "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_THAT(socket.ReadResponse(), HasSubstr("100 Continue"));
  socket.Send("{}");
  EXPECT_EQ(StatusOf(socket.ReadResponse()), 200);
}

TEST_F(HostileHttp, HtmlEscapesWhatItIsGiven) {
  // A path that is no route answers JSON, which no browser takes for HTML.
  EXPECT_EQ(server_->Get("/incidents/%3Cscript%3Ealert(1)%3C%2Fscript%3E").content_type,
            "application/problem+json");
  const auto other = server_->Get("/incidents/%3Cimg%20src=x%20onerror=alert(1)%3E");
  EXPECT_EQ(other.status, 404);
  EXPECT_EQ(other.body.find("<img"), std::string::npos) << other.body;
}

TEST_F(HostileHttp, ContentTypeAndEncoding) {
  EXPECT_EQ(server_->Post("/v1/traces", "text/plain", "{}").status, 415);
  EXPECT_EQ(server_->Post("/v1/traces", "", "{}").status, 415);
  EXPECT_EQ(server_->Post("/v1/traces", "application/json; charset=utf-8", "{}").status, 200);
  EXPECT_EQ(server_->Post("/v1/traces", "application/json", "not gzip at all", "gzip").status, 400);
  const int unknown = server_->Post("/v1/traces", "application/json", "{}", "br").status;
  EXPECT_TRUE(unknown == 400 || unknown == 415) << unknown;
  const std::string packed = Gzip("{\"resourceSpans\":[]}");
  EXPECT_EQ(server_->Post("/v1/traces", "application/json", packed, "gzip").status, 200);
  EXPECT_EQ(
      server_->Post("/v1/traces", "application/json", packed.substr(0, packed.size() - 6), "gzip").status,
      400);
}

TEST_F(HostileHttp, ZipBombIs413) {
  const std::string bomb = Gzip(std::string(64u << 20, ' '));
  ASSERT_LT(bomb.size(), 200'000u);
  EXPECT_EQ(server_->Post("/v1/traces", "application/json", bomb, "gzip").status, 413);
}

TEST_F(HostileHttp, DeepJsonIsRefused) {
  std::string value = R"({"stringValue":"x"})";
  for (int i = 0; i < 200; ++i) value = R"({"arrayValue":{"values":[)" + value + "]}}";
  const std::string body =
      R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"x","attributes":[{"key":"k","value":)" +
      value + "}]}]}]}]}";
  const auto response = server_->Post("/v1/traces", "application/json", body);
  // The span is refused and said so, or the whole request is.
  if (response.status == 200) {
    EXPECT_THAT(response.body, HasSubstr("partialSuccess"));
  } else {
    EXPECT_TRUE(response.status == 400 || response.status == 413) << response.status << response.body;
  }
  EXPECT_GE(server_->Post("/v1/traces", "application/json", std::string(100'000, '[')).status, 400);
}

TEST_F(HostileHttp, ManyHalfOpenBodiesDoNotStarveOthers) {
  std::vector<std::unique_ptr<RawSocket>> held;
  for (int i = 0; i < 20; ++i) {
    held.push_back(std::make_unique<RawSocket>(server_->port()));
    held.back()->Send(
        "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
        "1000000\r\n\r\n{");
  }
  EXPECT_EQ(server_->Post("/v1/traces", "application/json", "{}").status, 200);
}

TEST_F(HostileHttp, RandomBytesNeverBreakTheServer) {
  uint64_t state = 12345;
  for (int round = 0; round < 200; ++round) {
    std::string bytes = round % 2 == 0 ? "POST /v1/traces HTTP/1.1\r\nHost: a\r\n" : "";
    for (int i = 0; i < 64; ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      bytes += static_cast<char>(state >> 56);
    }
    RawSocket socket(server_->port());
    socket.Send(bytes + "\r\n\r\n");
    socket.CloseSending();
    const std::string answer = socket.ReadAll();
    if (!answer.empty()) {
      EXPECT_GE(StatusOf(answer), 400) << answer;
      EXPECT_LT(StatusOf(answer), 500) << answer;
    }
  }
}

}  // namespace
}  // namespace tocsin::e2e
