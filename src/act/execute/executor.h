// Executor: turns one fully resolved call into an effect, and says what became of it. One executor a file;
// each has the least it needs (addresses, binaries, namespaces, keys from the configuration) and nothing
// else.
//
//   Preview ──► policy ──► intent on the chain ──► Run ──► receipt on the chain
//                                   └── crash ──► Recover: done, not done, or unknown
//
// Preview only reads. Run is called at most once for an idempotency key unless Recover has said kNotDone.
// When `stop` is requested, Run begins nothing more and returns within 250 ms.
// Thread-safety: all methods, from several threads at once. Errors are in the receipt; Check and Preview give
// kInvalidArgument (which parameter), kPermissionDenied (not allowed by configuration), kNotFound,
// kUnavailable, kUnimplemented (nobody speaks this action).
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "act/plan/plan.h"
#include "kernel/status.h"
#include "kernel/time.h"

namespace tocsin::act {

struct ActionParameter {
  std::string name, type;  // text, integer, number, boolean, object, list
  bool required = false;
  std::string about;
  bool Takes(const nlohmann::json& value) const;  // of its type
};

// What there is to do, for lint, schema and the catalogue.
struct ActionSpec {
  std::string name;   // "kubernetes.scale"
  std::string about;  // one line
  std::vector<ActionParameter> parameters;
  std::vector<std::string> undo;     // names that Preview reads for {{ undo.x }}
  std::vector<std::string> outputs;  // names in the receipt's outputs
  bool read_only = false;
  bool reaches_people = false;  // pages, mails, posts
  // What becomes of a crash between intent and receipt: true when Recover can always tell.
  bool recoverable = false;
  // {"action": …, "with": …}: the usual inverse, with {{ with.x }} and {{ undo.x }}; null when there is none.
  nlohmann::json usual_inverse;
};

struct ExecutorCall {
  std::string action;
  nlohmann::json with = nlohmann::json::object();
  std::string idempotency_key;  // [A-Za-z0-9._-], at most 96 bytes; the same for every try of one step
  Duration timeout = Duration::Seconds(60);
};

// Facts about the targets, as they are now; nothing where the executor does not know.
struct TargetFacts {
  std::optional<int> instances;  // there are
  std::optional<int> healthy;
};

struct Preview {
  std::string text;  // what would happen, one line a person understands, ≤ 500 bytes
  nlohmann::json undo = nlohmann::json::object();  // what is there now, for the inverse; ≤ 16 KiB
  TargetFacts facts;
  bool no_change = false;  // it is already so
};

struct Receipt {
  enum class Outcome {
    kDone,     // the effect is there
    kFailed,   // it was tried, and the other side says no
    kNotDone,  // nothing left this machine
    kUnknown,  // something may have happened: a person must look
  };
  Outcome outcome = Outcome::kUnknown;
  std::string text;                                    // what happened, one line, printable, ≤ 500 bytes
  nlohmann::json outputs = nlohmann::json::object();   // for later steps: untrusted; ≤ 64 KiB
  nlohmann::json evidence = nlohmann::json::object();  // status, exit code, ids; ≤ 16 KiB, no secrets
};
std::string_view OutcomeName(Receipt::Outcome outcome);
bool ParseOutcome(std::string_view name, Receipt::Outcome& outcome);

class Executor {
 public:
  virtual ~Executor() = default;
  virtual std::vector<ActionSpec> Actions() const = 0;
  // Parameters and configuration, without asking anybody. Placeholders are gone by now.
  virtual Status Check(const ExecutorCall& call) const = 0;
  virtual Result<Preview> Look(const ExecutorCall& call, std::stop_token stop) = 0;
  virtual Receipt Run(const ExecutorCall& call, std::stop_token stop) = 0;
  // After a crash between intent and receipt. Only reads. kDone and kFailed carry what Run would have said.
  virtual Receipt Recover(const ExecutorCall& call, std::stop_token stop) = 0;
};

// Which executor speaks an action. Owns the executors. Thread-safe once filled.
class ExecutorDirectory {
 public:
  // A later one takes the place of an earlier for the same action.
  void Add(std::unique_ptr<Executor> executor);
  Executor* Find(std::string_view action) const;  // null: nobody
  const ActionSpec* Spec(std::string_view action) const;
  std::vector<const ActionSpec*> Specs() const;  // by name

 private:
  struct Entry {
    ActionSpec spec;
    Executor* executor = nullptr;
  };
  std::vector<std::unique_ptr<Executor>> owned_;
  std::map<std::string, Entry, std::less<>> by_action_;
};

}  // namespace tocsin::act
