#include <duckdb.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>

#include "store/sql_dialect.h"
#include "store/telemetry_store.h"
#include "store/testing/random_batch.h"
#include "store/testing/scratch_directory.h"

namespace tocsin::store {
namespace {

using testing::ChatBatch;
using testing::Describe;
using testing::RandomBatch;

JournalEntry Entry(uint64_t position, signal::Batch batch) {
  return {position, std::make_shared<const signal::Batch>(std::move(batch))};
}

std::unique_ptr<TelemetryStore> OpenAt(const std::string& path) {
  DuckDbOptions options;
  options.path = path;
  auto store = OpenDuckDb(options);
  EXPECT_TRUE(store) << store.error().ToString();
  return store ? std::move(*store) : nullptr;
}

class DuckDbStoreTest : public ::testing::Test {
 protected:
  testing::ScratchDirectory scratch_;
  std::string path_ = scratch_.path() + "/t.duckdb";
};

TEST_F(DuckDbStoreTest, EveryFieldOfRandomBatchesComesBack) {
  Rng rng(7);
  std::vector<JournalEntry> entries;
  for (uint64_t i = 1; i <= 60; ++i) entries.push_back(Entry(i, RandomBatch(rng, 5)));
  {
    auto store = OpenAt(path_);
    ASSERT_TRUE(store->Apply(std::span(entries).first(20)).ok());
    ASSERT_TRUE(store->Apply(std::span(entries).subspan(20)).ok());
  }
  auto store = OpenAt(path_);  // after a restart
  EXPECT_EQ(*store->AppliedPosition(), 60u);
  uint64_t after = 0;
  size_t seen = 0;
  while (true) {
    const auto read = store->EntriesAfter(after, 7);
    ASSERT_TRUE(read) << read.error().ToString();
    if (read->empty()) break;
    for (const JournalEntry& entry : *read) {
      ASSERT_EQ(entry.position, seen + 1);
      ASSERT_EQ(Describe(*entry.batch), Describe(*entries[seen].batch)) << entry.position;
      ++seen;
    }
    after = read->back().position;
  }
  EXPECT_EQ(seen, entries.size());
}

TEST_F(DuckDbStoreTest, ApplyingTwiceStoresOnce) {
  Rng rng(8);
  auto store = OpenAt(path_);
  const std::vector<JournalEntry> entries = {Entry(1, ChatBatch(rng, 3)), Entry(2, ChatBatch(rng, 4))};
  ASSERT_TRUE(store->Apply(std::span(entries).first(1)).ok());
  ASSERT_TRUE(store->Apply(entries).ok());
  ASSERT_TRUE(store->Apply(entries).ok());
  const auto found = store->Generations({});
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(found->size(), 7u);
  const auto counts = store->Counts();
  ASSERT_TRUE(counts);
  for (const TableCount& count : *counts) {
    EXPECT_EQ(count.rows, count.table == "spans" || count.table == "generations" ? 7 : 0) << count.table;
  }
}

TEST_F(DuckDbStoreTest, InvalidUtf8IsRepairedNotStored) {
  auto store = OpenAt(path_);
  signal::Batch batch;
  batch.generations.emplace_back().output = "caf\xe9 and a long enough text \xff\xfe";
  batch.generations[0].documents.push_back({"d\xff", "x", 0.5});
  const std::vector<JournalEntry> entries = {Entry(1, std::move(batch))};
  ASSERT_TRUE(store->Apply(entries).ok());
  const auto found = store->Generations({});
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ((*found)[0].generation.output, "caf\uFFFD and a long enough text \uFFFD\uFFFD");
  EXPECT_EQ((*found)[0].generation.documents[0].id, "d\uFFFD");
}

TEST_F(DuckDbStoreTest, GenerationFilters) {
  auto store = OpenAt(path_);
  signal::Batch batch;
  for (int i = 0; i < 10; ++i) {
    signal::Generation& g = batch.generations.emplace_back();
    g.service = i % 2 == 0 ? "a" : "b";
    g.prompt_name = i < 5 ? "p" : "q";
    g.trace_id = "t" + std::to_string(i);
    g.time = {100 + i};
  }
  const std::vector<JournalEntry> entries = {Entry(1, batch), Entry(2, batch)};
  ASSERT_TRUE(store->Apply(entries).ok());
  const auto find = [&](const std::function<void(GenerationFilter&)>& narrow) {
    GenerationFilter filter;
    narrow(filter);
    return *store->Generations(filter);
  };
  EXPECT_EQ(find([](auto&) {}).size(), 20u);
  EXPECT_EQ(find([](auto& f) { f.service = "a"; }).size(), 10u);
  EXPECT_EQ(find([](auto& f) { f.service = "a", f.prompt_name = "p"; }).size(), 6u);
  EXPECT_EQ(find([](auto& f) { f.from = {103}, f.to = {105}; }).size(), 4u);
  EXPECT_EQ(find([](auto& f) { f.after_position = 1; }).size(), 10u);
  EXPECT_EQ(find([](auto& f) { f.trace_id = "t4"; }).size(), 2u);
  EXPECT_EQ(find([](auto& f) { f.limit = 3; }).size(), 3u);
  EXPECT_EQ(find([](auto& f) { f.after_position = 1, f.limit = 2; })[1].generation.trace_id, "t1");
}

TEST_F(DuckDbStoreTest, QueryReadsWithParametersAndTypes) {
  Rng rng(9);
  auto store = OpenAt(path_);
  const std::vector<JournalEntry> entries = {Entry(1, ChatBatch(rng, 50))};
  ASSERT_TRUE(store->Apply(entries).ok());
  const auto rows =
      store->Query("SELECT count(*), sum(output_tokens), " + DuckDbDialect().Quantile("output_tokens", 0.5) +
                       ", [1, 2], DATE '2026-01-02', 1.25::DECIMAL(4,2), NULL, true FROM generations WHERE "
                       "service = ? AND 1 < ? -- end",
                   {std::string("support-bot"), int64_t{2}}, {});
  ASSERT_TRUE(rows) << rows.error().ToString();
  ASSERT_EQ(rows->rows.size(), 1u);
  const auto& row = rows->rows[0];
  EXPECT_EQ(std::get<int64_t>(row[0]), 50);
  EXPECT_GT(std::get<int64_t>(row[1]), 0);
  EXPECT_GT(std::get<double>(row[2]), 0);
  EXPECT_EQ(std::get<std::string>(row[3]), "[1, 2]");
  EXPECT_EQ(std::get<std::string>(row[4]), "2026-01-02");
  EXPECT_EQ(std::get<double>(row[5]), 1.25);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(row[6]));
  EXPECT_TRUE(std::get<bool>(row[7]));
  EXPECT_EQ(rows->columns[0], "count_star()");
}

TEST_F(DuckDbStoreTest, DialectExpressions) {
  auto store = OpenAt(path_);
  const SqlDialect& d = DuckDbDialect();
  const auto rows = store->Query(
      "SELECT " + d.TimeBucket("-1", Duration::Nanos(10)) + ", " + d.TimeBucket("25", Duration::Nanos(10)) +
          ", " + d.JsonText("'{\"a/b\":\"x\"}'", "a/b") + ", " + d.JsonText("'{}'", "a") + ", " +
          d.QuoteText("it's") + " AS " + d.QuoteName("a \"name\"") + ", " + d.CountIf("1 = 1"),
      {}, {});
  ASSERT_TRUE(rows) << rows.error().ToString();
  const auto& row = rows->rows[0];
  EXPECT_EQ(std::get<int64_t>(row[0]), -10);
  EXPECT_EQ(std::get<int64_t>(row[1]), 20);
  EXPECT_EQ(std::get<std::string>(row[2]), "x");
  EXPECT_EQ(std::get<std::string>(row[3]), "");
  EXPECT_EQ(std::get<std::string>(row[4]), "it's");
  EXPECT_EQ(rows->columns[4], "a \"name\"");
}

TEST_F(DuckDbStoreTest, HostileQueriesAreRefused) {
  Rng rng(10);
  auto store = OpenAt(path_);
  const std::vector<JournalEntry> entries = {Entry(1, ChatBatch(rng, 5))};
  ASSERT_TRUE(store->Apply(entries).ok());
  const std::string file = scratch_.path() + "/secret.csv";
  std::ofstream(file) << "secret\n1\n";
  const std::string out = scratch_.path() + "/out.csv";
  for (const std::string& sql : std::vector<std::string>{"DELETE FROM generations",
                                                         "DROP TABLE spans",
                                                         "INSERT INTO changes SELECT * FROM changes",
                                                         "UPDATE applied SET position = 9",
                                                         "CREATE TABLE x (a INT)",
                                                         "COPY spans TO '" + out + "'",
                                                         "SELECT * FROM read_csv('" + file + "')",
                                                         "SELECT * FROM '" + file + "'",
                                                         "SELECT * FROM read_text('/etc/passwd')",
                                                         "SELECT * FROM glob('/etc/*')",
                                                         "ATTACH '" + out + "' AS o",
                                                         "INSTALL httpfs",
                                                         "LOAD httpfs",
                                                         "SET threads = 1",
                                                         "PRAGMA threads = 1",
                                                         "SELECT * FROM checkpoint()",
                                                         "SELECT * FROM \"Checkpoint\" /* x */ ()",
                                                         "SELECT 1; DELETE FROM spans",
                                                         "EXPLAIN ANALYZE DELETE FROM spans",
                                                         "WITH x AS (SELECT 1) DELETE FROM spans",
                                                         "CHECKPOINT",
                                                         "VACUUM",
                                                         "SELECT * FROM force_checkpoint()",
                                                         "CALL force_checkpoint()",
                                                         "BEGIN",
                                                         "",
                                                         "SELECT",
                                                         "SELEC 1",
                                                         "SELECT nothing FROM generations",
                                                         "EXPORT DATABASE '" + scratch_.path() + "/e'",
                                                         "SELECT getenv('HOME')",
                                                         "SELECT * FROM query('DELETE FROM spans')",
                                                         "SELECT ?"}) {
    const auto rows = store->Query(sql, {}, {});
    EXPECT_FALSE(rows) << sql;
    if (rows) continue;
    EXPECT_NE(rows.error().code(), Code::kInternal) << sql << ": " << rows.error().ToString();
  }
  EXPECT_FALSE(std::filesystem::exists(out));
  EXPECT_EQ(store->Generations({})->size(), 5u);
  const auto bad = store->Query("SELECT *\nFROM generations\nWHERE nope = 1", {}, {});
  EXPECT_EQ(bad.error().code(), Code::kInvalidArgument);
  EXPECT_NE(bad.error().message().find("LINE 3"), std::string::npos) << bad.error().message();
}

TEST_F(DuckDbStoreTest, QueriesAreBoundedInRowsAndTime) {
  auto store = OpenAt(path_);
  QueryLimits few;
  few.max_rows = 10;
  const auto rows = store->Query("SELECT * FROM range(1000000000)", {}, few);
  ASSERT_TRUE(rows) << rows.error().ToString();
  EXPECT_EQ(rows->rows.size(), 10u);
  EXPECT_TRUE(rows->truncated);
  few.timeout = Duration::Millis(200);
  const auto start = std::chrono::steady_clock::now();
  const auto slow =
      store->Query("SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b", {}, few);
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code(), Code::kDeadlineExceeded) << slow.error().ToString();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_TRUE(store->Query("SELECT 1", {}, {}));
}

TEST_F(DuckDbStoreTest, ATemplateOutlivesTheLinesWrittenWithinADayOfIt) {
  auto store = OpenAt(path_);
  signal::Batch batch;
  const Time noon = Time{} + Duration::Hours(1000);
  for (const int64_t hours : {-90, -30, 0}) {
    batch.log_templates.emplace_back().time = noon + Duration::Hours(hours);
    batch.logs.emplace_back().time = noon + Duration::Hours(hours);
  }
  const std::vector<JournalEntry> entries = {Entry(1, batch)};
  ASSERT_TRUE(store->Apply(entries).ok());
  EXPECT_EQ(*store->Expire(noon), 3) << "two lines, and the template of three days ago";
  const auto left = *store->EntriesAfter(0, 1);
  EXPECT_EQ(left.at(0).batch->log_templates.size(), 2u);
}

TEST_F(DuckDbStoreTest, ExpireTakesOldRowsAndTheirEntries) {
  auto store = OpenAt(path_);
  const auto batch = [](int64_t at) {
    signal::Batch b;
    b.generations.emplace_back().time = {at};
    b.changes.emplace_back().time = {at};
    return b;
  };
  const std::vector<JournalEntry> entries = {Entry(1, batch(10)), Entry(2, batch(20)), Entry(3, batch(30))};
  ASSERT_TRUE(store->Apply(entries).ok());
  const auto gone = store->Expire({20});
  ASSERT_TRUE(gone) << gone.error().ToString();
  EXPECT_EQ(*gone, 2);
  EXPECT_EQ(store->EntriesAfter(0, 10)->front().position, 2u);
  EXPECT_EQ(store->Changes({}, {}, 10)->size(), 2u);
  EXPECT_EQ(store->Changes({20}, {30}, 10)->size(), 1u);
  EXPECT_EQ(*store->Expire({1000}), 4);
  EXPECT_TRUE(store->EntriesAfter(0, 10)->empty());
  EXPECT_EQ(*store->AppliedPosition(), 3u);
  EXPECT_EQ(*store->Expire({1000}), 0);
}

TEST_F(DuckDbStoreTest, DamagedFileIsDataLoss) {
  std::ofstream(path_) << std::string(20'000, 'x');
  DuckDbOptions options;
  options.path = path_;
  const auto store = OpenDuckDb(options);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code(), Code::kDataLoss) << store.error().ToString();
}

TEST_F(DuckDbStoreTest, NewerSchemaIsRefused) {
  {
    auto store = OpenAt(path_);
  }
  duckdb_database database = nullptr;
  ASSERT_EQ(duckdb_open(path_.c_str(), &database), DuckDBSuccess);
  duckdb_connection connection = nullptr;
  duckdb_connect(database, &connection);
  duckdb_query(connection, "UPDATE schema_version SET version = 99", nullptr);
  duckdb_disconnect(&connection);
  duckdb_close(&database);
  DuckDbOptions options;
  options.path = path_;
  const auto store = OpenDuckDb(options);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code(), Code::kFailedPrecondition);
}

}  // namespace
}  // namespace tocsin::store
