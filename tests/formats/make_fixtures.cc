// make_fixtures DIR: writes files as older versions of each format wrote them, from the specification in
// docs/formats and without the product's own code, so that a mistake there cannot hide here.
#include <duckdb.h>
#include <fmt/format.h>
#include <openssl/sha.h>
#include <sqlite3.h>
#include <zstd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "kernel/id.h"

namespace {

using tocsin::HexEncode;
using tocsin::StableHash;

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "make_fixtures: %s\n", what.c_str());
  std::exit(1);
}

std::string Little(uint64_t v, int bytes) {
  std::string s;
  for (int i = 0; i < bytes; ++i) s += static_cast<char>(v >> (8 * i) & 0xff);
  return s;
}
std::string Big(uint64_t v) {
  std::string s;
  for (int i = 7; i >= 0; --i) s += static_cast<char>(v >> (8 * i) & 0xff);
  return s;
}
std::string Varint(uint64_t v) {
  std::string s;
  for (; v >= 0x80; v >>= 7) s += static_cast<char>(v | 0x80);
  return s + static_cast<char>(v);
}
std::string Text(const std::string& t) { return Varint(t.size()) + t; }

// A span as it was before links_json: 14 fields.
std::string OldSpan(const std::string& name) {
  std::string s =
      Text("trace-1") + Text("span-1") + Text("") + Text(name) + Text("support-bot") + Text("client");
  s += Little(1'790'000'000'000'000'000, 8) + Varint(2 * 1'500'000);  // start; duration, zigzag
  return s + Text("ok") + Text("") + Text("scope") + Text("{\"a\":1}") + Text("{}") + Text("[]");
}

// A generation as it was before index_version, tool calls, documents and attributes: 40 fields.
std::string OldGeneration(const std::string& output) {
  std::string s = Text("trace-1") + Text("span-1") + Text("") + Text("resp-1") + Text("conv-1");
  s += Little(1'790'000'000'000'000'001, 8) + Varint(2 * 900);
  s += Text("support-bot") + Text("chat") + Text("") + Text("refund") + Text("v3") + Text("openai");
  s += Text("gpt-4o") + Text("gpt-4o-2024") + Text("fp") + Text("be kind") + Text("where is my order?") +
       Text("");
  s += Text(output) + Text("") + Text("stop") + Text("text") + Text("");
  s += '\0';                                            // http_status
  s += '\1' + Varint(2 * 120) + '\1' + Varint(2 * 30);  // tokens
  s += '\0';                                            // max_tokens
  s += '\1' + Little(0x3FC999999999999A, 8);            // temperature 0.2
  s += std::string(3, '\0');                            // top_p, cost_usd, time_to_first_chunk_s
  return s + Text("") + Text("user-1") + Text("") + Text("pl") + Text("eu") + Text("web-1") + Text("1.0") +
         Text("prod");
}

std::string OldBatch(int number) {
  const std::string span = OldSpan("chat " + std::to_string(number));
  const std::string generation = OldGeneration("answer " + std::to_string(number) + " żółć");
  std::string b = "\x01";
  b += Varint(2);
  b += '\0' + Varint(14) + Varint(1) + Little(span.size(), 4) + span;
  b += '\3' + Varint(40) + Varint(1) + Little(generation.size(), 4) + generation;
  return b;
}

// A log record as it was before template_id: 12 fields.
std::string OldLog(int number) {
  std::string s = Little(1'790'000'000'000'000'002, 8) + Little(1'790'000'000'000'000'003, 8);
  s += Varint(2 * 9) + Text("INFO") + Text("") + Text("order " + std::to_string(number) + " placed");
  return s + Text("shop") + Text("trace-1") + Text("span-1") + Text("") + Text("{}") + Text("{\"k\":1}");
}

std::string OldLogBatch(int number) {
  const std::string log = OldLog(number);
  return "\x01" + Varint(1) + '\1' + Varint(12) + Varint(1) + Little(log.size(), 4) + log;
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

void MakeJournal(const std::string& path, std::string (*batch)(int)) {
  std::string bytes = "TOCSINJ1" + Little(1, 8);
  bytes += Little(StableHash(bytes), 8);
  for (uint64_t position = 1; position <= 3; ++position) {
    const std::string payload = batch(static_cast<int>(position));
    std::string header = Little(payload.size(), 4) + Little(0, 4) + Little(position, 8);
    header += Little(position < 3 ? 1 : 3, 8) + Little(StableHash(payload), 8);  // groups {1, 2} and {3}
    bytes += header + Little(StableHash(header), 8) + payload;
  }
  WriteFile(path, bytes);
}

std::string Compressed(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 19));
  return out;
}

constexpr const char* kTelemetry1 = R"(
ATTACH '{}' AS t (BLOCK_SIZE 16384); USE t;
CREATE TABLE schema_version (version BIGINT); INSERT INTO schema_version VALUES (1);
CREATE TABLE applied (position BIGINT); INSERT INTO applied VALUES (7);
CREATE TABLE spans (position BIGINT, ordinal BIGINT, trace_id VARCHAR, span_id VARCHAR, parent_span_id VARCHAR,
  name VARCHAR, service VARCHAR, kind VARCHAR, time_ns BIGINT, duration_ns BIGINT, status VARCHAR,
  status_message VARCHAR, scope VARCHAR, resource_json VARCHAR, attributes_json VARCHAR, events_json VARCHAR);
INSERT INTO spans SELECT 1 + i // 3, i % 3, 'trace-' || i, 'span-' || i, '', 'chat', 'support-bot', 'client',
  1790000000000000000 + i, 5, 'ok', '', '', '{{}}', '{{"n":1}}', '[]' FROM range(18) r(i);
CREATE TABLE generations (position BIGINT, ordinal BIGINT, trace_id VARCHAR, span_id VARCHAR,
  parent_span_id VARCHAR, response_id VARCHAR, conversation_id VARCHAR, time_ns BIGINT, duration_ns BIGINT,
  service VARCHAR, operation VARCHAR, agent VARCHAR, prompt_name VARCHAR, prompt_version VARCHAR,
  provider VARCHAR, request_model VARCHAR, response_model VARCHAR, system_fingerprint VARCHAR, system VARCHAR,
  input VARCHAR, history VARCHAR, output VARCHAR, reasoning VARCHAR, finish_reason VARCHAR,
  output_type VARCHAR, error_type VARCHAR, http_status BIGINT, input_tokens BIGINT, output_tokens BIGINT,
  max_tokens BIGINT, temperature DOUBLE, top_p DOUBLE, cost_usd DOUBLE, time_to_first_chunk_s DOUBLE,
  tool_schema_hash VARCHAR, user_id VARCHAR, tenant VARCHAR, locale VARCHAR, region VARCHAR, host VARCHAR,
  service_version VARCHAR, environment VARCHAR);
INSERT INTO generations (position, ordinal, trace_id, time_ns, service, output, input_tokens)
  SELECT 1 + i // 2, i % 2, 'trace-' || i, 1790000000000000000 + i, 'support-bot', 'answer ' || i || ' żółć', 10 * i
  FROM range(14) r(i);
CREATE TABLE changes (position BIGINT, ordinal BIGINT, id VARCHAR, time_ns BIGINT, kind VARCHAR, service VARCHAR,
  subject VARCHAR, summary VARCHAR, before_text VARCHAR, after_text VARCHAR, source VARCHAR, link VARCHAR,
  attributes_json VARCHAR);
INSERT INTO changes VALUES (7, 0, 'c-1', 1790000000000000099, 'prompt', 'support-bot', 'support-prompt', 'shorter',
  'a', 'b', 'ci', '', '{{"by":"ada"}}');
USE memory; DETACH t;
)";

constexpr const char* kTelemetry2 = R"(
ATTACH '{}' AS t (BLOCK_SIZE 16384); USE t;
CREATE TABLE schema_version (version BIGINT); INSERT INTO schema_version VALUES (2);
CREATE TABLE applied (position BIGINT); INSERT INTO applied VALUES (2);
CREATE TABLE entries (position BIGINT, rows BIGINT, kinds BIGINT); INSERT INTO entries VALUES (1, 3, 2), (2, 2, 2);
CREATE TABLE logs (position BIGINT, ordinal BIGINT, time_ns BIGINT, observed_time_ns BIGINT, severity BIGINT,
  severity_text VARCHAR, event_name VARCHAR, body VARCHAR, service VARCHAR, trace_id VARCHAR, span_id VARCHAR,
  scope VARCHAR, resource_json VARCHAR, attributes_json VARCHAR);
INSERT INTO logs SELECT 1 + i // 3, i % 3, 1790000000000000000 + i, 1790000000000000000 + i, 9, 'INFO', '',
  'order ' || i || ' placed', 'shop', '', '', '', '{{}}', '{{}}' FROM range(5) r(i);
USE memory; DETACH t;
)";

void MakeTelemetry(const std::string& path, const char* sql) {
  const std::string plain = path + ".tmp";
  std::filesystem::remove(plain);
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  duckdb_result result{};
  if (duckdb_open(nullptr, &database) != DuckDBSuccess ||
      duckdb_connect(database, &connection) != DuckDBSuccess) {
    Die("DuckDB does not open");
  }
  if (duckdb_query(connection, fmt::format(fmt::runtime(sql), plain).c_str(), &result) != DuckDBSuccess) {
    Die(duckdb_result_error(&result));
  }
  duckdb_destroy_result(&result);
  duckdb_disconnect(&connection);
  duckdb_close(&database);
  WriteFile(path, Compressed(plain));
  std::filesystem::remove(plain);
}

constexpr const char* kLedger1 = R"(
CREATE TABLE schema_version (version INTEGER NOT NULL); INSERT INTO schema_version VALUES (1);
CREATE TABLE events (seq BIGINT NOT NULL PRIMARY KEY, time_ns BIGINT NOT NULL, kind TEXT NOT NULL,
  subject TEXT NOT NULL, actor TEXT NOT NULL, body_json TEXT NOT NULL, hash TEXT NOT NULL);
CREATE INDEX events_subject ON events (subject, seq);
CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;
CREATE TABLE incidents (id TEXT NOT NULL PRIMARY KEY, incident_key TEXT NOT NULL, state TEXT NOT NULL,
  severity TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL, service TEXT NOT NULL, stream TEXT NOT NULL,
  opened_ns BIGINT NOT NULL, updated_ns BIGINT NOT NULL, onset_ns BIGINT NOT NULL, e_value DOUBLE PRECISION NOT NULL,
  alpha DOUBLE PRECISION NOT NULL, document_json TEXT NOT NULL);
CREATE INDEX incidents_key ON incidents (incident_key);
CREATE INDEX incidents_opened ON incidents (opened_ns);
CREATE TABLE monitor_states (id TEXT NOT NULL PRIMARY KEY, position BIGINT NOT NULL, state BLOB);
INSERT INTO incidents VALUES ('INC-OLD1', 'support-bot|behavior', 'open', 'sev2', 'behavior', 'Answers changed: żółć',
  'support-bot', 'support-bot/chat', 100, 200, 50, 12345.5, 0.001, '{"old":true}');
INSERT INTO monitor_states VALUES ('m-1', 42, X'00FF10');
)";

void MakeLedger(const std::string& path, const std::string& head_path) {
  const std::string plain = path + ".tmp";
  std::filesystem::remove(plain);
  sqlite3* db = nullptr;
  sqlite3_open(plain.c_str(), &db);
  std::string sql = kLedger1, previous(32, '\0');
  for (uint64_t seq = 1; seq <= 3; ++seq) {
    const std::vector<std::string> texts = {"incident.updated", "INC-OLD1", "tocsin",
                                            "{\"n\":" + std::to_string(seq) + "}"};
    std::string data = "tocsin-event-v1\n" + previous + Big(seq) + Big(1000 + seq);
    for (const std::string& t : texts) data += Big(t.size()) + t;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(data.data()), data.size(), digest);
    previous.assign(reinterpret_cast<const char*>(digest), sizeof digest);
    sql += fmt::format("INSERT INTO events VALUES ({}, {}, '{}', '{}', '{}', '{}', '{}');", seq, 1000 + seq,
                       texts[0], texts[1], texts[2], texts[3], HexEncode(previous));
  }
  char* error = nullptr;
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error) != SQLITE_OK) Die(error);
  sqlite3_close(db);
  WriteFile(path, Compressed(plain));
  WriteFile(head_path, fmt::format("{:020} {}\n", 3, HexEncode(previous)));
  std::filesystem::remove(plain);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) Die("usage: make_fixtures DIR");
  const std::string directory = argv[1];
  MakeJournal(directory + "/journal-v1.seg", OldBatch);
  MakeJournal(directory + "/journal-v1-logs.seg", OldLogBatch);
  MakeTelemetry(directory + "/telemetry-v1.duckdb.zst", kTelemetry1);
  MakeTelemetry(directory + "/telemetry-v2.duckdb.zst", kTelemetry2);
  MakeLedger(directory + "/ledger-v1.sqlite.zst", directory + "/audit-v1.head");
  return 0;
}
