// A server in this process, on ephemeral ports, with a data directory of its own that goes with it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ports/http_client.h"
#include "runtime/server.h"
#include "store/testing/scratch_directory.h"

namespace tocsin::e2e {

class RunningServer {
 public:
  explicit RunningServer(runtime::Settings settings = {});

  runtime::Server& server() { return *server_; }
  uint16_t port() const { return server_->http_port(); }
  std::string url() const;
  std::string grpc_url() const;
  // What is stored of a service; everything durable is stored first.
  std::vector<store::StoredGeneration> Stored(const std::string& service);
  // Asserts that the request was answered at all.
  ports::HttpResponse Post(const std::string& path, const std::string& content_type, std::string_view body,
                           const std::string& content_encoding = "");
  ports::HttpResponse Get(const std::string& path, const std::string& accept = "application/json");

 private:
  store::testing::ScratchDirectory directory_;
  std::unique_ptr<runtime::Server> server_;
  ports::HttpClient client_;
};

}  // namespace tocsin::e2e
