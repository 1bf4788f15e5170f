#include "store/batch_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <vector>

#include "signal/fields.h"
#include "store/internal/byte_writer.h"

namespace tocsin::store {
namespace {

using internal::ByteReader;
using internal::ByteWriter;
using signal::Document;
using signal::ToolCall;

constexpr uint8_t kVersion = 1;
constexpr size_t kKeptBuffer = 8u << 20;
constexpr size_t kScalar = 11;  // most bytes a scalar or a length takes, with a presence byte

// Upper bound of the encoded size of a value.
size_t Bound(const std::string& s) { return kScalar + s.size(); }
size_t Bound(const std::vector<Document>& v) {
  size_t n = kScalar;
  for (const Document& d : v) n += Bound(d.id) + Bound(d.text) + kScalar;
  return n;
}
size_t Bound(const std::vector<ToolCall>& v) {
  size_t n = kScalar;
  for (const ToolCall& c : v) n += Bound(c.id) + Bound(c.name) + Bound(c.arguments) + Bound(c.result) + 1;
  return n;
}
size_t Bound(const std::map<std::string, std::string>& m) {
  size_t n = kScalar;
  for (const auto& [k, v] : m) n += Bound(k) + Bound(v);
  return n;
}
template <class Scalar>
size_t Bound(const Scalar&) {
  return kScalar;
}

void Put(ByteWriter& w, const std::string& s) { w.Text(s); }
void Put(ByteWriter& w, Time t) { w.Fixed(t.ns); }
void Put(ByteWriter& w, Duration d) { w.Varint(internal::ZigZag(d.ns)); }
void Put(ByteWriter& w, bool b) { w.Byte(b ? 1 : 0); }
void Put(ByteWriter& w, int64_t v) { w.Varint(internal::ZigZag(v)); }
void Put(ByteWriter& w, double v) { w.Fixed(std::bit_cast<uint64_t>(v)); }
template <class T>
void Put(ByteWriter& w, const std::optional<T>& v) {
  w.Byte(v ? 1 : 0);
  if (v) Put(w, *v);
}
void Put(ByteWriter& w, const std::vector<Document>& v) {
  w.Varint(v.size());
  for (const Document& d : v) {
    w.Text(d.id);
    w.Text(d.text);
    Put(w, d.score);
  }
}
void Put(ByteWriter& w, const std::vector<ToolCall>& v) {
  w.Varint(v.size());
  for (const ToolCall& c : v) {
    w.Text(c.id);
    w.Text(c.name);
    w.Text(c.arguments);
    w.Text(c.result);
    w.Byte(static_cast<uint8_t>((c.executed ? 1 : 0) | (c.failed ? 2 : 0)));
  }
}
void Put(ByteWriter& w, const std::map<std::string, std::string>& m) {
  w.Varint(m.size());
  for (const auto& [k, v] : m) {
    w.Text(k);
    w.Text(v);
  }
}

void Get(ByteReader& r, std::string& s) { s = r.Text(); }
void Get(ByteReader& r, Time& t) { t.ns = r.Fixed<int64_t>(); }
void Get(ByteReader& r, Duration& d) { d.ns = internal::UnZigZag(r.Varint()); }
void Get(ByteReader& r, bool& b) {
  const uint8_t v = r.Byte();
  if (v > 1) r.Fail();
  b = v == 1;
}
void Get(ByteReader& r, int64_t& v) { v = internal::UnZigZag(r.Varint()); }
void Get(ByteReader& r, double& v) { v = std::bit_cast<double>(r.Fixed<uint64_t>()); }
template <class T>
void Get(ByteReader& r, std::optional<T>& v) {
  bool present = false;
  Get(r, present);
  v.reset();
  if (present) Get(r, v.emplace());
}
// A count of elements that take at least `least` bytes each; a larger one cannot be true.
size_t Count(ByteReader& r, size_t least) {
  const uint64_t n = r.Varint();
  if (n > r.left() / least) return r.Fail();
  return static_cast<size_t>(n);
}
void Get(ByteReader& r, std::vector<Document>& v) {
  v.resize(Count(r, 3));
  for (Document& d : v) {
    Get(r, d.id);
    Get(r, d.text);
    Get(r, d.score);
  }
}
void Get(ByteReader& r, std::vector<ToolCall>& v) {
  v.resize(Count(r, 5));
  for (ToolCall& c : v) {
    Get(r, c.id);
    Get(r, c.name);
    Get(r, c.arguments);
    Get(r, c.result);
    const uint8_t flags = r.Byte();
    if (flags > 3) r.Fail();
    c.executed = (flags & 1) != 0;
    c.failed = (flags & 2) != 0;
  }
}
void Get(ByteReader& r, std::map<std::string, std::string>& m) {
  for (size_t n = Count(r, 2); n > 0 && r.ok(); --n) {
    const std::string_view key = r.Text();
    m.insert_or_assign(m.end(), std::string(key), std::string(r.Text()));
  }
}

template <class Record>
constexpr size_t kFieldCount = std::tuple_size_v<std::decay_t<decltype(signal::Schema<Record>::kFields)>>;

template <class Record>
void PutBlock(ByteWriter& w, uint8_t kind, const std::vector<Record>& rows) {
  w.Byte(kind);
  w.Varint(kFieldCount<Record>);
  w.Varint(rows.size());
  const size_t length_at = w.offset();
  w.Fixed(uint32_t{0});
  for (const Record& row : rows) {
    signal::VisitFields(row, [&](const char*, const auto& value) { Put(w, value); });
  }
  w.PatchU32(length_at, static_cast<uint32_t>(w.offset() - length_at - sizeof(uint32_t)));
}

template <class Record>
Status GetBlock(ByteReader& r, std::vector<Record>& rows) {
  const uint64_t fields = r.Varint();
  if (fields > kFieldCount<Record>) {
    return Status(Code::kFailedPrecondition,
                  fmt::format("{} has {} fields where this version knows {}: written by a newer Tocsin",
                              signal::Schema<Record>::kTable, fields, kFieldCount<Record>));
  }
  if (fields == 0) r.Fail();
  const size_t count = Count(r, std::max<size_t>(fields, 1));
  const auto length = r.Fixed<uint32_t>();
  const size_t start = r.offset();
  if (length > r.left()) r.Fail();
  if (r.ok()) rows.reserve(count);
  for (size_t i = 0; i < count && r.ok(); ++i) {
    uint64_t field = 0;
    signal::VisitFields(rows.emplace_back(), [&](const char*, auto& value) {
      if (field++ < fields) Get(r, value);
    });
  }
  if (r.ok() && r.offset() - start != length) r.Fail();
  return Status::Ok();
}

}  // namespace

std::string EncodeBatch(const signal::Batch& batch) {
  size_t bound = 32, kinds = 0;
  signal::VisitBatch(batch, [&](const auto& rows) {
    if (rows.empty()) return;
    ++kinds;
    bound += 32;
    for (const auto& row : rows) {
      signal::VisitFields(row, [&](const char*, const auto& value) { bound += Bound(value); });
    }
  });
  // The bound is loose, so the bytes are made in a buffer that is kept and returned in a text that fits.
  thread_local std::vector<char> buffer;
  if (buffer.size() < bound) buffer.resize(bound);
  ByteWriter w(buffer.data());
  w.Byte(kVersion);
  w.Varint(kinds);
  uint8_t kind = 0;
  signal::VisitBatch(batch, [&](const auto& rows) {
    if (!rows.empty()) PutBlock(w, kind, rows);
    ++kind;
  });
  std::string bytes(w.bytes());
  if (buffer.size() > kKeptBuffer) std::vector<char>().swap(buffer);
  return bytes;
}

Result<signal::Batch> DecodeBatch(std::string_view bytes) {
  ByteReader r(bytes);
  signal::Batch batch;
  const uint8_t version = r.Byte();
  if (r.ok() && version > kVersion) {
    return Error(Code::kFailedPrecondition,
                 fmt::format("batch format {} is newer than this version reads ({})", version, kVersion));
  }
  if (version == 0) r.Fail();
  Status status;
  for (uint64_t blocks = r.Varint(); blocks > 0 && r.ok() && status.ok(); --blocks) {
    const uint8_t kind = r.Byte();
    uint8_t index = 0;
    bool known = false;
    signal::VisitBatch(batch, [&](auto& rows) {
      if (index++ != kind) return;
      known = true;
      if (!rows.empty()) r.Fail();  // a kind comes once
      status = GetBlock(r, rows);
    });
    if (!known && r.ok()) {
      return Error(Code::kFailedPrecondition,
                   fmt::format("record kind {} is not known: written by a newer Tocsin", kind));
    }
  }
  if (!r.ok() || (status.ok() && r.left() != 0)) {
    return Error(Code::kDataLoss, fmt::format("batch is damaged at byte {} of {}",
                                              r.ok() ? r.offset() : r.failed_at(), bytes.size()));
  }
  if (!status.ok()) return Error(status);
  return batch;
}

size_t MemoryBytes(const signal::Batch& batch) {
  size_t bytes = sizeof batch;
  signal::VisitBatch(batch, [&](const auto& rows) {
    bytes += rows.size() * sizeof(rows[0]);
    for (const auto& row : rows) {
      signal::VisitFields(row, [&](const char*, const auto& value) {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::string>) {
          if (value.size() > 15) bytes += value.size() + 17;
        } else if constexpr (std::is_same_v<Value, std::vector<Document>> ||
                             std::is_same_v<Value, std::vector<ToolCall>>) {
          if (!value.empty()) bytes += Bound(value) + value.size() * sizeof(value[0]);
        } else if constexpr (std::is_same_v<Value, std::map<std::string, std::string>>) {
          if (!value.empty()) bytes += Bound(value) + value.size() * 96;
        }
      });
    }
  });
  return bytes;
}

}  // namespace tocsin::store
