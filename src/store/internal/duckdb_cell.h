// ColumnReader: one column of a DuckDB chunk as values. Refers to the chunk, which must outlive it.
#pragma once

#include <duckdb.h>

#include <string_view>

#include "store/telemetry_store.h"

namespace tocsin::store::internal {

// False for types that Value cannot read (lists, dates …): cast those to VARCHAR in the query.
bool IsPlainType(duckdb_type type);

class ColumnReader {
 public:
  ColumnReader(duckdb_data_chunk chunk, idx_t column);
  bool IsNull(idx_t row) const {
    return validity_ != nullptr && (validity_[row / 64] >> (row % 64) & 1) == 0;
  }
  // Only for a column of that very type.
  template <class T>
  T Get(idx_t row) const {
    return static_cast<const T*>(data_)[row];
  }
  std::string_view Text(idx_t row) const;
  SqlValue Value(idx_t row) const;

 private:
  duckdb_type type_;
  const void* data_;
  const uint64_t* validity_;
  double decimal_scale_ = 1;
  duckdb_type decimal_type_ = DUCKDB_TYPE_INVALID;
};

}  // namespace tocsin::store::internal
