#include "surface/replay/exporter.h"

#include <fmt/format.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "ports/http_client.h"
#include "surface/replay/otlp_encoder.h"

namespace tocsin::surface {
namespace {

// One attempt: the server's answer, or how long it asks to wait.
struct Attempt {
  Status status;
  Duration wait;  // 0: do not try again
  ExportOutcome outcome;
};

class RetryingExporter : public Exporter {
 public:
  explicit RetryingExporter(ExporterOptions options) : options_(std::move(options)) {}

  Result<ExportOutcome> Send(const otlp::ExportTraceRequest& request) override {
    const std::string body =
        options_.protocol == Protocol::kJson ? ToOtlpJson(request) : request.SerializeAsString();
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::nanoseconds(options_.patience.ns);
    for (uint64_t waits = 0;; ++waits) {
      Attempt attempt = Try(body);
      if (attempt.status.ok()) {
        attempt.outcome.waits = waits;
        attempt.outcome.bytes = body.size();
        return std::move(attempt.outcome);
      }
      if (attempt.wait.ns == 0) return Error(std::move(attempt.status));
      const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(attempt.wait.ns);
      if (until > give_up) {
        return Error(Code::kUnavailable,
                     fmt::format("the server has asked to wait for {}: {}", FormatDuration(options_.patience),
                                 attempt.status.message()));
      }
      while (std::chrono::steady_clock::now() < until) {
        if (options_.cancelled && options_.cancelled())
          return Error(Code::kCancelled, "stopped while waiting");
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }
  }

 protected:
  virtual Attempt Try(const std::string& body) = 0;
  ExporterOptions options_;
};

class HttpExporter final : public RetryingExporter {
 public:
  using RetryingExporter::RetryingExporter;

 private:
  bool json() const { return options_.protocol == Protocol::kJson; }

  Attempt Try(const std::string& body) override {
    ports::HttpRequest request;
    request.method = "POST";
    request.url = options_.url + "/v1/traces";
    request.headers = {{"Content-Type", json() ? "application/json" : "application/x-protobuf"}};
    request.body = body;
    auto response = client_.Send(request);
    if (!response) return {response.error(), {}, {}};
    if (response->status == 200) return {Status::Ok(), {}, Outcome(response->body)};
    const bool later = response->status == 429 || (response->status >= 502 && response->status <= 504);
    const Code code = later ? Code::kUnavailable : Code::kInvalidArgument;
    Status status(code,
                  fmt::format("{} answered {}: {}", request.url, response->status, Message(response->body)));
    const int64_t seconds = std::max<int64_t>(response->retry_after_s, 1);
    return {std::move(status), later ? Duration::Seconds(seconds) : Duration{}, {}};
  }

  ExportOutcome Outcome(const std::string& body) const {
    ExportOutcome outcome;
    if (json()) {
      const auto parsed = nlohmann::json::parse(body, nullptr, false);
      if (!parsed.is_object() || !parsed.contains("partialSuccess")) return outcome;
      const auto& partial = parsed["partialSuccess"];
      if (!partial.is_object()) return outcome;
      const auto rejected = partial.find("rejectedSpans");
      if (rejected != partial.end() && rejected->is_number_integer())
        outcome.rejected = rejected->get<int64_t>();
      if (rejected != partial.end() && rejected->is_string()) {
        outcome.rejected = std::atoll(rejected->get_ref<const std::string&>().c_str());
      }
      if (const auto it = partial.find("errorMessage"); it != partial.end() && it->is_string()) {
        outcome.message = it->get<std::string>();
      }
      return outcome;
    }
    otlp::ExportResponse response;
    if (response.ParseFromString(body)) {
      outcome.rejected = response.partial_success().rejected();
      outcome.message = response.partial_success().error_message();
    }
    return outcome;
  }

  // A google.rpc.Status in the client's encoding, or problem details from before the endpoint.
  std::string Message(const std::string& body) const {
    const auto parsed = nlohmann::json::parse(body, nullptr, false);
    if (parsed.is_object()) {
      for (const char* name : {"message", "detail"}) {
        if (const auto it = parsed.find(name); it != parsed.end() && it->is_string())
          return it->get<std::string>();
      }
    }
    otlp::RpcStatus status;
    return status.ParseFromString(body) ? status.message() : std::string("(no reason given)");
  }

  ports::HttpClient client_;
};

class GrpcExporter final : public RetryingExporter {
 public:
  GrpcExporter(ExporterOptions options, const std::string& target)
      : RetryingExporter(std::move(options)),
        stub_(grpc::CreateChannel(target, grpc::InsecureChannelCredentials())) {}

 private:
  Attempt Try(const std::string& body) override {
    const grpc::Slice slice(body);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    std::mutex mutex;
    std::condition_variable ended;
    bool done = false;
    grpc::Status status;
    stub_.UnaryCall(&context, "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
                    grpc::StubOptions(), &request, &response, [&](grpc::Status result) {
                      const std::lock_guard lock(mutex);
                      status = std::move(result);
                      done = true;
                      ended.notify_one();
                    });
    std::unique_lock lock(mutex);
    ended.wait(lock, [&] { return done; });
    if (status.ok()) return {Status::Ok(), {}, Outcome(response)};
    Status ours(static_cast<Code>(status.error_code()),
                fmt::format("{} answered {}", options_.url, status.error_message()));
    return {std::move(ours), Delay(status), {}};
  }

  static ExportOutcome Outcome(const grpc::ByteBuffer& buffer) {
    grpc::Slice slice;
    ExportOutcome outcome;
    otlp::ExportResponse response;
    if (buffer.DumpToSingleSlice(&slice).ok() &&
        response.ParseFromArray(slice.begin(), static_cast<int>(slice.size()))) {
      outcome.rejected = response.partial_success().rejected();
      outcome.message = response.partial_success().error_message();
    }
    return outcome;
  }

  // RetryInfo's delay; RESOURCE_EXHAUSTED without one is final, as OTLP says.
  static Duration Delay(const grpc::Status& status) {
    otlp::RpcStatus details;
    if (!details.ParseFromString(status.error_details())) return {};
    for (const otlp::RpcStatus::Detail& detail : details.details()) {
      otlp::RetryInfo info;
      if (detail.type_url() == "type.googleapis.com/google.rpc.RetryInfo" &&
          info.ParseFromString(detail.value())) {
        const int64_t ns = info.retry_delay().seconds() * 1'000'000'000 + info.retry_delay().nanos();
        return Duration::Nanos(std::max<int64_t>(ns, 1'000'000));
      }
    }
    return {};
  }

  grpc::GenericStub stub_;
};

}  // namespace

Result<std::unique_ptr<Exporter>> Exporter::Open(const ExporterOptions& given) {
  ExporterOptions options = given;
  while (options.url.ends_with('/')) options.url.pop_back();
  if (options.protocol != Protocol::kGrpc) return std::make_unique<HttpExporter>(options);
  std::string target = options.url;
  if (target.starts_with("https://"))
    return Error(Code::kInvalidArgument, "gRPC over TLS is not supported by replay");
  if (target.starts_with("http://")) target.erase(0, 7);
  if (target.empty() || target.find('/') != std::string::npos) {
    return Error(Code::kInvalidArgument, fmt::format("'{}' is not host:port of a gRPC server", given.url));
  }
  return std::make_unique<GrpcExporter>(options, target);
}

}  // namespace tocsin::surface
