#include "detect/watcher.h"

#include <zstd.h>

#include <algorithm>
#include <deque>
#include <map>

#include "detect/internal/signal_codec.h"
#include "detect/internal/stream_monitors.h"
#include "detect/internal/target_index.h"
#include "detect/internal/trace_assembler.h"

namespace tocsin::detect {
namespace {

constexpr size_t kMaxChanges = 500;
constexpr size_t kMaxOverflowStreams = 16;
constexpr size_t kMaxState = 256u << 20;
constexpr int kCompression = 1;
constexpr int64_t kFormat = 1;
constexpr const char* kWatcherState = "watcher";
constexpr const char* kStreamPrefix = "stream:";
constexpr const char* kNamesState = "ngrams";
constexpr size_t kNamesGrowth = 500;  // new n-grams that make their names worth saving again

// Checksum of the zstd frame, then the frame.
std::string Pack(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()) + 8, '\0');
  const size_t size = ZSTD_compress(out.data() + 8, out.size() - 8, bytes.data(), bytes.size(), kCompression);
  out.resize(8 + (ZSTD_isError(size) != 0U ? 0 : size));
  const uint64_t hash = StableHash(std::string_view(out).substr(8));
  std::memcpy(out.data(), &hash, 8);
  return out;
}

Result<std::string> Unpack(const std::string& packed) {
  if (packed.size() < 9) return Error(Code::kDataLoss, "saved state is too short");
  uint64_t hash = 0;
  std::memcpy(&hash, packed.data(), 8);
  if (StableHash(std::string_view(packed).substr(8)) != hash) {
    return Error(Code::kDataLoss, "saved state fails its checksum");
  }
  const auto size = ZSTD_getFrameContentSize(packed.data() + 8, packed.size() - 8);
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kMaxState) {
    return Error(Code::kDataLoss, "saved state is not a zstd frame of known size");
  }
  std::string bytes(size, '\0');
  const size_t got = ZSTD_decompress(bytes.data(), bytes.size(), packed.data() + 8, packed.size() - 8);
  if (ZSTD_isError(got) != 0U || got != size) return Error(Code::kDataLoss, "saved state cannot be inflated");
  return bytes;
}

}  // namespace

struct Watcher::Impl {
  explicit Impl(const WatcherOptions& o) : options(o), assembler(o.assembly_window, o.max_waiting) {
    if (options.segment_attributes.size() > kMaxUserAttributes) {
      options.segment_attributes.resize(kMaxUserAttributes);
    }
    measure.grounding.entity_prefixes = options.entity_prefixes;
    measure.user_attributes = options.segment_attributes;
    context.options = &options;
    context.names = &names;
    context.changes = &changes;
  }

  WatcherOptions options;
  MeasureOptions measure;
  SharedContext context;
  behavior::NgramNames names;
  std::deque<signal::Change> changes;
  TraceAssembler assembler;
  TargetIndex targets;
  std::vector<std::unique_ptr<StreamMonitors>> streams;
  std::map<std::string, uint32_t> by_name;
  std::vector<Finding> findings;
  uint64_t position = 0;
  uint64_t generations = 0;
  uint64_t overflow = 0;
  size_t names_saved = 0;

  size_t NamesKnown() const;
  std::string SaveNames() const;
  void RestoreNames(std::string_view bytes);
  uint32_t StreamFor(const StreamKey& key);
  uint32_t AddStream(const StreamKey& key);
  void Drain(bool all);
  StreamMonitors* Target(std::initializer_list<const std::string*> ids, const std::string& service);
  void Consume(const signal::Batch& batch);
  std::string SaveShared() const;
  tocsin::Status RestoreShared(std::string_view bytes, std::map<uint32_t, std::string>& numbers);
};

size_t Watcher::Impl::NamesKnown() const {
  size_t known = 0;
  for (uint32_t b = 0; b < behavior::kNgramBuckets; ++b) {
    if (names.Knows(static_cast<uint16_t>(b))) ++known;
  }
  return known;
}

std::string Watcher::Impl::SaveNames() const {
  ByteWriter out;
  for (uint32_t b = 0; b < behavior::kNgramBuckets; ++b) {
    const auto bucket = static_cast<uint16_t>(b);
    if (!names.Knows(bucket)) continue;
    out.Put(bucket);
    out.Text(names.Name(bucket));
  }
  return out.Take();
}

void Watcher::Impl::RestoreNames(std::string_view bytes) {
  ByteReader in(bytes);
  while (in.ok() && !in.done()) {
    const auto bucket = in.Get<uint16_t>();
    const std::string name = in.Text();
    const size_t space = name.find(' ');
    const std::string_view view = name;
    names.Remember(bucket, view.substr(0, space), space == std::string::npos ? "" : view.substr(space + 1));
  }
  names_saved = NamesKnown();
}

uint32_t Watcher::Impl::AddStream(const StreamKey& key) {
  const auto number = static_cast<uint32_t>(streams.size());
  streams.push_back(std::make_unique<StreamMonitors>(key, context));
  by_name[key.Name()] = number;
  return number;
}

uint32_t Watcher::Impl::StreamFor(const StreamKey& key) {
  if (const auto it = by_name.find(key.Name()); it != by_name.end()) return it->second;
  if (streams.size() < options.max_streams) return AddStream(key);
  StreamKey rest{key.service, "(other)", ""};
  if (const auto it = by_name.find(rest.Name()); it != by_name.end()) return it->second;
  if (streams.size() < options.max_streams + kMaxOverflowStreams) return AddStream(rest);
  rest.service = "(other)";
  if (const auto it = by_name.find(rest.Name()); it != by_name.end()) return it->second;
  return AddStream(rest);
}

void Watcher::Impl::Drain(bool all) {
  for (auto& observation : assembler.Release(all)) {
    ++generations;
    Measure(observation, measure, &names);
    auto& stream = *streams[StreamFor(StreamOf(observation.generation))];
    if (stream.key().operation == "(other)") ++overflow;
    stream.Observe(observation, findings);
  }
}

// The stream an id points to, else the service's busiest.
StreamMonitors* Watcher::Impl::Target(std::initializer_list<const std::string*> ids,
                                      const std::string& service) {
  for (const std::string* id : ids) {
    const auto number = targets.Find(*id);
    if (number && *number < streams.size()) return streams[*number].get();
  }
  StreamMonitors* busiest = nullptr;
  for (const auto& stream : streams) {
    if (service.empty() || stream->key().service != service) continue;
    if (busiest == nullptr || stream->generations() > busiest->generations()) busiest = stream.get();
  }
  return busiest;
}

void Watcher::Impl::Consume(const signal::Batch& batch) {
  for (const auto& change : batch.changes) {
    changes.push_back(change);
    if (changes.size() > kMaxChanges) changes.pop_front();
  }
  for (const auto& retrieval : batch.retrievals) assembler.Add(retrieval);
  for (const auto& execution : batch.tool_executions) assembler.Add(execution);
  for (const auto& generation : batch.generations) {
    targets.Add(generation, StreamFor(StreamOf(generation)));
    assembler.Add(generation);
    Drain(false);
  }
  Drain(false);
  for (const auto& f : batch.feedbacks) {
    auto* stream = Target({&f.span_id, &f.response_id, &f.trace_id, &f.conversation_id}, f.service);
    if (stream != nullptr) stream->ObserveFeedback(f, findings);
  }
  for (const auto& e : batch.evaluations) {
    auto* stream = Target({&e.span_id, &e.response_id, &e.trace_id}, e.service);
    if (stream != nullptr) stream->ObserveEvaluation(e, findings);
  }
}

Watcher::Watcher(const WatcherOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Watcher::~Watcher() = default;
Watcher::Watcher(Watcher&&) noexcept = default;
Watcher& Watcher::operator=(Watcher&&) noexcept = default;

void Watcher::Consume(const store::JournalEntry& entry) {
  if (entry.position <= impl_->position) return;
  impl_->position = entry.position;
  if (entry.batch != nullptr) impl_->Consume(*entry.batch);
}

void Watcher::Tick(Time now) {
  impl_->assembler.Tick(now);
  impl_->Drain(false);
}

void Watcher::Flush() { impl_->Drain(true); }

std::vector<Finding> Watcher::TakeFindings() { return std::exchange(impl_->findings, {}); }

uint64_t Watcher::position() const { return impl_->position; }

WatcherStatus Watcher::Status() const {
  WatcherStatus status;
  status.position = impl_->position;
  status.generations = impl_->generations;
  status.waiting = impl_->assembler.waiting();
  status.overflow_generations = impl_->overflow;
  for (const auto& stream : impl_->streams) status.streams.push_back(stream->Status());
  return status;
}

bool Watcher::Rebaseline(const std::string& stream) {
  const auto it = impl_->by_name.find(stream);
  if (it == impl_->by_name.end()) return false;
  impl_->streams[it->second]->Rebaseline();
  return true;
}

std::string Watcher::Impl::SaveShared() const {
  ByteWriter out;
  out.Put(generations);
  out.Put(overflow);
  assembler.Save(out);
  targets.Save(out);
  out.Put(static_cast<uint32_t>(changes.size()));
  for (const auto& change : changes) PutSignal(out, change);
  out.Put(static_cast<uint32_t>(streams.size()));
  for (const auto& stream : streams) out.Text(stream->key().Name());
  return out.Take();
}

tocsin::Status Watcher::Impl::RestoreShared(std::string_view bytes,
                                            std::map<uint32_t, std::string>& numbers) {
  ByteReader in(bytes);
  in.Get(generations);
  in.Get(overflow);
  assembler.Restore(in);
  targets.Restore(in);
  changes.clear();
  for (uint32_t n = in.Count(); n > 0 && in.ok(); --n) GetSignal(in, changes.emplace_back());
  const uint32_t count = in.Count();
  for (uint32_t i = 0; i < count && in.ok(); ++i) numbers[i] = in.Text();
  if (!in.ok() || !in.done()) return {Code::kDataLoss, "state of the watcher is damaged"};
  return {};
}

std::vector<store::MonitorState> Watcher::Save(bool all) {
  std::vector<store::MonitorState> states;
  states.push_back({kWatcherState, impl_->position, kFormat, Pack(impl_->SaveShared())});
  if (const size_t known = impl_->NamesKnown(); all || known > impl_->names_saved + kNamesGrowth) {
    impl_->names_saved = known;
    states.push_back({kNamesState, impl_->position, kFormat, Pack(impl_->SaveNames())});
  }
  for (auto& stream : impl_->streams) {
    if (!all && !stream->dirty()) continue;
    stream->MarkClean();
    states.push_back({kStreamPrefix + stream->key().Name(), impl_->position, kFormat, Pack(stream->Save())});
  }
  return states;
}

tocsin::Status Watcher::Restore(std::span<const store::MonitorState> states) {
  auto impl = std::make_unique<Impl>(impl_->options);
  std::map<std::string, const store::MonitorState*> by_id;
  for (const auto& state : states) by_id[state.id] = &state;
  const auto shared = by_id.find(kWatcherState);
  if (shared == by_id.end()) return {};
  const auto read = [&]() -> tocsin::Status {
    TOCSIN_ASSIGN_OR_RETURN(const std::string bytes, Unpack(shared->second->state));
    std::map<uint32_t, std::string> numbers;
    TOCSIN_RETURN_IF_ERROR(impl->RestoreShared(bytes, numbers));
    impl->position = shared->second->position;
    if (const auto names = by_id.find(kNamesState); names != by_id.end()) {
      TOCSIN_ASSIGN_OR_RETURN(const std::string text, Unpack(names->second->state));
      impl->RestoreNames(text);
    }
    for (const auto& [number, name] : numbers) {
      const auto saved = by_id.find(kStreamPrefix + name);
      if (saved == by_id.end()) return {Code::kDataLoss, "state of stream " + name + " is missing"};
      TOCSIN_ASSIGN_OR_RETURN(const std::string state, Unpack(saved->second->state));
      auto stream = std::make_unique<StreamMonitors>(StreamKey{}, impl->context);
      TOCSIN_RETURN_IF_ERROR(stream->Restore(state).WithContext("stream " + name));
      stream->MarkClean();
      impl->by_name[name] = number;
      impl->streams.push_back(std::move(stream));
    }
    return {};
  };
  if (tocsin::Status status = read(); !status.ok()) {
    impl_ = std::make_unique<Impl>(impl_->options);
    return status;
  }
  impl_ = std::move(impl);
  return {};
}

}  // namespace tocsin::detect
