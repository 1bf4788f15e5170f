#include "store/internal/table_writer.h"

#include <cstring>

namespace tocsin::store::internal {

ChunkWriter::~ChunkWriter() {
  if (appender_ != nullptr) duckdb_appender_destroy(&appender_);
}

Status ChunkWriter::Open(DuckDbConnection& connection, const char* table,
                         const std::vector<ColumnType>& columns) {
  if (duckdb_appender_create(connection.get(), nullptr, table, &appender_) != DuckDBSuccess) {
    return Status(Code::kInternal,
                  std::string("appending to ") + table + ": " + duckdb_appender_error(appender_));
  }
  std::vector<duckdb_logical_type> types;
  types.reserve(columns.size());
  for (const ColumnType& c : columns) types.push_back(duckdb_create_logical_type(c.type));
  chunk_.reset(duckdb_create_data_chunk(types.data(), types.size()));
  for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
  columns_.resize(columns.size());
  capacity_ = duckdb_vector_size();
  StartChunk();
  return Status::Ok();
}

void ChunkWriter::StartChunk() {
  duckdb_data_chunk_reset(chunk_.get());
  for (idx_t i = 0; i < columns_.size(); ++i) {
    columns_[i] = {duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk_.get(), i)), nullptr};
  }
  row_ = column_ = 0;
  kept_.clear();
}

void ChunkWriter::PutText(std::string_view text) {
  auto& s = static_cast<duckdb_string_t*>(columns_[column_++].data)[row_];
  if (text.size() <= sizeof s.value.inlined.inlined) {
    std::memset(&s, 0, sizeof s);
    s.value.inlined.length = static_cast<uint32_t>(text.size());
    if (!text.empty()) std::memcpy(s.value.inlined.inlined, text.data(), text.size());
    return;
  }
  s.value.pointer.length = static_cast<uint32_t>(text.size());
  std::memcpy(s.value.pointer.prefix, text.data(), sizeof s.value.pointer.prefix);
  s.value.pointer.ptr = const_cast<char*>(text.data());  // DuckDB only reads it
}

void ChunkWriter::Put(const std::string& v) {
  // DuckDB trusts its texts to be UTF-8; what comes from a journal is checked again here.
  PutText(IsUtf8(v) ? std::string_view(v) : std::string_view(Keep(RepairUtf8(v))));
}

void ChunkWriter::PutNull() {
  Column& column = columns_[column_];
  if (column.validity == nullptr) {
    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk_.get(), column_);
    duckdb_vector_ensure_validity_writable(vector);
    column.validity = duckdb_vector_get_validity(vector);
  }
  column.validity[row_ / 64] &= ~(uint64_t{1} << (row_ % 64));
  ++column_;
}

Status ChunkWriter::EndRow() {
  column_ = 0;
  if (++row_ < capacity_) return Status::Ok();
  return FlushChunk();
}

Status ChunkWriter::FlushChunk() {
  if (row_ == 0) return Status::Ok();
  duckdb_data_chunk_set_size(chunk_.get(), row_);
  if (duckdb_append_data_chunk(appender_, chunk_.get()) != DuckDBSuccess) {
    return Status(Code::kUnavailable, std::string("appending rows: ") + duckdb_appender_error(appender_));
  }
  StartChunk();
  return Status::Ok();
}

Status ChunkWriter::Close() {
  TOCSIN_RETURN_IF_ERROR(FlushChunk());
  if (duckdb_appender_close(appender_) != DuckDBSuccess) {
    return Status(Code::kUnavailable, std::string("appending rows: ") + duckdb_appender_error(appender_));
  }
  return Status::Ok();
}

}  // namespace tocsin::store::internal
