#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>

#include "store/internal/duckdb_connection.h"
#include "store/internal/query_watch.h"
#include "store/internal/sql_query.h"
#include "store/internal/table_reader.h"
#include "store/internal/table_writer.h"
#include "store/internal/telemetry_schema.h"
#include "store/telemetry_store.h"

namespace tocsin::store {
namespace {

using internal::DuckDbConnection;

constexpr size_t kMaxRowsPerRead = 50'000;  // of EntriesAfter, so that a few huge entries do not fill memory

class DuckDbStore final : public TelemetryStore {
 public:
  ~DuckDbStore() override {
    writer_.reset();
    if (database_ != nullptr) duckdb_close(&database_);
  }

  Status Open(const DuckDbOptions& options);
  Status Apply(std::span<const JournalEntry> entries) override;
  Result<uint64_t> AppliedPosition() override { return applied_.load(); }
  Result<Rows> Query(const std::string& sql, const std::vector<SqlValue>& parameters,
                     const QueryLimits& limits) override;
  Result<std::vector<StoredGeneration>> Generations(const GenerationFilter& filter) override;
  Result<std::vector<JournalEntry>> EntriesAfter(uint64_t position, size_t limit) override;
  Result<std::vector<signal::Change>> Changes(Time from, Time to, size_t limit) override;
  Result<std::vector<signal::Retrieval>> Retrievals(const SiblingFilter& filter) override;
  Result<std::vector<signal::ToolExecution>> ToolExecutions(const SiblingFilter& filter) override;
  Result<std::vector<TableCount>> Counts() override;
  Result<int64_t> Expire(Time before) override;

 private:
  Status WriteEntries(std::span<const JournalEntry> entries);
  Status ExpireIn(DuckDbConnection& connection, Time before, int64_t& gone);

  duckdb_database database_ = nullptr;
  std::unique_ptr<DuckDbConnection> writer_;
  internal::QueryWatch watch_;
  std::atomic<uint64_t> applied_{0};
  std::mutex expire_mutex_;
};

// Released when the configuration has been used.
struct Config {
  duckdb_config config = nullptr;
  Config() { duckdb_create_config(&config); }
  ~Config() { duckdb_destroy_config(&config); }
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;
  Status Set(const char* name, const std::string& value) {
    if (duckdb_set_config(config, name, value.c_str()) == DuckDBSuccess) return Status::Ok();
    return Status(Code::kInternal, fmt::format("DuckDB has no setting {} = {}", name, value));
  }
};

Status Configure(Config& config, const DuckDbOptions& options) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  const int threads = options.threads > 0 ? options.threads : std::max(1, cores / 2);
  TOCSIN_RETURN_IF_ERROR(config.Set("threads", std::to_string(threads)));
  TOCSIN_RETURN_IF_ERROR(config.Set("memory_limit", fmt::format("{}MB", options.memory_limit_mb)));
  TOCSIN_RETURN_IF_ERROR(config.Set("autoinstall_known_extensions", "false"));
  TOCSIN_RETURN_IF_ERROR(config.Set("autoload_known_extensions", "false"));
  TOCSIN_RETURN_IF_ERROR(config.Set("allow_community_extensions", "false"));
  return config.Set("checkpoint_threshold", "256MB");
}

// What DuckDB says when it cannot open a file, by what the operator can do about it.
Status OpenFailure(const std::string& path, const std::string& message) {
  const auto says = [&](const char* part) { return message.find(part) != std::string::npos; };
  Code code = Code::kDataLoss;
  if (says("lock") || says("newer")) {
    code = Code::kFailedPrecondition;
  } else if (says("No such file") || says("Permission denied") || says("Read-only") || says("No space")) {
    code = Code::kUnavailable;
  }
  return Status(code, fmt::format("opening telemetry database {}: {}", path, message));
}

Status DuckDbStore::Open(const DuckDbOptions& options) {
  Config config;
  TOCSIN_RETURN_IF_ERROR(Configure(config, options));
  char* error = nullptr;
  const char* path = options.path == ":memory:" ? nullptr : options.path.c_str();
  if (duckdb_open_ext(path, &database_, config.config, &error) != DuckDBSuccess) {
    const std::string message = error != nullptr ? error : "no message from DuckDB";
    duckdb_free(error);
    return OpenFailure(options.path, message);
  }
  TOCSIN_ASSIGN_OR_RETURN(DuckDbConnection connection, DuckDbConnection::Open(database_));
  writer_ = std::make_unique<DuckDbConnection>(std::move(connection));
  // A query may spill to disk, within a bound; it may not touch any other file, nor change a setting.
  if (path != nullptr) {
    TOCSIN_RETURN_IF_ERROR(writer_->Run("SET max_temp_directory_size = '4GB'"));
  }
  TOCSIN_RETURN_IF_ERROR(writer_->Run("SET enable_external_access = false"));
  TOCSIN_RETURN_IF_ERROR(internal::MigrateTelemetry(*writer_));
  TOCSIN_RETURN_IF_ERROR(writer_->Run("SET lock_configuration = true"));
  TOCSIN_ASSIGN_OR_RETURN(const int64_t applied, writer_->ReadNumber("SELECT max(position) FROM applied"));
  applied_ = static_cast<uint64_t>(applied);
  return Status::Ok();
}

template <class Record>
Status WriteTable(DuckDbConnection& connection, std::span<const JournalEntry> entries,
                  std::vector<Record> signal::Batch::* member) {
  const bool none = std::all_of(entries.begin(), entries.end(),
                                [&](const JournalEntry& e) { return ((*e.batch).*member).empty(); });
  if (none) return Status::Ok();
  internal::TableWriter<Record> writer;
  TOCSIN_RETURN_IF_ERROR(writer.Open(connection));
  for (const JournalEntry& entry : entries) {
    int64_t ordinal = 0;
    for (const Record& record : (*entry.batch).*member) {
      TOCSIN_RETURN_IF_ERROR(writer.Add(static_cast<int64_t>(entry.position), ordinal++, record));
    }
  }
  return writer.Close();
}

Status WriteIndex(DuckDbConnection& connection, std::span<const JournalEntry> entries) {
  internal::EntryWriter writer;
  TOCSIN_RETURN_IF_ERROR(writer.Open(connection));
  for (const JournalEntry& entry : entries) {
    int64_t kinds = 0, bit = 1;
    signal::VisitBatch(*entry.batch, [&](const auto& rows) {
      if (!rows.empty()) kinds |= bit;
      bit <<= 1;
    });
    TOCSIN_RETURN_IF_ERROR(
        writer.Add(static_cast<int64_t>(entry.position), static_cast<int64_t>(entry.batch->size()), kinds));
  }
  return writer.Close();
}

Status DuckDbStore::WriteEntries(std::span<const JournalEntry> entries) {
  using signal::Batch;
  TOCSIN_RETURN_IF_ERROR(WriteTable(*writer_, entries, &Batch::spans));
  TOCSIN_RETURN_IF_ERROR(WriteTable(*writer_, entries, &Batch::logs));
  TOCSIN_RETURN_IF_ERROR(WriteTable(*writer_, entries, &Batch::metrics));
  TOCSIN_RETURN_IF_ERROR(WriteTable(*writer_, entries, &Batch::generations));
  TOCSIN_RETURN_IF_ERROR(WriteTable(*writer_, entries, &Batch::retrievals));
  TOCSIN_RETURN_IF_ERROR(WriteTable(*writer_, entries, &Batch::tool_executions));
  TOCSIN_RETURN_IF_ERROR(WriteTable(*writer_, entries, &Batch::evaluations));
  TOCSIN_RETURN_IF_ERROR(WriteTable(*writer_, entries, &Batch::feedbacks));
  TOCSIN_RETURN_IF_ERROR(WriteTable(*writer_, entries, &Batch::changes));
  TOCSIN_RETURN_IF_ERROR(WriteTable(*writer_, entries, &Batch::log_templates));
  TOCSIN_RETURN_IF_ERROR(WriteIndex(*writer_, entries));
  return writer_->Run(fmt::format("UPDATE applied SET position = {}", entries.back().position));
}

Status DuckDbStore::Apply(std::span<const JournalEntry> entries) {
  const uint64_t applied = applied_.load();
  while (!entries.empty() && entries.front().position <= applied) entries = entries.subspan(1);
  if (entries.empty()) return Status::Ok();
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].position <= entries[i - 1].position) {
      return Status(Code::kInternal, "journal entries are out of order");
    }
  }
  TOCSIN_RETURN_IF_ERROR(writer_->Run("BEGIN TRANSACTION"));
  Status status = WriteEntries(entries);
  if (status.ok()) status = writer_->Run("COMMIT");
  if (!status.ok()) {
    (void)writer_->Run("ROLLBACK");
    return status.WithContext(
        fmt::format("storing entries {} to {}", entries.front().position, entries.back().position));
  }
  applied_ = entries.back().position;
  return status;
}

Result<Rows> DuckDbStore::Query(const std::string& sql, const std::vector<SqlValue>& parameters,
                                const QueryLimits& limits) {
  TOCSIN_ASSIGN_OR_RETURN(DuckDbConnection connection, DuckDbConnection::Open(database_));
  const auto guard = watch_.Watch(connection, limits.timeout);
  return internal::RunQuery(connection, sql, parameters, limits);
}

Result<std::vector<StoredGeneration>> DuckDbStore::Generations(const GenerationFilter& filter) {
  std::string where = "WHERE position > ?";
  std::vector<SqlValue> values = {static_cast<int64_t>(filter.after_position)};
  const auto add = [&](bool wanted, const char* condition, SqlValue value) {
    if (!wanted) return;
    where += condition;
    values.push_back(std::move(value));
  };
  add(!filter.service.empty(), " AND service = ?", filter.service);
  add(!filter.prompt_name.empty(), " AND prompt_name = ?", filter.prompt_name);
  add(filter.from.known(), " AND time_ns >= ?", filter.from.ns);
  add(filter.to.known(), " AND time_ns < ?", filter.to.ns);
  add(!filter.trace_id.empty(), " AND trace_id = ?", filter.trace_id);
  if (!filter.condition.empty()) {
    where += fmt::format(" AND ({})", filter.condition);
    values.insert(values.end(), filter.condition_values.begin(), filter.condition_values.end());
  }
  if (filter.one_in > 1) {
    // Odd multipliers scatter both counters; the remainder is by the high digits.
    where += fmt::format(" AND ((position * 7919 + ordinal * 104729) % 1000003) % {} = 0", filter.one_in);
  }
  where += fmt::format(" ORDER BY position, ordinal LIMIT {}", filter.limit);
  TOCSIN_ASSIGN_OR_RETURN(DuckDbConnection connection, DuckDbConnection::Open(database_));
  std::vector<StoredGeneration> found;
  TOCSIN_RETURN_IF_ERROR(internal::ReadRecords<signal::Generation>(
      connection, where, values,
      [&](uint64_t position, signal::Generation&& g) { found.push_back({position, std::move(g)}); }));
  return found;
}

struct EntryRange {
  std::vector<int64_t> positions;
  int64_t kinds = 0;  // bits of the tables that have rows for them
};

Result<EntryRange> FindEntries(DuckDbConnection& connection, uint64_t after, size_t limit) {
  EntryRange range;
  int64_t rows = 0;
  TOCSIN_RETURN_IF_ERROR(connection.Read(
      fmt::format("SELECT position, rows, kinds FROM entries WHERE position > ? ORDER BY position LIMIT {}",
                  limit),
      {static_cast<int64_t>(after)}, [&](duckdb_data_chunk chunk) -> Result<bool> {
        const internal::ColumnReader position(chunk, 0), count(chunk, 1), kinds(chunk, 2);
        for (idx_t i = 0; i < duckdb_data_chunk_get_size(chunk); ++i) {
          rows += count.Get<int64_t>(i);
          if (!range.positions.empty() && rows > static_cast<int64_t>(kMaxRowsPerRead)) return false;
          range.positions.push_back(position.Get<int64_t>(i));
          range.kinds |= kinds.Get<int64_t>(i);
        }
        return true;
      }));
  return range;
}

Result<std::vector<JournalEntry>> DuckDbStore::EntriesAfter(uint64_t position, size_t limit) {
  TOCSIN_ASSIGN_OR_RETURN(DuckDbConnection connection, DuckDbConnection::Open(database_));
  TOCSIN_RETURN_IF_ERROR(connection.Run("BEGIN TRANSACTION READ ONLY"));  // one snapshot for all tables
  TOCSIN_ASSIGN_OR_RETURN(const EntryRange range, FindEntries(connection, position, limit));
  std::vector<std::shared_ptr<signal::Batch>> batches(range.positions.size());
  for (auto& batch : batches) batch = std::make_shared<signal::Batch>();
  Status status;
  int index = 0;
  const auto read = [&]<class Record>(std::vector<Record> signal::Batch::* member) {
    const bool any = (range.kinds >> index++ & 1) != 0;
    if (!any || !status.ok()) return;
    size_t at = 0;
    status = internal::ReadRecords<Record>(
        connection, "WHERE position BETWEEN ? AND ? ORDER BY position, ordinal",
        {range.positions.front(), range.positions.back()}, [&](uint64_t p, Record&& record) {
          while (at + 1 < range.positions.size() && range.positions[at] < static_cast<int64_t>(p)) ++at;
          ((*batches[at]).*member).push_back(std::move(record));
        });
  };
  using signal::Batch;
  read(&Batch::spans), read(&Batch::logs), read(&Batch::metrics), read(&Batch::generations);
  read(&Batch::retrievals), read(&Batch::tool_executions), read(&Batch::evaluations);
  read(&Batch::feedbacks), read(&Batch::changes), read(&Batch::log_templates);
  TOCSIN_RETURN_IF_ERROR(std::move(status));
  std::vector<JournalEntry> entries;
  for (size_t i = 0; i < batches.size(); ++i) {
    entries.push_back({static_cast<uint64_t>(range.positions[i]), std::move(batches[i])});
  }
  return entries;
}

Result<std::vector<signal::Change>> DuckDbStore::Changes(Time from, Time to, size_t limit) {
  TOCSIN_ASSIGN_OR_RETURN(DuckDbConnection connection, DuckDbConnection::Open(database_));
  std::vector<signal::Change> changes;
  TOCSIN_RETURN_IF_ERROR(internal::ReadRecords<signal::Change>(
      connection,
      fmt::format("WHERE time_ns >= ? AND time_ns < ? ORDER BY time_ns, position, ordinal LIMIT {}", limit),
      {from.known() ? from.ns : INT64_MIN, to.known() ? to.ns : INT64_MAX},
      [&](uint64_t, signal::Change&& change) { changes.push_back(std::move(change)); }));
  return changes;
}

template <class Record>
Result<std::vector<Record>> ReadSiblings(duckdb_database database, const SiblingFilter& filter) {
  TOCSIN_ASSIGN_OR_RETURN(DuckDbConnection connection, DuckDbConnection::Open(database));
  std::vector<SqlValue> values{filter.from.known() ? filter.from.ns : INT64_MIN,
                               filter.to.known() ? filter.to.ns : INT64_MAX};
  std::string where = "WHERE time_ns >= ? AND time_ns < ?";
  if (!filter.trace_id.empty()) {
    where += " AND trace_id = ?";
    values.emplace_back(filter.trace_id);
  }
  where += fmt::format(" ORDER BY position, ordinal LIMIT {}", filter.limit);
  std::vector<Record> found;
  TOCSIN_RETURN_IF_ERROR(internal::ReadRecords<Record>(
      connection, where, values, [&](uint64_t, Record&& record) { found.push_back(std::move(record)); }));
  return found;
}

Result<std::vector<signal::Retrieval>> DuckDbStore::Retrievals(const SiblingFilter& filter) {
  return ReadSiblings<signal::Retrieval>(database_, filter);
}

Result<std::vector<signal::ToolExecution>> DuckDbStore::ToolExecutions(const SiblingFilter& filter) {
  return ReadSiblings<signal::ToolExecution>(database_, filter);
}

Result<std::vector<TableCount>> DuckDbStore::Counts() {
  TOCSIN_ASSIGN_OR_RETURN(DuckDbConnection connection, DuckDbConnection::Open(database_));
  TOCSIN_RETURN_IF_ERROR(connection.Run("BEGIN TRANSACTION READ ONLY"));
  std::vector<TableCount> counts;
  Status status;
  const signal::Batch batch;
  signal::VisitBatch(batch, [&]<class Record>(const std::vector<Record>&) {
    const char* table = signal::Schema<Record>::kTable;
    const auto rows = connection.ReadNumber(fmt::format("SELECT count(*) FROM {}", table));
    if (rows) {
      counts.push_back({table, *rows});
    } else {
      status = rows.error();
    }
  });
  TOCSIN_RETURN_IF_ERROR(std::move(status));
  return counts;
}

Status DuckDbStore::ExpireIn(DuckDbConnection& connection, Time before, int64_t& gone) {
  Status status;
  std::string oldest;
  const signal::Batch batch;
  signal::VisitBatch(batch, [&]<class Record>(const std::vector<Record>&) {
    const char* table = signal::Schema<Record>::kTable;
    if (!oldest.empty()) oldest += " UNION ALL ";
    oldest += fmt::format("SELECT min(position) AS p FROM {}", table);
    if (!status.ok()) return;
    // A template is written again within a day of any line of it, so its last row must outlive that line.
    constexpr bool kTemplate = std::is_same_v<Record, signal::LogTemplate>;
    const Time cut = kTemplate ? before - Duration::Hours(48) : before;
    const auto count =
        connection.ReadNumber(fmt::format("DELETE FROM {} WHERE time_ns < ?", table), {cut.ns});
    if (count) {
      gone += *count;
    } else {
      status = count.error();
    }
  });
  TOCSIN_RETURN_IF_ERROR(std::move(status));
  TOCSIN_ASSIGN_OR_RETURN(const int64_t kept, connection.ReadNumber(fmt::format(
                                                  "SELECT coalesce(min(p), (SELECT max(position) + 1 FROM "
                                                  "entries)) FROM ({})",
                                                  oldest)));
  return connection.Run(fmt::format("DELETE FROM entries WHERE position < {}", kept));
}

Result<int64_t> DuckDbStore::Expire(Time before) {
  const std::lock_guard lock(expire_mutex_);
  TOCSIN_ASSIGN_OR_RETURN(DuckDbConnection connection, DuckDbConnection::Open(database_));
  TOCSIN_RETURN_IF_ERROR(connection.Run("BEGIN TRANSACTION"));
  int64_t gone = 0;
  Status status = ExpireIn(connection, before, gone);
  if (status.ok()) status = connection.Run("COMMIT");
  if (!status.ok())
    return Error(status.WithContext("expiring telemetry"));  // the connection's end rolls back
  return gone;
}

}  // namespace

Result<std::unique_ptr<TelemetryStore>> OpenDuckDb(const DuckDbOptions& options) {
  auto store = std::make_unique<DuckDbStore>();
  TOCSIN_RETURN_IF_ERROR(store->Open(options));
  return store;
}

}  // namespace tocsin::store
