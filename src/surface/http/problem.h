// Errors as HTTP answers: problem details (RFC 9457), one mapping for every endpoint.
// Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "kernel/status.h"
#include "surface/http/message.h"

namespace tocsin::surface {

// What a client does after 429 or 503: seconds until the backlog has had time to drain.
inline constexpr int kRetryAfterSeconds = 1;

// The reason phrase of a status: "Not Found".
std::string_view ReasonPhrase(int status);
// {type,title,status,detail} with the HTTP status of the code; Retry-After when it is retryable.
Response ProblemResponse(const Status& status);
// The same with an HTTP status no Code stands for (405, 408, 411, 415, 431 …).
Response ProblemResponse(int http_status, std::string_view detail);

}  // namespace tocsin::surface
