#include "respond/alerts/alert_table.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace tocsin::respond {
namespace {

using signal::Alert;

constexpr size_t kMaxPairs = 4096;  // labels or annotations of one alert; the decoder allows fewer

struct Span {
  Time starts_at, ends_at;
  bool assumed_end = false;
};

// Both are news of one alert; `young` is the later news. Prometheus's rules, see the header.
Span Overlapping(const Span& old, const Span& young, Time now) {
  Span out = young;
  out.starts_at = std::min(old.starts_at, young.starts_at);
  const bool old_ends_later = old.ends_at > young.ends_at;
  const bool keep_old = young.ends_at <= now ? old.ends_at <= now && old_ends_later  // both are over
                                             : old_ends_later && !old.assumed_end;
  if (keep_old) {
    out.ends_at = old.ends_at;
    out.assumed_end = old.assumed_end;
  }
  return out;
}

Span MergeSpans(const Span& old, const Span& young, Time now) {
  const bool end_inside = young.ends_at > old.starts_at && young.ends_at < old.ends_at;
  const bool start_inside = young.starts_at > old.starts_at && young.starts_at < old.ends_at;
  return end_inside || start_inside ? Overlapping(old, young, now) : young;
}

}  // namespace

struct AlertTable::Scratch {
  std::vector<signal::LabelView> labels, annotations;
  View view;
};

void AlertTable::FillTexts(Row& row, const Alert& alert) {
  row.labels = static_cast<uint16_t>(alert.labels.size());
  row.annotations = static_cast<uint16_t>(alert.annotations.size());
  row.texts =
      std::make_unique_for_overwrite<uint32_t[]>((alert.labels.size() + alert.annotations.size()) * 2);
  uint32_t* out = row.texts.get();
  for (const auto* pairs : {&alert.labels, &alert.annotations}) {
    for (const auto& [name, value] : *pairs) {
      *out++ = pool_.Intern(name);
      *out++ = pool_.Intern(value);
    }
  }
  row.generator_url = pool_.Intern(alert.generator_url);
  row.source = pool_.Intern(alert.source);
}

bool AlertTable::SameLabels(const Row& row, const signal::LabelSet& labels) const {
  if (row.labels != labels.size()) return false;
  const uint32_t* text = row.texts.get();
  for (const auto& [name, value] : labels) {
    if (pool_.Text(*text++) != name || pool_.Text(*text++) != value) return false;
  }
  return true;
}

bool AlertTable::SameTexts(const Row& row, const Alert& alert) const {
  if (row.annotations != alert.annotations.size()) return false;
  const uint32_t* text = row.texts.get() + size_t{row.labels} * 2;
  for (const auto& [name, value] : alert.annotations) {
    if (pool_.Text(*text++) != name || pool_.Text(*text++) != value) return false;
  }
  return pool_.Text(row.generator_url) == alert.generator_url && pool_.Text(row.source) == alert.source;
}

void AlertTable::ReleaseTexts(Row& row) {
  const size_t count = (size_t{row.labels} + row.annotations) * 2;
  for (size_t i = 0; i < count; ++i) pool_.Release(row.texts[i]);
  pool_.Release(row.generator_url);
  pool_.Release(row.source);
  row.texts.reset();
  row.labels = row.annotations = 0;
}

void AlertTable::AddPostings(uint32_t at) {
  const Row& row = rows_[at];
  for (size_t i = 0; i < row.labels; ++i) {
    postings_[PostingKey(row.texts[2 * i], row.texts[2 * i + 1])].push_back(at);
  }
}

void AlertTable::RemovePostings(const std::vector<uint32_t>& rows) {
  std::unordered_set<uint64_t> keys;
  std::vector<bool> gone(rows_.size());
  for (const uint32_t at : rows) {
    gone[at] = true;
    const Row& row = rows_[at];
    for (size_t i = 0; i < row.labels; ++i) keys.insert(PostingKey(row.texts[2 * i], row.texts[2 * i + 1]));
  }
  for (const uint64_t key : keys) {
    const auto found = postings_.find(key);
    if (found == postings_.end()) continue;
    std::erase_if(found->second, [&](uint32_t at) { return gone[at]; });
    if (found->second.empty()) postings_.erase(found);
  }
}

Result<uint32_t> AlertTable::NewRow(Time now) {
  // Full: whatever is over goes early; firing alerts are never pushed out. Looking for room reads the whole
  // table, so a flood may ask for it once a second only.
  if (by_fingerprint_.size() >= limits_.max_alerts && now >= full_until_) {
    const Duration keep = std::exchange(limits_.keep_resolved, Duration{});
    Collect(now);
    limits_.keep_resolved = keep;
    full_until_ = now + Duration::Seconds(1);
  }
  if (by_fingerprint_.size() >= limits_.max_alerts) {
    return Error(Code::kResourceExhausted,
                 "alerts: " + std::to_string(limits_.max_alerts) + " are firing, which is the bound");
  }
  if (free_rows_.empty()) {
    rows_.emplace_back();
    return static_cast<uint32_t>(rows_.size() - 1);
  }
  const uint32_t at = free_rows_.back();
  free_rows_.pop_back();
  return at;
}

void AlertTable::Replace(uint32_t at, const Alert& alert) {
  const bool same_labels = SameLabels(rows_[at], alert.labels);
  if (same_labels && SameTexts(rows_[at], alert)) return;
  if (!same_labels) RemovePostings({at});
  Row old = std::move(rows_[at]);
  Row& row = rows_[at];
  row =
      Row{old.fingerprint, old.starts_at, old.ends_at, old.updated_at, nullptr, 0, 0, 0, 0, old.assumed_end};
  FillTexts(row, alert);  // before the release, so that shared texts stay
  ReleaseTexts(old);
  if (!same_labels) AddPostings(at);
}

Result<AlertTable::Merged> AlertTable::Merge(const Alert& alert, Time now) {
  if (alert.labels.empty() || alert.labels.size() > kMaxPairs || alert.annotations.size() > kMaxPairs) {
    return Error(Code::kInvalidArgument, "alert: between 1 and 4096 labels, and at most as many annotations");
  }
  Span span{alert.starts_at, alert.ends_at, alert.assumed_end};
  Change change = Change::kNew;
  uint32_t at = by_fingerprint_.Find(alert.fingerprint);
  if (at == FingerprintIndex::kNone) {
    TOCSIN_ASSIGN_OR_RETURN(at, NewRow(now));
    Row& row = rows_[at];
    row.fingerprint = alert.fingerprint;
    row.updated_at = Time{};
    FillTexts(row, alert);
    AddPostings(at);
    by_fingerprint_.Add(alert.fingerprint, at);
    if (alert.ResolvedAt(now)) change = Change::kResolved;
  } else {
    Row& row = rows_[at];
    const Span old{row.starts_at, row.ends_at, row.assumed_end};
    const bool younger = alert.updated_at >= row.updated_at;
    span = younger ? MergeSpans(old, span, now) : MergeSpans(span, old, now);
    if (younger) Replace(at, alert);
    const bool was_firing = old.ends_at > now;
    const bool fires = span.ends_at > now;
    change = !fires ? Change::kResolved : was_firing ? Change::kUpdated : Change::kFiredAgain;
  }
  Row& row = rows_[at];
  row.starts_at = span.starts_at;
  row.ends_at = span.ends_at;
  row.assumed_end = span.assumed_end;
  row.updated_at = std::max(row.updated_at, alert.updated_at);
  return Merged{change, span.starts_at, span.ends_at};
}

Result<AlertTable::Merged> AlertTable::Resolve(uint64_t fingerprint, Time now) {
  const uint32_t at = by_fingerprint_.Find(fingerprint);
  if (at == FingerprintIndex::kNone || rows_[at].ends_at <= now) {
    return Error(Code::kNotFound, "no firing alert " + signal::FormatFingerprint(fingerprint));
  }
  Row& row = rows_[at];
  row.ends_at = now;
  row.starts_at = std::min(row.starts_at, now);
  row.assumed_end = false;
  row.updated_at = std::max(row.updated_at, now);
  return Merged{Change::kResolved, row.starts_at, row.ends_at};
}

std::vector<uint64_t> AlertTable::Collect(Time now) {
  std::vector<uint32_t> dead;
  for (uint32_t at = 0; at < rows_.size(); ++at) {
    const Row& row = rows_[at];
    if (row.labels > 0 && row.ends_at <= now && now - row.ends_at >= limits_.keep_resolved)
      dead.push_back(at);
  }
  if (dead.empty()) return {};
  RemovePostings(dead);
  std::vector<uint64_t> out;
  out.reserve(dead.size());
  for (const uint32_t at : dead) {
    out.push_back(rows_[at].fingerprint);
    by_fingerprint_.Remove(rows_[at].fingerprint);
    ReleaseTexts(rows_[at]);
    rows_[at] = Row{};
    free_rows_.push_back(at);
  }
  std::sort(out.begin(), out.end());
  return out;
}

void AlertTable::Fill(const Row& row, Scratch& scratch) const {
  scratch.labels.clear();
  scratch.annotations.clear();
  const uint32_t* text = row.texts.get();
  for (size_t i = 0; i < row.labels; ++i, text += 2) {
    scratch.labels.emplace_back(pool_.Text(text[0]), pool_.Text(text[1]));
  }
  for (size_t i = 0; i < row.annotations; ++i, text += 2) {
    scratch.annotations.emplace_back(pool_.Text(text[0]), pool_.Text(text[1]));
  }
  scratch.view = View{row.fingerprint,        row.starts_at,   row.ends_at,
                      row.updated_at,         row.assumed_end, pool_.Text(row.generator_url),
                      pool_.Text(row.source), scratch.labels,  scratch.annotations};
}

void AlertTable::ForEach(const Matchers& matchers, const std::function<bool(const View&)>& visit) const {
  const std::vector<uint32_t>* narrowest = nullptr;
  for (const Matcher& matcher : matchers) {
    if (matcher.op() != MatchOp::kEqual || matcher.value().empty()) continue;
    const uint32_t name = pool_.Find(matcher.name());
    const uint32_t value = pool_.Find(matcher.value());
    if (name == StringPool::kNone || value == StringPool::kNone) return;
    const auto found = postings_.find(PostingKey(name, value));
    if (found == postings_.end()) return;
    if (narrowest == nullptr || found->second.size() < narrowest->size()) narrowest = &found->second;
  }
  Scratch scratch;
  const auto offer = [&](uint32_t at) {
    Fill(rows_[at], scratch);
    return !MatchesAll(matchers, scratch.view.labels) || visit(scratch.view);
  };
  if (narrowest != nullptr) {
    for (const uint32_t at : *narrowest) {
      if (!offer(at)) return;
    }
    return;
  }
  for (uint32_t at = 0; at < rows_.size(); ++at) {
    if (rows_[at].labels > 0 && !offer(at)) return;
  }
}

bool AlertTable::Visit(uint64_t fingerprint, const std::function<void(const View&)>& visit) const {
  const uint32_t at = by_fingerprint_.Find(fingerprint);
  if (at == FingerprintIndex::kNone) return false;
  Scratch scratch;
  Fill(rows_[at], scratch);
  visit(scratch.view);
  return true;
}

void AlertTable::VisitEach(std::span<const uint64_t> fingerprints,
                           const std::function<bool(const View&)>& visit) const {
  Scratch scratch;
  for (const uint64_t fingerprint : fingerprints) {
    const uint32_t at = by_fingerprint_.Find(fingerprint);
    if (at == FingerprintIndex::kNone) continue;
    Fill(rows_[at], scratch);
    if (!visit(scratch.view)) return;
  }
}

std::vector<uint64_t> AlertTable::Find(const Matchers& matchers) const {
  std::vector<uint64_t> out;
  if (matchers.empty()) {
    out.reserve(size());
    for (const Row& row : rows_) {
      if (row.labels > 0) out.push_back(row.fingerprint);
    }
    return out;
  }
  ForEach(matchers, [&](const View& view) {
    out.push_back(view.fingerprint);
    return true;
  });
  return out;
}

std::optional<Alert> AlertTable::Get(uint64_t fingerprint) const {
  std::optional<Alert> out;
  Visit(fingerprint, [&](const View& view) {
    out.emplace();
    for (const auto& [name, value] : view.labels) out->labels.emplace_back(name, value);
    for (const auto& [name, value] : view.annotations) out->annotations.emplace_back(name, value);
    out->starts_at = view.starts_at;
    out->ends_at = view.ends_at;
    out->updated_at = view.updated_at;
    out->assumed_end = view.assumed_end;
    out->generator_url = view.generator_url;
    out->source = view.source;
    out->fingerprint = view.fingerprint;
  });
  return out;
}

}  // namespace tocsin::respond
