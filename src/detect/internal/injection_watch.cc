#include "detect/internal/injection_watch.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace tocsin::detect {
namespace {

constexpr uint64_t kLeastLearned = 50;
constexpr size_t kKeptDistances = 512;
constexpr size_t kMaxTools = 256;
constexpr size_t kMaxDocuments = 2048;
constexpr size_t kMaxConversations = 64;
constexpr double kRareTool = 0.005;
constexpr double kFarther = 1.3;
constexpr double kLeastDistance = 4.0;

const std::string& ConversationOf(const signal::Generation& g) {
  return g.conversation_id.empty() ? g.trace_id : g.conversation_id;
}

bool IsBreak(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '(' ||
         c == ')' || c == ']' || c == '[' || c == ',';
}

// An address (URL or e-mail) of `planted` that the output repeats; "" if none.
std::string EchoedAddress(std::string_view planted, std::string_view output) {
  size_t i = 0;
  while (i < planted.size()) {
    while (i < planted.size() && IsBreak(planted[i])) ++i;
    size_t end = i;
    while (end < planted.size() && !IsBreak(planted[end])) ++end;
    std::string_view token = planted.substr(i, end - i);
    while (!token.empty() && (token.back() == '.' || token.back() == '!')) token.remove_suffix(1);
    const bool address = token.find("://") != std::string_view::npos ||
                         (token.find('@') != std::string_view::npos && token.find('.') != token.npos);
    if (address && token.size() >= 8 && token.size() <= 200 && output.find(token) != std::string_view::npos) {
      return std::string(token);
    }
    i = end;
  }
  return {};
}

std::string SourceName(const behavior::InjectionFinding& f) {
  switch (f.source) {
    case behavior::InjectionSource::kDocument:
      return "document " + Excerpt(f.source_id, 80);
    case behavior::InjectionSource::kToolResult:
      return "the result of tool " + Excerpt(f.source_id, 80);
    case behavior::InjectionSource::kPrompt:
      break;
  }
  return "the user's message";
}

}  // namespace

double InjectionWatch::StyleDistance(const Observation& o) const {
  double sum = 0;
  const double n = static_cast<double>(learned_);
  for (size_t i = 0; i < behavior::kStyleCount; ++i) {
    const double variance = m2_[i] / std::max(n - 1, 1.0) + 1e-3;
    const double d = static_cast<double>(o.features.style[i]) - mean_[i];
    sum += std::min(d * d / variance, 36.0);
  }
  return sum / static_cast<double>(behavior::kStyleCount);
}

void InjectionWatch::Learn(const Observation& o) {
  if (learned_ >= kLeastLearned) {
    distances_.push_back(static_cast<float>(StyleDistance(o)));
    if (distances_.size() > kKeptDistances) distances_.pop_front();
  }
  ++learned_;
  const double weight = 1.0 / static_cast<double>(std::min<uint64_t>(learned_, 5000));
  for (size_t i = 0; i < behavior::kStyleCount; ++i) {
    const double delta = static_cast<double>(o.features.style[i]) - mean_[i];
    mean_[i] += delta * weight;
    m2_[i] += delta * (static_cast<double>(o.features.style[i]) - mean_[i]);
  }
  std::set<std::string_view> names;
  for (const auto& call : o.generation.tool_calls) names.insert(call.name);
  for (const auto name : names) {
    if (tools_.size() < kMaxTools || tools_.contains(std::string(name))) ++tools_[std::string(name)];
  }
}

std::string InjectionWatch::Effect(const Observation& o, const behavior::InjectionFinding& finding) const {
  for (const auto& call : o.generation.tool_calls) {
    const auto it = tools_.find(call.name);
    const double share = it == tools_.end() ? 0.0
                                            : static_cast<double>(it->second) /
                                                  static_cast<double>(std::max(learned_, uint64_t{1}));
    if (share < kRareTool) {
      return "called the tool " + Excerpt(call.name, 60) +
             (it == tools_.end() ? ", which this stream had never called"
                                 : ", which this stream rarely calls");
    }
  }
  if (finding.source != behavior::InjectionSource::kPrompt) {
    std::string planted = finding.excerpt;
    for (const auto& d : o.generation.documents) {
      if (d.id == finding.source_id) planted = d.text;
    }
    const std::string address = EchoedAddress(planted, o.generation.output);
    if (!address.empty()) return "repeated the planted address " + Excerpt(address, 100);
  }
  if (learned_ < 2 * kLeastLearned || distances_.empty() || o.generation.output.empty()) return {};
  const double usual = static_cast<double>(*std::ranges::max_element(distances_));
  const double distance = StyleDistance(o);
  if (distance > std::max(usual * kFarther, kLeastDistance)) {
    return "answered in a style unlike any recent answer";
  }
  return {};
}

void InjectionWatch::IndexDocuments(const Observation& o) {
  const std::string& conversation = ConversationOf(o.generation);
  if (conversation.empty()) return;
  for (const auto& d : o.generation.documents) {
    if (d.id.empty() || d.id.size() > 256) continue;
    auto [it, inserted] = documents_.try_emplace(d.id);
    auto& list = it->second;
    if (list.empty() || list.back() != conversation) list.push_back(conversation);
    if (list.size() > kMaxConversations) list.pop_front();
    if (!inserted) continue;
    document_order_.push_back(d.id);
    if (document_order_.size() > kMaxDocuments) {
      documents_.erase(document_order_.front());
      document_order_.pop_front();
    }
  }
}

std::optional<InjectionEffect> InjectionWatch::Observe(const Observation& o) {
  IndexDocuments(o);
  if (o.injection.findings.empty()) {
    Learn(o);
    return std::nullopt;
  }
  for (const auto& finding : o.injection.findings) {
    std::string effect = Effect(o, finding);
    if (effect.empty()) continue;
    InjectionEffect out;
    out.source = SourceName(finding);
    out.excerpt = finding.excerpt;
    out.effect = std::move(effect);
    if (finding.source == behavior::InjectionSource::kDocument) {
      out.document = finding.source_id;
      if (const auto it = documents_.find(finding.source_id); it != documents_.end()) {
        for (const auto& c : it->second) {
          if (c != ConversationOf(o.generation)) out.conversations.push_back(Excerpt(c, 80));
        }
      }
    }
    return out;
  }
  ++without_effect_;
  return std::nullopt;
}

void InjectionWatch::Save(ByteWriter& out) const {
  out.Put(learned_);
  out.Put(without_effect_);
  out.Put(mean_);
  out.Put(m2_);
  out.Array(std::vector<float>(distances_.begin(), distances_.end()));
  out.Put(static_cast<uint32_t>(tools_.size()));
  for (const auto& [name, n] : tools_) {
    out.Text(name);
    out.Put(n);
  }
  out.Put(static_cast<uint32_t>(document_order_.size()));
  for (const auto& id : document_order_) {
    out.Text(id);
    const auto& list = documents_.at(id);
    out.Put(static_cast<uint32_t>(list.size()));
    for (const auto& c : list) out.Text(c);
  }
}

bool InjectionWatch::Restore(ByteReader& in) {
  in.Get(learned_);
  in.Get(without_effect_);
  in.Get(mean_);
  in.Get(m2_);
  std::vector<float> distances;
  in.Array(distances);
  distances_.assign(distances.begin(), distances.end());
  tools_.clear();
  for (uint32_t n = in.Count(); n > 0 && in.ok(); --n) {
    const std::string name = in.Text();
    in.Get(tools_[name]);
  }
  documents_.clear();
  document_order_.clear();
  for (uint32_t n = in.Count(); n > 0 && in.ok(); --n) {
    const std::string id = in.Text();
    document_order_.push_back(id);
    auto& list = documents_[id];
    for (uint32_t k = in.Count(); k > 0 && in.ok(); --k) list.push_back(in.Text());
  }
  return in.ok();
}

}  // namespace tocsin::detect
