// ScenarioRunner: plays one scenario through Watcher, IncidentDesk and a SQLite ledger in a scratch folder.
//
// Everything is durable at once, as in the server: each batch has a position and is kept, so that `crash`
// can restore what the ledger holds and feed again what came after it. Not thread-safe.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "detect/watcher.h"
#include "expectations.h"
#include "respond/incident_desk.h"
#include "scenario_file.h"
#include "store/ledger.h"
#include "text_template.h"

namespace tocsin::scenarios {

struct Outcome {
  std::vector<std::string> failures;
  std::string skipped;  // why, when not run
  uint64_t generations = 0;
  double watch_seconds = 0;  // spent in the watcher
};

class ScenarioRunner {
 public:
  ScenarioRunner(std::filesystem::path scratch, bool verbose)
      : scratch_(std::move(scratch)), verbose_(verbose) {}
  Outcome Run(const std::vector<Statement>& statements);

 private:
  Status Execute(const Statement& s);
  Status Configure(const Statement& s);
  Status Generations(const Statement& s);
  Status Generation(const Statement& s, signal::Batch& batch);
  Status Fill(const Statement& s, const Statement::Pair& pair, signal::Generation& g, signal::Batch& batch,
              signal::Retrieval& retrieval);
  Status Recorded(const Statement& s);
  Status Change(const Statement& s);
  Status Restart(bool crash);
  Status Expect(const Statement& s);
  Status Close(const Statement& s);
  Status Open();
  Status Send(signal::Batch batch);
  Status Record(bool save);
  std::string Id(const char* prefix, int digits);

  std::filesystem::path scratch_;
  bool verbose_;
  std::unique_ptr<store::Ledger> ledger_;
  std::unique_ptr<detect::Watcher> watcher_;
  detect::WatcherOptions options_;
  TextTemplate text_{1};
  Statement defaults_;
  Time now_{};
  Duration step_ = Duration::Seconds(30);
  uint64_t position_ = 0;
  uint64_t serial_ = 0;
  std::vector<store::JournalEntry> journal_;
  std::map<std::string, Time> marks_;
  Outcome outcome_;
};

}  // namespace tocsin::scenarios
