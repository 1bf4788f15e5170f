// What every executor does alike: its parameters held against its ActionSpec, its receipts written. Pure;
// thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "act/execute/executor.h"
#include "ports/process/program_runner.h"

namespace tocsin::act::internal {

inline constexpr size_t kMaxReceiptText = 500, kMaxUndoBytes = 16u << 10, kMaxOutputText = 24u << 10;

ActionSpec MakeSpec(std::string name, std::string about, std::vector<ActionParameter> parameters);
// kInvalidArgument: unknown, missing, or of another type; kUnimplemented: no such action among `specs`.
Status CheckParameters(const std::vector<ActionSpec>& specs, const ExecutorCall& call);
std::string TextIn(const nlohmann::json& with, const char* name, std::string otherwise = "");
int64_t NumberIn(const nlohmann::json& with, const char* name, int64_t otherwise);
bool FlagIn(const nlohmann::json& with, const char* name);

// What `entries` (named in configuration) has under `name`, or a sentence that says what there is.
template <class Entries>
Result<const typename Entries::mapped_type*> FindEntry(const Entries& entries, const std::string& name,
                                                       std::string_view what);
Status NoSuchEntry(std::string_view what, const std::string& name, const std::vector<std::string>& there_are);

Receipt MakeReceipt(Receipt::Outcome outcome, std::string_view text,
                    nlohmann::json outputs = nlohmann::json::object(),
                    nlohmann::json evidence = nlohmann::json::object());
Receipt NotBegun(const Status& why);
Preview MakePreview(std::string_view text, nlohmann::json undo = nlohmann::json::object());
// Valid UTF-8, at most `most` bytes: what other programs say, to be put into JSON.
std::string CleanText(std::string_view bytes, size_t most = kMaxOutputText);
// One line of what a program said; stderr first.
std::string LastWords(const ports::ProgramEnd& end);

template <class Entries>
Result<const typename Entries::mapped_type*> FindEntry(const Entries& entries, const std::string& name,
                                                       std::string_view what) {
  if (const auto it = entries.find(name); it != entries.end()) return &it->second;
  std::vector<std::string> there_are;
  for (const auto& [other, entry] : entries) there_are.push_back(other);
  return Error(NoSuchEntry(what, name, there_are));
}

}  // namespace tocsin::act::internal
