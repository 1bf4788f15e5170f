// Owning handles over DuckDB's C API, with its errors as Status. Nothing outside store/ sees these.
//
// Ownership: each handle is released by its destructor; a statement must not outlive its connection, nor that
// its database. Thread-safety: one thread a connection; Interrupt may come from any thread.
#pragma once

#include <duckdb.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernel/status.h"
#include "store/telemetry_store.h"

namespace tocsin::store::internal {

template <class Handle, void (*Release)(Handle*)>
struct HandleDeleter {
  using pointer = Handle;
  void operator()(Handle h) const { Release(&h); }
};
using ConnectionHandle = std::unique_ptr<std::remove_pointer_t<duckdb_connection>,
                                         HandleDeleter<duckdb_connection, duckdb_disconnect>>;
using StatementHandle = std::unique_ptr<std::remove_pointer_t<duckdb_prepared_statement>,
                                        HandleDeleter<duckdb_prepared_statement, duckdb_destroy_prepare>>;
using ChunkHandle = std::unique_ptr<std::remove_pointer_t<duckdb_data_chunk>,
                                    HandleDeleter<duckdb_data_chunk, duckdb_destroy_data_chunk>>;

// Maps an error of DuckDB. `doing` goes in front of the message.
Status FromDuckDb(duckdb_error_type type, const char* message, const std::string& doing);

// Called with each chunk of a result; false ends the reading.
using ChunkSink = std::function<Result<bool>(duckdb_data_chunk)>;

class DuckDbStatement {
 public:
  explicit DuckDbStatement(duckdb_prepared_statement statement) : statement_(statement) {}
  duckdb_statement_type type() const { return duckdb_prepared_statement_type(statement_.get()); }
  std::vector<std::string> ColumnNames() const;
  std::vector<duckdb_type> ColumnTypes() const;
  // kInvalidArgument unless as many values are given as the statement has parameters.
  Status Bind(const std::vector<SqlValue>& values);
  // Executes, chunk by chunk as they are made: a large result is never held whole.
  Status Stream(const ChunkSink& sink);

 private:
  StatementHandle statement_;
};

class DuckDbConnection {
 public:
  static Result<DuckDbConnection> Open(duckdb_database database);
  duckdb_connection get() const { return connection_.get(); }
  // One or more statements, results dropped.
  Status Run(const std::string& sql);
  // Exactly one statement.
  Result<DuckDbStatement> Prepare(const std::string& sql);
  // Prepare, Bind and Stream.
  Status Read(const std::string& sql, const std::vector<SqlValue>& values, const ChunkSink& sink);
  // The first column of the only row, as a number; 0 when there is no row or it is NULL.
  Result<int64_t> ReadNumber(const std::string& sql, const std::vector<SqlValue>& values = {});
  void Interrupt() { duckdb_interrupt(connection_.get()); }

 private:
  explicit DuckDbConnection(duckdb_connection connection) : connection_(connection) {}
  ConnectionHandle connection_;
};

}  // namespace tocsin::store::internal
