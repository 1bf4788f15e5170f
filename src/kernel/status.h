// Status and Result<T>: the one error model of Tocsin.
//
// Purpose: every fallible function returns Status or Result<T>; exceptions of third-party libraries are
// caught where they enter (see FromException) and never cross a folder. Asserts are for bugs only; input
// never aborts. Codes are gRPC's canonical codes, a subset; each surface maps them once (HttpStatus below;
// gRPC uses the numeric value; MCP maps from HTTP). Ownership: value types. Thread-safety: as any value.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace tocsin {

// Numeric values are gRPC's, so that the gRPC surface can cast.
enum class Code : int {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,     // the caller's input is wrong whatever the state: HTTP 400
  kDeadlineExceeded = 4,    // HTTP 504
  kNotFound = 5,            // HTTP 404
  kAlreadyExists = 6,       // HTTP 409
  kPermissionDenied = 7,    // HTTP 403
  kResourceExhausted = 8,   // a bound was reached, try later: HTTP 429 with Retry-After
  kFailedPrecondition = 9,  // not in this state: HTTP 409
  kOutOfRange = 11,         // a size or depth bound of the input: HTTP 413
  kUnimplemented = 12,      // HTTP 501
  kInternal = 13,           // our bug: HTTP 500
  kUnavailable = 14,        // try later: HTTP 503
  kDataLoss = 15,           // stored data is damaged: HTTP 500
  kUnauthenticated = 16,    // HTTP 401
};

std::string_view CodeName(Code code);
int HttpStatus(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}
  static Status Ok() { return {}; }
  // The current exception, from inside a catch block, with what we were doing.
  static Status FromException(std::string_view doing, Code code = Code::kInternal);

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  // True when the same request may succeed later, unchanged.
  bool retryable() const {
    return code_ == Code::kResourceExhausted || code_ == Code::kUnavailable ||
           code_ == Code::kDeadlineExceeded;
  }
  // The same error with what the caller was doing put in front: "opening ledger: disk full".
  Status WithContext(std::string_view doing) const;
  // "NOT_FOUND: incident 7 does not exist"
  std::string ToString() const;

  friend bool operator==(const Status& a, const Status& b) {
    return a.code_ == b.code_ && a.message_ == b.message_;
  }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

template <class T>
using Result = tl::expected<T, Status>;

inline tl::unexpected<Status> Error(Code code, std::string message) {
  return tl::unexpected<Status>(Status(code, std::move(message)));
}
inline tl::unexpected<Status> Error(Status status) { return tl::unexpected<Status>(std::move(status)); }

inline Status Status::WithContext(std::string_view doing) const {
  if (ok()) return *this;
  return Status(code_, std::string(doing) + ": " + message_);
}

}  // namespace tocsin

// Returns the Status of a failed Status expression from the enclosing function.
#define TOCSIN_RETURN_IF_ERROR(expr)                      \
  do {                                                    \
    if (::tocsin::Status s_ = (expr); !s_.ok()) {         \
      return ::tocsin::internal::AsReturn{std::move(s_)}; \
    }                                                     \
  } while (false)

#define TOCSIN_CONCAT_INNER_(a, b) a##b
#define TOCSIN_CONCAT_(a, b) TOCSIN_CONCAT_INNER_(a, b)
// TOCSIN_ASSIGN_OR_RETURN(auto x, F()): assigns the value of a Result or returns its Status.
#define TOCSIN_ASSIGN_OR_RETURN(lhs, expr) \
  TOCSIN_ASSIGN_OR_RETURN_IMPL_(TOCSIN_CONCAT_(result_, __LINE__), lhs, expr)
#define TOCSIN_ASSIGN_OR_RETURN_IMPL_(tmp, lhs, expr)                                \
  auto tmp = (expr);                                                                 \
  if (!tmp.has_value()) return ::tocsin::internal::AsReturn{std::move(tmp.error())}; \
  lhs = std::move(*tmp)

namespace tocsin::internal {
// Converts to Status or to any Result<T>, so that one macro serves functions returning either.
struct AsReturn {
  Status status;
  operator Status() && { return std::move(status); }
  template <class T>
  operator Result<T>() && {
    return tl::unexpected<Status>(std::move(status));
  }
};
}  // namespace tocsin::internal
