// ModelInventory: which models a stream asks for, and which answer. Facts, not statistics: a requested model
// the provider does not find, a reported model that is not the requested one, a model seen for the first
// time. Also the embedding models of queries and index. Not thread-safe; bounded to 64 names each.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "detect/finding.h"
#include "detect/internal/codec.h"
#include "detect/internal/observation.h"

namespace tocsin::detect {

// "gpt-4o" and "gpt-4o-2024-08-06" are one model under an alias and its dated name; so are
// "openai/gpt-4o" and "gpt-4o", and "x-latest" and "x-20240620".
bool SameModel(std::string_view requested, std::string_view reported);

class ModelInventory {
 public:
  explicit ModelInventory(std::map<std::string, std::string> index_models)
      : index_models_(std::move(index_models)) {}
  // Kind, detail, title, page, notes filled in; the caller adds the rest.
  std::vector<Finding> Observe(const Observation& observation, const StreamKey& stream);

  void Save(ByteWriter& out) const;
  bool Restore(ByteReader& in);

 private:
  void CheckFound(const Observation& o, const StreamKey& stream, std::vector<Finding>& out);
  void CheckReported(const Observation& o, const StreamKey& stream, std::vector<Finding>& out);
  void CheckEmbedding(const Observation& o, const StreamKey& stream, std::vector<Finding>& out);
  uint64_t Count(const std::string& key);

  std::map<std::string, std::string> index_models_;
  std::map<std::string, uint64_t> counts_;  // "404 model", "pair a b", "model m", "embed a b"
  uint64_t seen_ = 0;
};

}  // namespace tocsin::detect
