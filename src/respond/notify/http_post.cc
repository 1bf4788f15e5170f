#include "respond/notify/http_post.h"

#include <fmt/format.h>

#include "ports/http_client.h"
#include "respond/notify/notice_text.h"

namespace tocsin::respond {
namespace {

constexpr size_t kMaxAnswerBytes = 64u << 10;

std::string WithoutSecretPath(std::string message, const std::string& url) {
  const std::string shown = PublicPartOfUrl(url);
  for (size_t at = message.find(url); !url.empty() && at != std::string::npos;
       at = message.find(url, at + shown.size())) {
    message.replace(at, url.size(), shown);
  }
  return message;
}

void JudgeAnswer(const ports::HttpResponse& answer, const std::string& url, SendOutcome& outcome) {
  if (answer.status >= 200 && answer.status < 300) return;
  const bool busy = answer.status == 429;
  outcome.retryable = busy || answer.status == 408 || answer.status >= 500;
  outcome.possibly_delivered = answer.status == 502 || answer.status == 504;
  outcome.retry_after = Duration::Seconds(answer.retry_after_s);
  const Code code = busy                ? Code::kResourceExhausted
                    : outcome.retryable ? Code::kUnavailable
                                        : Code::kInvalidArgument;
  outcome.status = Status(code, fmt::format("{} answered {}: {}", PublicPartOfUrl(url), answer.status,
                                            CutUtf8(CleanText(answer.body, false), 200)));
}

}  // namespace

PostResult PostJson(const std::string& url, const HttpHeaders& headers, std::string_view json,
                    const HttpNotifierOptions& options) {
  PostResult result;
  ports::HttpClient client({.connect_timeout_ms = options.connect_timeout_ms,
                            .timeout_ms = options.timeout_ms,
                            .max_response_bytes = kMaxAnswerBytes});
  ports::HttpRequest request{.method = "POST", .url = url, .headers = headers, .body = json};
  request.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  request.headers.emplace_back("User-Agent", "tocsin");
  auto answer = client.Send(request);
  if (answer) {
    result.status = answer->status;
    JudgeAnswer(*answer, url, result.outcome);
    result.body = std::move(answer->body);
    return result;
  }
  const Status& why = answer.error();
  result.outcome.status = Status(why.code(), WithoutSecretPath(why.message(), url));
  result.outcome.retryable = why.code() != Code::kInvalidArgument;
  result.outcome.possibly_delivered = client.request_may_have_arrived();
  return result;
}

}  // namespace tocsin::respond
