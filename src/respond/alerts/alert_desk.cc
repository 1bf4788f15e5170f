#include "respond/alerts/alert_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <shared_mutex>

#include "kernel/id.h"
#include "respond/alerts/alert_record.h"
#include "stats/state_codec.h"
#include "store/state_log.h"

namespace tocsin::respond {
namespace {

constexpr Duration kCollectEvery = Duration::Minutes(1);

std::string EncodeAlerts(std::vector<signal::Alert> alerts) {
  AlertRecord record;
  record.kind = AlertRecordKind::kAlerts;
  record.alerts = std::move(alerts);
  return EncodeAlertRecord(record);
}

std::string NewSilenceId() {
  std::random_device device;
  const auto word = [&] { return uint64_t{device()} << 32 | device(); };
  return MakeSilenceId(word(), word());
}

class Desk final : public AlertDesk, public store::StateMachine {
 public:
  Desk(const AlertDeskOptions& options, RoutingTree tree, MuteTimes mute_times)
      : options_(options),
        tree_(std::move(tree)),
        mute_times_(std::move(mute_times)),
        table_(options.table),
        silences_(options.silences),
        inhibitor_(options.rules.inhibit),
        grouping_(tree_) {}

  Status OpenLog() {
    store::StateLogOptions log;
    log.directory = options_.directory;
    TOCSIN_ASSIGN_OR_RETURN(log_, store::StateLog::Open(log, *this));
    return {};
  }

  // StateMachine.
  Status Load(std::string_view snapshot) override;
  Status Apply(std::string_view record, const void* decoded) override;
  std::string Save() const override;

  // AlertDesk.
  void Receive(std::vector<signal::Alert> alerts, Time now, Done done) override {
    auto record = std::make_shared<AlertRecord>();
    record->kind = AlertRecordKind::kAlerts;
    record->time = now;
    record->alerts = std::move(alerts);
    std::string bytes = EncodeAlertRecord(*record);
    log_->Append(std::move(bytes), std::move(record), std::move(done));
  }
  Status Resolve(uint64_t fingerprint, Time now) override {
    AlertRecord record;
    record.kind = AlertRecordKind::kResolve;
    record.time = now;
    record.fingerprint = fingerprint;
    return Write(std::move(record));
  }
  Result<std::string> SetSilence(Silence silence, Time now) override;
  Status ExpireSilence(const std::string& id, Time now) override {
    AlertRecord record;
    record.kind = AlertRecordKind::kExpireSilence;
    record.time = now;
    record.silence.id = id;
    return Write(std::move(record));
  }
  Status Step(Time now) override;
  std::vector<AlertNotification> Take(size_t limit) const override;
  Status ShiftBack(Duration back, Time now) override {
    AlertRecord record;
    record.kind = AlertRecordKind::kClockBack;
    record.time = now;
    record.back = back;
    return Write(std::move(record));
  }
  Status Told(std::vector<std::string> keys, Time now) override {
    if (keys.empty()) return {};
    AlertRecord record;
    record.kind = AlertRecordKind::kTold;
    record.time = now;
    record.keys = std::move(keys);
    return Write(std::move(record));
  }
  Status Configure(AlertRules rules, Time now) override;
  std::vector<uint64_t> Find(const Matchers& filter) const override {
    const std::shared_lock lock(mutex_);
    return table_.Find(filter);
  }
  void Show(std::span<const uint64_t> fingerprints, const AlertQuery& query, Time now,
            const std::function<void(const ShownAlert&)>& visit) const override;
  std::vector<Silence> FindSilences(const Matchers& filter) const override;
  std::optional<Silence> FindSilence(const std::string& id) const override {
    const std::shared_lock lock(mutex_);
    const Silence* found = silences_.Find(id);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }
  std::vector<ShownGroup> Groups(const AlertQuery& query, Time now) const override;
  std::vector<std::string> Receivers() const override;
  bool Firing(uint64_t fingerprint, Time now) const override {
    const std::shared_lock lock(mutex_);
    bool fires = false;
    table_.Visit(fingerprint, [&](const AlertTable::View& view) { fires = view.ends_at > now; });
    return fires;
  }
  AlertCounts Counts() const override {
    const std::shared_lock lock(mutex_);
    return {table_.size(),         silences_.size(),     grouping_.size(),
            notifications_.size(), table_.MemoryBytes(), received_};
  }

 private:
  Status Write(AlertRecord record) {
    std::string bytes = EncodeAlertRecord(record);
    return log_->AppendAndWait(std::move(bytes), std::make_shared<const AlertRecord>(std::move(record)));
  }
  Status ApplyRecord(const AlertRecord& record);
  Status Follow(uint64_t fingerprint, signal::Labels labels, const AlertTable::Merged& merged, Time now);
  // Inhibition anew, and every firing alert in the groups of the routes it has now.
  Status Reindex(Time now);
  void Tell(Time now);
  AlertNotification Describe(const GroupNotification& told, Time now) const;
  bool Look(const AlertTable::View& view, const AlertQuery& query, Time now, ShownAlert& shown) const;

  const AlertDeskOptions options_;
  mutable std::shared_mutex mutex_;
  RoutingTree tree_;  // guarded, as all below
  MuteTimes mute_times_;
  AlertTable table_;
  Silences silences_;
  Inhibitor inhibitor_;
  Grouping grouping_;
  std::map<std::string, AlertNotification> notifications_;  // by key
  Time collected_{};
  uint64_t received_ = 0;
  std::unique_ptr<store::StateLog> log_;  // last: its thread ends before what it applies to
};

std::string Desk::Save() const {
  const std::shared_lock lock(mutex_);
  stats::StateWriter out;
  out.Put(uint32_t{1});
  for (const std::string& part : {table_.Save(), silences_.Save(), grouping_.Save()}) out.PutString(part);
  out.Put(collected_.ns);
  out.Put(static_cast<uint32_t>(notifications_.size()));
  for (const auto& [key, n] : notifications_) {
    for (const auto& text : {key, n.group_key, n.receiver, n.reason}) out.PutString(text);
    out.Put(n.time.ns);
    signal::Alert labels;
    labels.labels = n.group_labels;
    for (const auto& alerts : {std::vector{labels}, n.firing, n.resolved})
      out.PutString(EncodeAlerts(alerts));
    out.Put(static_cast<uint64_t>(n.firing_count));
    out.Put(static_cast<uint64_t>(n.resolved_count));
  }
  return out.Take();
}

Status Desk::Load(std::string_view snapshot) {
  const std::unique_lock lock(mutex_);
  stats::StateReader in(snapshot);
  if (in.Get<uint32_t>() != 1) return {Code::kDataLoss, "the alerts are stored in a format not known here"};
  const std::string table = in.GetString(), silences = in.GetString(), grouping = in.GetString();
  TOCSIN_ASSIGN_OR_RETURN(table_, AlertTable::Load(table, options_.table));
  TOCSIN_ASSIGN_OR_RETURN(silences_, Silences::Load(silences, options_.silences));
  TOCSIN_ASSIGN_OR_RETURN(grouping_, Grouping::Load(grouping, tree_));
  collected_.ns = in.Get<int64_t>();
  for (auto n = in.Get<uint32_t>(); n > 0 && in.ok(); --n) {
    AlertNotification told;
    for (auto* text : {&told.key, &told.group_key, &told.receiver, &told.reason}) *text = in.GetString();
    told.time.ns = in.Get<int64_t>();
    TOCSIN_ASSIGN_OR_RETURN(auto labels, DecodeAlertRecord(in.GetString()));
    TOCSIN_ASSIGN_OR_RETURN(auto firing, DecodeAlertRecord(in.GetString()));
    TOCSIN_ASSIGN_OR_RETURN(auto resolved, DecodeAlertRecord(in.GetString()));
    if (!labels.alerts.empty()) told.group_labels = std::move(labels.alerts[0].labels);
    told.firing = std::move(firing.alerts);
    told.resolved = std::move(resolved.alerts);
    told.firing_count = in.Get<uint64_t>();
    told.resolved_count = in.Get<uint64_t>();
    notifications_[told.key] = std::move(told);
  }
  if (!in.ok()) return {Code::kDataLoss, "the stored alerts are damaged"};
  // The rules may be other ones than those it was saved by. An alert beyond the groups there is room for was
  // refused before, too.
  (void)Reindex(collected_);
  return {};
}

Status Desk::Apply(std::string_view bytes, const void* decoded) {
  if (decoded != nullptr) return ApplyRecord(*static_cast<const AlertRecord*>(decoded));
  TOCSIN_ASSIGN_OR_RETURN(const AlertRecord record, DecodeAlertRecord(bytes));
  // What was refused when it came is refused again, and was told then.
  (void)ApplyRecord(record);
  return {};
}

Status Desk::Follow(uint64_t fingerprint, signal::Labels labels, const AlertTable::Merged& merged, Time now) {
  inhibitor_.Update(fingerprint, labels, merged.ends_at);
  return grouping_.Insert(fingerprint, labels, merged.starts_at, merged.ends_at, now);
}

Status Desk::ApplyRecord(const AlertRecord& record) {
  const std::unique_lock lock(mutex_);
  Status status;
  switch (record.kind) {
    case AlertRecordKind::kAlerts:
      received_ += record.alerts.size();
      for (const auto& alert : record.alerts) {
        const auto merged = table_.Merge(alert, record.time);
        const Status one =
            merged ? Follow(alert.fingerprint, signal::LabelViews(alert.labels), *merged, record.time)
                   : Status(merged.error());
        if (!one.ok()) status = one;
      }
      return status;
    case AlertRecordKind::kResolve: {
      TOCSIN_ASSIGN_OR_RETURN(const auto merged, table_.Resolve(record.fingerprint, record.time));
      table_.Visit(record.fingerprint, [&](const AlertTable::View& view) {
        status = Follow(record.fingerprint, view.labels, merged, record.time);
      });
      return status;
    }
    case AlertRecordKind::kSilence: {
      const auto id = silences_.Set(record.silence, record.new_id, record.time);
      return id ? Status() : Status(id.error());
    }
    case AlertRecordKind::kExpireSilence:
      return silences_.Expire(record.silence.id, record.time);
    case AlertRecordKind::kTell:
      Tell(record.time);
      return {};
    case AlertRecordKind::kTold:
      for (const auto& key : record.keys) notifications_.erase(key);
      return {};
    case AlertRecordKind::kClockBack:
      grouping_.ShiftBack(record.back);
      collected_ = {};
      return {};
  }
  return {};
}

void Desk::Tell(Time now) {
  const auto muted = [&](uint64_t fingerprint) {
    bool quiet = false;
    table_.Visit(fingerprint, [&](const AlertTable::View& view) {
      quiet = silences_.Silenced(view.labels, now) || inhibitor_.InhibitedBy(view.labels, now).has_value();
    });
    return quiet;
  };
  const auto route_muted = [&](const Route& route) {
    return mute_times_.Muted(route.mute_time_intervals, route.active_time_intervals, now);
  };
  for (const auto& told : grouping_.Step(now, muted, route_muted)) {
    AlertNotification notification = Describe(told, now);
    notifications_[notification.key] = std::move(notification);
  }
  if (now - collected_ < kCollectEvery) return;
  collected_ = now;
  for (const uint64_t gone : table_.Collect(now)) inhibitor_.Remove(gone);
  silences_.Collect(now);
}

AlertNotification Desk::Describe(const GroupNotification& told, Time now) const {
  AlertNotification out;
  out.key = fmt::format("{:016x}-{}", StableHash(told.group_key), now.ns);
  out.time = now;
  out.group_key = told.group_key;
  out.receiver = told.receiver;
  out.reason = told.reason;
  out.group_labels = told.group_labels;
  out.firing_count = told.firing.size();
  out.resolved_count = told.resolved.size();
  const auto copy = [&](const std::vector<GroupAlert>& from, std::vector<signal::Alert>& to) {
    for (const auto& one : from) {
      if (to.size() == kMaxToldAlerts) break;
      if (auto alert = table_.Get(one.fingerprint)) to.push_back(std::move(*alert));
    }
  };
  copy(told.firing, out.firing);
  copy(told.resolved, out.resolved);
  return out;
}

Status Desk::Step(Time now) {
  {
    const std::shared_lock lock(mutex_);
    const auto due = grouping_.NextDeadline();
    const bool collect = now - collected_ >= kCollectEvery && table_.size() + silences_.size() > 0;
    if ((!due || *due > now) && !collect) return {};
    // Nobody takes what is told: the groups wait, their alerts are kept.
    if (notifications_.size() >= options_.max_notifications) return {};
  }
  AlertRecord record;
  record.kind = AlertRecordKind::kTell;
  record.time = now;
  return Write(std::move(record));
}

Status Desk::Configure(AlertRules rules, Time now) {
  TOCSIN_ASSIGN_OR_RETURN(RoutingTree tree, RoutingTree::Make(rules.route));
  TOCSIN_ASSIGN_OR_RETURN(MuteTimes mute_times, MuteTimes::Make(std::move(rules.time_intervals)));
  const std::unique_lock lock(mutex_);
  const std::string groups = grouping_.Save();
  std::swap(tree_, tree);
  auto grouping = Grouping::Load(groups, tree_);
  if (!grouping) {
    std::swap(tree_, tree);
    return grouping.error();
  }
  grouping_ = *std::move(grouping);
  mute_times_ = std::move(mute_times);
  inhibitor_ = Inhibitor(std::move(rules.inhibit));
  return Reindex(now);
}

Status Desk::Reindex(Time now) {
  Status status;
  table_.ForEach({}, [&](const AlertTable::View& view) {
    inhibitor_.Update(view.fingerprint, view.labels, view.ends_at);
    if (view.ends_at <= now) return true;
    const Status one = grouping_.Insert(view.fingerprint, view.labels, view.starts_at, view.ends_at, now);
    if (!one.ok()) status = one;
    return true;
  });
  return status;
}

std::vector<AlertNotification> Desk::Take(size_t limit) const {
  const std::shared_lock lock(mutex_);
  std::vector<AlertNotification> out;
  for (const auto& [key, notification] : notifications_) {
    if (out.size() == limit) break;
    out.push_back(notification);
  }
  return out;
}

Result<std::string> Desk::SetSilence(Silence silence, Time now) {
  AlertRecord record;
  record.kind = AlertRecordKind::kSilence;
  record.time = now;
  record.new_id = NewSilenceId();
  record.silence = std::move(silence);
  const std::string old_id = record.silence.id, new_id = record.new_id;
  TOCSIN_RETURN_IF_ERROR(Write(std::move(record)));
  const std::shared_lock lock(mutex_);
  return silences_.Find(new_id) != nullptr ? new_id : old_id;
}

bool Desk::Look(const AlertTable::View& view, const AlertQuery& query, Time now, ShownAlert& shown) const {
  if (view.ends_at <= now) return false;
  shown.alert = &view;
  shown.receivers.clear();
  for (const Route* route : tree_.Match(view.labels)) shown.receivers.push_back(route->receiver);
  if (!query.receiver.empty() && std::ranges::find(shown.receivers, query.receiver) == shown.receivers.end())
    return false;
  shown.silenced_by = silences_.Silencing(view.labels, now);
  shown.inhibited_by = inhibitor_.AllInhibitors(view.labels, now);
  if (!query.silenced && !shown.silenced_by.empty()) return false;
  if (!query.inhibited && !shown.inhibited_by.empty()) return false;
  return query.active || shown.state() != "active";
}

void Desk::Show(std::span<const uint64_t> fingerprints, const AlertQuery& query, Time now,
                const std::function<void(const ShownAlert&)>& visit) const {
  const std::shared_lock lock(mutex_);
  ShownAlert shown;
  table_.VisitEach(fingerprints, [&](const AlertTable::View& view) {
    if (Look(view, query, now, shown)) visit(shown);
    return true;
  });
}

std::vector<AlertDesk::ShownGroup> Desk::Groups(const AlertQuery& query, Time now) const {
  const std::shared_lock lock(mutex_);
  std::vector<ShownGroup> out;
  ShownAlert shown;
  grouping_.ForEachGroup([&](const Grouping::GroupView& group) {
    if (!query.receiver.empty() && group.route->receiver != query.receiver) return;
    ShownGroup found{*group.labels, group.route->receiver, {}};
    table_.VisitEach(group.fingerprints, [&](const AlertTable::View& view) {
      if (MatchesAll(query.filter, view.labels) && Look(view, query, now, shown))
        found.alerts.push_back(view.fingerprint);
      return true;
    });
    if (!found.alerts.empty()) out.push_back(std::move(found));
  });
  std::ranges::sort(out, {}, [](const ShownGroup& g) { return std::tie(g.labels, g.receiver); });
  return out;
}

std::vector<Silence> Desk::FindSilences(const Matchers& filter) const {
  const std::shared_lock lock(mutex_);
  std::vector<Silence> out;
  for (const Silence* silence : silences_.Query(filter)) out.push_back(*silence);
  return out;
}

std::vector<std::string> Desk::Receivers() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> out;
  for (const auto& route : tree_.routes()) out.push_back(route.receiver);
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

Result<std::unique_ptr<AlertDesk>> AlertDesk::Open(const AlertDeskOptions& options) {
  TOCSIN_ASSIGN_OR_RETURN(RoutingTree tree, RoutingTree::Make(options.rules.route));
  TOCSIN_ASSIGN_OR_RETURN(MuteTimes mute_times, MuteTimes::Make(options.rules.time_intervals));
  auto desk = std::make_unique<Desk>(options, std::move(tree), std::move(mute_times));
  TOCSIN_RETURN_IF_ERROR(desk->OpenLog());
  return desk;
}

}  // namespace tocsin::respond
