#include "store/internal/duckdb_connection.h"

#include <fmt/format.h>

#include "store/internal/duckdb_cell.h"

namespace tocsin::store::internal {
namespace {

// Releases a duckdb_result, which is a struct and not a handle.
class ResultOwner {
 public:
  ~ResultOwner() { duckdb_destroy_result(&result); }
  duckdb_result result{};
};

using PendingHandle = std::unique_ptr<std::remove_pointer_t<duckdb_pending_result>,
                                      HandleDeleter<duckdb_pending_result, duckdb_destroy_pending>>;
using ExtractedHandle = std::unique_ptr<std::remove_pointer_t<duckdb_extracted_statements>,
                                        HandleDeleter<duckdb_extracted_statements, duckdb_destroy_extracted>>;

Status FromResult(duckdb_result& result, const std::string& doing) {
  return FromDuckDb(duckdb_result_error_type(&result), duckdb_result_error(&result), doing);
}

struct Binder {
  duckdb_prepared_statement statement;
  idx_t index;
  duckdb_state operator()(std::monostate) const { return duckdb_bind_null(statement, index); }
  duckdb_state operator()(bool v) const { return duckdb_bind_boolean(statement, index, v); }
  duckdb_state operator()(int64_t v) const { return duckdb_bind_int64(statement, index, v); }
  duckdb_state operator()(double v) const { return duckdb_bind_double(statement, index, v); }
  duckdb_state operator()(const std::string& v) const {
    return duckdb_bind_varchar_length(statement, index, v.data(), v.size());
  }
};

}  // namespace

Status FromDuckDb(duckdb_error_type type, const char* message, const std::string& doing) {
  Code code = Code::kInvalidArgument;
  switch (type) {
    case DUCKDB_ERROR_INTERRUPT:
      code = Code::kDeadlineExceeded;
      break;
    case DUCKDB_ERROR_OUT_OF_MEMORY:
      code = Code::kResourceExhausted;
      break;
    case DUCKDB_ERROR_IO:
    case DUCKDB_ERROR_CONNECTION:
      code = Code::kUnavailable;
      break;
    case DUCKDB_ERROR_SERIALIZATION:
      code = Code::kDataLoss;
      break;
    case DUCKDB_ERROR_FATAL:
    case DUCKDB_ERROR_INTERNAL:
      code = Code::kInternal;
      break;
    case DUCKDB_ERROR_TRANSACTION:
      code = Code::kFailedPrecondition;
      break;
    case DUCKDB_ERROR_PERMISSION:
      code = Code::kPermissionDenied;
      break;
    default:
      break;
  }
  return Status(code, doing + ": " + (message != nullptr ? message : "no message from DuckDB"));
}

std::vector<std::string> DuckDbStatement::ColumnNames() const {
  std::vector<std::string> names(duckdb_prepared_statement_column_count(statement_.get()));
  for (size_t i = 0; i < names.size(); ++i) {
    const char* name = duckdb_prepared_statement_column_name(statement_.get(), i);
    if (name == nullptr) continue;
    names[i] = name;
    duckdb_free(const_cast<char*>(name));
  }
  return names;
}

std::vector<duckdb_type> DuckDbStatement::ColumnTypes() const {
  std::vector<duckdb_type> types(duckdb_prepared_statement_column_count(statement_.get()));
  for (size_t i = 0; i < types.size(); ++i)
    types[i] = duckdb_prepared_statement_column_type(statement_.get(), i);
  return types;
}

Status DuckDbStatement::Bind(const std::vector<SqlValue>& values) {
  const idx_t wanted = duckdb_nparams(statement_.get());
  if (wanted != values.size()) {
    return Status(Code::kInvalidArgument,
                  fmt::format("the query has {} parameters, {} values were given", wanted, values.size()));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::visit(Binder{statement_.get(), i + 1}, values[i]) != DuckDBSuccess) {
      return Status(Code::kInvalidArgument, fmt::format("parameter {} does not fit: {}", i + 1,
                                                        duckdb_prepare_error(statement_.get())));
    }
  }
  return Status::Ok();
}

Status DuckDbStatement::Stream(const ChunkSink& sink) {
  duckdb_pending_result raw = nullptr;
  const duckdb_state prepared = duckdb_pending_prepared_streaming(statement_.get(), &raw);
  const PendingHandle pending(raw);
  if (prepared != DuckDBSuccess) {
    return FromDuckDb(DUCKDB_ERROR_INVALID_INPUT, duckdb_pending_error(raw), "query");
  }
  ResultOwner owner;
  if (duckdb_execute_pending(raw, &owner.result) != DuckDBSuccess) return FromResult(owner.result, "query");
  while (true) {
    const ChunkHandle chunk(duckdb_fetch_chunk(owner.result));
    if (chunk == nullptr) break;
    TOCSIN_ASSIGN_OR_RETURN(const bool more, sink(chunk.get()));
    if (!more) return Status::Ok();
  }
  const char* error = duckdb_result_error(&owner.result);
  return error == nullptr ? Status::Ok() : FromResult(owner.result, "query");
}

Result<DuckDbConnection> DuckDbConnection::Open(duckdb_database database) {
  duckdb_connection connection = nullptr;
  if (duckdb_connect(database, &connection) != DuckDBSuccess) {
    return Error(Code::kUnavailable, "connecting to DuckDB failed");
  }
  return DuckDbConnection(connection);
}

Status DuckDbConnection::Run(const std::string& sql) {
  ResultOwner owner;
  if (duckdb_query(connection_.get(), sql.c_str(), &owner.result) == DuckDBSuccess) return Status::Ok();
  return FromResult(owner.result, "running '" + sql.substr(0, 60) + "'");
}

Result<DuckDbStatement> DuckDbConnection::Prepare(const std::string& sql) {
  duckdb_extracted_statements raw = nullptr;
  const idx_t count = duckdb_extract_statements(connection_.get(), sql.c_str(), &raw);
  const ExtractedHandle extracted(raw);
  if (count != 1) {
    const char* error = raw == nullptr ? nullptr : duckdb_extract_statements_error(raw);
    return Error(Code::kInvalidArgument, error != nullptr
                                             ? std::string(error)
                                             : fmt::format("one statement is asked for, {} given", count));
  }
  duckdb_prepared_statement statement = nullptr;
  const duckdb_state state = duckdb_prepare_extracted_statement(connection_.get(), raw, 0, &statement);
  DuckDbStatement owner(statement);
  if (state != DuckDBSuccess) {
    return Error(Code::kInvalidArgument, duckdb_prepare_error(statement));
  }
  return owner;
}

Status DuckDbConnection::Read(const std::string& sql, const std::vector<SqlValue>& values,
                              const ChunkSink& sink) {
  TOCSIN_ASSIGN_OR_RETURN(DuckDbStatement statement, Prepare(sql));
  TOCSIN_RETURN_IF_ERROR(statement.Bind(values));
  return statement.Stream(sink);
}

Result<int64_t> DuckDbConnection::ReadNumber(const std::string& sql, const std::vector<SqlValue>& values) {
  int64_t number = 0;
  TOCSIN_RETURN_IF_ERROR(Read(sql, values, [&](duckdb_data_chunk chunk) -> Result<bool> {
    if (duckdb_data_chunk_get_size(chunk) == 0) return true;
    const SqlValue value = ColumnReader(chunk, 0).Value(0);
    if (const auto* n = std::get_if<int64_t>(&value)) number = *n;
    return false;
  }));
  return number;
}

}  // namespace tocsin::store::internal
