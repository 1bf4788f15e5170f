#include "tests/e2e/running_server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace tocsin::e2e {

RunningServer::RunningServer(runtime::Settings settings) {
  settings.data = directory_.path() + "/data";
  settings.http.port = 0;
  settings.grpc.port = 0;
  auto server = runtime::Server::Start(settings, ports::SystemClock());
  if (!server) throw std::runtime_error(server.error().ToString());
  server_ = std::move(*server);
}

std::string RunningServer::url() const { return fmt::format("http://127.0.0.1:{}", server_->http_port()); }
std::string RunningServer::grpc_url() const {
  return fmt::format("http://127.0.0.1:{}", server_->grpc_port());
}

std::vector<store::StoredGeneration> RunningServer::Stored(const std::string& service) {
  EXPECT_TRUE(server_->writer().Flush().ok());
  store::GenerationFilter filter;
  filter.service = service;
  auto stored = server_->telemetry().Generations(filter);
  EXPECT_TRUE(stored.has_value());
  return stored.value_or(std::vector<store::StoredGeneration>());
}

ports::HttpResponse RunningServer::Post(const std::string& path, const std::string& content_type,
                                        std::string_view body, const std::string& content_encoding) {
  ports::HttpRequest request{"POST", url() + path, {{"Content-Type", content_type}}, body};
  if (!content_encoding.empty()) request.headers.emplace_back("Content-Encoding", content_encoding);
  auto response = client_.Send(request);
  EXPECT_TRUE(response.has_value()) << (response ? "" : response.error().ToString());
  return response.value_or(ports::HttpResponse{});
}

ports::HttpResponse RunningServer::Get(const std::string& path, const std::string& accept) {
  auto response = client_.Send({"GET", url() + path, {{"Accept", accept}}, {}});
  EXPECT_TRUE(response.has_value()) << (response ? "" : response.error().ToString());
  return response.value_or(ports::HttpResponse{});
}

}  // namespace tocsin::e2e
