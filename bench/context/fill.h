// A database as a day of a small shop leaves it behind: traces through a dozen services, log lines with
// templates, metrics, answers of a model, changes; and one failure: from `onset` on the payments database
// fails and is slow, and who calls it with it.
//
// Rows are made by DuckDB itself (INSERT … SELECT range), some hundred thousand a second. Errors: what DuckDB
// says, as an exception.
#pragma once

#include <cstdint>
#include <string>

namespace tocsin::bench {

struct FillPlan {
  std::string path;  // of a database that OpenDuckDb has made and nobody has open
  int64_t rows = 0;  // spans, and as many log lines
  int64_t from_ns = 0, to_ns = 0, onset_ns = 0;
  int64_t step_ns = 15'000'000'000;  // between two points of a series
};

void Fill(const FillPlan& plan);

// The service that fails and one that calls it.
inline constexpr const char* kFailing = "payments-db";
inline constexpr const char* kCaller = "payments";

}  // namespace tocsin::bench
