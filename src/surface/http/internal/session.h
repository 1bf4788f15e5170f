// One HTTP connection, and what all connections share. Only server.cc and session.cc include this.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "surface/http/server.h"

namespace tocsin::surface::internal {

class Session;

// Kept alive by every session and every unanswered request.
struct ServerState {
  ServerState(const HttpServerOptions& o, Router r)
      : options(o), router(std::move(r)), io(o.io_threads), queries(static_cast<size_t>(o.query_threads)) {}

  HttpServerOptions options;
  Router router;
  boost::asio::io_context io;
  boost::asio::thread_pool queries;
  std::atomic<size_t> waiting_queries{0};
  std::atomic<size_t> inflight_bytes{0};
  std::atomic<uint64_t> accepted{0};
  std::atomic<uint64_t> refused{0};
  std::atomic<bool> stopping{false};

  std::mutex mutex;
  std::unordered_map<Session*, std::weak_ptr<Session>> sessions;  // guarded by mutex
};

// Starts serving an accepted socket.
void StartSession(std::shared_ptr<ServerState> state, boost::asio::ip::tcp::socket socket);
// Tells every session to end: idle ones at once, busy ones after their answer; all at once when `now`.
void EndSessions(ServerState& state, bool now);

}  // namespace tocsin::surface::internal
