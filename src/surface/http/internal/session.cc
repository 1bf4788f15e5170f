#include "surface/http/internal/session.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <chrono>
#include <optional>

#include "kernel/ascii.h"
#include "ports/clock.h"
#include "surface/http/internal/target.h"
#include "surface/http/problem.h"

namespace tocsin::surface::internal {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Parser = http::request_parser<http::buffer_body>;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr size_t kFirstStep = 256u << 10;           // bytes of a body reserved before any has arrived
constexpr size_t kMaxLingerBytes = 64u << 20;       // read and thrown away after an early refusal
constexpr std::chrono::milliseconds kLinger{2000};  // so that the client reads the refusal before a reset

// A body's share of ServerState::inflight_bytes, given back on destruction.
class Reservation {
 public:
  explicit Reservation(std::shared_ptr<ServerState> state) : state_(std::move(state)) {}
  ~Reservation() { state_->inflight_bytes -= bytes_; }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

  // False when the bound would be passed; nothing is reserved then.
  bool Grow(size_t total) {
    if (total <= bytes_) return true;
    const size_t more = total - bytes_;
    if (state_->inflight_bytes.fetch_add(more) + more > state_->options.limits.max_inflight_bytes) {
      state_->inflight_bytes -= more;
      return false;
    }
    bytes_ = total;
    return true;
  }

 private:
  std::shared_ptr<ServerState> state_;
  size_t bytes_ = 0;
};

std::string DateHeader() {
  const std::time_t now = static_cast<std::time_t>(ports::SystemClock().Now().ns / 1'000'000'000);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 40> text{};
  const size_t n = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return std::string(text.data(), n);
}

Response TooLarge(size_t allowed) {
  return ProblemResponse(413, fmt::format("the request body is larger than the {} bytes allowed", allowed));
}
Response InflightFull() {
  return ProblemResponse(429, "too many request bodies are being read at once; send again after Retry-After");
}

}  // namespace

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<ServerState> state, tcp::socket socket)
      : state_(std::move(state)), socket_(std::move(socket)), timer_(socket_.get_executor()) {}
  ~Session() {
    const std::lock_guard lock(state_->mutex);
    state_->sessions.erase(this);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  tcp::socket::executor_type Executor() { return socket_.get_executor(); }

  asio::awaitable<void> Run() {
    while (!state_->stopping) {
      Parser parser;
      parser.header_limit(static_cast<uint32_t>(state_->options.max_header_bytes));
      parser.body_limit(boost::none);
      std::optional<Response> refusal;
      Request request;
      if (!co_await ReadHeader(parser, refusal)) break;
      const auto started = std::chrono::steady_clock::now();
      const Route* route = nullptr;
      const bool has_body =
          parser.is_header_done() && (parser.chunked() || parser.content_length().value_or(0) > 0);
      if (!refusal) refusal = Describe(parser, request, route);
      const bool head = request.method == "HEAD";
      const bool chunks = parser.is_header_done() && parser.get().version() == 11;
      bool keep = parser.is_header_done() && parser.keep_alive() && !state_->stopping;
      if (!refusal && has_body) {
        refusal = co_await ReadBody(parser, request);
        if (gone_) break;
      } else if (refusal && (has_body || (refusal->status != 404 && refusal->status != 405))) {
        refusal->close = true;  // where the next request begins is not known, or not worth reading up to
      }
      Disarm();
      const bool refused = refusal.has_value();
      // No conditional expression around co_await: gcc 12 destroys its temporaries twice.
      Response response;
      if (refused) {
        response = std::move(*refusal);
      } else {
        response = co_await Handle(*route, request);
      }
      keep = keep && !response.close && !state_->stopping;
      Observe(route, response.status, started);
      bool written = false;
      if (response.stream) {
        keep = keep && chunks;
        written = co_await WriteStream(response, head, keep, chunks);
      } else {
        written = co_await Write(response, head, keep);
      }
      if (!written) break;
      if (!keep) {
        if (refused) co_await Linger();
        break;
      }
    }
    Close();
  }

  void End(bool now) {
    if (now || idle_) {
      Close();
    }
  }

 private:
  // Waits for a request and parses its header. False: the connection ended, or idled too long.
  asio::awaitable<bool> ReadHeader(Parser& parser, std::optional<Response>& refusal) {
    if (buffer_.size() == 0) {  // wait for the first byte as an idle connection
      idle_ = true;
      Arm(state_->options.idle_timeout_ms);
      const auto [error] = co_await socket_.async_wait(tcp::socket::wait_read, kAwait);
      idle_ = false;
      if (error || timed_out_ || state_->stopping) co_return false;
    }
    Arm(state_->options.limits.request_timeout_ms);
    const auto [error, bytes] = co_await http::async_read_header(socket_, buffer_, parser, kAwait);
    if (timed_out_) {
      refusal = TimedOut();
    } else if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      refusal = ProblemResponse(431, fmt::format("the request header is larger than the {} bytes allowed",
                                                 state_->options.max_header_bytes));
    } else if (error == http::error::end_of_stream || error == http::error::partial_message ||
               (error && error.category() != http::make_error_code(http::error::bad_field).category())) {
      co_return false;
    } else if (error) {
      refusal = ProblemResponse(400, fmt::format("not a valid HTTP/1.1 request: {}", error.message()));
    }
    co_return true;
  }

  Response TimedOut() {
    timed_out_ = false;
    return ProblemResponse(408, fmt::format("the request was not complete after {} ms",
                                            state_->options.limits.request_timeout_ms));
  }

  // Fills the request from the header and finds its route; an answer when it is refused.
  std::optional<Response> Describe(const Parser& parser, Request& request, const Route*& route) {
    const auto& header = parser.get();
    request.method = std::string(header.method_string());
    ErrorCode no_peer;
    const tcp::endpoint peer = socket_.remote_endpoint(no_peer);
    request.from_loopback = !no_peer && peer.address().is_loopback();
    if (header.version() != 11 && header.version() != 10) {
      return ProblemResponse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    }
    for (const auto& field : header) {
      request.headers.emplace_back(LowerAscii(field.name_string()), std::string(field.value()));
    }
    const auto hosts = header.count(http::field::host);
    if (hosts > 1 || (hosts == 0 && header.version() == 11)) {
      return ProblemResponse(400, "an HTTP/1.1 request has exactly one Host header");
    }
    if (header.count(http::field::transfer_encoding) > 0 &&
        request.Header("transfer-encoding") != "chunked") {
      return ProblemResponse(501, fmt::format("Transfer-Encoding '{}' is not supported; send 'chunked' or "
                                              "Content-Length",
                                              request.Header("transfer-encoding")));
    }
    const auto target = header.target();
    if (const Status status = ParseTarget({target.data(), target.size()}, request); !status.ok()) {
      return ProblemResponse(status);
    }
    Router::Match match = state_->router.Find(request.method, request.path);
    if (match.route == nullptr) {
      if (match.allow.empty()) {
        return ProblemResponse(404, fmt::format("there is nothing at {}", request.path));
      }
      Response response = ProblemResponse(
          405, fmt::format("{} does not take {}; it takes {}", request.path, request.method, match.allow));
      response.headers.emplace_back("Allow", match.allow);
      return response;
    }
    request.params = std::move(match.params);
    route = match.route;
    if (parser.content_length().value_or(0) > state_->options.limits.max_request_bytes) {
      return TooLarge(state_->options.limits.max_request_bytes);
    }
    const std::string_view expect = request.Header("expect");
    if (!expect.empty() && LowerAscii(expect) != "100-continue") {
      return ProblemResponse(417, fmt::format("Expect '{}' is not known", expect));
    }
    return std::nullopt;
  }

  // Sets gone_ when the client went away. An answer when the body is refused.
  asio::awaitable<std::optional<Response>> ReadBody(Parser& parser, Request& request) {
    auto reservation = std::make_shared<Reservation>(state_);
    request.reservation = reservation;
    if (!reservation->Grow(std::min<size_t>(parser.content_length().value_or(kFirstStep), kFirstStep))) {
      Response response = InflightFull();
      response.close = true;
      co_return response;
    }
    if (!request.Header("expect").empty()) {
      constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      const auto [error, n] =
          co_await asio::async_write(socket_, asio::buffer(kContinue.data(), kContinue.size()), kAwait);
      if (error) gone_ = true;
    }
    std::optional<Response> refusal;
    if (!gone_) {
      if (parser.chunked()) {
        refusal = co_await ReadChunked(parser, *reservation, request.body);
      } else {
        refusal = co_await ReadSized(*parser.content_length(), *reservation, request.body);
      }
    }
    if (timed_out_) {
      gone_ = false;
      refusal = TimedOut();
    }
    if (refusal) refusal->close = true;
    co_return refusal;
  }

  asio::awaitable<std::optional<Response>> ReadSized(size_t length, Reservation& reservation,
                                                     std::string& body) {
    body.reserve(length);  // address space only: pages are touched as bytes arrive
    const size_t have = std::min(buffer_.size(), length);
    body.assign(static_cast<const char*>(buffer_.data().data()), have);
    buffer_.consume(have);
    while (body.size() < length) {
      const size_t done = body.size();
      const size_t step = std::min(length, std::max(kFirstStep, done * 2));
      if (!reservation.Grow(step)) co_return InflightFull();
      body.resize(step);
      const auto [error, n] =
          co_await asio::async_read(socket_, asio::buffer(body.data() + done, step - done), kAwait);
      if (error) {
        gone_ = true;
        co_return std::nullopt;
      }
    }
    co_return std::nullopt;
  }

  asio::awaitable<std::optional<Response>> ReadChunked(Parser& parser, Reservation& reservation,
                                                       std::string& body) {
    const size_t allowed = state_->options.limits.max_request_bytes;
    parser.body_limit(allowed);
    while (!parser.is_done()) {
      const size_t done = body.size();
      const size_t step = std::max(kFirstStep, done * 2);
      if (!reservation.Grow(std::min(step, allowed))) co_return InflightFull();
      body.resize(step);
      parser.get().body().data = body.data() + done;
      parser.get().body().size = step - done;
      parser.get().body().more = true;
      const auto [error, n] = co_await http::async_read(socket_, buffer_, parser, kAwait);
      body.resize(step - parser.get().body().size);
      if (error == http::error::need_buffer) continue;
      if (error == http::error::body_limit) co_return TooLarge(allowed);
      if (error && error.category() == http::make_error_code(http::error::bad_field).category() &&
          error != http::error::partial_message && error != http::error::end_of_stream) {
        co_return ProblemResponse(400, fmt::format("the chunked body is not valid: {}", error.message()));
      }
      if (error) {
        gone_ = true;
        co_return std::nullopt;
      }
    }
    co_return std::nullopt;
  }

  // `request` is moved to the handler.
  asio::awaitable<Response> Handle(const Route& route, Request& request) {
    // Moves the completion into a Responder, which may be called from any thread.
    auto initiate = [this, &route, &request](auto handler) {
      auto shared = std::make_shared<decltype(handler)>(std::move(handler));
      Responder responder([self = shared_from_this(), shared](Response response) {
        asio::post(self->Executor(), [self, shared, answer = std::move(response)]() mutable {
          auto complete = std::move(*shared);
          complete(std::move(answer));
        });
      });
      Dispatch(route, std::move(request), std::move(responder));
    };
    Response response = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Response)>(
        initiate, asio::use_awaitable);
    co_return response;
  }

  void Dispatch(const Route& route, Request request, Responder responder) {
    if (!route.blocking) return Call(route, std::move(request), std::move(responder));
    if (state_->waiting_queries.fetch_add(1) >= state_->options.max_waiting_queries) {
      --state_->waiting_queries;
      return responder(ProblemResponse(503, "too many queries are waiting; ask again after Retry-After"));
    }
    auto state = state_;
    asio::post(state->queries,
               [state, &route, held = std::make_shared<Request>(std::move(request)), responder]() mutable {
                 Call(route, std::move(*held), std::move(responder));
                 --state->waiting_queries;
               });
  }

  static void Call(const Route& route, Request request, Responder responder) {
    try {
      route.handler(std::move(request), responder);
    } catch (...) {
      const Status status = Status::FromException(fmt::format("answering {} {}", route.method, route.path));
      spdlog::error("{}", status.message());
      responder(ProblemResponse(status));
    }
  }

  // The header, up to the field that says how long the body is.
  static std::string Head(const Response& response, bool keep) {
    std::string head = fmt::format(
        "HTTP/1.1 {} {}\r\nDate: {}\r\nServer: tocsin\r\nContent-Type: {}\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: {}\r\n",
        response.status, ReasonPhrase(response.status), DateHeader(), response.content_type,
        keep ? "keep-alive" : "close");
    for (const auto& [name, value] : response.headers) head += fmt::format("{}: {}\r\n", name, value);
    return head;
  }

  asio::awaitable<bool> Write(const Response& response, bool head_only, bool keep) {
    std::string head = Head(response, keep);
    // 304 has no body, and would say the length of another answer's (RFC 9110, 8.6).
    if (response.status != 304) head += fmt::format("Content-Length: {}\r\n", response.body.size());
    head += "\r\n";
    const std::array<asio::const_buffer, 2> parts{
        asio::buffer(head), head_only ? asio::const_buffer() : asio::buffer(response.body)};
    Arm(state_->options.limits.request_timeout_ms);
    const auto [error, n] = co_await asio::async_write(socket_, parts, kAwait);
    Disarm();
    co_return !error;
  }

  // The body in pieces: each a chunk, or as it is when the client does not know chunks and reads to the end.
  asio::awaitable<bool> WriteStream(const Response& response, bool head_only, bool keep, bool chunked) {
    std::string head = Head(response, keep) + (chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
    std::string piece;
    Produced produced = head_only ? Produced::kLast : Produced::kMore;
    while (true) {
      if (!head_only) produced = co_await Produce(response, piece);
      if (produced == Produced::kFailed) co_return false;
      const bool framed = chunked && !head_only && !piece.empty();
      if (framed) head += fmt::format("{:x}\r\n", piece.size());
      std::string_view tail = framed ? "\r\n" : "";
      if (chunked && !head_only && produced == Produced::kLast) tail = framed ? "\r\n0\r\n\r\n" : "0\r\n\r\n";
      const std::array<asio::const_buffer, 3> parts{asio::buffer(head), asio::buffer(piece),
                                                    asio::buffer(tail.data(), tail.size())};
      Arm(state_->options.limits.request_timeout_ms);
      const auto [error, n] = co_await asio::async_write(socket_, parts, kAwait);
      Disarm();
      if (error) co_return false;
      if (produced == Produced::kLast) co_return true;
      head.clear();
      piece.clear();
    }
  }

  enum class Produced { kMore, kLast, kFailed };

  // The next piece, made on a query thread.
  asio::awaitable<Produced> Produce(const Response& response, std::string& piece) {
    auto initiate = [this, &response, &piece](auto handler) {
      auto shared = std::make_shared<decltype(handler)>(std::move(handler));
      asio::post(state_->queries, [self = shared_from_this(), shared, &response, &piece] {
        const Produced produced = Call(response, piece);
        asio::post(self->Executor(), [self, shared, produced]() mutable {
          auto complete = std::move(*shared);
          complete(produced);
        });
      });
    };
    const Produced produced = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Produced)>(
        initiate, asio::use_awaitable);
    co_return produced;
  }

  static Produced Call(const Response& response, std::string& piece) {
    try {
      return response.stream(piece) ? Produced::kMore : Produced::kLast;
    } catch (...) {
      spdlog::error("{}", Status::FromException("writing a long answer").message());
      return Produced::kFailed;
    }
  }

  // Reads what the client still sends after a refusal: closing at once would reset the connection and the
  // client might never see the answer.
  asio::awaitable<void> Linger() {
    ErrorCode ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    Arm(kLinger.count());
    std::string sink(64u << 10, '\0');
    for (size_t total = 0; total < kMaxLingerBytes && !timed_out_;) {
      const auto [error, n] = co_await socket_.async_read_some(asio::buffer(sink), kAwait);
      if (error) break;
      total += n;
    }
    Disarm();
  }

  void Observe(const Route* route, int status, std::chrono::steady_clock::time_point started) {
    if (!state_->options.observe) return;
    const auto took =
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - started);
    state_->options.observe(route == nullptr ? std::string() : route->path, status,
                            Duration::Nanos(took.count()));
  }

  // When the time is up, what the socket waits for is cancelled and timed_out_ is set.
  void Arm(int64_t ms) {
    timed_out_ = false;
    timer_.expires_after(std::chrono::milliseconds(ms));
    timer_.async_wait([weak = weak_from_this(), round = ++round_](ErrorCode error) {
      const auto self = weak.lock();
      if (error || !self || self->round_ != round) return;
      self->timed_out_ = true;
      ErrorCode ignored;
      self->socket_.cancel(ignored);
    });
  }
  void Disarm() {
    ++round_;
    timed_out_ = false;
    timer_.cancel();
  }
  void Close() {
    Disarm();
    ErrorCode ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

  std::shared_ptr<ServerState> state_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_{64u << 10};
  uint64_t round_ = 0;
  bool timed_out_ = false;
  bool idle_ = false;
  bool gone_ = false;
};

void StartSession(std::shared_ptr<ServerState> state, tcp::socket socket) {
  auto session = std::make_shared<Session>(state, std::move(socket));
  {
    const std::lock_guard lock(state->mutex);
    state->sessions.emplace(session.get(), session);
  }
  asio::co_spawn(
      session->Executor(), [session]() { return session->Run(); },
      [session](std::exception_ptr error) {
        if (!error) return;
        try {
          std::rethrow_exception(error);
        } catch (...) {
          spdlog::warn("{}", Status::FromException("serving a connection").message());
        }
      });
}

void EndSessions(ServerState& state, bool now) {
  std::vector<std::shared_ptr<Session>> live;
  {
    const std::lock_guard lock(state.mutex);
    for (const auto& [pointer, weak] : state.sessions) {
      if (auto session = weak.lock()) live.push_back(std::move(session));
    }
  }
  for (const auto& session : live) {
    asio::post(session->Executor(), [session, now] { session->End(now); });
  }
}

}  // namespace tocsin::surface::internal
