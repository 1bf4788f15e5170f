#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

#include "kernel/rng.h"
#include "ports/http_client.h"
#include "ports/model/internal/protocol.h"
#include "ports/model/model_client.h"
#include "ports/yaml/secret_value.h"

namespace tocsin::ports {
namespace {

constexpr size_t kQuotedBytes = 300;  // of what the provider says is wrong

// One try of a call.
struct Try {
  Result<ModelReply> reply = Error(Code::kInternal, "not tried");
  int64_t retry_after_s = 0;
  bool maybe_served = true;  // and therefore paid for
};

std::string EndpointUrl(std::string base, const std::string& path) {
  while (base.ends_with('/')) base.pop_back();
  if (base.ends_with("/v1")) base.resize(base.size() - 3);
  return base + path;
}

Code CodeOfStatus(int status, const internal::ProviderError& error) {
  if (error.code == "context_length_exceeded") return Code::kOutOfRange;
  switch (status) {
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 408:
    case 504:
      return Code::kDeadlineExceeded;
    case 413:
      return Code::kOutOfRange;
    case 429:
      return Code::kResourceExhausted;
    default:
      return status >= 500 ? Code::kUnavailable : Code::kInvalidArgument;
  }
}

bool MayTryAgain(const Status& status) { return status.retryable() || status.code() == Code::kDataLoss; }

class HttpModelClient final : public ModelClient {
 public:
  HttpModelClient(const ModelSettings& settings, std::string key, const Clock& clock)
      : settings_(settings),
        key_(std::move(key)),
        clock_(clock),
        protocol_(settings.protocol == ModelProtocol::kOpenAi ? internal::MakeOpenAiProtocol()
                                                              : internal::MakeAnthropicProtocol()),
        url_(EndpointUrl(settings.base_url, protocol_->Path())),
        http_({settings.connect_timeout_ms, settings.timeout_ms, settings.max_response_bytes}),
        rng_(static_cast<uint64_t>(clock.Monotonic().ns)) {}

  Result<ModelReply> Ask(const ModelRequest& request, ModelBudget& budget, const ModelCall& call) override {
    const std::lock_guard lock(mutex_);
    if (request.max_tokens <= 0) return Error(Code::kInvalidArgument, "max_tokens must be above 0");
    TOCSIN_ASSIGN_OR_RETURN(const std::string body, protocol_->Encode(request, settings_));
    if (body.size() > settings_.max_request_bytes) {
      return Error(Code::kOutOfRange, fmt::format("the request has {} bytes, more than {}", body.size(),
                                                  settings_.max_request_bytes));
    }
    const Time started = clock_.Monotonic();
    for (int tries = 1;; ++tries) {
      if (call.stop.stop_requested()) return Error(Code::kCancelled, "the call was stopped");
      if (tries > 1 && call.on_restart) call.on_restart();
      TOCSIN_ASSIGN_OR_RETURN(const auto reserved,
                              budget.Reserve(body.size(), request.max_tokens, settings_.prices));
      Try result = TryOnce(body, budget.TimeLeft(), call);
      Settle(budget, reserved, result);
      if (result.reply) {
        ModelReply& reply = *result.reply;
        reply.tries = tries;
        reply.took = clock_.Monotonic() - started;
        return std::move(reply);
      }
      const Status& error = result.reply.error();
      if (tries >= settings_.max_tries || !MayTryAgain(error)) {
        return Error(tries == 1 ? error : error.WithContext(fmt::format("after {} tries", tries)));
      }
      TOCSIN_RETURN_IF_ERROR(Wait(tries, result, budget, call));
    }
  }

 private:
  void Settle(ModelBudget& budget, const ModelBudget::Reservation& reserved, Try& result) const {
    if (!result.reply) {
      return result.maybe_served ? budget.SettleAsReserved(reserved) : budget.Release(reserved);
    }
    ModelUsage& usage = result.reply->usage;
    if (!usage.reported) {
      usage.input_tokens = reserved.input_tokens;
      usage.output_tokens = reserved.output_tokens;
    }
    result.reply->cost_usd = settings_.prices.Cost(usage);
    budget.Settle(reserved, usage, settings_.prices);
  }

  Try TryOnce(const std::string& body, Duration left, const ModelCall& call) {
    HttpRequest request{"POST", url_, protocol_->Headers(settings_, key_), body};
    request.headers.emplace_back("Content-Type", "application/json");
    request.headers.emplace_back("Accept", settings_.stream ? "text/event-stream" : "application/json");
    request.headers.emplace_back("User-Agent", "tocsin");
    const auto decoder = protocol_->NewStream();
    Status damage;
    bool streamed = false;
    SseParser parser([&](const SseEvent& event) { return decoder->OnEvent(event, call.on_text); });
    HttpStream stream;
    stream.on_piece = [&](std::string_view piece) {
      streamed = true;
      damage = parser.Feed(piece);
      return damage.ok();
    };
    stream.timeout_ms = std::clamp<int64_t>(left.ns / 1'000'000, 1, settings_.timeout_ms);
    stream.idle_timeout_ms = settings_.stream ? settings_.idle_timeout_ms : stream.timeout_ms;
    stream.stop = call.stop;
    const auto response = http_.Stream(request, stream);
    Try result;
    if (!damage.ok()) {
      result.reply = Error(Scrubbed(damage));
    } else if (!response) {
      result.maybe_served = http_.request_may_have_arrived();
      result.reply = Error(Scrubbed(response.error()));
    } else if (response->status < 200 || response->status > 299) {
      result.maybe_served = false;
      result.retry_after_s = response->retry_after_s;
      result.reply = Error(Refusal(*response));
    } else {
      result.reply = streamed ? decoder->Finish() : DecodeWhole(*response);
    }
    return result;
  }

  Result<ModelReply> DecodeWhole(const HttpResponse& response) const {
    auto reply = protocol_->Decode(response.body);
    if (reply || reply.error().code() != Code::kDataLoss) return reply;
    return Error(reply.error().WithContext(fmt::format(
        "{} answered {} bytes of '{}'", url_, response.body.size(), response.content_type.substr(0, 60))));
  }

  // What a status other than 2xx means.
  Status Refusal(const HttpResponse& response) const {
    const internal::ProviderError error = internal::ReadProviderError(response.body);
    std::string said = error.message.substr(0, kQuotedBytes);
    if (!error.type.empty()) said = fmt::format("{}: {}", error.type.substr(0, 60), said);
    if (response.status >= 300 && response.status < 400)
      said = "redirects are not followed; is the address right?";
    return Scrubbed(
        Status(CodeOfStatus(response.status, error),
               fmt::format("{} answered {}{}{}", url_, response.status, said.empty() ? "" : ": ", said)));
  }

  // Some providers quote the key in what they say about it.
  Status Scrubbed(const Status& status) const {
    std::string message = status.message();
    for (size_t at = 0; !key_.empty() && (at = message.find(key_, at)) != std::string::npos;) {
      message.replace(at, key_.size(), "***");
    }
    return Status(status.code(), std::move(message));
  }

  // Before the next try. An error when it is not worth waiting, or must not be waited for.
  Status Wait(int tries, const Try& failed, const ModelBudget& budget, const ModelCall& call) {
    const Status& error = failed.reply.error();
    int64_t wait_ms = failed.retry_after_s * 1'000;
    if (wait_ms > settings_.max_wait_ms) {
      return error.WithContext(fmt::format("it asks to wait {} s, longer than {} ms", failed.retry_after_s,
                                           settings_.max_wait_ms));
    }
    if (wait_ms == 0) {
      const int64_t doubled = settings_.first_wait_ms << std::min(tries - 1, 20);
      const double jitter = 0.5 + rng_.Uniform();
      wait_ms = std::min(settings_.max_wait_ms, static_cast<int64_t>(static_cast<double>(doubled) * jitter));
    }
    if (Duration::Millis(wait_ms) >= budget.TimeLeft()) {
      return Status(Code::kDeadlineExceeded,
                    fmt::format("no time is left for another try: {}", error.message()));
    }
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any changed;
    changed.wait_for(lock, call.stop, std::chrono::milliseconds(wait_ms), [] { return false; });
    return call.stop.stop_requested() ? Status(Code::kCancelled, "the call was stopped") : Status::Ok();
  }

  const ModelSettings settings_;
  const std::string key_;
  const Clock& clock_;
  const std::unique_ptr<internal::Protocol> protocol_;
  const std::string url_;
  std::mutex mutex_;
  HttpClient http_;  // guarded by mutex_, as the next
  Rng rng_;
};

Result<std::string> ReadKeyFile(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return Error(Code::kNotFound,
                 fmt::format("the file of the model's key, {}, is not there or no regular file", path));
  }
  if (static_cast<size_t>(info.st_size) > kMaxSecretBytes) {
    return Error(Code::kOutOfRange,
                 fmt::format("the file of the model's key, {}, is over {} bytes", path, kMaxSecretBytes));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return Error(Code::kNotFound, fmt::format("the file of the model's key, {}, cannot be read", path));
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

Result<std::string> ReadKey(const ModelSettings& settings) {
  std::string key, where;
  if (!settings.api_key_env.empty()) {
    where = "the environment variable " + settings.api_key_env;
    const char* value = std::getenv(settings.api_key_env.c_str());
    if (value == nullptr)
      return Error(Code::kNotFound, fmt::format("{} with the model's key is not set", where));
    key = value;
  } else if (!settings.api_key_file.empty()) {
    where = settings.api_key_file;
    TOCSIN_ASSIGN_OR_RETURN(key, ReadKeyFile(settings.api_key_file));
  } else {
    return key;
  }
  constexpr std::string_view kBlank = " \t\r\n";
  key.erase(0, std::min(key.find_first_not_of(kBlank), key.size()));
  key.erase(key.find_last_not_of(kBlank) + 1);
  const bool printable = std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 127; });
  if (key.empty() || !printable) {
    return Error(Code::kInvalidArgument,
                 fmt::format("{} holds no key: one word of printable characters", where));
  }
  return key;
}

Status Check(const ModelSettings& s) {
  const auto bad = [](std::string what) { return Status(Code::kInvalidArgument, std::move(what)); };
  const bool http = s.base_url.starts_with("http://") || s.base_url.starts_with("https://");
  if (!http) return bad(fmt::format("'{}' is not the http or https address of a model", s.base_url));
  if (s.model.empty()) return bad("the model has no name");
  if (!s.api_key_env.empty() && !s.api_key_file.empty())
    return bad("the model's key has both a variable and a file");
  const bool times = s.connect_timeout_ms > 0 && s.idle_timeout_ms > 0 && s.timeout_ms > 0 &&
                     s.first_wait_ms > 0 && s.max_wait_ms > 0;
  if (!times || s.max_tries < 1) return bad("the model's timeouts, waits and tries must be above 0");
  if (s.max_request_bytes == 0 || s.max_response_bytes == 0) return bad("the model's sizes must be above 0");
  return Status::Ok();
}

}  // namespace

Result<std::unique_ptr<ModelClient>> MakeModelClient(const ModelSettings& settings, const Clock& clock) {
  TOCSIN_RETURN_IF_ERROR(Check(settings));
  TOCSIN_ASSIGN_OR_RETURN(std::string key, ReadKey(settings));
  return std::make_unique<HttpModelClient>(settings, std::move(key), clock);
}

}  // namespace tocsin::ports
