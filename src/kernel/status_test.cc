#include "kernel/status.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace tocsin {
namespace {

Result<int> Half(int n) {
  if (n % 2 != 0) return Error(Code::kInvalidArgument, "odd");
  return n / 2;
}
Result<int> Quarter(int n) {
  TOCSIN_ASSIGN_OR_RETURN(const int half, Half(n));
  return Half(half);
}
Status Check(int n) {
  TOCSIN_ASSIGN_OR_RETURN([[maybe_unused]] const int quarter, Quarter(n));
  TOCSIN_RETURN_IF_ERROR(Status::Ok());
  return Status::Ok();
}

TEST(StatusTest, ErrorsTravelThroughBothReturnTypes) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error().code(), Code::kInvalidArgument);
  EXPECT_TRUE(Check(8).ok());
  EXPECT_EQ(Check(2).ToString(), "INVALID_ARGUMENT: odd");
}

TEST(StatusTest, ContextIsPutInFrontAndKeepsTheCode) {
  const Status s = Status(Code::kNotFound, "no row").WithContext("reading incident 7");
  EXPECT_EQ(s.ToString(), "NOT_FOUND: reading incident 7: no row");
  EXPECT_TRUE(Status::Ok().WithContext("anything").ok());
}

TEST(StatusTest, ExceptionsBecomeStatuses) {
  Status s;
  try {
    throw std::runtime_error("disk full");
  } catch (...) {
    s = Status::FromException("opening the ledger", Code::kUnavailable);
  }
  EXPECT_EQ(s.ToString(), "UNAVAILABLE: opening the ledger: disk full");
  EXPECT_TRUE(s.retryable());
  EXPECT_EQ(HttpStatus(s.code()), 503);
}

}  // namespace
}  // namespace tocsin
