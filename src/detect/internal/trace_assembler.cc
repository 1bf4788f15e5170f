#include "detect/internal/trace_assembler.h"

#include <algorithm>

#include "detect/internal/signal_codec.h"

namespace tocsin::detect {
namespace {

constexpr size_t kMaxSiblingsPerTrace = 64;

}  // namespace

void TraceAssembler::Add(const signal::Generation& generation) {
  Saw(generation.time);
  waiting_.push_back({generation, now_});
}

TraceAssembler::Siblings& TraceAssembler::SiblingsOf(const std::string& trace,
                                                     const std::string& conversation) {
  const std::string key = trace.empty() ? "c:" + conversation : trace;
  auto [it, inserted] = siblings_.try_emplace(key);
  if (inserted) {
    sibling_order_.push_back(key);
    if (sibling_order_.size() > 4 * max_waiting_) {
      const std::string oldest = std::move(sibling_order_.front());
      sibling_order_.pop_front();
      siblings_.erase(oldest);
      return siblings_[key];
    }
  }
  return it->second;
}

void TraceAssembler::Add(const signal::Retrieval& retrieval) {
  Saw(retrieval.time);
  if (retrieval.trace_id.empty() && retrieval.conversation_id.empty()) return;
  auto& list = SiblingsOf(retrieval.trace_id, retrieval.conversation_id).retrievals;
  if (list.size() < kMaxSiblingsPerTrace) list.push_back(retrieval);
}

void TraceAssembler::Add(const signal::ToolExecution& execution) {
  Saw(execution.time);
  if (execution.trace_id.empty() && execution.conversation_id.empty()) return;
  auto& list = SiblingsOf(execution.trace_id, execution.conversation_id).tools;
  if (list.size() < kMaxSiblingsPerTrace) list.push_back(execution);
}

namespace {

void JoinTool(signal::Generation& g, const signal::ToolExecution& tool) {
  for (auto& call : g.tool_calls) {
    const bool same = (!tool.call_id.empty() && call.id == tool.call_id) ||
                      (tool.call_id.empty() && call.name == tool.name && !call.executed);
    if (!same) continue;
    call.executed = true;
    call.failed = tool.failed;
    if (call.result.empty()) call.result = tool.result;
    if (call.arguments.empty()) call.arguments = tool.arguments;
    return;
  }
  g.tool_calls.push_back({tool.call_id, tool.name, tool.arguments, tool.result, true, tool.failed});
}

}  // namespace

Observation JoinSiblings(signal::Generation generation, const std::vector<signal::Retrieval>& retrievals,
                         const std::vector<signal::ToolExecution>& tools) {
  Observation o;
  o.generation = std::move(generation);
  auto& g = o.generation;
  for (const auto& r : retrievals) {
    o.retrieved = true;
    o.query_embedding_model = r.query_embedding_model;
    o.index_embedding_model = r.index_embedding_model;
    o.data_source = r.data_source;
    if (g.index_version.empty()) g.index_version = r.index_version;
    for (const auto& d : r.documents) {
      if (std::ranges::find(g.documents, d) == g.documents.end()) g.documents.push_back(d);
    }
  }
  for (const auto& t : tools) JoinTool(g, t);
  if (!g.documents.empty()) o.retrieved = true;
  return o;
}

Observation TraceAssembler::Join(Waiting&& waiting) {
  static const Siblings kNone;
  const auto& g = waiting.generation;
  const auto it = siblings_.find(g.trace_id.empty() ? "c:" + g.conversation_id : g.trace_id);
  const bool alone = it == siblings_.end() || (g.trace_id.empty() && g.conversation_id.empty());
  const Siblings& siblings = alone ? kNone : it->second;
  return JoinSiblings(std::move(waiting.generation), siblings.retrievals, siblings.tools);
}

std::vector<Observation> TraceAssembler::Release(bool all) {
  std::vector<Observation> out;
  while (!waiting_.empty()) {
    const Waiting& front = waiting_.front();
    const Time end = front.generation.time + front.generation.duration + window_;
    const bool due = newest_ >= end || (front.arrived.known() && now_ >= front.arrived + window_);
    if (!due && !all && waiting_.size() <= max_waiting_) break;
    out.push_back(Join(std::move(waiting_.front())));
    waiting_.pop_front();
  }
  return out;
}

void TraceAssembler::Save(ByteWriter& out) const {
  out.Put(newest_);
  out.Put(static_cast<uint32_t>(waiting_.size()));
  for (const auto& w : waiting_) PutSignal(out, w.generation);
  out.Put(static_cast<uint32_t>(sibling_order_.size()));
  for (const auto& key : sibling_order_) {
    const auto& s = siblings_.at(key);
    out.Text(key);
    out.Put(static_cast<uint32_t>(s.retrievals.size()));
    for (const auto& r : s.retrievals) PutSignal(out, r);
    out.Put(static_cast<uint32_t>(s.tools.size()));
    for (const auto& t : s.tools) PutSignal(out, t);
  }
}

void TraceAssembler::Restore(ByteReader& in) {
  in.Get(newest_);
  waiting_.clear();
  for (uint32_t n = in.Count(); n > 0 && in.ok(); --n) GetSignal(in, waiting_.emplace_back().generation);
  siblings_.clear();
  sibling_order_.clear();
  for (uint32_t n = in.Count(); n > 0 && in.ok(); --n) {
    const std::string key = in.Text();
    sibling_order_.push_back(key);
    auto& s = siblings_[key];
    s.retrievals.resize(in.Count());
    for (auto& r : s.retrievals) GetSignal(in, r);
    s.tools.resize(in.Count());
    for (auto& t : s.tools) GetSignal(in, t);
  }
}

}  // namespace tocsin::detect
