// Files of older versions open, migrate and lose nothing. make_fixtures.cc says what is in them.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "store/ledger.h"
#include "store/telemetry_store.h"
#include "store/telemetry_writer.h"
#include "store/testing/scratch_directory.h"

namespace tocsin::store {
namespace {

std::string Fixture(const std::string& name) {
  const char* root = getenv("TOCSIN_SOURCE_DIR");
  const std::string path = std::string(root == nullptr ? "." : root) + "/tests/formats/" + name;
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path << " is not there (TOCSIN_SOURCE_DIR names the checkout)";
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Inflated(const std::string& bytes) {
  std::string out(ZSTD_getFrameContentSize(bytes.data(), bytes.size()), '\0');
  EXPECT_EQ(ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size()), out.size());
  return out;
}

class FormatsTest : public ::testing::Test {
 protected:
  std::string Put(const std::string& name, const std::string& bytes) {
    const std::string path = scratch_.path() + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  std::unique_ptr<TelemetryStore> OpenTelemetry(const std::string& path) {
    DuckDbOptions options;
    options.path = path;
    auto store = OpenDuckDb(options);
    EXPECT_TRUE(store) << store.error().ToString();
    return store ? std::move(*store) : nullptr;
  }
  testing::ScratchDirectory scratch_;
};

TEST_F(FormatsTest, TelemetryOfVersion1) {
  const std::string path = Put("t.duckdb", Inflated(Fixture("telemetry-v1.duckdb.zst")));
  for (int opened = 0; opened < 2; ++opened) {  // migrated, then as it is
    auto store = OpenTelemetry(path);
    ASSERT_TRUE(store);
    EXPECT_EQ(*store->AppliedPosition(), 7u);
    const auto entries = store->EntriesAfter(0, 100);
    ASSERT_TRUE(entries) << entries.error().ToString();
    ASSERT_EQ(entries->size(), 7u);
    int span = 0, generation = 0;
    for (const JournalEntry& entry : *entries) {
      for (const signal::Span& s : entry.batch->spans) {
        EXPECT_EQ(s.span_id, "span-" + std::to_string(span++));
        EXPECT_EQ(s.attributes_json, "{\"n\":1}");
        EXPECT_EQ(s.links_json, "[]");
      }
      for (const signal::Generation& g : entry.batch->generations) {
        EXPECT_EQ(g.output, "answer " + std::to_string(generation) + " żółć");
        EXPECT_EQ(g.input_tokens, 10 * generation);
        EXPECT_EQ(g.index_version, "");
        EXPECT_TRUE(g.tool_calls.empty() && g.documents.empty() && g.attributes.empty());
        ++generation;
      }
    }
    EXPECT_EQ(span, 18);
    EXPECT_EQ(generation, 14);
    ASSERT_EQ(entries->back().batch->changes.size(), 1u);
    EXPECT_EQ(entries->back().batch->changes[0].attributes.at("by"), "ada");
  }
  // And it takes new rows.
  auto store = OpenTelemetry(path);
  auto batch = std::make_shared<signal::Batch>();
  batch->logs.emplace_back().body = "new";
  batch->generations.emplace_back().attributes["k"] = "v";
  const std::vector<JournalEntry> entries = {{8, batch}};
  ASSERT_TRUE(store->Apply(entries).ok());
  EXPECT_EQ((*store->EntriesAfter(7, 1))[0].batch->generations[0].attributes.at("k"), "v");
}

TEST_F(FormatsTest, JournalOfVersion1) {
  Put("journal/00000000000000000001.seg", Fixture("journal-v1.seg"));
  auto store = OpenTelemetry(scratch_.path() + "/t.duckdb");
  WriterOptions options;
  options.journal_directory = scratch_.path() + "/journal";
  const auto writer = StartTelemetryWriter(options, *store, nullptr);
  ASSERT_TRUE(writer) << writer.error().ToString();
  EXPECT_EQ(*store->AppliedPosition(), 3u);
  const auto entries = *store->EntriesAfter(0, 10);
  ASSERT_EQ(entries.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    const signal::Batch& batch = *entries[static_cast<size_t>(i)].batch;
    ASSERT_EQ(batch.spans.size(), 1u);
    EXPECT_EQ(batch.spans[0].name, "chat " + std::to_string(i + 1));
    EXPECT_EQ(batch.spans[0].duration, Duration::Nanos(1'500'000));
    EXPECT_EQ(batch.spans[0].links_json, "[]");
    const signal::Generation& g = batch.generations.at(0);
    EXPECT_EQ(g.output, "answer " + std::to_string(i + 1) + " żółć");
    EXPECT_EQ(g.time.ns, 1'790'000'000'000'000'001);
    EXPECT_EQ(g.http_status, std::nullopt);
    EXPECT_EQ(g.input_tokens, 120);
    EXPECT_EQ(g.output_tokens, 30);
    EXPECT_EQ(g.temperature, 0.2);
    EXPECT_EQ(g.top_p, std::nullopt);
    EXPECT_EQ(g.locale, "pl");
    EXPECT_EQ(g.environment, "prod");
    EXPECT_EQ(g.index_version, "");
  }
}

TEST_F(FormatsTest, JournalOfLogsBeforeTemplates) {
  Put("journal/00000000000000000001.seg", Fixture("journal-v1-logs.seg"));
  auto store = OpenTelemetry(scratch_.path() + "/t.duckdb");
  WriterOptions options;
  options.journal_directory = scratch_.path() + "/journal";
  const auto writer = StartTelemetryWriter(options, *store, nullptr);
  ASSERT_TRUE(writer) << writer.error().ToString();
  const auto entries = *store->EntriesAfter(0, 10);
  ASSERT_EQ(entries.size(), 3u);
  const signal::LogRecord& log = entries[2].batch->logs.at(0);
  EXPECT_EQ(log.body, "order 3 placed");
  EXPECT_EQ(log.attributes_json, "{\"k\":1}");
  EXPECT_EQ(log.template_id, "");
}

TEST_F(FormatsTest, TelemetryOfVersion2) {
  const std::string path = Put("t.duckdb", Inflated(Fixture("telemetry-v2.duckdb.zst")));
  auto store = OpenTelemetry(path);
  ASSERT_TRUE(store);
  const auto old = *store->EntriesAfter(0, 10);
  ASSERT_EQ(old.size(), 2u);
  ASSERT_EQ(old[1].batch->logs.size(), 2u);
  EXPECT_EQ(old[1].batch->logs[1].body, "order 4 placed");
  EXPECT_EQ(old[1].batch->logs[1].template_id, "");
  auto batch = std::make_shared<signal::Batch>();
  batch->logs.emplace_back().template_id = "00000000000000ab";
  signal::LogTemplate& made = batch->log_templates.emplace_back();
  made.template_id = "00000000000000ab";
  made.text = "order <*> placed";
  const std::vector<JournalEntry> entries = {{3, batch}};
  ASSERT_TRUE(store->Apply(entries).ok());
  store.reset();
  const auto read = *OpenTelemetry(path)->EntriesAfter(2, 1);
  EXPECT_EQ(read.at(0).batch->logs.at(0).template_id, "00000000000000ab");
  EXPECT_EQ(read.at(0).batch->log_templates.at(0).text, "order <*> placed");
}

TEST_F(FormatsTest, LedgerOfVersion1) {
  SqliteOptions options;
  options.path = Put("ledger.sqlite", Inflated(Fixture("ledger-v1.sqlite.zst")));
  Put("audit.head", Fixture("audit-v1.head"));
  options.read_only = true;
  EXPECT_TRUE((*OpenSqlite(options))->VerifyAudit()->intact) << "before it is migrated";
  options.read_only = false;
  for (int opened = 0; opened < 2; ++opened) {
    auto ledger = OpenSqlite(options);
    ASSERT_TRUE(ledger) << ledger.error().ToString();
    const AuditReport report = *(*ledger)->VerifyAudit();
    EXPECT_TRUE(report.intact) << report.what;
    EXPECT_EQ(report.events, 3u);
    const auto incident = *(*ledger)->FindIncident({"INC-OLD1"});
    ASSERT_TRUE(incident);
    EXPECT_EQ(incident->title, "Answers changed: żółć");
    EXPECT_EQ(incident->e_value, 12345.5);
    EXPECT_EQ(incident->document_json, "{\"old\":true}");
    EXPECT_TRUE(incident->page);
    EXPECT_FALSE(incident->onset_low.known());
    const auto states = *(*ledger)->MonitorStates();
    ASSERT_EQ(states.size(), 1u);
    EXPECT_EQ(states[0].state, std::string("\0\xff\x10", 3));
    EXPECT_EQ(states[0].position, 42u);
    EXPECT_EQ(states[0].format, 1);
  }
}

}  // namespace
}  // namespace tocsin::store
