// TableWriter: appends records of one kind to their table, 2,048 rows a chunk, without copying their texts:
// the chunk points into the records until DuckDB has taken it.
//
// Use: Open, Add…, Close, inside a transaction of the connection. Records added must live until Close.
// Ownership: refers to the connection. Thread-safety: none.
#pragma once

#include <duckdb.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "kernel/status.h"
#include "store/internal/duckdb_connection.h"
#include "store/internal/json_columns.h"
#include "store/internal/telemetry_columns.h"

namespace tocsin::store::internal {

// The part that does not depend on the record.
class ChunkWriter {
 public:
  ~ChunkWriter();
  ChunkWriter(const ChunkWriter&) = delete;
  ChunkWriter& operator=(const ChunkWriter&) = delete;
  // Flushes what is left to the table.
  Status Close();

 protected:
  ChunkWriter() = default;
  Status Open(DuckDbConnection& connection, const char* table, const std::vector<ColumnType>& columns);
  // Writes into the current row, next column.
  void Put(const std::string& v);
  void Put(Time v) { PutPlain(v.ns); }
  void Put(Duration v) { PutPlain(v.ns); }
  void Put(bool v) { PutPlain(v); }
  void Put(int64_t v) { PutPlain(v); }
  template <class T>
  void Put(const std::optional<T>& v) {
    if (v) {
      PutPlain(*v);
    } else {
      PutNull();
    }
  }
  template <class T>
  void Put(const std::vector<T>& v) {
    PutJson(v.empty() ? "[]" : std::string_view(Keep(ToJson(v))));
  }
  void Put(const Attributes& v) { PutJson(v.empty() ? "{}" : std::string_view(Keep(ToJson(v)))); }
  Status EndRow();

 private:
  struct Column {
    void* data = nullptr;
    uint64_t* validity = nullptr;  // only where a NULL was put
  };
  template <class T>
  void PutPlain(T v) {
    static_cast<T*>(columns_[column_++].data)[row_] = v;
  }
  void PutNull();
  void PutJson(std::string_view text) { PutText(text); }
  void PutText(std::string_view text);
  const std::string& Keep(std::string text) { return kept_.emplace_back(std::move(text)); }
  void StartChunk();
  Status FlushChunk();

  duckdb_appender appender_ = nullptr;
  ChunkHandle chunk_;
  std::vector<Column> columns_;
  idx_t row_ = 0;
  idx_t column_ = 0;
  idx_t capacity_ = 0;
  std::deque<std::string> kept_;  // texts made for this chunk
};

template <class Record>
class TableWriter : public ChunkWriter {
 public:
  Status Open(DuckDbConnection& connection) {
    std::vector<ColumnType> columns(kLeadingColumns, ColumnTypeOf<int64_t>());
    VisitColumns<Record>([&](const char*, ColumnType type) { columns.push_back(type); });
    return ChunkWriter::Open(connection, signal::Schema<Record>::kTable, columns);
  }
  Status Add(int64_t position, int64_t ordinal, const Record& record) {
    Put(position);
    Put(ordinal);
    signal::VisitFields(record, [&](const char*, const auto& value) { Put(value); });
    return EndRow();
  }
};

// The rows of `entries`: one a journal entry.
class EntryWriter : public ChunkWriter {
 public:
  Status Open(DuckDbConnection& connection) {
    return ChunkWriter::Open(connection, "entries", std::vector<ColumnType>(3, ColumnTypeOf<int64_t>()));
  }
  Status Add(int64_t position, int64_t rows, int64_t kinds) {
    Put(position);
    Put(rows);
    Put(kinds);
    return EndRow();
  }
};

}  // namespace tocsin::store::internal
