#include "bench/ingest/raw_append.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <chrono>
#include <deque>
#include <memory>
#include <type_traits>
#include <vector>

#include "signal/fields.h"

namespace tocsin::bench {
namespace {

template <class Member>
constexpr duckdb_type TypeOf() {
  if constexpr (std::is_same_v<Member, bool>) {
    return DUCKDB_TYPE_BOOLEAN;
  } else if constexpr (std::is_same_v<Member, Time> || std::is_same_v<Member, Duration> ||
                       std::is_same_v<Member, int64_t> || std::is_same_v<Member, std::optional<int64_t>>) {
    return DUCKDB_TYPE_BIGINT;
  } else if constexpr (std::is_same_v<Member, std::optional<double>>) {
    return DUCKDB_TYPE_DOUBLE;
  } else {
    return DUCKDB_TYPE_VARCHAR;
  }
}

const char* SqlOf(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
      return "BOOLEAN";
    case DUCKDB_TYPE_BIGINT:
      return "BIGINT";
    case DUCKDB_TYPE_DOUBLE:
      return "DOUBLE";
    default:
      return "VARCHAR";
  }
}

void Put(duckdb_vector v, idx_t row, const std::string& s) {
  duckdb_vector_assign_string_element_len(v, row, s.data(), s.size());
}
template <class T>
void PutPlain(duckdb_vector v, idx_t row, T value) {
  static_cast<T*>(duckdb_vector_get_data(v))[row] = value;
}
void Put(duckdb_vector v, idx_t row, Time t) { PutPlain(v, row, t.ns); }
void Put(duckdb_vector v, idx_t row, Duration d) { PutPlain(v, row, d.ns); }
void Put(duckdb_vector v, idx_t row, int64_t n) { PutPlain(v, row, n); }
template <class T>
void Put(duckdb_vector v, idx_t row, const std::optional<T>& value) {
  duckdb_vector_ensure_validity_writable(v);
  duckdb_validity_set_row_validity(duckdb_vector_get_validity(v), row, value.has_value());
  if (value) PutPlain(v, row, *value);
}
// Lists and maps are empty in the benchmark's rows: their text is a constant.
template <class T>
void Put(duckdb_vector v, idx_t row, const T&) {
  duckdb_vector_assign_string_element(v, row, "[]");
}

class Database {
 public:
  ~Database() {
    if (connection_ != nullptr) duckdb_disconnect(&connection_);
    if (database_ != nullptr) duckdb_close(&database_);
  }
  bool Open(const std::string& path) {
    return duckdb_open(path.c_str(), &database_) == DuckDBSuccess &&
           duckdb_connect(database_, &connection_) == DuckDBSuccess;
  }
  Status Run(const std::string& sql) {
    duckdb_result result{};
    const bool good = duckdb_query(connection_, sql.c_str(), &result) == DuckDBSuccess;
    const Status status = good ? Status::Ok() : Status(Code::kInternal, duckdb_result_error(&result));
    duckdb_destroy_result(&result);
    return status;
  }
  duckdb_connection connection() { return connection_; }

 private:
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

template <class Record>
std::vector<duckdb_type> TypesOf() {
  std::vector<duckdb_type> types(2, DUCKDB_TYPE_BIGINT);  // position, ordinal
  const Record record{};
  signal::VisitFields(record,
                      [&]<class Member>(const char*, const Member&) { types.push_back(TypeOf<Member>()); });
  return types;
}

template <class Record>
std::string CreateTable() {
  std::string sql = fmt::format("CREATE TABLE {} (", signal::Schema<Record>::kTable);
  int i = 0;
  for (const duckdb_type type : TypesOf<Record>())
    sql += fmt::format("{}c{} {}", i == 0 ? "" : ", ", i, SqlOf(type)), ++i;
  return sql + ")";
}

template <class Record>
Status AppendTable(Database& database, std::span<const signal::Batch> batches,
                   std::vector<Record> signal::Batch::* member) {
  duckdb_appender appender = nullptr;
  if (duckdb_appender_create(database.connection(), nullptr, signal::Schema<Record>::kTable, &appender) !=
      DuckDBSuccess) {
    return Status(Code::kInternal, "no appender");
  }
  std::vector<duckdb_logical_type> types;
  for (const duckdb_type type : TypesOf<Record>()) types.push_back(duckdb_create_logical_type(type));
  duckdb_data_chunk chunk = duckdb_create_data_chunk(types.data(), types.size());
  std::vector<duckdb_vector> vectors(types.size());
  std::vector<const Record*> rows;
  int64_t position = 0;
  bool good = true;
  const auto flush = [&] {
    duckdb_data_chunk_reset(chunk);
    for (idx_t i = 0; i < vectors.size(); ++i) vectors[i] = duckdb_data_chunk_get_vector(chunk, i);
    for (idx_t row = 0; row < rows.size(); ++row) {
      idx_t column = 0;
      Put(vectors[column++], row, position);
      Put(vectors[column++], row, static_cast<int64_t>(row));
      signal::VisitFields(*rows[row],
                          [&](const char*, const auto& value) { Put(vectors[column++], row, value); });
    }
    duckdb_data_chunk_set_size(chunk, rows.size());
    good = good && duckdb_append_data_chunk(appender, chunk) == DuckDBSuccess;
    rows.clear();
  };
  for (const signal::Batch& batch : batches) {
    ++position;
    for (const Record& record : batch.*member) {
      rows.push_back(&record);
      if (rows.size() == duckdb_vector_size()) flush();
    }
  }
  if (!rows.empty()) flush();
  good = duckdb_appender_close(appender) == DuckDBSuccess && good;
  duckdb_appender_destroy(&appender);
  duckdb_destroy_data_chunk(&chunk);
  for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
  return good ? Status::Ok() : Status(Code::kInternal, "appending failed");
}

Status CreateTables(Database& database) {
  TOCSIN_RETURN_IF_ERROR(database.Run(CreateTable<signal::Span>()));
  return database.Run(CreateTable<signal::Generation>());
}

Status AppendAll(Database& database, std::span<const signal::Batch> batches, size_t commit_rows) {
  while (!batches.empty()) {
    size_t n = 0, rows = 0;
    while (n < batches.size() && rows < commit_rows) rows += batches[n++].size();
    TOCSIN_RETURN_IF_ERROR(database.Run("BEGIN TRANSACTION"));
    TOCSIN_RETURN_IF_ERROR(AppendTable(database, batches.first(n), &signal::Batch::spans));
    TOCSIN_RETURN_IF_ERROR(AppendTable(database, batches.first(n), &signal::Batch::generations));
    TOCSIN_RETURN_IF_ERROR(database.Run("COMMIT"));
    batches = batches.subspan(n);
  }
  return Status::Ok();
}

}  // namespace

Result<RawAppend> RawAppendRate(std::span<const signal::Batch> batches, const std::string& path, int repeat,
                                size_t commit_rows, bool checkpoint) {
  Database database;
  if (!database.Open(path)) return Error(Code::kUnavailable, "opening " + path + " with DuckDB failed");
  TOCSIN_RETURN_IF_ERROR(CreateTables(database));
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repeat; ++i) TOCSIN_RETURN_IF_ERROR(AppendAll(database, batches, commit_rows));
  if (checkpoint) TOCSIN_RETURN_IF_ERROR(database.Run("CHECKPOINT"));
  RawAppend rate;
  rate.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  size_t rows = 0, generations = 0;
  for (const signal::Batch& batch : batches) {
    rows += batch.spans.size() + batch.generations.size();
    generations += batch.generations.size();
  }
  rate.rows_per_s = static_cast<double>(rows) * repeat / rate.seconds;
  rate.generations_per_s = static_cast<double>(generations) * repeat / rate.seconds;
  return rate;
}

}  // namespace tocsin::bench
