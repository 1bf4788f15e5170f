#include "surface/grpc/server.h"

#include <fmt/format.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <chrono>
#include <optional>

namespace tocsin::surface {
namespace {

constexpr std::string_view kTraces = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
constexpr std::string_view kLogs = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
constexpr std::string_view kMetrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

std::optional<Signal> SignalOf(std::string_view method) {
  if (method == kTraces) return Signal::kTraces;
  if (method == kLogs) return Signal::kLogs;
  if (method == kMetrics) return Signal::kMetrics;
  return std::nullopt;
}

grpc::Status ToGrpc(const Status& status) {
  // Statuses as HTTP says 413 have no gRPC meaning of their own: too large is the caller's argument.
  const Code code = status.code() == Code::kOutOfRange ? Code::kInvalidArgument : status.code();
  return grpc::Status(static_cast<grpc::StatusCode>(code), status.message(),
                      RpcStatusBody(Encoding::kProtobuf, Status(code, status.message())));
}

// One call. Deletes itself when gRPC is done with it.
class ExportCall final : public grpc::ServerGenericBidiReactor {
 public:
  ExportCall(Signal signal, TelemetryReceiver& receiver) : signal_(signal), receiver_(receiver) {
    StartRead(&request_);
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the call carries no message"));
    grpc::Slice body;
    if (const grpc::Status dumped = request_.DumpToSingleSlice(&body); !dumped.ok()) return Finish(dumped);
    request_.Clear();
    const std::string_view bytes(reinterpret_cast<const char*>(body.begin()), body.size());
    receiver_.Receive(signal_, Encoding::kProtobuf, bytes,
                      [this](const ExportAnswer& answer) { Answer(answer); });
  }

  void Answer(const ExportAnswer& answer) {
    if (!answer.status.ok()) return Finish(ToGrpc(answer.status));
    const grpc::Slice body(ExportResponseBody(signal_, Encoding::kProtobuf, answer));
    response_ = grpc::ByteBuffer(&body, 1);
    StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }

  void OnDone() override { delete this; }

  Signal signal_;
  TelemetryReceiver& receiver_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Refusal(const std::string& method) {
    Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, fmt::format("there is no method {} here", method)));
  }
  void OnDone() override { delete this; }
};

class Service final : public grpc::CallbackGenericService {
 public:
  explicit Service(TelemetryReceiver& receiver) : receiver_(receiver) {}
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    if (const auto signal = SignalOf(context->method())) return new ExportCall(*signal, receiver_);
    return new Refusal(context->method());
  }

 private:
  TelemetryReceiver& receiver_;
};

class Server final : public GrpcServer {
 public:
  explicit Server(TelemetryReceiver& receiver) : service_(receiver) {}
  ~Server() override { Stop(Duration::Seconds(5)); }

  Status Listen(const GrpcServerOptions& options) {
    grpc::ServerBuilder builder;
    int selected = 0;
    builder.AddListeningPort(fmt::format("{}:{}", options.address, options.port),
                             grpc::InsecureServerCredentials(), &selected);
    builder.RegisterCallbackGenericService(&service_);
    builder.SetMaxReceiveMessageSize(static_cast<int>(options.limits.max_request_bytes));
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a second server on the port is an error
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 128);
    grpc::ResourceQuota quota("tocsin-otlp");
    quota.Resize(options.limits.max_inflight_bytes * 4);
    builder.SetResourceQuota(quota);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || selected <= 0) {
      return Status(
          Code::kFailedPrecondition,
          fmt::format("cannot listen on {}:{} for gRPC (is Tocsin or an OpenTelemetry collector already "
                      "running there?)",
                      options.address, options.port));
    }
    port_ = static_cast<uint16_t>(selected);
    return Status::Ok();
  }

  uint16_t port() const override { return port_; }

  void Stop(Duration grace) override {
    if (server_ == nullptr || stopped_.exchange(true)) return;
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::nanoseconds(grace.ns));
    server_->Wait();
  }

 private:
  Service service_;
  std::unique_ptr<grpc::Server> server_;
  std::atomic<bool> stopped_{false};
  uint16_t port_ = 0;
};

}  // namespace

Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(const GrpcServerOptions& options,
                                                      TelemetryReceiver& receiver) {
  auto server = std::make_unique<Server>(receiver);
  TOCSIN_RETURN_IF_ERROR(server->Listen(options));
  return server;
}

}  // namespace tocsin::surface
