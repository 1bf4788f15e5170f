#include "respond/alerts/alert_record.h"

#include "stats/state_codec.h"

namespace tocsin::respond {
namespace {

using stats::StateReader;
using stats::StateWriter;

void PutLabels(StateWriter& out, const signal::LabelSet& labels) {
  out.Put(static_cast<uint32_t>(labels.size()));
  for (const auto& [name, value] : labels) {
    out.PutString(name);
    out.PutString(value);
  }
}

signal::LabelSet GetLabels(StateReader& in) {
  signal::LabelSet labels;
  for (auto n = in.Get<uint32_t>(); n > 0 && in.ok(); --n) {
    std::string name = in.GetString();
    labels.emplace_back(std::move(name), in.GetString());
  }
  return labels;
}

void PutAlert(StateWriter& out, const signal::Alert& a) {
  PutLabels(out, a.labels);
  PutLabels(out, a.annotations);
  for (const Time t : {a.starts_at, a.ends_at, a.updated_at}) out.Put(t.ns);
  out.Put(static_cast<uint8_t>(a.assumed_end));
  out.PutString(a.generator_url);
  out.PutString(a.source);
  out.Put(a.fingerprint);
}

signal::Alert GetAlert(StateReader& in) {
  signal::Alert a;
  a.labels = GetLabels(in);
  a.annotations = GetLabels(in);
  for (Time* t : {&a.starts_at, &a.ends_at, &a.updated_at}) t->ns = in.Get<int64_t>();
  a.assumed_end = in.Get<uint8_t>() != 0;
  a.generator_url = in.GetString();
  a.source = in.GetString();
  a.fingerprint = in.Get<uint64_t>();
  return a;
}

void PutSilence(StateWriter& out, const Silence& s) {
  out.PutString(s.id);
  out.Put(static_cast<uint32_t>(s.matchers.size()));
  for (const auto& m : s.matchers) {
    out.Put(static_cast<uint8_t>(m.op()));
    out.PutString(m.name());
    out.PutString(m.value());
  }
  for (const Time t : {s.starts_at, s.ends_at, s.updated_at}) out.Put(t.ns);
  out.PutString(s.created_by);
  out.PutString(s.comment);
}

Result<Silence> GetSilence(StateReader& in) {
  Silence s;
  s.id = in.GetString();
  for (auto n = in.Get<uint32_t>(); n > 0 && in.ok(); --n) {
    const auto op = in.Get<uint8_t>();
    std::string name = in.GetString();
    std::string value = in.GetString();
    if (!in.ok() || op > static_cast<uint8_t>(MatchOp::kNotRegex)) break;
    TOCSIN_ASSIGN_OR_RETURN(auto matcher,
                            Matcher::Make(static_cast<MatchOp>(op), std::move(name), std::move(value)));
    s.matchers.push_back(std::move(matcher));
  }
  for (Time* t : {&s.starts_at, &s.ends_at, &s.updated_at}) t->ns = in.Get<int64_t>();
  s.created_by = in.GetString();
  s.comment = in.GetString();
  return s;
}

}  // namespace

std::string EncodeAlertRecord(const AlertRecord& record) {
  StateWriter out;
  out.Put(static_cast<uint8_t>(record.kind));
  out.Put(record.time.ns);
  switch (record.kind) {
    case AlertRecordKind::kAlerts:
      out.Put(static_cast<uint32_t>(record.alerts.size()));
      for (const auto& alert : record.alerts) PutAlert(out, alert);
      break;
    case AlertRecordKind::kResolve:
      out.Put(record.fingerprint);
      break;
    case AlertRecordKind::kSilence:
    case AlertRecordKind::kExpireSilence:
      PutSilence(out, record.silence);
      out.PutString(record.new_id);
      break;
    case AlertRecordKind::kTell:
      break;
    case AlertRecordKind::kTold:
      out.Put(static_cast<uint32_t>(record.keys.size()));
      for (const auto& key : record.keys) out.PutString(key);
      break;
    case AlertRecordKind::kClockBack:
      out.Put(record.back.ns);
      break;
  }
  return out.Take();
}

Result<AlertRecord> DecodeAlertRecord(std::string_view bytes) {
  StateReader in(bytes);
  AlertRecord record;
  const auto kind = in.Get<uint8_t>();
  record.kind = static_cast<AlertRecordKind>(kind);
  record.time.ns = in.Get<int64_t>();
  if (record.kind == AlertRecordKind::kAlerts) {
    for (auto n = in.Get<uint32_t>(); n > 0 && in.ok(); --n) record.alerts.push_back(GetAlert(in));
  } else if (record.kind == AlertRecordKind::kResolve) {
    record.fingerprint = in.Get<uint64_t>();
  } else if (record.kind == AlertRecordKind::kSilence || record.kind == AlertRecordKind::kExpireSilence) {
    TOCSIN_ASSIGN_OR_RETURN(record.silence, GetSilence(in));
    record.new_id = in.GetString();
  } else if (record.kind == AlertRecordKind::kTold) {
    for (auto n = in.Get<uint32_t>(); n > 0 && in.ok(); --n) record.keys.push_back(in.GetString());
  } else if (record.kind == AlertRecordKind::kClockBack) {
    record.back.ns = in.Get<int64_t>();
  } else if (record.kind != AlertRecordKind::kTell) {
    in.Fail();
  }
  if (!in.ok() || in.left() > 0) return Error(Code::kDataLoss, "a record of the alert log is damaged");
  return record;
}

}  // namespace tocsin::respond
