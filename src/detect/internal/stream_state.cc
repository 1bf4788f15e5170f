// StreamMonitors: saving and restoring.
#include "detect/internal/stream_monitors.h"

namespace tocsin::detect {
namespace {

constexpr uint32_t kFormat = 2;
// Sketched prompts in 32 numbers. Those are not comparable with today's, so of such a state only the key is
// taken and the stream learns its reference anew.
constexpr uint32_t kNarrowSketches = 1;

template <class Records>
void SaveRecords(ByteWriter& out, const Records& records) {
  out.Put(static_cast<uint32_t>(records.size()));
  for (const auto& r : records) r.Save(out);
}

template <class Records>
void RestoreRecords(ByteReader& in, Records& records) {
  records.clear();
  for (uint32_t n = in.Count(); n > 0 && in.ok(); --n) records.emplace_back().Restore(in);
}

}  // namespace

std::string StreamMonitors::Save() const {
  ByteWriter out;
  out.Put(kFormat);
  for (const auto* text : {&key_.service, &key_.operation, &key_.feature}) out.Text(*text);
  out.Put(generations_);
  out.Put(rng_.state());
  learned_.Save(out);
  out.Put(static_cast<uint32_t>(named_.size()));
  for (const auto& detector : named_) detector.Save(out);
  segments_.Save(out);
  feedback_.Save(out);
  out.Put(static_cast<uint32_t>(evaluations_.size()));
  for (const auto& [name, series] : evaluations_) {
    out.Text(name);
    series.Save(out);
  }
  inventory_.Save(out);
  injection_.Save(out);
  out.Put(static_cast<uint32_t>(injection_hits_.size()));
  for (const auto& [source, n] : injection_hits_) {
    out.Text(source);
    out.Put(n);
  }
  SaveRecords(out, baseline_);
  SaveRecords(out, recent_);
  out.Put(static_cast<uint32_t>(alarmed_.size()));
  for (const auto& name : alarmed_) out.Text(name);
  out.Put(mix_reports_);
  out.Put(static_cast<uint8_t>(changed_.has_value()));
  if (!changed_) return out.Take();
  const Changed& c = *changed_;
  out.Put(c.first.kind);
  out.Text(c.first.monitor);
  out.Text(c.first.evaluator);
  out.Put(static_cast<int32_t>(c.first.metric ? static_cast<int32_t>(*c.first.metric) : -1));
  out.Put(static_cast<uint8_t>(c.first.segment.has_value()));
  if (c.first.segment) out.Put(*c.first.segment);
  out.Put(c.first.pages);
  out.Put(c.first.log_e_value);
  out.Put(c.page);
  out.Put(c.onset);
  for (const uint64_t n : {c.best, c.low, c.high, c.raised, c.next_update}) out.Put(n);
  SaveRecords(out, c.before);
  return out.Take();
}

tocsin::Status StreamMonitors::Restore(std::string_view bytes) {
  ByteReader in(bytes);
  const auto damaged = [&] { return tocsin::Status(Code::kDataLoss, "state of a stream is damaged"); };
  const auto format = in.Get<uint32_t>();
  if (format != kFormat && format != kNarrowSketches)
    return {Code::kInvalidArgument, "state of a stream has a foreign format"};
  for (auto* text : {&key_.service, &key_.operation, &key_.feature}) in.Text(*text);
  if (format == kNarrowSketches) return in.ok() ? tocsin::Status() : damaged();
  in.Get(generations_);
  rng_ = Rng::FromState(in.Get<std::array<uint64_t, 4>>());
  if (!learned_.Restore(in)) return damaged();
  if (in.Count() != named_.size()) return damaged();
  for (auto& detector : named_) {
    if (!detector.Restore(in)) return damaged();
  }
  if (!segments_.Restore(in) || !feedback_.Restore(in)) return damaged();
  for (uint32_t n = in.Count(); n > 0 && in.ok(); --n) {
    const std::string name = in.Text();
    NamedSpec spec = SpecOf(Named::kFeedback);
    spec.scale = Scale::kScore;
    spec.bad = 0;
    auto [it, inserted] = evaluations_.try_emplace(name, spec, size_t{30});
    if (!it->second.Restore(in)) return damaged();
  }
  if (!inventory_.Restore(in) || !injection_.Restore(in)) return damaged();
  for (uint32_t n = in.Count(); n > 0 && in.ok(); --n) {
    const std::string source = in.Text();
    in.Get(injection_hits_[source]);
  }
  RestoreRecords(in, baseline_);
  RestoreRecords(in, recent_);
  for (uint32_t n = in.Count(); n > 0 && in.ok(); --n) alarmed_.insert(in.Text());
  in.Get(mix_reports_);
  if (in.Get<uint8_t>() == 0) return in.ok() && in.done() ? tocsin::Status() : damaged();
  Changed c;
  in.Get(c.first.kind);
  in.Text(c.first.monitor);
  in.Text(c.first.evaluator);
  const auto metric = in.Get<int32_t>();
  if (metric >= 0 && metric < static_cast<int32_t>(kNamedCount)) c.first.metric = static_cast<Named>(metric);
  if (in.Get<uint8_t>() != 0) c.first.segment = in.Get<SegmentTable::Segment>();
  in.Get(c.first.pages);
  in.Get(c.first.log_e_value);
  in.Get(c.page);
  in.Get(c.onset);
  for (auto* n : {&c.best, &c.low, &c.high, &c.raised, &c.next_update}) in.Get(*n);
  RestoreRecords(in, c.before);
  changed_ = std::move(c);
  return in.ok() && in.done() ? tocsin::Status() : damaged();
}

}  // namespace tocsin::detect
