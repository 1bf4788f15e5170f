// Session: one claim being checked. It runs the queries and remembers them for the verdict, and knows why an
// answer cannot be trusted: the first reason wins.
// Not thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "claims/verdict.h"
#include "claims/verifier.h"
#include "store/sql_cell.h"

namespace tocsin::claims::internal {

// What is stored around a window.
struct Coverage {
  bool dense = false;         // so many records that a hole in them shows
  bool dried_up = false;      // dense before the window, next to nothing within
  std::optional<Window> gap;  // within the window, when dense
};

// One generation, measured.
struct BehaviorRecord {
  Time time;
  std::string trace_id, span_id;
  BehaviorSource::Measured measured;
};

struct Shared {
  VerifierSources sources;
  VerifierOptions options;
  std::map<std::string, Coverage> coverage;                     // by table and window
  std::map<std::string, std::vector<BehaviorRecord>> behavior;  // by query; a brief asks for many features
  std::optional<Window> kept;                                   // first and last time of any telemetry
};

class Session {
 public:
  explicit Session(Shared& shared) : shared_(shared) {}

  // The rows, or nothing: then the session is unverifiable.
  std::optional<store::Rows> Run(const std::string& sql, std::vector<store::SqlValue> parameters,
                                 size_t max_rows = 10'000);
  // Notes a query whose answer is remembered.
  void Used(std::string sql, std::vector<store::SqlValue> parameters) {
    queries_.push_back({std::move(sql), std::move(parameters)});
  }
  std::map<std::string, std::vector<BehaviorRecord>>& behavior() { return shared_.behavior; }
  // False, with the reason noted, unless the table holds the whole window.
  bool Covered(const std::string& table, const Window& window);
  void Unverifiable(std::string why);
  bool failed() const { return !why_.empty(); }

  const store::SqlDialect& dialect() const { return shared_.sources.dialect; }
  const VerifierSources& sources() const { return shared_.sources; }
  const VerifierOptions& options() const { return shared_.options; }

  void Exemplar(std::string kind, std::string id, std::string span = "");
  // Puts what was noted into the verdict; an unverifiable session makes it so.
  Verdict Finish(Verdict verdict) &&;
  Verdict Finish() && { return std::move(*this).Finish(Verdict{}); }

 private:
  std::optional<Coverage> Look(const std::string& table, const Window& window);
  bool Whole(const std::string& table, const Window& window, bool& dense);
  std::optional<Window> Kept();

  Shared& shared_;
  std::vector<UsedQuery> queries_;
  std::vector<ExemplarId> exemplars_;
  std::string why_;
};

using store::IsNull;
using store::Number;
using store::Text;
using store::Whole;

}  // namespace tocsin::claims::internal
