#include "store/internal/duckdb_cell.h"

#include <cmath>

namespace tocsin::store::internal {
namespace {

// HUGEINT, as a whole number when it fits (sums of BIGINT are of this type).
SqlValue FromHuge(duckdb_hugeint v) {
  const bool fits = (v.upper == 0 && v.lower <= INT64_MAX) || (v.upper == -1 && v.lower > INT64_MAX);
  if (fits) return static_cast<int64_t>(v.lower);
  return duckdb_hugeint_to_double(v);
}

SqlValue FromUnsigned(uint64_t v) {
  if (v <= INT64_MAX) return static_cast<int64_t>(v);
  return static_cast<double>(v);
}

}  // namespace

bool IsPlainType(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_DECIMAL:
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_SQLNULL:
      return true;
    default:
      return false;
  }
}

ColumnReader::ColumnReader(duckdb_data_chunk chunk, idx_t column) {
  duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, column);
  duckdb_logical_type type = duckdb_vector_get_column_type(vector);
  type_ = duckdb_get_type_id(type);
  if (type_ == DUCKDB_TYPE_DECIMAL) {
    decimal_scale_ = std::pow(10.0, duckdb_decimal_scale(type));
    decimal_type_ = duckdb_decimal_internal_type(type);
  }
  duckdb_destroy_logical_type(&type);
  data_ = duckdb_vector_get_data(vector);
  validity_ = duckdb_vector_get_validity(vector);
}

std::string_view ColumnReader::Text(idx_t row) const {
  const auto& s = static_cast<const duckdb_string_t*>(data_)[row];
  const uint32_t length = s.value.inlined.length;
  return {length <= sizeof s.value.inlined.inlined ? s.value.inlined.inlined : s.value.pointer.ptr, length};
}

SqlValue ColumnReader::Value(idx_t row) const {
  if (IsNull(row)) return std::monostate{};
  switch (type_) {
    case DUCKDB_TYPE_BOOLEAN:
      return Get<bool>(row);
    case DUCKDB_TYPE_TINYINT:
      return int64_t{Get<int8_t>(row)};
    case DUCKDB_TYPE_SMALLINT:
      return int64_t{Get<int16_t>(row)};
    case DUCKDB_TYPE_INTEGER:
      return int64_t{Get<int32_t>(row)};
    case DUCKDB_TYPE_BIGINT:
      return Get<int64_t>(row);
    case DUCKDB_TYPE_UTINYINT:
      return int64_t{Get<uint8_t>(row)};
    case DUCKDB_TYPE_USMALLINT:
      return int64_t{Get<uint16_t>(row)};
    case DUCKDB_TYPE_UINTEGER:
      return int64_t{Get<uint32_t>(row)};
    case DUCKDB_TYPE_UBIGINT:
      return FromUnsigned(Get<uint64_t>(row));
    case DUCKDB_TYPE_HUGEINT:
      return FromHuge(Get<duckdb_hugeint>(row));
    case DUCKDB_TYPE_FLOAT:
      return double{Get<float>(row)};
    case DUCKDB_TYPE_DOUBLE:
      return Get<double>(row);
    case DUCKDB_TYPE_VARCHAR:
      return std::string(Text(row));
    case DUCKDB_TYPE_DECIMAL:
      switch (decimal_type_) {
        case DUCKDB_TYPE_SMALLINT:
          return Get<int16_t>(row) / decimal_scale_;
        case DUCKDB_TYPE_INTEGER:
          return Get<int32_t>(row) / decimal_scale_;
        case DUCKDB_TYPE_BIGINT:
          return static_cast<double>(Get<int64_t>(row)) / decimal_scale_;
        default:
          return duckdb_hugeint_to_double(Get<duckdb_hugeint>(row)) / decimal_scale_;
      }
    default:
      return std::monostate{};
  }
}

}  // namespace tocsin::store::internal
