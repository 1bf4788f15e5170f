#include "surface/replay/replay_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "kernel/rng.h"

namespace tocsin::surface {
namespace {

using Answers = std::vector<RecordedAnswer>;

constexpr Duration kDefaultEvery = Duration::Seconds(30);

void Shuffle(Answers& answers, const ReplayOptions& options, uint64_t salt) {
  if (!options.shuffle_seed) return;
  Rng rng(*options.shuffle_seed * 0x9e3779b97f4a7c15ULL + salt);
  rng.Shuffle(answers);
}

// Each task's rows of the former model over the first half, of the latter over the second.
Answers OrderAroundSwap(Answers all, const ReplayOptions& options) {
  std::map<std::string, std::pair<Answers, Answers>> tasks;
  for (RecordedAnswer& answer : all) {
    if (answer.model == options.before_model)
      tasks[answer.task].first.push_back(std::move(answer));
    else if (answer.model == options.after_model)
      tasks[answer.task].second.push_back(std::move(answer));
  }
  std::vector<std::pair<double, RecordedAnswer>> placed;
  uint64_t salt = 0;
  const auto place = [&](Answers& rows, double from) {
    Shuffle(rows, options, ++salt);
    for (size_t i = 0; i < rows.size(); ++i) {
      const double at = (static_cast<double>(i) + 0.5) / static_cast<double>(rows.size());
      placed.emplace_back(from + 0.5 * at, std::move(rows[i]));
    }
  };
  for (auto& [task, halves] : tasks) {
    place(halves.first, 0.0);
    place(halves.second, 0.5);
  }
  std::stable_sort(placed.begin(), placed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Answers ordered;
  ordered.reserve(placed.size());
  for (auto& [at, answer] : placed) ordered.push_back(std::move(answer));
  return ordered;
}

void Name(RecordedAnswer& answer, const ReplayOptions& options) {
  if (!options.service.empty()) answer.service = options.service;
  if (answer.service.empty()) answer.service = "replay";
  if (!options.prompt_name.empty()) {
    answer.prompt_name = options.prompt_name;
  } else if (options.stream_by == StreamBy::kTask) {
    answer.prompt_name = answer.task;
  } else if (options.stream_by == StreamBy::kDataset) {
    answer.prompt_name = answer.dataset;
  } else if (options.stream_by == StreamBy::kAuto && answer.prompt_name.empty()) {
    answer.prompt_name = answer.task;
  } else if (options.stream_by == StreamBy::kNone) {
    answer.prompt_name.clear();
  }
  if (answer.reported_model.empty()) answer.reported_model = answer.model;
  if (!options.model.empty()) answer.model = options.model;
  if (!options.reported_model.empty()) answer.reported_model = options.reported_model;
  if (options.hide_model) answer.reported_model = answer.model;
}

void SetTimes(ReplayPlan& plan, const Answers& all, const ReplayOptions& options, Time now) {
  const bool recorded =
      std::all_of(all.begin(), all.end(), [](const RecordedAnswer& answer) { return answer.time.known(); });
  if (options.real_time) {
    plan.times = ReplayTimes::kSending;
    return;
  }
  if (recorded && !options.start && !options.every && !options.span) {
    plan.times = ReplayTimes::kRecorded;
    plan.start = all.front().time;
    plan.end = all.back().time;
    return;
  }
  const auto count = static_cast<int64_t>(all.size());
  Duration every = options.every.value_or(kDefaultEvery);
  if (options.span) every = Duration::Nanos(options.span->ns / std::max<int64_t>(count, 1));
  const Duration whole = Duration::Nanos(every.ns * (count - 1));
  plan.start = options.start.value_or(now - whole);
  plan.end = plan.start + whole;
}

Time TimeOf(const ReplayPlan& plan, const RecordedAnswer& answer, uint64_t index) {
  if (plan.times == ReplayTimes::kSending) return {};
  if (plan.times == ReplayTimes::kRecorded) return answer.time;
  if (plan.total < 2) return plan.start;
  const int64_t every = (plan.end - plan.start).ns / static_cast<int64_t>(plan.total - 1);
  return plan.start + Duration::Nanos(every * static_cast<int64_t>(index));
}

}  // namespace

Result<ReplayPlan> PlanReplay(std::vector<Answers> files, const ReplayOptions& options, Time now) {
  const bool swap = !options.before_model.empty();
  if (swap != !options.after_model.empty()) {
    return Error(Code::kInvalidArgument, "a swap needs both a model before and a model after it");
  }
  Answers all;
  for (size_t i = 0; i < files.size(); ++i) {
    if (!swap) Shuffle(files[i], options, 0);  // the same permutation for files of the same prompts
    for (RecordedAnswer& answer : files[i]) {
      answer.file_index = i;
      all.push_back(std::move(answer));
    }
  }
  if (swap) all = OrderAroundSwap(std::move(all), options);
  if (all.empty()) {
    return Error(Code::kInvalidArgument, swap ? fmt::format("no row has the model '{}' or '{}'",
                                                            options.before_model, options.after_model)
                                              : std::string("there is no row to send"));
  }
  ReplayOptions named = options;
  // A silent swap asks for one model throughout: the first one, when none is named.
  if (options.hide_model && options.model.empty()) named.model = all.front().model;
  ReplayPlan plan;
  plan.total = all.size();
  SetTimes(plan, all, options, now);
  const uint64_t first = std::min<uint64_t>(options.offset, plan.total);
  const uint64_t count =
      options.limit == 0 ? plan.total - first : std::min(options.limit, plan.total - first);
  plan.answers.reserve(count);
  for (uint64_t index = first; index < first + count; ++index) {
    RecordedAnswer& answer = all[index];
    Name(answer, named);
    const Time time = TimeOf(plan, answer, index);
    plan.answers.push_back({index, time, std::move(answer)});
  }
  return plan;
}

}  // namespace tocsin::surface
