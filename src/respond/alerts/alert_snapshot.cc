// Save, Load and the memory estimate of AlertTable. The snapshot: a version, the texts once each, then the
// rows.
#include "respond/alerts/alert_table.h"
#include "stats/state_codec.h"

namespace tocsin::respond {
namespace {

constexpr uint32_t kVersion = 1;
constexpr size_t kMaxPairs = 4096;

// Texts of the pool by the number they get in the snapshot, in order of first use.
class TextList {
 public:
  explicit TextList(const StringPool& pool) : pool_(pool), numbers_(pool.id_bound(), StringPool::kNone) {}

  uint32_t Number(uint32_t id) {
    if (numbers_[id] == StringPool::kNone) {
      numbers_[id] = static_cast<uint32_t>(texts_.size());
      texts_.push_back(pool_.Text(id));
    }
    return numbers_[id];
  }
  const std::vector<std::string_view>& texts() const { return texts_; }

 private:
  const StringPool& pool_;
  std::vector<uint32_t> numbers_;
  std::vector<std::string_view> texts_;
};

class RowReader {
 public:
  RowReader(stats::StateReader& reader, const std::vector<std::string>& texts)
      : reader_(reader), texts_(texts) {}

  signal::Alert Read() {
    signal::Alert alert;
    alert.fingerprint = reader_.Get<uint64_t>();
    alert.starts_at.ns = reader_.Get<int64_t>();
    alert.ends_at.ns = reader_.Get<int64_t>();
    alert.updated_at.ns = reader_.Get<int64_t>();
    alert.assumed_end = reader_.Get<uint8_t>() != 0;
    alert.generator_url = Text();
    alert.source = Text();
    ReadPairs(alert.labels);
    ReadPairs(alert.annotations);
    if (alert.labels.empty()) reader_.Fail();
    return alert;
  }

 private:
  std::string Text() {
    const auto number = reader_.Get<uint32_t>();
    if (number < texts_.size()) return texts_[number];
    reader_.Fail();
    return {};
  }
  void ReadPairs(signal::LabelSet& out) {
    const auto count = reader_.Get<uint32_t>();
    if (count > kMaxPairs || count * 8ULL > reader_.left()) return reader_.Fail();
    out.reserve(count);
    for (uint32_t i = 0; i < count && reader_.ok(); ++i) {
      std::string name = Text();
      out.emplace_back(std::move(name), Text());
    }
  }

  stats::StateReader& reader_;
  const std::vector<std::string>& texts_;
};

}  // namespace

std::string AlertTable::Save() const {
  TextList texts(pool_);
  stats::StateWriter rows;
  rows.Put<uint64_t>(size());
  for (const Row& row : rows_) {
    if (row.labels == 0) continue;  // a free row
    rows.Put(row.fingerprint);
    rows.Put(row.starts_at.ns);
    rows.Put(row.ends_at.ns);
    rows.Put(row.updated_at.ns);
    rows.Put<uint8_t>(row.assumed_end ? 1 : 0);
    rows.Put(texts.Number(row.generator_url));
    rows.Put(texts.Number(row.source));
    const uint32_t* text = row.texts.get();
    for (const size_t pairs : {size_t{row.labels}, size_t{row.annotations}}) {
      rows.Put(static_cast<uint32_t>(pairs));
      for (size_t i = 0; i < pairs * 2; ++i) rows.Put(texts.Number(*text++));
    }
  }
  stats::StateWriter out;
  out.Put(kVersion);
  out.Put<uint64_t>(texts.texts().size());
  for (const std::string_view text : texts.texts()) out.PutString(text);
  return out.Take() + rows.Take();
}

Result<AlertTable> AlertTable::Load(std::string_view bytes, AlertTableLimits limits) {
  stats::StateReader reader(bytes);
  AlertTable table(limits);
  if (reader.Get<uint32_t>() != kVersion) return Error(Code::kDataLoss, "alert snapshot: not of version 1");
  const auto count = reader.Get<uint64_t>();
  if (count > reader.left() / 8) reader.Fail();
  std::vector<std::string> texts;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) texts.push_back(reader.GetString());
  const auto rows = reader.Get<uint64_t>();
  RowReader row_reader(reader, texts);
  for (uint64_t i = 0; i < rows && reader.ok(); ++i) {
    const signal::Alert alert = row_reader.Read();
    if (!reader.ok()) break;
    // Time 0: nothing counts as over while reading back, so that a full table keeps its resolved alerts.
    if (const auto merged = table.Merge(alert, Time{}); !merged.has_value()) return Error(merged.error());
  }
  if (!reader.ok() || reader.left() != 0 || table.size() != rows) {
    return Error(Code::kDataLoss, "alert snapshot: cut short or damaged");
  }
  return table;
}

size_t AlertTable::MemoryBytes() const {
  constexpr size_t kNode = 48;  // one entry of an unordered_map, with malloc's own
  size_t bytes = rows_.capacity() * sizeof(Row) + pool_.text_bytes() + pool_.size() * 48 +
                 by_fingerprint_.bytes() + postings_.size() * (kNode + 32);
  for (const auto& [key, rows] : postings_) bytes += rows.capacity() * sizeof(uint32_t);
  for (const Row& row : rows_) bytes += (size_t{row.labels} + row.annotations) * 8 + 16;
  return bytes;
}

}  // namespace tocsin::respond
