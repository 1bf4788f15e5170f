#include "ports/smtp_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>

namespace tocsin::ports {
namespace {

struct Upload {
  std::string_view rest;
  bool complete = false;  // curl has been told that there is no more
};

size_t OnRead(char* buffer, size_t size, size_t count, void* user) {
  auto* upload = static_cast<Upload*>(user);
  const size_t bytes = std::min(size * count, upload->rest.size());
  std::memcpy(buffer, upload->rest.data(), bytes);
  upload->rest.remove_prefix(bytes);
  upload->complete = upload->complete || bytes == 0;
  return bytes;
}

struct Handles {
  CURL* easy = curl_easy_init();
  curl_slist* recipients = nullptr;
  Handles() = default;
  ~Handles() {
    curl_slist_free_all(recipients);
    curl_easy_cleanup(easy);
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;
};

void SetConnection(CURL* easy, const SmtpOptions& options) {
  curl_easy_setopt(easy, CURLOPT_URL, options.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // mail does not go through a web proxy
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout_ms));
  const long tls = options.starttls == "required"     ? CURLUSESSL_ALL
                   : options.starttls == "if-offered" ? CURLUSESSL_TRY
                                                      : CURLUSESSL_NONE;
  curl_easy_setopt(easy, CURLOPT_USE_SSL, tls);
  if (!options.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  if (!options.user.empty()) {
    curl_easy_setopt(easy, CURLOPT_USERNAME, options.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, options.password.c_str());
  }
}

Status FromCurl(CURLcode code, long reply, const std::string& url, const char* detail) {
  const std::string_view why = *detail != '\0' ? detail : curl_easy_strerror(code);
  if (code == CURLE_LOGIN_DENIED) {
    return Status(Code::kUnauthenticated, fmt::format("{} refused the log-in ({})", url, why));
  }
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Status(Code::kDeadlineExceeded, fmt::format("{} did not answer in time ({})", url, why));
  }
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return Status(Code::kInvalidArgument, fmt::format("'{}' is not an smtp or smtps URL ({})", url, why));
  }
  if (reply >= 500 && reply < 600) {
    return Status(Code::kInvalidArgument, fmt::format("{} refused the mail ({})", url, why));
  }
  return Status(Code::kUnavailable, fmt::format("cannot hand a mail to {} ({})", url, why));
}

Status CheckAddresses(const std::string& from, const std::vector<std::string>& to) {
  if (!IsMailAddress(from)) {
    return Status(Code::kInvalidArgument, "the sender's e-mail address is not one this server sends from");
  }
  if (to.empty()) return Status(Code::kInvalidArgument, "a mail needs a recipient");
  if (!std::all_of(to.begin(), to.end(), [](const std::string& one) { return IsMailAddress(one); })) {
    return Status(Code::kInvalidArgument, "a recipient is not an e-mail address this server sends to");
  }
  return Status::Ok();
}

}  // namespace

bool IsMailAddress(std::string_view address) {
  const size_t at = address.find('@');
  if (address.size() > 254 || at == 0 || at == std::string_view::npos || at + 1 == address.size())
    return false;
  if (address.find('@', at + 1) != std::string_view::npos) return false;
  constexpr std::string_view kNever = "<>()[]\\,;:\"";
  return std::all_of(address.begin(), address.end(), [&](char c) {
    return c > ' ' && c < '\x7f' && kNever.find(c) == std::string_view::npos;
  });
}

SmtpResult SmtpClient::Send(const std::string& from, const std::vector<std::string>& to,
                            std::string_view message) const {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  SmtpResult result;
  result.status = CheckAddresses(from, to);
  if (!result.status.ok()) return result;
  Handles handles;
  CURL* easy = handles.easy;
  if (easy == nullptr) {
    result.status = Status(Code::kInternal, "libcurl could not be started");
    return result;
  }
  char detail[CURL_ERROR_SIZE] = "";
  Upload upload{.rest = message};
  const std::string sender = "<" + from + ">";
  for (const std::string& one : to) {
    handles.recipients = curl_slist_append(handles.recipients, ("<" + one + ">").c_str());
  }
  SetConnection(easy, options_);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, sender.c_str());
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, handles.recipients);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, OnRead);
  curl_easy_setopt(easy, CURLOPT_READDATA, &upload);
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  const CURLcode code = curl_easy_perform(easy);
  long reply = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply);
  result.reply_code = static_cast<int>(reply);
  if (code == CURLE_OK) return result;
  result.status = FromCurl(code, reply, options_.url, detail);
  // 354 was the last reply: the message was asked for and written, and its own reply never came.
  result.possibly_delivered = upload.complete && (reply < 400);
  return result;
}

}  // namespace tocsin::ports
