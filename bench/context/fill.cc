#include "bench/context/fill.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <stdexcept>

namespace tocsin::bench {
namespace {

class Database {
 public:
  explicit Database(const std::string& path) {
    if (duckdb_open(path.c_str(), &database_) != DuckDBSuccess)
      throw std::runtime_error("cannot open " + path);
    if (duckdb_connect(database_, &connection_) != DuckDBSuccess)
      throw std::runtime_error("cannot connect to " + path);
  }
  ~Database() {
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void Run(const std::string& sql) {
    duckdb_result result;
    const bool ok = duckdb_query(connection_, sql.c_str(), &result) == DuckDBSuccess;
    const std::string error = ok ? "" : duckdb_result_error(&result);
    duckdb_destroy_result(&result);
    if (!ok) throw std::runtime_error(error + "\nin: " + sql);
  }

 private:
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

// Four kinds of trace of eight spans: the service of each span, and the span that called it.
constexpr const char* kTraces =
    "CREATE TEMP TABLE shape AS SELECT * FROM (VALUES "
    "(0,0,'gateway',-1),(0,1,'checkout',0),(0,2,'cart',1),(0,3,'cart-redis',2),(0,4,'payments',1),"
    "(0,5,'payments-db',4),(0,6,'payments-db',4),(0,7,'mailer',1),"
    "(1,0,'gateway',-1),(1,1,'catalog',0),(1,2,'catalog-db',1),(1,3,'catalog-db',1),(1,4,'search',1),"
    "(1,5,'search',4),(1,6,'recommender',1),(1,7,'recommender',6),"
    "(2,0,'gateway',-1),(2,1,'support-bot',0),(2,2,'support-bot',1),(2,3,'vector-index',1),"
    "(2,4,'support-bot',1),(2,5,'orders',1),(2,6,'orders-db',5),(2,7,'payments',5),"
    "(3,0,'gateway',-1),(3,1,'orders',0),(3,2,'orders-db',1),(3,3,'orders-db',1),(3,4,'payments',1),"
    "(3,5,'payments-db',4),(3,6,'mailer',1),(3,7,'mailer',6)) AS t(trace_kind, place, service, parent)";

std::string Spans(const FillPlan& plan) {
  const double step = static_cast<double>(plan.to_ns - plan.from_ns) / (static_cast<double>(plan.rows) / 8);
  return fmt::format(
      "INSERT INTO spans SELECT i // 400 + 1, i % 400, md5(CAST(trace AS VARCHAR)), "
      "substr(md5('s' || i), 1, 16), CASE WHEN parent < 0 THEN '' ELSE substr(md5('s' || (i - place + "
      "parent)), 1, 16) END, CASE WHEN place = 0 THEN 'POST /api' ELSE service || '.call' || (i % 5) END, "
      "service, CASE WHEN place = 0 THEN 'server' ELSE 'client' END, "
      "t + place * 1500000, CAST((2e6 + 3e7 * pow(u, 4)) * CASE WHEN bad THEN 8 ELSE 1 END AS BIGINT), "
      "CASE WHEN (bad AND u < 0.4) OR u < 0.002 THEN 'error' ELSE 'unset' END, "
      "CASE WHEN bad AND u < 0.4 THEN 'deadline exceeded' ELSE '' END, 'io.opentelemetry.http', "
      "'{{\"service.name\":\"' || service || '\",\"host.name\":\"node-' || (trace % 20) || "
      "'\",\"service.version\":\"1.4.2\",\"k8s.pod.name\":\"' || service || '-' || (trace % 7) || '\"}}', "
      "'{{\"http.request.method\":\"POST\",\"http.route\":\"/api/v1/items/{{id}}\",\"url.path\":\"/api/v1/"
      "items/' || i || '\",\"user.id\":\"u' || (trace % 50021) || '\"}}', '[]', '[]' FROM "
      "(SELECT i, trace, place, parent, service, t, (hash(i * 31 + 7) % 1000000) / 1e6 AS u, "
      "t >= {onset} AND (service = 'payments-db' OR (service IN ('payments', 'checkout') AND "
      "hash(trace) % 10 < 4)) AS bad FROM "
      "(SELECT i, i // 8 AS trace, i % 8 AS place, {from} + CAST((i // 8) * {step} AS BIGINT) AS t "
      "FROM range({rows}) AS r(i)) AS base JOIN shape USING (place) WHERE shape.trace_kind = trace % 4)",
      fmt::arg("onset", plan.onset_ns), fmt::arg("from", plan.from_ns), fmt::arg("step", step),
      fmt::arg("rows", plan.rows));
}

std::string Logs(const FillPlan& plan) {
  const double step = static_cast<double>(plan.to_ns - plan.from_ns) / static_cast<double>(plan.rows);
  return fmt::format(
      "INSERT INTO logs SELECT i // 400 + 1, i % 400, t, t, CASE WHEN bad OR kind = 39 THEN 17 ELSE 9 END, "
      "CASE WHEN bad OR kind = 39 THEN 'ERROR' ELSE 'INFO' END, '', CASE WHEN bad THEN 'could not get a "
      "connection from the pool after ' || i || ' ms' ELSE 'request ' || i || ' of kind ' || kind || "
      "' handled for user u' || (i % 50021) || ' in ' || (i % 97) || ' ms' END, service, "
      "CASE WHEN i % 3 = 0 THEN md5(CAST(i // 8 AS VARCHAR)) ELSE '' END, "
      "CASE WHEN i % 3 = 0 THEN substr(md5('s' || i), 1, 16) ELSE '' END, 'app', "
      "'{{\"service.name\":\"' || service || '\",\"host.name\":\"node-' || (i % 20) || '\"}}', "
      "'{{\"thread\":\"worker-' || (i % 16) || '\"}}', "
      "substr(md5(service || CASE WHEN bad THEN 'pool' ELSE CAST(kind AS VARCHAR) END), 1, 16) FROM "
      "(SELECT i, t, kind, service, t >= {onset} AND service IN ('payments', 'payments-db') AND "
      "hash(i) % 20 = 0 AS bad FROM (SELECT i, {from} + CAST(i * {step} AS BIGINT) AS t, "
      "CAST(40 * pow((hash(i * 17) % 100000) / 1e5, 3) AS BIGINT) AS kind, i % 8 AS place, i // 8 AS trace "
      "FROM range({rows}) AS r(i)) AS base JOIN shape USING (place) WHERE shape.trace_kind = trace % 4)",
      fmt::arg("onset", plan.onset_ns), fmt::arg("from", plan.from_ns), fmt::arg("step", step),
      fmt::arg("rows", plan.rows));
}

constexpr const char* kTemplates =
    "INSERT INTO log_templates SELECT 1, row_number() OVER (), first, template_id, service, "
    "CASE WHEN severity = 17 THEN 'could not get a connection from the pool after <*> ms' ELSE "
    "'request <*> of kind ' || row_number() OVER () || ' handled for user <*> in <*> ms' END, severity, "
    "first, '' FROM (SELECT template_id, service, max(severity) AS severity, min(time_ns) AS first FROM logs "
    "GROUP BY ALL)";

std::string Metrics(const FillPlan& plan) {
  return fmt::format(
      "INSERT INTO metrics SELECT p // 400 + 1, p % 400, 'm.' || series, '1', CASE WHEN series % 3 = 0 THEN "
      "'sum' ELSE 'gauge' END, CASE WHEN series % 3 = 0 THEN 'cumulative' ELSE '' END, series % 3 = 0, "
      "service, {from}, {from} + p * {step}, CASE WHEN series % 3 = 0 THEN p * 100 ELSE 50 + (hash(p * 997 + "
      "series) % 1000) / 100.0 + CASE WHEN series = 4 AND service = 'payments-db' AND {from} + p * {step} >= "
      "{onset} THEN 100 ELSE 0 END END, NULL, NULL, NULL, NULL, '{{}}', 'app', "
      "'{{\"service.name\":\"' || service || '\",\"host.name\":\"node-' || (series % 5) || '\"}}', "
      "'{{\"route\":\"r' || (series % 4) || '\"}}', '[]' FROM range({points}) AS a(p), range(20) AS "
      "b(series), (SELECT DISTINCT service FROM shape) AS s ORDER BY p",
      fmt::arg("from", plan.from_ns), fmt::arg("step", plan.step_ns), fmt::arg("onset", plan.onset_ns),
      fmt::arg("points", (plan.to_ns - plan.from_ns) / plan.step_ns));
}

// One answer for each hundred spans.
std::string Generations(const FillPlan& plan) {
  const int64_t rows = plan.rows / 100;
  const double step = static_cast<double>(plan.to_ns - plan.from_ns) / static_cast<double>(rows);
  return fmt::format(
      "INSERT INTO generations BY NAME SELECT i // 400 + 1 AS position, i % 400 AS ordinal, "
      "{from} + CAST(i * {step} AS BIGINT) AS time_ns, 1500000000 + i % 1000 * 1000000 AS duration_ns, "
      "md5(CAST(i * 12 + 2 AS VARCHAR)) AS trace_id, substr(md5('g' || i), 1, 16) AS span_id, "
      "'support-bot' AS service, 'chat' AS operation, 'refund' AS prompt_name, 'v3' AS prompt_version, "
      "'openai' AS provider, 'gpt-4o' AS request_model, 'gpt-4o-2024-08-06' AS response_model, "
      "repeat('You help customers. ', 20) AS system, 'Where is my order ' || i || '?' AS input, "
      "'Your order ' || i || ' was sent on Monday and arrives within three days. ' AS output, "
      "'stop' AS finish_reason, 500 + i % 100 AS input_tokens, 40 + i % 30 AS output_tokens, "
      "'u' || (i % 50021) AS user_id, 'tenant-' || (i % 40) AS tenant, 'eu-' || (i % 3) AS region, "
      "'[]' AS tool_calls_json, '[]' AS documents_json, '{{}}' AS attributes_json, '' AS error_type "
      "FROM range({rows}) AS r(i)",
      fmt::arg("from", plan.from_ns), fmt::arg("step", step), fmt::arg("rows", rows));
}

std::string Changes(const FillPlan& plan) {
  return fmt::format(
      "INSERT INTO changes BY NAME SELECT 1 AS position, i AS ordinal, 'ch-' || i AS id, "
      "{onset} - i * 1200000000000 + 600000000000 AS time_ns, 'deploy' AS kind, "
      "CASE WHEN i % 3 = 1 THEN '{service}' ELSE 'mailer' END AS service, 'image' AS subject, "
      "'release ' || i AS summary, '' AS before_text, '' AS after_text, 'ci' AS source, '' AS link, "
      "'{{}}' AS attributes_json FROM range(40) AS r(i)",
      fmt::arg("onset", plan.onset_ns), fmt::arg("service", kFailing));
}

}  // namespace

void Fill(const FillPlan& plan) {
  Database database(plan.path);
  database.Run("SET memory_limit = '4GB'");
  database.Run("SET threads = 1");  // rows stay in the order they are made
  database.Run(kTraces);
  database.Run(Spans(plan));
  database.Run(Logs(plan));
  database.Run(kTemplates);
  database.Run(Metrics(plan));
  database.Run(Generations(plan));
  database.Run(Changes(plan));
  database.Run("CHECKPOINT");
}

}  // namespace tocsin::bench
