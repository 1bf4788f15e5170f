#include "detect/internal/model_inventory.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cctype>

#include "detect/internal/title.h"

namespace tocsin::detect {
namespace {

constexpr size_t kMaxNames = 256;
constexpr uint64_t kBaseline = 50;  // what a stream shows from its start is its normal

std::string Canonical(std::string_view name) {
  const size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  std::string out;
  for (const char c : name) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view suffix : {"-latest", ":latest"}) {
    if (out.ends_with(suffix)) out.resize(out.size() - suffix.size());
  }
  return out;
}

// "-0613", "-2024-08-06", "@20240620", "-001", "-v2:0"-free: only digits and separators, a digit needed.
bool DateSuffix(std::string_view suffix) {
  if (suffix.size() < 4 || (suffix[0] != '-' && suffix[0] != '@' && suffix[0] != ':')) return false;
  size_t digits = 0;
  for (const char c : suffix.substr(1)) {
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      ++digits;
    } else if (c != '-' && c != '.') {
      return false;
    }
  }
  return digits >= 3;
}

// Growth worth telling: 1, 2, 4, 8 …
bool PowerOfTwo(uint64_t n) { return std::has_single_bit(n); }

bool NotFound(const signal::Generation& g) {
  return g.http_status == 404 || g.error_type == "404" ||
         g.error_type.find("model_not_found") != std::string::npos ||
         g.error_type.find("NotFoundError") != std::string::npos;
}

Finding Fact(FindingKind kind, const StreamKey& stream, std::string detail, std::string title, uint64_t n) {
  Finding f;
  f.kind = kind;
  f.family = FindingKindName(kind);
  f.stream = stream;
  f.detail = std::move(detail);
  f.title = std::move(title);
  f.update = n > 1;
  f.after_count = n;
  return f;
}

}  // namespace

bool SameModel(std::string_view requested, std::string_view reported) {
  const std::string a = Canonical(requested);
  const std::string b = Canonical(reported);
  if (a == b) return true;
  const std::string& shorter = a.size() < b.size() ? a : b;
  const std::string& longer = a.size() < b.size() ? b : a;
  return longer.starts_with(shorter) && DateSuffix(std::string_view(longer).substr(shorter.size()));
}

uint64_t ModelInventory::Count(const std::string& key) {
  if (counts_.size() >= kMaxNames && !counts_.contains(key)) return 0;
  return ++counts_[key];
}

void ModelInventory::CheckFound(const Observation& o, const StreamKey& stream, std::vector<Finding>& out) {
  const auto& g = o.generation;
  if (!NotFound(g) || g.request_model.empty()) return;
  const std::string model = Excerpt(g.request_model, 100);
  const uint64_t n = Count("404 " + model);
  if (!PowerOfTwo(n)) return;
  auto& f = out.emplace_back(Fact(
      FindingKind::kModelInventory, stream, "not_found:" + model,
      fmt::format("Model {} requested by {} is not found by the provider", model, WhoAnswers(stream)), n));
  f.notes.push_back(fmt::format("{} call{} of {} answered 404{}.", n, n == 1 ? "" : "s", model,
                                g.provider.empty() ? "" : " by " + Excerpt(g.provider, 60)));
  f.notes.emplace_back(
      "A retired or misspelt model name fails every call; check the provider's list of models.");
}

void ModelInventory::CheckReported(const Observation& o, const StreamKey& stream, std::vector<Finding>& out) {
  const auto& g = o.generation;
  if (g.response_model.empty()) return;
  const std::string reported = Excerpt(g.response_model, 100);
  const uint64_t seen = Count("model " + reported);
  if (!g.request_model.empty() && !SameModel(g.request_model, g.response_model)) {
    const std::string requested = Excerpt(g.request_model, 100);
    const uint64_t n = Count("pair " + requested + " " + reported);
    if (!PowerOfTwo(n)) return;
    auto& f = out.emplace_back(Fact(
        FindingKind::kModelInventory, stream, "other_model:" + requested + ">" + reported,
        fmt::format("{} asks for {} and is answered by {}", WhoAnswers(stream), requested, reported), n));
    f.page = seen_ > kBaseline;
    f.notes.push_back(fmt::format("{} answer{} so reported.", n, n == 1 ? "" : "s"));
    if (!f.page)
      f.notes.emplace_back("It has been so since the first answers seen: perhaps a deployment's alias.");
    return;
  }
  if (seen == 1 && seen_ > kBaseline) {
    auto& f = out.emplace_back(
        Fact(FindingKind::kModelInventory, stream, "first_seen:" + reported,
             fmt::format("{} is answered by {} for the first time", WhoAnswers(stream), reported), 1));
    f.page = false;
    f.family = "note";
  }
}

void ModelInventory::CheckEmbedding(const Observation& o, const StreamKey& stream,
                                    std::vector<Finding>& out) {
  if (o.query_embedding_model.empty()) return;
  std::string index = o.index_embedding_model;
  if (index.empty()) {
    auto it = index_models_.find(o.data_source);
    if (it == index_models_.end()) it = index_models_.find("");
    if (it != index_models_.end()) index = it->second;
  }
  if (index.empty() || SameModel(o.query_embedding_model, index)) return;
  const std::string query = Excerpt(o.query_embedding_model, 100);
  const uint64_t n = Count("embed " + query + " " + index);
  if (!PowerOfTwo(n)) return;
  auto& f = out.emplace_back(Fact(FindingKind::kRetrieval, stream, "embedding:" + query + ">" + index,
                                  fmt::format("Queries of {} are embedded with {}, the index with {}",
                                              WhoAnswers(stream), query, Excerpt(index, 100)),
                                  n));
  f.family = "embedding";
  f.notes.push_back(fmt::format(
      "{} retrieval{} with vectors of another model than the index's: distances between them mean nothing. "
      "Re-index, or query with the index's model; leave prompt and model alone.",
      n, n == 1 ? "" : "s"));
}

std::vector<Finding> ModelInventory::Observe(const Observation& o, const StreamKey& stream) {
  std::vector<Finding> out;
  ++seen_;
  CheckFound(o, stream, out);
  CheckReported(o, stream, out);
  CheckEmbedding(o, stream, out);
  return out;
}

void ModelInventory::Save(ByteWriter& out) const {
  out.Put(seen_);
  out.Put(static_cast<uint32_t>(counts_.size()));
  for (const auto& [key, n] : counts_) {
    out.Text(key);
    out.Put(n);
  }
}

bool ModelInventory::Restore(ByteReader& in) {
  in.Get(seen_);
  counts_.clear();
  for (uint32_t n = in.Count(); n > 0 && in.ok(); --n) {
    const std::string key = in.Text();
    in.Get(counts_[key]);
  }
  return in.ok();
}

}  // namespace tocsin::detect
