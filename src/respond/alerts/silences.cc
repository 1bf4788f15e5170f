#include "respond/alerts/silences.h"

#include <algorithm>

#include "stats/state_codec.h"

namespace tocsin::respond {
namespace {

constexpr uint32_t kVersion = 1;

std::string KeyOf(std::string_view name, std::string_view value) {
  std::string key(name);
  key += '\xff';
  key += value;
  return key;
}

bool CanSilence(const Matcher& matcher) { return !matcher.MatchesValue(""); }

}  // namespace

std::string MakeSilenceId(uint64_t high, uint64_t low) {
  high = (high & ~0xF000ULL) | 0x4000ULL;
  low = (low & ~(3ULL << 62)) | (1ULL << 63);
  const std::string hex = signal::FormatFingerprint(high) + signal::FormatFingerprint(low);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

Status Silences::Check(const Silence& silence, Time now) const {
  const auto wrong = [](std::string why) { return Status(Code::kInvalidArgument, std::move(why)); };
  if (silence.matchers.empty()) return wrong("matchers: at least one is required");
  if (silence.matchers.size() > kMaxMatchers) return wrong("matchers: at most 64");
  if (std::none_of(silence.matchers.begin(), silence.matchers.end(), CanSilence)) {
    return wrong("matchers: at least one must not match an empty value, or everything would be silenced");
  }
  if (!silence.ends_at.known()) return wrong("endsAt: is required");
  if (silence.ends_at <= silence.starts_at) return wrong("endsAt: must be after startsAt");
  if (silence.ends_at <= now) return wrong("endsAt: must not be in the past");
  if (silence.comment.size() > limits_.max_text_bytes) return wrong("comment: too long");
  if (silence.created_by.size() > limits_.max_text_bytes) return wrong("createdBy: too long");
  return {};
}

std::string Silences::BestKey(const Silence& silence) const {
  std::string best;
  size_t fewest = SIZE_MAX;
  for (const Matcher& matcher : silence.matchers) {
    if (matcher.op() != MatchOp::kEqual || matcher.value().empty()) continue;
    std::string key = KeyOf(matcher.name(), matcher.value());
    const auto bucket = buckets_.find(key);
    const size_t size = bucket == buckets_.end() ? 0 : bucket->second.size();
    if (size >= fewest) continue;
    fewest = size;
    best = std::move(key);
  }
  return best;
}

void Silences::AddToIndex(const Silence& silence) {
  std::string key = BestKey(silence);
  buckets_[key].push_back(&silence);
  key_of_[silence.id] = std::move(key);
}

void Silences::RemoveFromIndex(const Silence& silence) {
  const auto key = key_of_.find(silence.id);
  if (key == key_of_.end()) return;
  if (const auto bucket = buckets_.find(key->second); bucket != buckets_.end()) {
    std::erase(bucket->second, &silence);
    if (bucket->second.empty()) buckets_.erase(bucket);
  }
  key_of_.erase(key);
}

Result<std::string> Silences::Set(Silence silence, std::string new_id, Time now) {
  silence.updated_at = now;
  if (!silence.id.empty()) {
    const auto known = silences_.find(silence.id);
    if (known == silences_.end()) return Error(Code::kNotFound, "no silence " + silence.id.substr(0, 64));
    Silence& old = known->second;
    const bool started = old.starts_at <= now;
    if (started && silence.starts_at <= now) silence.starts_at = old.starts_at;
    const bool same = old.matchers == silence.matchers && old.StateAt(now) != "expired" &&
                      (!started || silence.starts_at == old.starts_at);
    if (!same && silence.starts_at < now) silence.starts_at = now;
    TOCSIN_RETURN_IF_ERROR(Check(silence, now));
    if (same) {
      old = std::move(silence);  // the same matchers: its place in the index stays
      return old.id;
    }
  } else {
    silence.starts_at = std::max(silence.starts_at, now);
    TOCSIN_RETURN_IF_ERROR(Check(silence, now));
  }
  if (silences_.size() >= limits_.max_silences) {
    return Error(Code::kResourceExhausted, "silences: at most " + std::to_string(limits_.max_silences));
  }
  if (new_id.empty() || silences_.contains(new_id)) return Error(Code::kAlreadyExists, "silence id is taken");
  if (!silence.id.empty() && silences_.at(silence.id).StateAt(now) != "expired") {
    TOCSIN_RETURN_IF_ERROR(Expire(silence.id, now));
  }
  silence.id = std::move(new_id);
  const std::string id = silence.id;
  AddToIndex(silences_.emplace(id, std::move(silence)).first->second);
  return id;
}

Status Silences::Expire(std::string_view id, Time now) {
  const auto found = silences_.find(std::string(id));
  if (found == silences_.end()) return Status(Code::kNotFound, "no silence " + std::string(id.substr(0, 64)));
  Silence& silence = found->second;
  if (silence.StateAt(now) == "expired") {
    return Status(Code::kFailedPrecondition, "silence " + silence.id + " has expired already");
  }
  RemoveFromIndex(silence);
  silence.starts_at = std::min(silence.starts_at, now);
  silence.ends_at = now;
  silence.updated_at = now;
  return {};
}

size_t Silences::Collect(Time now) {
  const size_t before = silences_.size();
  std::erase_if(silences_, [&](const auto& entry) {
    const Silence& silence = entry.second;
    if (silence.ends_at > now) return false;
    RemoveFromIndex(silence);
    return now - silence.ends_at >= limits_.keep_expired;
  });
  return before - silences_.size();
}

Status Silences::Restore(Silence silence) {
  if (silence.id.empty() || silence.matchers.empty()) {
    return Status(Code::kDataLoss, "a stored silence without id or matchers");
  }
  if (silences_.size() >= limits_.max_silences)
    return Status(Code::kResourceExhausted, "silences: too many stored");
  const auto known = silences_.find(silence.id);
  if (known != silences_.end()) {
    RemoveFromIndex(known->second);
    silences_.erase(known);
  }
  const std::string id = silence.id;
  AddToIndex(silences_.emplace(id, std::move(silence)).first->second);
  return {};
}

template <class Visit>
bool Silences::AnyActive(signal::Labels labels, Time now, Visit visit) const {
  const auto scan = [&](const std::string& key) {
    const auto bucket = buckets_.find(key);
    if (bucket == buckets_.end()) return false;
    for (const Silence* silence : bucket->second) {
      if (silence->StateAt(now) == "active" && MatchesAll(silence->matchers, labels) && visit(*silence))
        return true;
    }
    return false;
  };
  if (buckets_.empty()) return false;
  if (scan("")) return true;
  std::string key;
  for (const auto& [name, value] : labels) {
    key.assign(name);
    key += '\xff';
    key += value;
    if (scan(key)) return true;
  }
  return false;
}

bool Silences::Silenced(signal::Labels labels, Time now) const {
  return AnyActive(labels, now, [](const Silence&) { return true; });
}

std::vector<std::string> Silences::Silencing(signal::Labels labels, Time now) const {
  std::vector<std::string> out;
  AnyActive(labels, now, [&](const Silence& silence) {
    out.push_back(silence.id);
    return false;
  });
  std::sort(out.begin(), out.end());
  return out;
}

const Silence* Silences::Find(std::string_view id) const {
  const auto found = silences_.find(std::string(id));
  return found == silences_.end() ? nullptr : &found->second;
}

std::vector<const Silence*> Silences::Query(const Matchers& filter) const {
  std::vector<const Silence*> out;
  std::vector<signal::LabelView> labels;
  for (const auto& [id, silence] : silences_) {
    labels.clear();
    for (const Matcher& matcher : silence.matchers) labels.emplace_back(matcher.name(), matcher.value());
    if (MatchesAll(filter, labels)) out.push_back(&silence);
  }
  std::sort(out.begin(), out.end(), [](const Silence* a, const Silence* b) {
    return a->ends_at != b->ends_at ? a->ends_at > b->ends_at : a->id < b->id;
  });
  return out;
}

std::string Silences::Save() const {
  stats::StateWriter out;
  out.Put(kVersion);
  const auto all = Query({});
  out.Put<uint64_t>(all.size());
  for (const Silence* silence : all) {
    out.PutString(silence->id);
    out.PutString(silence->created_by);
    out.PutString(silence->comment);
    out.Put(silence->starts_at.ns);
    out.Put(silence->ends_at.ns);
    out.Put(silence->updated_at.ns);
    out.PutString(FormatMatchers(silence->matchers));
  }
  return out.Take();
}

Result<Silences> Silences::Load(std::string_view bytes, SilenceLimits limits) {
  stats::StateReader reader(bytes);
  Silences out(limits);
  if (reader.Get<uint32_t>() != kVersion) return Error(Code::kDataLoss, "silence snapshot: not of version 1");
  const auto count = reader.Get<uint64_t>();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    Silence silence;
    silence.id = reader.GetString();
    silence.created_by = reader.GetString();
    silence.comment = reader.GetString();
    silence.starts_at.ns = reader.Get<int64_t>();
    silence.ends_at.ns = reader.Get<int64_t>();
    silence.updated_at.ns = reader.Get<int64_t>();
    const std::string text = reader.GetString();
    if (!reader.ok()) break;
    TOCSIN_ASSIGN_OR_RETURN(silence.matchers, ParseMatchers(text));
    TOCSIN_RETURN_IF_ERROR(out.Restore(std::move(silence)));
  }
  if (!reader.ok() || reader.left() != 0)
    return Error(Code::kDataLoss, "silence snapshot: cut short or damaged");
  return out;
}

}  // namespace tocsin::respond
