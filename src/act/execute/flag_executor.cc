#include "act/execute/flag_executor.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "act/execute/flag_file.h"
#include "act/execute/internal/call_parts.h"
#include "act/execute/internal/endpoint.h"
#include "act/policy/call_hash.h"
#include "claims/claim_text.h"

namespace tocsin::act {
namespace {

using internal::Answer;
using internal::Exchange;
using nlohmann::json;
using Outcome = Receipt::Outcome;

constexpr std::chrono::hours kNotesKept{7 * 24};

// What a flag is now, however it is kept.
struct FlagNow {
  std::string variant;
  FlagInFile file;     // of a store with a file
  json document;       // of a store with an API: what GET answered
  std::string remark;  // "; its targeting rules come first"
};

class FlagExecutor : public Executor {
 public:
  FlagExecutor(std::map<std::string, FlagStore> stores, std::string directory)
      : stores_(std::move(stores)), directory_(std::move(directory)) {}
  std::vector<ActionSpec> Actions() const override { return FlagActions(); }
  Status Check(const ExecutorCall& call) const override;
  Result<Preview> Look(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Run(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Recover(const ExecutorCall& call, std::stop_token stop) override;

 private:
  std::string StoreName(const ExecutorCall& call) const;
  Result<const FlagStore*> Store(const ExecutorCall& call) const;
  Result<FlagNow> Read(const FlagStore& store, const ExecutorCall& call, std::stop_token stop) const;
  Receipt SetInFile(const FlagStore& store, const ExecutorCall& call, const FlagNow& now) const;
  static Receipt SetByApi(const FlagStore& store, const ExecutorCall& call, const FlagNow& now,
                          std::stop_token stop);
  static Receipt Evaluate(const FlagStore& store, const ExecutorCall& call, std::stop_token stop);
  std::string NotePath(const ExecutorCall& call) const {
    return directory_ + "/" + call.idempotency_key + ".before";
  }

  std::map<std::string, FlagStore> stores_;
  std::string directory_;
  std::mutex file_turn_;
};

std::string FlagOf(const ExecutorCall& call) { return internal::TextIn(call.with, "flag"); }
std::string VariantOf(const ExecutorCall& call) { return internal::TextIn(call.with, "variant"); }
std::string ApiPath(const FlagStore& store, const ExecutorCall& call) {
  return internal::FillPath(store.api_path, "flag", FlagOf(call));
}
std::string Sentence(const ExecutorCall& call, const std::string& before) {
  return fmt::format("flag {}: default variant {} → {}", FlagOf(call), before.empty() ? "(none)" : before,
                     VariantOf(call));
}

std::string FlagExecutor::StoreName(const ExecutorCall& call) const {
  return internal::TextIn(call.with, "store", stores_.size() == 1 ? stores_.begin()->first : "");
}
Result<const FlagStore*> FlagExecutor::Store(const ExecutorCall& call) const {
  return internal::FindEntry(stores_, StoreName(call), "store");
}

Status FlagExecutor::Check(const ExecutorCall& call) const {
  TOCSIN_RETURN_IF_ERROR(internal::CheckParameters(FlagActions(), call));
  TOCSIN_ASSIGN_OR_RETURN(const FlagStore* store, Store(call));
  const std::string flag = FlagOf(call);
  if (flag.empty() || flag.size() > 200 || !MatchesName(store->flags, flag))
    return Status(Code::kPermissionDenied,
                  fmt::format("with.flag: the configuration does not allow '{}'", claims::Printable(flag)));
  if (!store->api.base_url.empty()) {
    if (auto path = internal::CheckPath(ApiPath(*store, call)); !path.ok())
      return path.WithContext("with.flag");
  }
  if (call.action == "flag.set" && store->file.empty() && store->api.base_url.empty())
    return Status(Code::kPermissionDenied,
                  "with.store: has neither a file nor an api: its flags can only be read");
  if (call.action == "flag.set" && (VariantOf(call).empty() || VariantOf(call).size() > 200))
    return Status(Code::kInvalidArgument, "with.variant: is empty or too long");
  return {};
}

Result<FlagNow> FlagExecutor::Read(const FlagStore& store, const ExecutorCall& call,
                                   std::stop_token stop) const {
  FlagNow now;
  if (!store.file.empty()) {
    TOCSIN_ASSIGN_OR_RETURN(now.file, ReadFlagInFile(store.file, FlagOf(call)));
    now.variant = now.file.variant;
    if (now.file.disabled) now.remark = "; the flag is disabled";
    if (now.file.has_targeting) now.remark += "; its targeting rules still come first";
    return now;
  }
  Exchange exchange;
  exchange.path = ApiPath(store, call);
  exchange.timeout = call.timeout;
  const Answer answer = internal::Send(store.api, exchange, std::move(stop));
  if (!answer.response) return Error(answer.response.error());
  if (answer.response->status == 404) return Error(Code::kNotFound, "there is no flag " + FlagOf(call));
  if (!answer.Is2xx())
    return Error(Code::kUnavailable,
                 fmt::format("GET {} answered {}", exchange.path, answer.response->status));
  now.document = json::parse(answer.response->body, nullptr, false);
  try {
    now.variant = now.document.at(json::json_pointer(store.api_pointer)).get<std::string>();
  } catch (const json::exception&) {
    return Error(Code::kUnavailable,
                 fmt::format("GET {} has no text at {}", exchange.path, store.api_pointer));
  }
  return now;
}

Result<Preview> FlagExecutor::Look(const ExecutorCall& call, std::stop_token stop) {
  TOCSIN_RETURN_IF_ERROR(Check(call));
  TOCSIN_ASSIGN_OR_RETURN(const FlagStore* store, Store(call));
  if (call.action == "flag.read") return internal::MakePreview("reads flag " + FlagOf(call));
  TOCSIN_ASSIGN_OR_RETURN(const FlagNow now, Read(*store, call, std::move(stop)));
  if (!store->file.empty() &&
      std::ranges::find(now.file.variants, VariantOf(call)) == now.file.variants.end())
    return Error(Code::kInvalidArgument, fmt::format("with.variant: flag {} has no variant '{}'",
                                                     FlagOf(call), claims::Printable(VariantOf(call))));
  Preview preview = internal::MakePreview(Sentence(call, now.variant) + now.remark,
                                          {{"variant", now.variant}, {"store", StoreName(call)}});
  preview.no_change = now.variant == VariantOf(call);
  return preview;
}

Receipt FlagExecutor::Run(const ExecutorCall& call, std::stop_token stop) {
  if (auto status = Check(call); !status.ok()) return internal::NotBegun(status);
  const FlagStore& store = **Store(call);
  if (stop.stop_requested()) return internal::NotBegun(Status(Code::kCancelled, "stopped before it began"));
  if (call.action == "flag.read" && !store.ofrep.base_url.empty())
    return Evaluate(store, call, std::move(stop));
  std::unique_lock turn(file_turn_, std::defer_lock);
  if (!store.file.empty()) turn.lock();
  const auto now = Read(store, call, stop);
  if (!now) return internal::NotBegun(now.error());
  if (call.action == "flag.read")
    return internal::MakeReceipt(Outcome::kDone,
                                 fmt::format("flag {}: default variant {}", FlagOf(call), now->variant),
                                 {{"variant", now->variant}});
  if (stop.stop_requested()) return internal::NotBegun(Status(Code::kCancelled, "stopped before it began"));
  return store.file.empty() ? SetByApi(store, call, *now, std::move(stop)) : SetInFile(store, call, *now);
}

Receipt FlagExecutor::SetInFile(const FlagStore& store, const ExecutorCall& call, const FlagNow& now) const {
  if (!call.idempotency_key.empty()) {
    std::ofstream note(NotePath(call), std::ios::trunc);
    note << Sha256Hex(now.file.file_text);
    note.close();
    if (!note) return internal::NotBegun(Status(Code::kUnavailable, "cannot write " + NotePath(call)));
  }
  const Status written = WriteFlagInFile(store.file, FlagOf(call), VariantOf(call), now.file);
  if (!written.ok()) return internal::NotBegun(written);
  return internal::MakeReceipt(Outcome::kDone, Sentence(call, now.variant) + now.remark,
                               {{"variant", VariantOf(call)}, {"before", now.variant}},
                               {{"file", store.file}});
}

Receipt FlagExecutor::SetByApi(const FlagStore& store, const ExecutorCall& call, const FlagNow& now,
                               std::stop_token stop) {
  json document = store.api_method == "PATCH" ? json::object() : now.document;
  try {
    document[json::json_pointer(store.api_pointer)] = VariantOf(call);
  } catch (const json::exception&) {
    return internal::NotBegun(Status(Code::kFailedPrecondition, "the flag cannot hold " + store.api_pointer));
  }
  Exchange exchange;
  exchange.method = store.api_method;
  exchange.path = ApiPath(store, call);
  exchange.body = document.dump(-1, ' ', false, json::error_handler_t::replace);
  exchange.timeout = call.timeout;
  exchange.headers = {
      {"Idempotency-Key", call.idempotency_key},
      {"Content-Type", store.api_method == "PATCH" ? "application/merge-patch+json" : "application/json"}};
  const Answer answer = internal::Send(store.api, exchange, std::move(stop));
  if (!answer.response && !answer.may_have_arrived) return internal::NotBegun(answer.response.error());
  if (!answer.response) return internal::MakeReceipt(Outcome::kUnknown, answer.response.error().message());
  const int status = answer.response->status;
  const bool nobody_knows = status == 408 || status == 502 || status == 504;
  const Outcome outcome = answer.Is2xx() ? Outcome::kDone
                          : nobody_knows ? Outcome::kUnknown
                                         : Outcome::kFailed;
  return internal::MakeReceipt(outcome, fmt::format("{}: {}", Sentence(call, now.variant), status),
                               {{"variant", VariantOf(call)}, {"before", now.variant}}, {{"status", status}});
}

// As an application would see it: OpenFeature Remote Evaluation Protocol.
Receipt FlagExecutor::Evaluate(const FlagStore& store, const ExecutorCall& call, std::stop_token stop) {
  Exchange exchange;
  exchange.method = "POST";
  exchange.path = "/ofrep/v1/evaluate/flags/" + internal::EncodePart(FlagOf(call));
  exchange.timeout = call.timeout;
  exchange.headers = {{"Content-Type", "application/json"}};
  const json context = {{"context", call.with.value("context", json::object())}};
  exchange.body = context.dump(-1, ' ', false, json::error_handler_t::replace);
  if (auto path = internal::CheckPath(exchange.path); !path.ok()) return internal::NotBegun(path);
  const Answer answer = internal::Send(store.ofrep, exchange, std::move(stop));
  if (!answer.response) return internal::NotBegun(answer.response.error());
  const json body = json::parse(answer.response->body, nullptr, false);
  if (!answer.Is2xx() || !body.is_object())
    return internal::MakeReceipt(Outcome::kFailed,
                                 fmt::format("evaluating {}: {}", FlagOf(call), answer.response->status));
  json outputs = json::object();
  for (const char* name : {"variant", "value", "reason"}) {
    if (body.contains(name) &&
        body[name].dump(-1, ' ', false, json::error_handler_t::replace).size() <= internal::kMaxUndoBytes)
      outputs[name] = body[name];
  }
  const std::string variant = internal::TextIn(outputs, "variant", "(none)");
  return internal::MakeReceipt(Outcome::kDone, fmt::format("flag {} evaluates to {}", FlagOf(call), variant),
                               outputs);
}

Receipt FlagExecutor::Recover(const ExecutorCall& call, std::stop_token stop) {
  if (auto status = Check(call); !status.ok())
    return internal::MakeReceipt(Outcome::kUnknown, status.message());
  if (call.action == "flag.read") return Run(call, std::move(stop));
  const FlagStore& store = **Store(call);
  const auto now = Read(store, call, std::move(stop));
  if (!now) return internal::MakeReceipt(Outcome::kUnknown, now.error().message());
  if (now->variant == VariantOf(call))
    return internal::MakeReceipt(Outcome::kDone,
                                 fmt::format("flag {}: default variant is {}", FlagOf(call), now->variant),
                                 {{"variant", now->variant}});
  const Receipt not_done = internal::NotBegun(Status(
      Code::kNotFound, fmt::format("flag {}: default variant is still {}", FlagOf(call), now->variant)));
  if (store.file.empty()) return not_done;
  std::string before;
  std::ifstream(NotePath(call)) >> before;
  if (before.empty() || before == Sha256Hex(now->file.file_text)) return not_done;
  return internal::MakeReceipt(Outcome::kUnknown,
                               fmt::format("flag {}: default variant is {}, and its file was changed since",
                                           FlagOf(call), now->variant));
}

}  // namespace

std::vector<ActionSpec> FlagActions() {
  ActionSpec set = internal::MakeSpec(
      "flag.set", "sets the default variant of a feature flag",
      {{"store", "text", false, "name of a store in act.executors.flags; the only one when absent"},
       {"flag", "text", true, "key of the flag"},
       {"variant", "text", true, "which of its variants"}});
  set.undo = {"variant", "store"};
  set.outputs = {"variant", "before"};
  set.recoverable = true;
  set.usual_inverse = {
      {"action", "flag.set"},
      {"with",
       {{"store", "{{ undo.store }}"}, {"flag", "{{ with.flag }}"}, {"variant", "{{ undo.variant }}"}}}};
  ActionSpec read = internal::MakeSpec(
      "flag.read", "reads a feature flag, or evaluates it by OFREP where the store has it",
      {{"store", "text", false, "name of a store in act.executors.flags; the only one when absent"},
       {"flag", "text", true, "key of the flag"},
       {"context", "object", false, "evaluation context, for OFREP"}});
  read.outputs = {"variant", "value", "reason"};
  read.read_only = read.recoverable = true;
  return {set, read};
}

Result<std::unique_ptr<Executor>> MakeFlagExecutor(std::map<std::string, FlagStore> stores,
                                                   const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return Error(Code::kUnavailable, fmt::format("cannot use {} ({})", directory, error.message()));
  const auto old = std::filesystem::file_time_type::clock::now() - kNotesKept;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code of_one;
    if (it->path().extension() == ".before" && std::filesystem::last_write_time(it->path(), of_one) < old)
      std::filesystem::remove(it->path(), of_one);
  }
  return std::make_unique<FlagExecutor>(std::move(stores), directory);
}

}  // namespace tocsin::act
