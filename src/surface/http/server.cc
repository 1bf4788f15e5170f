#include "surface/http/server.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>
#include <thread>
#include <vector>

#include "surface/http/internal/session.h"

namespace tocsin::surface {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

class Server final : public HttpServer {
 public:
  Server(const HttpServerOptions& options, Router router)
      : state_(std::make_shared<internal::ServerState>(options, std::move(router))),
        work_(asio::make_work_guard(state_->io)),
        acceptor_(asio::make_strand(state_->io)),
        retry_(acceptor_.get_executor()) {}
  ~Server() override { Stop(Duration::Seconds(5)); }

  Status Listen() {
    const HttpServerOptions& options = state_->options;
    ErrorCode error;
    const auto address = asio::ip::make_address(options.address, error);
    if (error) {
      return Status(Code::kInvalidArgument, fmt::format("'{}' is not an IP address", options.address));
    }
    const tcp::endpoint endpoint(address, options.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return Status(
          Code::kFailedPrecondition,
          fmt::format("cannot listen on {}:{}: {}{}", options.address, options.port, error.message(),
                      error == asio::error::address_in_use
                          ? " (is Tocsin or an OpenTelemetry collector already running there?)"
                          : ""));
    }
    port_ = acceptor_.local_endpoint().port();
    return Status::Ok();
  }

  void Run() {
    asio::post(acceptor_.get_executor(), [this] { Accept(); });
    for (int i = 0; i < state_->options.io_threads; ++i) {
      threads_.emplace_back([state = state_] { state->io.run(); });
    }
  }

  uint16_t port() const override { return port_; }

  HttpServerStats Stats() const override {
    HttpServerStats stats;
    stats.inflight_bytes = state_->inflight_bytes.load();
    stats.accepted = state_->accepted.load();
    stats.refused_connections = state_->refused.load();
    const std::lock_guard lock(state_->mutex);
    stats.connections = state_->sessions.size();
    return stats;
  }

  void Stop(Duration grace) override {
    if (state_->stopping.exchange(true)) return;
    asio::post(acceptor_.get_executor(), [this] {
      ErrorCode ignored;
      acceptor_.close(ignored);
      retry_.cancel();
    });
    internal::EndSessions(*state_, false);
    WaitForSessions(std::chrono::nanoseconds(grace.ns));
    internal::EndSessions(*state_, true);
    WaitForSessions(std::chrono::milliseconds(500));
    state_->queries.join();
    work_.reset();
    state_->io.stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  void WaitForSessions(std::chrono::nanoseconds at_most) {
    const auto end = std::chrono::steady_clock::now() + at_most;
    while (std::chrono::steady_clock::now() < end) {
      {
        const std::lock_guard lock(state_->mutex);
        if (state_->sessions.empty()) return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  void Accept() {
    if (state_->stopping) return;
    acceptor_.async_accept(asio::make_strand(state_->io), [this](ErrorCode error, tcp::socket socket) {
      if (state_->stopping || error == asio::error::operation_aborted) return;
      if (error) {  // out of file descriptors, mostly: wait for some to be given back
        spdlog::warn("accepting a connection: {}", error.message());
        retry_.expires_after(std::chrono::milliseconds(100));
        retry_.async_wait([this](ErrorCode) { Accept(); });
        return;
      }
      Admit(std::move(socket));
      Accept();
    });
  }

  void Admit(tcp::socket socket) {
    bool full = false;
    {
      const std::lock_guard lock(state_->mutex);
      full = state_->sessions.size() >= state_->options.limits.max_connections;
    }
    ErrorCode ignored;
    if (full) {
      ++state_->refused;
      socket.non_blocking(true, ignored);
      socket.write_some(asio::buffer(kFull.data(), kFull.size()), ignored);
      return;
    }
    ++state_->accepted;
    socket.set_option(tcp::no_delay(true), ignored);
    internal::StartSession(state_, std::move(socket));
  }

  std::shared_ptr<internal::ServerState> state_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  uint16_t port_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options, Router router) {
  try {
    auto server = std::make_unique<Server>(options, std::move(router));
    TOCSIN_RETURN_IF_ERROR(server->Listen());
    server->Run();
    return server;
  } catch (...) {
    return Error(Status::FromException("starting the HTTP server"));
  }
}

}  // namespace tocsin::surface
