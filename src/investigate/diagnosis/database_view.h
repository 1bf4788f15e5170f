// DatabaseView: the evidence about one database in the form its signatures ask for.
//
// In scope are the instances and replicas of the alert (all, when it names none); series of other instances
// are left out. Statements and waits are ordered by load. Ownership: borrows the Evidence. Thread-safe once
// built.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "investigate/diagnosis/diagnosis.h"
#include "investigate/diagnosis/message_family.h"
#include "investigate/diagnosis/series_summary.h"

namespace tocsin::investigate {

enum class WaitKind { kOther, kCpu, kWal, kWriteIo, kReadIo, kLock, kClientIdle, kTemporaryFile };
WaitKind WaitKindOf(std::string_view wait);

struct Statement {
  std::string text{};
  std::string verb{};  // SELECT, UPDATE, …; of "BEGIN; SELECT …" the second
  double share = 0;    // of the statements' load
  double calls = 0;
  std::map<WaitKind, double> waits{};  // shares of this statement's load
  bool writes = false, open_transaction = false;
  double Waits(WaitKind kind) const;
  std::string top_wait{};
};

struct DatabaseView {
  const Evidence* evidence = nullptr;
  std::string instance{}, replica{};
  std::map<std::string, SeriesSummary> metrics{};
  std::vector<Statement> statements{};
  std::vector<NamedLoad> waits{};  // shares of the waits' load
  std::vector<NamedLoad> users{};
  SeriesSummary sessions{};
  std::string load_source{};
  std::vector<const EvidenceEvent*> events{};  // in scope and window, by time
  std::vector<const EvidenceEvent*> past{};    // in scope, before the window
  std::optional<double> max_connections{}, cpus{};
  bool any = false;  // anything about a database at all

  const SeriesSummary* Get(const std::string& metric) const;
  double WaitShare(WaitKind kind) const;
  // Events and database log lines of a family within the window, by time.
  std::vector<const EvidenceEvent*> Of(Family family) const;
  // Whether the alert's title, name or summary holds one of the words.
  bool AlertSays(std::initializer_list<std::string_view> words) const;
  const Statement* Heaviest(const std::function<bool(const Statement&)>& which) const;
};

DatabaseView ViewDatabase(const Evidence& evidence);

// "CPUUtilization on orders-db rose from 22 % to 97 % (15 points, from 10:02:00 UTC on 24 Nov)".
Fact MetricFact(const SeriesSummary& series);
Fact EventFact(const EvidenceEvent& event);
Fact StatementFact(const Statement& statement);
std::string Quoted(std::string_view text, size_t most = 220);
std::string Percent(double share);

}  // namespace tocsin::investigate
