// What is sent arrives: OTLP over HTTP, feedback, changes, and the pages and documents that show it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "surface/replay/otlp_encoder.h"
#include "tests/e2e/running_server.h"
#include "tests/e2e/telemetry_requests.h"

namespace tocsin::e2e {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class Ingest : public ::testing::Test {
 protected:
  Json Generations(const std::string& service) {
    EXPECT_TRUE(running_.server().writer().Flush().ok());
    const auto response = running_.Get("/api/v1/generations?limit=1000&service=" + service);
    EXPECT_EQ(response.status, 200) << response.body;
    return Json::parse(response.body)["generations"];
  }
  Json Counts() {
    EXPECT_TRUE(running_.server().writer().Flush().ok());
    return Json::parse(running_.Get("/api/v1/counts").body);
  }

  RunningServer running_;
};

TEST_F(Ingest, ProtobufAndJsonAndGzipAllArrive) {
  const auto proto = TraceRequest({"svc-proto", 0, 10, 200});
  EXPECT_EQ(running_.Post("/v1/traces", "application/x-protobuf", proto.SerializeAsString()).status, 200);
  const auto json = TraceRequest({"svc-json", 100, 10, 200});
  const auto answer = running_.Post("/v1/traces", "application/json", surface::ToOtlpJson(json));
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body, "{}");
  const auto gzip = TraceRequest({"svc-gzip", 200, 10, 200});
  EXPECT_EQ(
      running_.Post("/v1/traces", "application/x-protobuf", Gzip(gzip.SerializeAsString()), "gzip").status,
      200);
  for (const char* service : {"svc-proto", "svc-json", "svc-gzip"}) {
    const Json list = Generations(service);
    ASSERT_EQ(list.size(), 10u) << service;
    EXPECT_EQ(list[3]["request_model"], "gpt-4o");
    EXPECT_THAT(list[3]["input"].get<std::string>(), HasSubstr("Where is order"));
    EXPECT_THAT(list[3]["output"].get<std::string>(), HasSubstr("Answer "));
  }
}

TEST_F(Ingest, SendingTheSameAgainStoresOnce) {
  const std::string body = TraceRequest({"svc-twice", 300, 10, 50}).SerializeAsString();
  EXPECT_EQ(running_.Post("/v1/traces", "application/x-protobuf", body).status, 200);
  EXPECT_EQ(running_.Post("/v1/traces", "application/x-protobuf", body).status, 200);
  EXPECT_EQ(Generations("svc-twice").size(), 10u);
}

TEST_F(Ingest, OneBadSpanDoesNotCostItsNeighbours) {
  auto request = TraceRequest({"svc-partial", 400, 10, 50});
  request.mutable_resource_spans(0)->mutable_scope_spans(0)->mutable_spans(4)->set_trace_id("abc");
  const auto proto = running_.Post("/v1/traces", "application/x-protobuf", request.SerializeAsString());
  EXPECT_EQ(proto.status, 200);
  otlp::ExportResponse response;
  ASSERT_TRUE(response.ParseFromString(proto.body));
  EXPECT_EQ(response.partial_success().rejected(), 1);
  EXPECT_THAT(response.partial_success().error_message(), HasSubstr("spans[4]"));
  EXPECT_EQ(Generations("svc-partial").size(), 9u);
}

TEST_F(Ingest, MalformedIsAnsweredInTheClientsEncoding) {
  const auto proto = running_.Post("/v1/traces", "application/x-protobuf", "\xff\xff\xff garbage");
  EXPECT_EQ(proto.status, 400);
  EXPECT_EQ(proto.content_type, "application/x-protobuf");
  otlp::RpcStatus status;
  ASSERT_TRUE(status.ParseFromString(proto.body));
  EXPECT_EQ(status.code(), 3);
  EXPECT_FALSE(status.message().empty());
  const auto json = running_.Post("/v1/logs", "application/json", "{\"resourceLogs\": [");
  EXPECT_EQ(json.status, 400);
  EXPECT_EQ(Json::parse(json.body)["code"], 3);
}

TEST_F(Ingest, LogsAndMetricsAreStored) {
  const auto logs = running_.Post(
      "/v1/logs", "application/json",
      R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1790000000000000000","severityNumber":9,"body":{"stringValue":"hello"}}]}]}]})");
  EXPECT_EQ(logs.status, 200) << logs.body;
  const auto metrics = running_.Post(
      "/v1/metrics", "application/json",
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"timeUnixNano":"1790000000000000000","asDouble":1.5}]}}]}]}]})");
  EXPECT_EQ(metrics.status, 200) << metrics.body;
  const Json counts = Counts();
  EXPECT_EQ(counts["logs"], 1);
  EXPECT_EQ(counts["metrics"], 1);
}

TEST_F(Ingest, FeedbackIsStoredAndBadFeedbackLocated) {
  const auto good =
      running_.Post("/api/v1/feedback", "application/json",
                    R"({"trace_id":"0102030405060708090a0b0c0d0e0f10","score":-1,"comment":"wrong"})");
  EXPECT_EQ(good.status, 202) << good.body;
  EXPECT_EQ(Counts()["feedbacks"], 1);
  const auto bad = running_.Post("/api/v1/feedback", "application/json", R"({"score":"very"})");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.content_type, "application/problem+json");
  EXPECT_THAT(Json::parse(bad.body)["detail"].get<std::string>(), HasSubstr("score"));
  EXPECT_EQ(running_.Post("/api/v1/feedback", "text/plain", "{}").status, 415);
}

TEST_F(Ingest, ChangesComeAsCloudEventsAndAsPagerDutyChangeEvents) {
  const auto cloud = running_.Post("/api/v1/changes", "application/cloudevents+json",
                                   R"({"specversion":"1.0","id":"d1","source":"ci","type":"deploy",
          "time":"2026-11-01T10:00:00Z","data":{"kind":"deploy","service":"support-bot","summary":"v2"}})");
  EXPECT_EQ(cloud.status, 202) << cloud.body;
  const auto pager =
      running_.Post("/v2/change/enqueue", "application/json",
                    R"({"routing_key":"k","payload":{"summary":"Build 7 deployed","source":"ci",
          "timestamp":"2026-11-01T10:05:00Z"}})");
  EXPECT_EQ(pager.status, 202) << pager.body;
  EXPECT_EQ(Json::parse(pager.body)["status"], "success");
  EXPECT_EQ(Counts()["changes"], 2);
  EXPECT_EQ(running_.Post("/v2/change/enqueue", "application/json", R"({"payload":{}})").status, 400);
}

TEST_F(Ingest, OpenApiNamesEveryRouteAndEveryDocumentedGetAnswersAsDocumented) {
  const Json document = Json::parse(running_.Get("/openapi.json").body);
  EXPECT_EQ(document["openapi"], "3.1.0");
  for (const auto& [path, methods] : document["paths"].items()) {
    std::string concrete = path;
    if (const size_t open = concrete.find('{'); open != std::string::npos)
      concrete.replace(open, concrete.find('}') + 1 - open, "INC-NONE");
    if (!methods.contains("get")) {
      EXPECT_EQ(running_.Get(concrete).status, 405) << path;
      continue;
    }
    const auto response = running_.Get(concrete);
    const Json& answers = methods["get"]["responses"];
    const std::string status = std::to_string(response.status);
    ASSERT_TRUE(answers.contains(status)) << path << " answered " << status;
    const std::string documented = answers[status]["content"].begin().key();
    EXPECT_TRUE(response.content_type.starts_with(documented)) << path << ": " << response.content_type;
  }
}

TEST_F(Ingest, HealthMetricsStatusAndPages) {
  EXPECT_EQ(running_.Get("/readyz").status, 200);
  EXPECT_EQ(
      running_.Post("/v1/traces", "application/x-protobuf", TraceRequest({}).SerializeAsString()).status,
      200);
  const std::string metrics = running_.Get("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("tocsin_items_total"));
  EXPECT_THAT(metrics, HasSubstr("tocsin_backlog_bytes"));
  const Json status = Json::parse(running_.Get("/api/v1/status").body);
  EXPECT_TRUE(status["ready"].get<bool>());
  EXPECT_EQ(status["ingest"]["durable_position"], 1);
  EXPECT_THAT(running_.Get("/", "text/html").body, HasSubstr("Open incidents"));
  EXPECT_EQ(running_.Get("/api/v1/incidents?limit=0").status, 400);
  EXPECT_EQ(running_.Get("/api/v1/generations?from=yesterday").status, 400);
  EXPECT_EQ(running_.Get("/api/v1/incidents/INC-NONE").status, 404);
}

}  // namespace
}  // namespace tocsin::e2e
