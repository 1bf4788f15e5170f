#include "respond/dispatch/read_noise.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "respond/json_text.h"

namespace tocsin::respond {
namespace {

constexpr size_t kPage = 2000;
constexpr size_t kMaxTimeline = 5000;  // events of one incident
constexpr uint64_t kMargin = 1000;     // events may be a little out of order of time

// The time of event `seq`; not known beyond the last.
Result<Time> TimeOf(store::Ledger& ledger, uint64_t seq) {
  TOCSIN_ASSIGN_OR_RETURN(const auto events, ledger.Events("", seq - 1, 1));
  return events.empty() ? Time{} : events.front().time;
}

// A number before the first event at or after `from`.
Result<uint64_t> SeqBefore(store::Ledger& ledger, Time from) {
  uint64_t low = 0;  // event `low` is before `from`, or there is none
  uint64_t high = 1;
  for (;; high *= 2) {
    TOCSIN_ASSIGN_OR_RETURN(const Time at, TimeOf(ledger, high));
    if (!at.known() || at >= from) break;
    low = high;
  }
  while (high - low > 1) {
    const uint64_t middle = low + (high - low) / 2;
    TOCSIN_ASSIGN_OR_RETURN(const Time at, TimeOf(ledger, middle));
    (at.known() && at < from ? low : high) = middle;
  }
  return low > kMargin ? low - kMargin : 0;
}

// In the order of the timeline, each once.
void Order(std::vector<signal::Event>& events) {
  std::ranges::sort(events, {}, &signal::Event::seq);
  const auto twice = std::ranges::unique(events, {}, &signal::Event::seq);
  events.erase(twice.begin(), twice.end());
}

// "" when this is no merge.
std::string MergedInto(const signal::Event& event) {
  if (event.kind != "incident.state") return "";
  return JsonText(nlohmann::json::parse(event.body_json, nullptr, false), "into");
}

Status AddBefore(store::Ledger& ledger, NoiseInput& input) {
  std::set<std::string> subjects, paged;
  for (const auto& event : input.events) {
    subjects.insert(event.subject);
    if (event.kind == "incident.paged") paged.insert(event.subject);
    if (std::string into = MergedInto(event); !into.empty()) {  // it is judged as that one
      subjects.insert(into);
      paged.insert(std::move(into));
    }
  }
  for (const auto& id : subjects) {
    TOCSIN_ASSIGN_OR_RETURN(auto incident, ledger.FindIncident({id}));
    if (!incident) continue;
    const bool older = incident->opened < input.from;
    input.incidents.emplace(id, std::move(*incident));
    if (!older || !paged.contains(id)) continue;
    TOCSIN_ASSIGN_OR_RETURN(auto all, ledger.Events(id, 0, kMaxTimeline));
    std::ranges::move(all, std::back_inserter(input.events));
  }
  Order(input.events);
  return Status::Ok();
}

}  // namespace

Result<NoiseInput> ReadNoise(store::Ledger& ledger, Time from, Time to) {
  if (from >= to || to - from > kMaxNoiseRange) {
    return Error(Code::kInvalidArgument, "a noise report is about more than nothing and at most 92 days");
  }
  NoiseInput input;
  input.from = from;
  input.to = to;
  TOCSIN_ASSIGN_OR_RETURN(uint64_t after, SeqBefore(ledger, from));
  for (;;) {
    TOCSIN_ASSIGN_OR_RETURN(auto page, ledger.Events("", after, kPage));
    for (auto& event : page) {
      after = event.seq;
      if (event.time < from || event.time >= to || !event.kind.starts_with("incident.")) continue;
      if (event.kind == "incident.updated") continue;
      input.events.push_back(std::move(event));
    }
    if (input.events.size() > kMaxNoiseEvents)
      return Error(Code::kOutOfRange, "too much happened in this time for one report: ask for a shorter one");
    if (page.size() < kPage) break;
  }
  TOCSIN_RETURN_IF_ERROR(AddBefore(ledger, input));
  return input;
}

}  // namespace tocsin::respond
