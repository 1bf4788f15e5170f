#include "ingest/log_templates.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

namespace tocsin::ingest {

std::string TemplateIdText(uint64_t id) {
  std::string text(16, '0');
  for (size_t i = 16; i-- > 0; id >>= 4) text[i] = "0123456789abcdef"[id & 15];
  return text;
}

uint64_t ParseTemplateId(std::string_view text) {
  if (text.size() != 16) return 0;
  uint64_t id = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return 0;
    id = id << 4 | static_cast<uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return id;
}

void LogTemplates::Restore(std::vector<signal::LogTemplate> rows) {
  const std::lock_guard lock(mutex_);
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  std::map<uint64_t, const signal::LogTemplate*> last;
  for (const signal::LogTemplate& row : rows) {
    const uint64_t id = ParseTemplateId(row.template_id);
    if (id == 0) continue;
    last[id] = &row;
    last_written_ = std::max(last_written_, row.time);
  }
  for (const auto& [id, row] : last) {
    if (row->merged_into.empty()) {
      miner_.Restore(id, row->text);
    } else {
      miner_.RestoreAlias(id, ParseTemplateId(row->merged_into));
    }
  }
  for (const signal::LogTemplate& row : rows) {
    const uint64_t id = ParseTemplateId(row.template_id);
    const auto it = last.find(id);
    if (it == last.end() || !it->second->merged_into.empty() || sightings_ >= kMaxSightings) continue;
    std::vector<Sighting>& sightings = known_[id].sightings;
    const auto same = [&](const Sighting& s) { return s.service == row.service; };
    auto sighting = std::find_if(sightings.begin(), sightings.end(), same);
    if (sighting == sightings.end()) {
      ++sightings_;
      sighting = sightings.insert(sightings.end(), Sighting{row.service, row.first_seen, {}, 0, 0});
    }
    sighting->first_seen = std::min(sighting->first_seen, row.first_seen);
    sighting->severity = std::max(sighting->severity, row.severity);
    sighting->written = row.time;
    // A row with an older text is written anew when a line of it comes.
    sighting->version = row.text == it->second->text ? 1 : 0;
  }
}

void LogTemplates::Assign(signal::Batch& batch, Time received) {
  const std::lock_guard lock(mutex_);
  if (!unstored_.empty() && !batch.empty()) {
    batch.log_templates.insert(batch.log_templates.end(), std::make_move_iterator(unstored_.begin()),
                               std::make_move_iterator(unstored_.end()));
    unstored_.clear();
  }
  for (signal::LogRecord& log : batch.logs) AssignOne(log, received, batch);
}

void LogTemplates::AssignOne(signal::LogRecord& log, Time received, signal::Batch& batch) {
  const std::string& line = log.body.empty() ? log.event_name : log.body;
  if (line.empty()) return;
  const uint64_t id = miner_.Add(line);
  log.template_id = TemplateIdText(id);
  if (miner_.has_events()) {
    for (const stats::TemplateEvent& event : miner_.TakeEvents()) Follow(event, received, batch);
  }
  Note(id, log, received, batch);
}

void LogTemplates::Follow(const stats::TemplateEvent& event, Time received, signal::Batch& batch) {
  if (event.kind == stats::TemplateEvent::Kind::kNew) return;
  if (event.kind == stats::TemplateEvent::Kind::kWidened) {
    ++known_[event.id].version;
    return;
  }
  const auto gone = known_.extract(event.id);
  if (gone.empty()) return;
  sightings_ -= gone.mapped().sightings.size();
  for (const Sighting& s : gone.mapped().sightings) {
    Write(event.id, s, TemplateIdText(event.into), received, batch);
  }
}

void LogTemplates::Note(uint64_t id, const signal::LogRecord& log, Time received, signal::Batch& batch) {
  if (sightings_ >= kMaxSightings) {  // of templates long gone, mostly: what is still there is written anew
    known_.clear();
    sightings_ = 0;
  }
  Known& known = known_[id];
  const auto same = [&](const Sighting& s) { return s.service == log.service; };
  auto sighting = std::find_if(known.sightings.begin(), known.sightings.end(), same);
  if (sighting == known.sightings.end()) {
    if (known.sightings.size() >= kMaxServices) return;
    ++sightings_;
    sighting = known.sightings.insert(known.sightings.end(), Sighting{log.service, log.time, {}, 0, 0});
  }
  const bool due = sighting->version != known.version || log.severity > sighting->severity ||
                   received - sighting->written >= kRepeat;
  if (!due) return;
  sighting->severity = std::max(sighting->severity, log.severity);
  sighting->first_seen = std::min(sighting->first_seen, log.time);
  sighting->version = known.version;
  sighting->written = received;
  Write(id, *sighting, "", received, batch);
}

void LogTemplates::Write(uint64_t id, const Sighting& sighting, std::string merged_into, Time received,
                         signal::Batch& batch) {
  last_written_ = std::max(received, last_written_ + Duration::Nanos(1));
  signal::LogTemplate& row = batch.log_templates.emplace_back();
  row.time = last_written_;
  row.template_id = TemplateIdText(id);
  row.service = sighting.service;
  row.text = miner_.Text(id);
  row.severity = sighting.severity;
  row.first_seen = sighting.first_seen;
  row.merged_into = std::move(merged_into);
}

void LogTemplates::Forget(std::vector<signal::LogTemplate> rows) {
  const std::lock_guard lock(mutex_);
  unstored_.insert(unstored_.end(), std::make_move_iterator(rows.begin()),
                   std::make_move_iterator(rows.end()));
  // Beyond the bound the oldest are left out; each is written again within a day.
  if (unstored_.size() > kMaxSightings) {
    unstored_.erase(unstored_.begin(), unstored_.end() - static_cast<std::ptrdiff_t>(kMaxSightings));
  }
}

size_t LogTemplates::size() const {
  const std::lock_guard lock(mutex_);
  return miner_.size();
}

}  // namespace tocsin::ingest
