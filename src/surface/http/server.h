// HttpServer: HTTP/1.1 over TCP (Boost.Beast and Asio), feeding one Router.
//
// A request's header is parsed first; its body is then read straight into a buffer reserved from
// Content-Length. Requests of one connection are answered in order, one at a time, so pipelining is safe.
// Handlers run on an I/O thread, or on the query threads when their route is `blocking`; answers may come
// from any thread, later.
//
// Bounds: header and body size (431, 413), bodies in flight (429), connections (503), time to send a request
// (408), idle time, queries waiting (503). A body is counted as it arrives, so that declaring a large one
// reserves nothing.
//
// Ownership: owns its threads, sockets and router; what handlers refer to must outlive it.
// Thread-safety: all methods. Errors of Start: kFailedPrecondition when the address is in use or not ours.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "kernel/limits.h"
#include "kernel/status.h"
#include "kernel/time.h"
#include "surface/http/router.h"

namespace tocsin::surface {

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 4318;  // 0: any free one
  int io_threads = 2;
  int query_threads = 2;
  size_t max_waiting_queries = 64;
  size_t max_header_bytes = 32u << 10;
  int64_t idle_timeout_ms = 75'000;
  Limits limits;
  // Told of every answered request, on an I/O thread; route is "" when none matched. May be null.
  std::function<void(const std::string& route, int status, Duration took)> observe;
};

struct HttpServerStats {
  size_t connections = 0;
  size_t inflight_bytes = 0;
  uint64_t accepted = 0;
  uint64_t refused_connections = 0;
};

class HttpServer {
 public:
  static Result<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options, Router router);
  // Stop().
  virtual ~HttpServer() = default;

  virtual uint16_t port() const = 0;
  virtual HttpServerStats Stats() const = 0;
  // Accepts nothing new, lets running requests finish (at most `grace`), closes the rest.
  virtual void Stop(Duration grace = Duration::Seconds(5)) = 0;
};

}  // namespace tocsin::surface
