#include "act/kill/kill_switch.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "act/access.h"
#include "act/kill/internal/kill_file.h"
#include "claims/claim_text.h"
#include "respond/json_text.h"
#include "respond/timeline.h"

namespace tocsin::act {
namespace {

using nlohmann::json;

constexpr const char* kCollection = "kill";
constexpr const char* kFileCollection = "kill_file";  // what the file engaged, as far as it is recorded
constexpr const char* kSubject = "kill-switch";
constexpr auto kLook = std::chrono::milliseconds(100);
constexpr auto kTryAgain = std::chrono::seconds(1);
constexpr size_t kMostEngaged = 1000;
constexpr size_t kMostUnrecorded = 1000;
constexpr size_t kMostReason = 500;

struct Entry {
  KillState state;
  uint64_t serial = 0;   // of the last time somebody engaged it
  bool written = false;  // the ledger holds it
};

struct Snapshot {
  std::vector<KillState> ledger, file;
};

Status Record(store::LedgerTransaction& tx, const KillState& state) {
  const std::string id = state.scope.ToText();
  const char* collection = state.by_file ? kFileCollection : kCollection;
  if (state.engaged) {
    TOCSIN_RETURN_IF_ERROR(tx.PutDocument({collection, id, {}, respond::DumpJson(KillStateToJson(state))}));
  } else if (const auto there = tx.DeleteDocument(collection, id); !there) {
    return there.error();
  }
  return respond::AppendEvent(tx, state.engaged ? "kill.engaged" : "kill.released", kSubject, state.by,
                              KillStateToJson(state), state.at);
}

// What a document says is engaged; what cannot be read is all.
KillState Stored(const store::Document& document) {
  KillState state;
  if (auto scope = ParseKillScope(document.id))
    state.scope = *std::move(scope);
  else
    spdlog::error("the kill switch '{}' in the ledger is no scope: all is stopped",
                  claims::Printable(document.id));
  const json body = json::parse(document.body_json, nullptr, false);
  state.by = respond::JsonText(body, "by");
  state.reason = respond::JsonText(body, "reason");
  if (const auto at = ParseTime(respond::JsonText(body, "at"))) state.at = *at;
  return state;
}

Result<std::vector<KillState>> ReadAll(store::Ledger& ledger, const char* collection) {
  std::vector<KillState> states;
  store::DocumentFilter filter;
  filter.collection = collection;
  while (true) {
    TOCSIN_ASSIGN_OR_RETURN(const auto documents, ledger.FindDocuments(filter));
    for (const auto& document : documents) states.push_back(Stored(document));
    if (documents.size() < filter.limit) return states;
    filter.after_id = documents.back().id;
  }
}

const KillState* FirstOver(const std::vector<KillState>& states, const KillSubject& subject) {
  const auto it = std::ranges::find_if(states, [&](const KillState& s) { return Covers(s.scope, subject); });
  return it == states.end() ? nullptr : &*it;
}

bool Holds(const std::vector<KillState>& states, const KillScope& scope) {
  return std::ranges::any_of(states, [&](const KillState& s) { return s.scope == scope; });
}

bool SameScopes(const std::vector<KillState>& a, const std::vector<KillState>& b) {
  return std::ranges::equal(a, b, {}, &KillState::scope, &KillState::scope);
}

std::string Shown(const KillScope& scope) { return claims::Printable(scope.ToText(), 160); }

// state_mutex_ is held for as long as a copy takes, ledger_mutex_ while the ledger writes; who needs both
// takes ledger_mutex_ first. What engages is in effect before anything is written.
class LedgerKillSwitch final : public KillSwitch {
 public:
  LedgerKillSwitch(store::Ledger& ledger, const ports::Clock& clock, std::string file)
      : ledger_(ledger), clock_(clock), path_(std::move(file)) {}

  ~LedgerKillSwitch() override {
    looker_.request_stop();
    recorder_.request_stop();
  }

  Status Begin() {
    TOCSIN_ASSIGN_OR_RETURN(const auto stored, ReadAll(ledger_, kCollection));
    TOCSIN_ASSIGN_OR_RETURN(file_, ReadAll(ledger_, kFileCollection));
    for (const KillState& state : stored) entries_[state.scope] = {state, 1, true};
    for (KillState& state : file_) state.by_file = true;
    std::ranges::sort(file_, {}, &KillState::scope);
    LookAtFile();  // what it did while nobody looked is recorded as of now
    looker_ = std::jthread([this](const std::stop_token& stop) { Look(stop); });
    recorder_ = std::jthread([this](const std::stop_token& stop) { RecordAll(stop); });
    return {};
  }

  std::optional<KillState> Blocks(const KillSubject& subject, bool look_now) const override {
    const auto snapshot = Now();
    if (const KillState* state = FirstOver(snapshot->ledger, subject)) return *state;
    if (!look_now) {
      const KillState* state = FirstOver(snapshot->file, subject);
      return state != nullptr ? std::optional(*state) : std::nullopt;
    }
    const auto found = internal::ReadKillFile(path_);
    if (!SameScopes(found, snapshot->file)) {
      const std::lock_guard lock(wake_mutex_);
      look_soon_ = true;
      look_.notify_all();
    }
    const KillState* state = FirstOver(found, subject);
    if (state == nullptr) return {};
    KillState out = *state;
    out.at = clock_.Now();
    return out;
  }

  Result<KillState> Engage(const KillScope& scope, const std::string& reason, const Caller& by) override {
    TOCSIN_RETURN_IF_ERROR(CheckScope(scope));
    KillState state;
    bool fresh = false;
    {
      const std::lock_guard lock(state_mutex_);
      const auto known = entries_.find(scope);
      fresh = known == entries_.end();
      if (fresh && entries_.size() >= kMostEngaged && !scope.name.empty())
        return Error(Code::kResourceExhausted,
                     fmt::format("{} scopes are on already: engage 'agents' or 'all'", kMostEngaged));
      Entry& entry = fresh ? entries_[scope] : known->second;
      if (fresh)
        entry.state = {scope, true, by.name, claims::Printable(reason, kMostReason), false, clock_.Now()};
      ++entry.serial;
      state = entry.state;
      Publish();
    }
    if (fresh) spdlog::warn("kill switch: '{}' is on, by {}", Shown(scope), claims::Printable(by.name));
    TellWatchers();
    const Status written = WriteDown(scope);
    if (!written.ok()) {
      Wake();
      const std::string text = fmt::format(
          "'{}' is on from now, but it could not be written down and a restart would forget it: put it into "
          "the file {} as well ({})",
          Shown(scope), path_, written.message());
      spdlog::error("kill switch: {}", text);
      return Error(written.code(), text);
    }
    return state;
  }

  Result<KillState> Release(const KillScope& scope, const std::string& reason, const Caller& by) override {
    if (!by.person)
      return Error(Code::kPermissionDenied, "only a person releases the kill switch, never an agent");
    TOCSIN_RETURN_IF_ERROR(CheckScope(scope));
    const std::string why = claims::Printable(reason, kMostReason);
    if (why.find_first_not_of(' ') == std::string::npos)
      return Error(Code::kInvalidArgument, "reason: say why it is safe to go on");
    const std::lock_guard writing(ledger_mutex_);
    uint64_t serial = 0;
    {
      const std::lock_guard lock(state_mutex_);
      if (Holds(file_, scope))
        return Error(Code::kFailedPrecondition,
                     fmt::format("'{}' is on by the file {}: remove it there", Shown(scope), path_));
      const auto entry = entries_.find(scope);
      if (entry == entries_.end())
        return Error(Code::kFailedPrecondition, fmt::format("'{}' is not on", Shown(scope)));
      serial = entry->second.serial;
    }
    const KillState off{scope, false, by.name, why, false, clock_.Now()};
    TOCSIN_RETURN_IF_ERROR(ledger_.Transact([&](store::LedgerTransaction& tx) { return Record(tx, off); })
                               .WithContext("releasing the kill switch, which stays on"));
    const std::lock_guard lock(state_mutex_);
    Entry& entry = entries_[scope];
    entry.written = false;
    if (entry.serial != serial)  // whoever did it waits to write it down
      return Error(Code::kFailedPrecondition,
                   fmt::format("'{}' was engaged again meanwhile and stays on", Shown(scope)));
    entries_.erase(scope);
    Publish();
    spdlog::warn("kill switch: '{}' is off, by {}", Shown(scope), claims::Printable(by.name));
    return off;
  }

  std::vector<KillState> Engaged() const override {
    const auto snapshot = Now();
    std::vector<KillState> all = snapshot->ledger;
    all.insert(all.end(), snapshot->file.begin(), snapshot->file.end());
    std::ranges::stable_sort(all, {}, &KillState::scope);
    return all;
  }

  void Watch(std::function<void()> on_engaged) override {
    const std::lock_guard lock(state_mutex_);
    watchers_.push_back(std::make_shared<const std::function<void()>>(std::move(on_engaged)));
  }

 private:
  static Status CheckScope(const KillScope& scope) {
    const auto parsed = ParseKillScope(scope.ToText());
    if (!parsed) return parsed.error();
    if (*parsed != scope) return {Code::kInvalidArgument, "'" + Shown(scope) + "' is no scope"};
    return {};
  }

  std::shared_ptr<const Snapshot> Now() const {
    const std::lock_guard lock(state_mutex_);
    return snapshot_;
  }

  // With state_mutex_ held.
  void Publish() {
    auto next = std::make_shared<Snapshot>();
    for (const auto& [scope, entry] : entries_) next->ledger.push_back(entry.state);
    next->file = file_;
    snapshot_ = std::move(next);
  }

  void TellWatchers() {
    std::vector<std::shared_ptr<const std::function<void()>>> watchers;
    {
      const std::lock_guard lock(state_mutex_);
      watchers = watchers_;
    }
    for (const auto& watcher : watchers) (*watcher)();
  }

  // Nothing to do when it is written, or off again.
  Status WriteDown(const KillScope& scope) {
    const std::lock_guard writing(ledger_mutex_);
    KillState state;
    {
      const std::lock_guard lock(state_mutex_);
      const auto entry = entries_.find(scope);
      if (entry == entries_.end() || entry->second.written) return {};
      state = entry->second.state;
    }
    TOCSIN_RETURN_IF_ERROR(ledger_.Transact([&](store::LedgerTransaction& tx) { return Record(tx, state); }));
    const std::lock_guard lock(state_mutex_);
    entries_[scope].written = true;  // only Release takes it away, which waits for ledger_mutex_
    return {};
  }

  void LookAtFile() {
    auto found = internal::ReadKillFile(path_);
    bool engaged = false, changed = false;
    {
      const std::lock_guard lock(state_mutex_);
      const Time now = clock_.Now();
      for (KillState& state : found) {
        const auto known =
            std::ranges::find_if(file_, [&](const KillState& s) { return s.scope == state.scope; });
        state.at = known == file_.end() ? now : known->at;
        if (known != file_.end()) continue;
        engaged = changed = true;
        unrecorded_.push_back(state);
      }
      for (const KillState& state : file_) {
        if (Holds(found, state.scope)) continue;
        changed = true;
        unrecorded_.push_back({state.scope, false, "file", "no longer in " + path_, true, now});
      }
      while (unrecorded_.size() > kMostUnrecorded) unrecorded_.pop_front();
      if (!changed && snapshot_) return;
      file_ = std::move(found);
      Publish();
    }
    if (engaged) {
      spdlog::warn("kill switch: engaged by the file {}", path_);
      TellWatchers();
    }
    Wake();
  }

  void Look(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      LookAtFile();
      std::unique_lock lock(wake_mutex_);
      look_.wait_for(lock, stop, kLook, [this] { return look_soon_; });
      look_soon_ = false;
    }
  }

  void Wake() {
    const std::lock_guard lock(wake_mutex_);
    to_record_ = true;
    record_.notify_all();
  }

  // True when all is written.
  bool RecordOnce() {
    std::deque<KillState> changes;
    std::vector<KillScope> unwritten;
    {
      const std::lock_guard lock(state_mutex_);
      changes = unrecorded_;
      for (const auto& [scope, entry] : entries_) {
        if (!entry.written) unwritten.push_back(scope);
      }
    }
    bool all = true;
    for (const KillScope& scope : unwritten) all = WriteDown(scope).ok() && all;
    if (changes.empty()) return all;
    const Status status = ledger_.Transact([&](store::LedgerTransaction& tx) -> Status {
      for (const KillState& change : changes) TOCSIN_RETURN_IF_ERROR(Record(tx, change));
      return {};
    });
    if (!status.ok()) {
      spdlog::error("kill switch: what the file did is not written down yet: {}", status.message());
      return false;
    }
    // New ones are at the back; the bound may have taken some of these from the front.
    const std::lock_guard lock(state_mutex_);
    for (const KillState& change : changes) {
      if (!unrecorded_.empty() && unrecorded_.front().at == change.at &&
          unrecorded_.front().scope == change.scope)
        unrecorded_.pop_front();
    }
    return all && unrecorded_.empty();
  }

  void RecordAll(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      {
        std::unique_lock lock(wake_mutex_);
        record_.wait(lock, stop, [this] { return to_record_; });
        to_record_ = false;
      }
      while (!RecordOnce() && !stop.stop_requested()) {
        std::unique_lock lock(wake_mutex_);
        record_.wait_for(lock, stop, kTryAgain, [] { return false; });
      }
    }
  }

  store::Ledger& ledger_;
  const ports::Clock& clock_;
  const std::string path_;

  mutable std::mutex state_mutex_;
  std::map<KillScope, Entry> entries_;
  std::vector<KillState> file_;       // by scope
  std::deque<KillState> unrecorded_;  // what the file did
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<std::shared_ptr<const std::function<void()>>> watchers_;

  std::mutex ledger_mutex_;

  mutable std::mutex wake_mutex_;
  mutable std::condition_variable_any look_, record_;
  mutable bool look_soon_ = false;
  bool to_record_ = false;

  std::jthread recorder_, looker_;  // last: they use all of the above
};

}  // namespace

Result<std::unique_ptr<KillSwitch>> KillSwitch::Open(store::Ledger& ledger, const ports::Clock& clock,
                                                     std::string file) {
  auto made = std::make_unique<LedgerKillSwitch>(ledger, clock, std::move(file));
  TOCSIN_RETURN_IF_ERROR(made->Begin().WithContext("reading the kill switch"));
  return std::unique_ptr<KillSwitch>(std::move(made));
}

}  // namespace tocsin::act
