// NotebookExecutor: effects that are lines in a file, so that a test sees after any crash what happened, how
// often and in which order. Actions: "note.write" {name, value, behave}, "note.read" {name}.
//
//   line: KEY NAME VALUE        written with one write and fsync
//
// behave: "" done; fail; unknown (written or not, by the key); not_done_once; stall (until stopped, then
// not_done); late_stall (written, then until stopped). Thread-safe.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "act/execute/executor.h"

namespace tocsin::act::testing {

struct NotebookLine {
  std::string key, name, value;
};
std::vector<NotebookLine> ReadNotebook(const std::string& path);

class NotebookExecutor final : public Executor {
 public:
  explicit NotebookExecutor(std::string path) : path_(std::move(path)) {}
  std::vector<ActionSpec> Actions() const override;
  Status Check(const ExecutorCall& call) const override;
  Result<Preview> Look(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Run(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Recover(const ExecutorCall& call, std::stop_token stop) override;

  std::atomic<int> runs{0}, looks{0}, under_way{0};
  std::map<std::string, TargetFacts> facts;  // by name; set before use

 private:
  std::string path_;
  std::mutex mutex_;
  std::map<std::string, int> tries_;  // by key
};

}  // namespace tocsin::act::testing
