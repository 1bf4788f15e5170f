// Rows of a CSV text (RFC 4180: quoted fields, doubled quotes, line breaks inside quotes), without copying.
//
// Fields are views of the text; a quoted field with doubled quotes is unescaped into a buffer of the reader
// and valid until the next row. Errors: kInvalidArgument (a quote that never closes, with the row's number).
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"

namespace tocsin::investigate {

class CsvRows {
 public:
  explicit CsvRows(std::string_view text) : text_(text) {}

  // The next row's fields, or false at the end. Empty lines are skipped.
  Result<bool> Next(std::vector<std::string_view>& fields);
  size_t row() const { return row_; }  // 1-based, of the last row read

 private:
  Status Quoted(std::string_view& field);

  std::string_view text_;
  size_t at_ = 0;
  size_t row_ = 0;
  std::deque<std::string> unescaped_;
};

}  // namespace tocsin::investigate
