#include "act/execute/http_executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "act/execute/internal/call_parts.h"
#include "act/execute/internal/endpoint.h"
#include "claims/claim_text.h"
#include "kernel/ascii.h"

namespace tocsin::act {
namespace {

using internal::Answer;
using internal::Exchange;
using nlohmann::json;
using Outcome = Receipt::Outcome;

constexpr size_t kMaxHeaders = 20, kMaxBodyBytes = 256u << 10, kMaxHeaderBytes = 1024;
constexpr std::array<std::string_view, 12> kOwnHeaders = {
    "host",       "authorization",   "cookie", "content-length", "transfer-encoding", "connection",
    "keep-alive", "idempotency-key", "te",     "upgrade",        "trailer",           "expect"};

bool IsToken(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Status CheckHeaders(const HttpService& service, const json& headers) {
  if (headers.size() > kMaxHeaders) return Status(Code::kInvalidArgument, "with.headers: more than 20");
  for (const auto& [name, value] : headers.items()) {
    const std::string lower = LowerAscii(name);
    const auto configured =
        std::any_of(service.endpoint.headers.begin(), service.endpoint.headers.end(),
                    [&](const auto& header) { return LowerAscii(header.first) == lower; });
    const std::string at = fmt::format("with.headers.{}: ", claims::Printable(name));
    if (!IsToken(name)) return Status(Code::kInvalidArgument, at + "is no name of a header");
    if (configured || lower.starts_with("proxy-") ||
        std::ranges::find(kOwnHeaders, lower) != kOwnHeaders.end())
      return Status(Code::kPermissionDenied, at + "is not a runbook's to set");
    const std::string* const text = value.get_ptr<const std::string*>();
    if (text == nullptr || text->size() > kMaxHeaderBytes ||
        std::any_of(text->begin(), text->end(), [](char c) { return c < ' ' || c > '~'; })) {
      return Status(Code::kInvalidArgument, at + "is not a line of printable ASCII");
    }
  }
  return {};
}

Status CheckAllowedPath(const HttpService& service, const std::string& path, std::string_view at) {
  if (auto status = internal::CheckPath(path); !status.ok()) return status.WithContext(at);
  const bool allowed = std::any_of(service.paths.begin(), service.paths.end(),
                                   [&](const std::string& start) { return path.starts_with(start); });
  if (!allowed)
    return Status(Code::kPermissionDenied, fmt::format("{}: the configuration does not allow this path", at));
  return {};
}

Status CheckExpected(const json& expected) {
  for (const json& one : expected) {
    if (!one.is_number_integer() || one < 100 || one > 599)
      return Status(Code::kInvalidArgument, "with.expect_status: has something that is no HTTP status");
  }
  return {};
}

// The answer for later steps: bounded, as JSON when it is JSON.
json OutputsOf(const ports::HttpResponse& response) {
  json outputs = {{"status", response.status}};
  if (response.content_type.find("json") != std::string::npos &&
      response.body.size() <= internal::kMaxOutputText) {
    json body = json::parse(response.body, nullptr, false);
    if (!body.is_discarded()) {
      outputs["json"] = std::move(body);
      return outputs;
    }
  }
  outputs["text"] = internal::CleanText(response.body);
  return outputs;
}

class HttpExecutor : public Executor {
 public:
  explicit HttpExecutor(std::map<std::string, HttpService> services) : services_(std::move(services)) {}
  std::vector<ActionSpec> Actions() const override;
  Status Check(const ExecutorCall& call) const override;
  Result<Preview> Look(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Run(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Recover(const ExecutorCall& call, std::stop_token stop) override;

 private:
  const HttpService& Service(const ExecutorCall& call) const {
    return services_.at(internal::TextIn(call.with, "service"));
  }
  static Exchange MakeExchange(const ExecutorCall& call);
  static Receipt Judge(const ExecutorCall& call, const ports::HttpResponse& response);
  Result<json> ReadBefore(const ExecutorCall& call, std::stop_token stop) const;
  Receipt AskWhatBecame(const ExecutorCall& call, std::stop_token stop) const;

  std::map<std::string, HttpService> services_;
};

std::string MethodOf(const ExecutorCall& call) {
  return call.action == "http.get" ? "GET" : internal::TextIn(call.with, "method", "POST");
}

std::string Line(const ExecutorCall& call) {
  return fmt::format("{} {} of service {}", MethodOf(call), internal::TextIn(call.with, "path"),
                     internal::TextIn(call.with, "service"));
}

std::vector<ActionSpec> HttpExecutor::Actions() const {
  auto specs = HttpActions();
  const bool all_tell = std::all_of(services_.begin(), services_.end(),
                                    [](const auto& entry) { return !entry.second.recovery.path.empty(); });
  for (ActionSpec& spec : specs) spec.recoverable = spec.read_only || all_tell;
  return specs;
}

Status HttpExecutor::Check(const ExecutorCall& call) const {
  TOCSIN_RETURN_IF_ERROR(internal::CheckParameters(HttpActions(), call));
  TOCSIN_ASSIGN_OR_RETURN(const HttpService* service,
                          internal::FindEntry(services_, internal::TextIn(call.with, "service"), "service"));
  const std::string method = MethodOf(call);
  if (method != "GET" && std::ranges::find(service->methods, method) == service->methods.end())
    return Status(Code::kPermissionDenied,
                  fmt::format("with.method: the configuration does not allow {}", claims::Printable(method)));
  TOCSIN_RETURN_IF_ERROR(CheckAllowedPath(*service, internal::TextIn(call.with, "path"), "with.path"));
  if (call.with.contains("headers")) {
    TOCSIN_RETURN_IF_ERROR(CheckHeaders(*service, call.with["headers"]));
  }
  if (call.with.contains("expect_status")) {
    TOCSIN_RETURN_IF_ERROR(CheckExpected(call.with["expect_status"]));
  }
  if (call.with.contains("json") && call.with.contains("body"))
    return Status(Code::kInvalidArgument, "with.body: comes beside 'json': one of them");
  if (MakeExchange(call).body.size() > kMaxBodyBytes)
    return Status(Code::kOutOfRange, fmt::format("with.body: is longer than {} bytes", kMaxBodyBytes));
  if (const auto undo = call.with.find("undo"); undo != call.with.end()) {
    const std::string pointer = internal::TextIn(*undo, "pointer");
    if (!pointer.empty() && !pointer.starts_with('/'))
      return Status(Code::kInvalidArgument, "with.undo.pointer: is no JSON pointer such as /spec/size");
    TOCSIN_RETURN_IF_ERROR(CheckAllowedPath(*service, internal::TextIn(*undo, "path"), "with.undo.path"));
  }
  return {};
}

Exchange HttpExecutor::MakeExchange(const ExecutorCall& call) {
  Exchange exchange;
  exchange.method = MethodOf(call);
  exchange.path = internal::TextIn(call.with, "path");
  exchange.timeout = call.timeout;
  if (exchange.method != "GET" && !call.idempotency_key.empty())
    exchange.headers.emplace_back("Idempotency-Key", call.idempotency_key);
  bool typed = false;
  if (const auto headers = call.with.find("headers"); headers != call.with.end()) {
    for (const auto& [name, value] : headers->items()) {
      typed = typed || LowerAscii(name) == "content-type";
      if (value.is_string()) exchange.headers.emplace_back(name, value.get<std::string>());
    }
  }
  if (const auto body = call.with.find("json"); body != call.with.end()) {
    exchange.body = body->dump(-1, ' ', false, json::error_handler_t::replace);
    if (!typed) exchange.headers.emplace_back("Content-Type", "application/json");
  } else {
    exchange.body = internal::TextIn(call.with, "body");
    if (!typed && !exchange.body.empty())
      exchange.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  }
  return exchange;
}

// 2xx, or what the runbook expects, is done. A gateway that gave up does not know; anything else is a no.
Receipt HttpExecutor::Judge(const ExecutorCall& call, const ports::HttpResponse& response) {
  const int status = response.status;
  const auto expected = call.with.find("expect_status");
  const bool good = expected == call.with.end()
                        ? status / 100 == 2
                        : std::find(expected->begin(), expected->end(), json(status)) != expected->end();
  const bool nobody_knows = status == 408 || status == 502 || status == 504;
  const Outcome outcome = good ? Outcome::kDone : nobody_knows ? Outcome::kUnknown : Outcome::kFailed;
  return internal::MakeReceipt(outcome, fmt::format("{}: {}", Line(call), status), OutputsOf(response),
                               {{"status", status}, {"bytes", response.body.size()}});
}

Result<json> HttpExecutor::ReadBefore(const ExecutorCall& call, std::stop_token stop) const {
  const json& undo = call.with.at("undo");
  Exchange exchange;
  exchange.path = internal::TextIn(undo, "path");
  exchange.timeout = call.timeout;
  const Answer answer = internal::Send(Service(call).endpoint, exchange, std::move(stop));
  if (!answer.response) return Error(answer.response.error());
  if (!answer.Is2xx())
    return Error(Code::kNotFound, fmt::format("GET {} answered {}: what is there now cannot be kept",
                                              exchange.path, answer.response->status));
  const std::string pointer = internal::TextIn(undo, "pointer");
  json read = json::parse(answer.response->body, nullptr, false);
  if (read.is_discarded()) {
    if (!pointer.empty())
      return Error(Code::kNotFound, fmt::format("GET {} did not answer JSON", exchange.path));
    read = internal::CleanText(answer.response->body, internal::kMaxUndoBytes);
  }
  json before = json::object();
  if (pointer.empty()) {
    before = std::move(read);
  } else {
    // A pointer with a wrong escape or index throws.
    try {
      const json::json_pointer place(pointer);
      if (!read.contains(place))
        return Error(Code::kNotFound, fmt::format("GET {} has no {}", exchange.path, pointer));
      before = read.at(place);
    } catch (const json::exception&) {
      return Error(Status::FromException("with.undo.pointer", Code::kInvalidArgument));
    }
  }
  if (before.dump(-1, ' ', false, json::error_handler_t::replace).size() > internal::kMaxUndoBytes)
    return Error(Code::kOutOfRange, fmt::format("what GET {} answers is too large to keep", exchange.path));
  return before;
}

Result<Preview> HttpExecutor::Look(const ExecutorCall& call, std::stop_token stop) {
  TOCSIN_RETURN_IF_ERROR(Check(call));
  const Exchange exchange = MakeExchange(call);
  std::string text = Line(call);
  if (!exchange.body.empty()) text += " with " + claims::Printable(exchange.body, 200);
  if (!call.with.contains("undo")) return internal::MakePreview(text);
  TOCSIN_ASSIGN_OR_RETURN(json before, ReadBefore(call, std::move(stop)));
  text +=
      "; there now: " + claims::Printable(before.dump(-1, ' ', false, json::error_handler_t::replace), 120);
  return internal::MakePreview(text, {{"before", std::move(before)}});
}

Receipt HttpExecutor::Run(const ExecutorCall& call, std::stop_token stop) {
  if (auto status = Check(call); !status.ok()) return internal::NotBegun(status);
  const Answer answer = internal::Send(Service(call).endpoint, MakeExchange(call), stop);
  if (answer.response) {
    Receipt receipt = Judge(call, *answer.response);
    if (receipt.outcome != Outcome::kUnknown || stop.stop_requested()) return receipt;
  } else if (!answer.may_have_arrived) {
    return internal::NotBegun(answer.response.error());
  }
  if (call.action == "http.get")
    return internal::MakeReceipt(Outcome::kFailed,
                                 answer.response ? Line(call) : answer.response.error().message());
  if (!stop.stop_requested() && !Service(call).recovery.path.empty())
    return AskWhatBecame(call, std::move(stop));
  const std::string why = answer.response ? fmt::format("it answered {}", answer.response->status)
                                          : answer.response.error().message();
  return internal::MakeReceipt(Outcome::kUnknown, fmt::format("{} was sent, but {}", Line(call), why));
}

Receipt HttpExecutor::AskWhatBecame(const ExecutorCall& call, std::stop_token stop) const {
  const HttpRecovery& recovery = Service(call).recovery;
  Exchange exchange;
  exchange.path = internal::FillPath(recovery.path, "key", call.idempotency_key);
  exchange.timeout = call.timeout;
  const Answer answer = internal::Send(Service(call).endpoint, exchange, std::move(stop));
  const auto says = [&](Outcome outcome, std::string_view what) {
    json outputs = answer.response ? OutputsOf(*answer.response) : json::object();
    return internal::MakeReceipt(outcome, fmt::format("{}: {}", Line(call), what), std::move(outputs),
                                 {{"asked", exchange.path}});
  };
  if (!answer.response)
    return says(Outcome::kUnknown,
                "the service does not say what became of it: " + answer.response.error().message());
  if (answer.response->status == 404) return says(Outcome::kNotDone, "the service never got it");
  if (!answer.Is2xx())
    return says(Outcome::kUnknown,
                fmt::format("asked what became of it, the service answers {}", answer.response->status));
  if (recovery.pointer.empty()) return says(Outcome::kDone, "the service has it");
  const json body = json::parse(answer.response->body, nullptr, false);
  std::string state;
  try {
    state = internal::CleanText(body.value(json::json_pointer(recovery.pointer), std::string()), 200);
  } catch (const json::exception&) {
    return says(Outcome::kUnknown, fmt::format("the service's answer has no text at {}", recovery.pointer));
  }
  if (std::ranges::find(recovery.done, state) != recovery.done.end())
    return says(Outcome::kDone, "the service says " + state);
  if (std::ranges::find(recovery.failed, state) != recovery.failed.end())
    return says(Outcome::kFailed, "the service says " + state);
  return says(Outcome::kUnknown, "the service says '" + state + "'");
}

Receipt HttpExecutor::Recover(const ExecutorCall& call, std::stop_token stop) {
  if (auto status = Check(call); !status.ok())
    return internal::MakeReceipt(Outcome::kUnknown, status.message());
  if (call.action == "http.get") return Run(call, std::move(stop));
  if (Service(call).recovery.path.empty())
    return internal::MakeReceipt(
        Outcome::kUnknown,
        fmt::format("{} may have been sent; the service has no `recover` to ask", Line(call)));
  return AskWhatBecame(call, std::move(stop));
}

}  // namespace

std::vector<ActionSpec> HttpActions() {
  ActionSpec request = internal::MakeSpec(
      "http.request", "sends a request to a configured service",
      {{"service", "text", true, "name of a service in act.executors.services"},
       {"method", "text", false, "POST when absent"},
       {"path", "text", true, "begins with '/'; a query is part of it, encoded"},
       {"json", "object", false, "the body, sent as JSON"},
       {"body", "text", false, "the body, instead of json"},
       {"headers", "object", false, "further headers, name to text"},
       {"expect_status", "list", false, "statuses that mean done; 2xx when absent"},
       {"undo", "object", false, "path, pointer: what a GET answers there now becomes {{ undo.before }}"}});
  request.undo = {"before"};
  request.outputs = {"status", "json", "text"};
  ActionSpec get =
      internal::MakeSpec("http.get", "reads from a configured service",
                         {{"service", "text", true, "name of a service in act.executors.services"},
                          {"path", "text", true, "begins with '/'; a query is part of it, encoded"},
                          {"headers", "object", false, "further headers, name to text"},
                          {"expect_status", "list", false, "statuses that mean done; 2xx when absent"}});
  get.outputs = {"status", "json", "text"};
  get.read_only = true;
  get.recoverable = true;
  return {request, get};
}

std::unique_ptr<Executor> MakeHttpExecutor(std::map<std::string, HttpService> services) {
  return std::make_unique<HttpExecutor>(std::move(services));
}

}  // namespace tocsin::act
