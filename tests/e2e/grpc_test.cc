// OTLP/gRPC with a real client.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <vector>

#include "surface/replay/exporter.h"
#include "tests/e2e/running_server.h"
#include "tests/e2e/telemetry_requests.h"

namespace tocsin::e2e {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTraces = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

grpc::Status Call(RunningServer& running, const std::string& method, const std::string& body) {
  grpc::GenericStub stub(
      grpc::CreateChannel(running.grpc_url().substr(7), grpc::InsecureChannelCredentials()));
  const grpc::Slice slice(body);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::ClientContext context;
  std::promise<grpc::Status> ended;
  stub.UnaryCall(&context, method, grpc::StubOptions(), &request, &response,
                 [&](grpc::Status status) { ended.set_value(std::move(status)); });
  return ended.get_future().get();
}

TEST(Grpc, ExportIsStored) {
  RunningServer running;
  surface::ExporterOptions options;
  options.protocol = surface::Protocol::kGrpc;
  options.url = running.grpc_url();
  auto exporter = surface::Exporter::Open(options);
  ASSERT_TRUE(exporter);
  auto request = TraceRequest({"grpc", 0, 25, 300});
  request.mutable_resource_spans(0)->mutable_scope_spans(0)->mutable_spans(3)->set_span_id("x");
  const auto outcome = (*exporter)->Send(request);
  ASSERT_TRUE(outcome) << outcome.error().ToString();
  EXPECT_EQ(outcome->rejected, 1);
  ASSERT_TRUE(running.server().writer().Flush().ok());
  const auto stored = running.Stored("grpc");
  EXPECT_EQ(stored.size(), 24u);
}

TEST(Grpc, ErrorsAreTheProtocols) {
  RunningServer running;
  EXPECT_EQ(Call(running, kTraces, "\xff\xff\xff garbage").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Call(running, "/opentelemetry.proto.collector.trace.v1.TraceService/Import", "").error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(Call(running, kTraces, std::string(20u << 20, 'x')).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Call(running, kTraces, "").ok());
}

TEST(Grpc, BacklogIsResourceExhaustedWithRetryInfo) {
  runtime::Settings settings;
  settings.limits.max_backlog_bytes = 256u << 10;
  RunningServer running(settings);
  grpc::Status refused;
  for (uint64_t i = 0; i < 200 && refused.ok(); ++i) {
    refused = Call(running, kTraces, TraceRequest({"grpc", i * 200, 200, 1000}).SerializeAsString());
  }
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  otlp::RpcStatus details;
  ASSERT_TRUE(details.ParseFromString(refused.error_details()));
  ASSERT_EQ(details.details_size(), 1);
  EXPECT_THAT(details.details(0).type_url(), HasSubstr("google.rpc.RetryInfo"));
}

}  // namespace
}  // namespace tocsin::e2e
