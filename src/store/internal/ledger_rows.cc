#include "store/internal/ledger_rows.h"

#include <cmath>

#include "store/internal/audit_chain.h"

namespace tocsin::store::internal {
namespace {

using Integer = long long;  // SOCI's 64-bit type

constexpr const char* kIncidentColumns =
    "id, incident_key, state, severity, kind, title, service, stream, opened_ns, updated_ns, onset_ns, "
    "onset_low_ns, onset_high_ns, e_value, alpha, page, document_json";

// SQLite has no NaN: it would be stored as NULL.
double Number(double v) { return std::isnan(v) ? 0 : v; }

struct IncidentRow {
  signal::Incident incident;
  Integer opened = 0, updated = 0, onset = 0, onset_low = 0, onset_high = 0;
  int page = 1;

  signal::Incident Take() {
    incident.opened.ns = opened;
    incident.updated.ns = updated;
    incident.onset.ns = onset;
    incident.onset_low.ns = onset_low;
    incident.onset_high.ns = onset_high;
    incident.page = page != 0;
    return incident;
  }
};

// Adds the targets of kIncidentColumns.
template <class Statement>
auto Into(Statement&& statement, IncidentRow& row) {
  signal::Incident& i = row.incident;
  using soci::into;
  return (statement, into(i.id.value), into(i.key), into(i.state), into(i.severity), into(i.kind),
          into(i.title), into(i.service), into(i.stream), into(row.opened), into(row.updated),
          into(row.onset), into(row.onset_low), into(row.onset_high), into(i.e_value), into(i.alpha),
          into(row.page), into(i.document_json));
}

}  // namespace

void InsertEvent(soci::session& sql, const signal::Event& event) {
  const auto seq = static_cast<Integer>(event.seq);
  const Integer time = event.time.ns;
  sql << "INSERT INTO events (seq, time_ns, kind, subject, actor, body_json, hash) VALUES (:s, :t, :k, :u, "
         ":a, :b, :h)",
      soci::use(seq), soci::use(time), soci::use(event.kind), soci::use(event.subject),
      soci::use(event.actor), soci::use(event.body_json), soci::use(event.hash);
}

void ForEvents(soci::session& sql, const std::string& subject, uint64_t after_seq, size_t limit,
               const std::function<bool(signal::Event&)>& each) {
  signal::Event event;
  Integer seq = 0, time = 0;
  const auto after = static_cast<Integer>(after_seq);
  const auto most = static_cast<Integer>(limit);
  const auto run = [&](soci::statement&& statement) {
    statement.execute();
    while (statement.fetch()) {
      event.seq = static_cast<uint64_t>(seq);
      event.time.ns = time;
      if (!each(event)) return;
    }
  };
  using soci::into, soci::use;
  if (subject.empty()) {
    run((sql.prepare
             << "SELECT seq, time_ns, kind, subject, actor, body_json, hash FROM events WHERE seq > :a "
                "ORDER BY seq LIMIT :m",
         into(seq), into(time), into(event.kind), into(event.subject), into(event.actor),
         into(event.body_json), into(event.hash), use(after), use(most)));
  } else {
    run((sql.prepare
             << "SELECT seq, time_ns, kind, subject, actor, body_json, hash FROM events WHERE seq > :a AND "
                "subject = :s ORDER BY seq LIMIT :m",
         into(seq), into(time), into(event.kind), into(event.subject), into(event.actor),
         into(event.body_json), into(event.hash), use(after), use(subject), use(most)));
  }
}

ChainEnd ReadChainEnd(soci::session& sql) {
  ChainEnd end{0, GenesisHash()};
  Integer seq = 0;
  std::string hash;
  sql << "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1", soci::into(seq), soci::into(hash);
  if (sql.got_data()) end = {static_cast<uint64_t>(seq), hash};
  return end;
}

std::string EventHash(soci::session& sql, uint64_t seq) {
  std::string hash;
  const auto wanted = static_cast<Integer>(seq);
  sql << "SELECT hash FROM events WHERE seq = :s", soci::into(hash), soci::use(wanted);
  return sql.got_data() ? hash : std::string();
}

void UpsertIncident(soci::session& sql, const signal::Incident& i) {
  const Integer opened = i.opened.ns, updated = i.updated.ns, onset = i.onset.ns;
  const Integer onset_low = i.onset_low.ns, onset_high = i.onset_high.ns;
  const double e_value = Number(i.e_value), alpha = Number(i.alpha);
  const int page = i.page ? 1 : 0;
  using soci::use;
  sql << "INSERT INTO incidents (" << kIncidentColumns
      << ") VALUES (:id, :key, :state, :severity, :kind, :title, :service, :stream, :opened, :updated, "
         ":onset, "
         ":onset_low, :onset_high, :e, :alpha, :page, :document) ON CONFLICT (id) DO UPDATE SET "
         "incident_key = excluded.incident_key, state = excluded.state, severity = excluded.severity, "
         "kind = excluded.kind, title = excluded.title, service = excluded.service, stream = "
         "excluded.stream, "
         "opened_ns = excluded.opened_ns, updated_ns = excluded.updated_ns, onset_ns = excluded.onset_ns, "
         "onset_low_ns = excluded.onset_low_ns, onset_high_ns = excluded.onset_high_ns, e_value = "
         "excluded.e_value, "
         "alpha = excluded.alpha, page = excluded.page, document_json = excluded.document_json",
      use(i.id.value), use(i.key), use(i.state), use(i.severity), use(i.kind), use(i.title), use(i.service),
      use(i.stream), use(opened), use(updated), use(onset), use(onset_low), use(onset_high), use(e_value),
      use(alpha), use(page), use(i.document_json);
}

std::optional<signal::Incident> SelectIncident(soci::session& sql, const IncidentId& id) {
  IncidentRow row;
  soci::statement statement((Into(
      (sql.prepare << "SELECT " << kIncidentColumns << " FROM incidents WHERE id = :id", soci::use(id.value)),
      row)));
  statement.execute();
  if (!statement.fetch()) return std::nullopt;
  return row.Take();
}

std::vector<signal::Incident> SelectIncidents(soci::session& sql, const IncidentFilter& filter) {
  const bool active = filter.state == "active";
  const std::string state = active ? "" : filter.state;
  const auto limit = static_cast<Integer>(filter.limit);
  IncidentRow row;
  // An empty text stands for any.
  soci::statement statement(
      (Into((sql.prepare
                 << "SELECT " << kIncidentColumns
                 << " FROM incidents WHERE (:state = '' OR state = :state2) AND (:service = '' OR service = "
                    ":service2) AND (:key = '' OR incident_key = :key2) "
                 << (active ? "AND state NOT IN ('closed', 'merged', 'false_alarm') " : "")
                 << "ORDER BY opened_ns DESC, id DESC LIMIT :most",
             soci::use(state), soci::use(state), soci::use(filter.service), soci::use(filter.service),
             soci::use(filter.key), soci::use(filter.key), soci::use(limit)),
            row)));
  std::vector<signal::Incident> found;
  statement.execute();
  while (statement.fetch()) found.push_back(row.Take());
  return found;
}

void UpsertMonitorState(soci::session& sql, const MonitorState& state) {
  const auto position = static_cast<Integer>(state.position);
  const Integer format = state.format;
  soci::blob bytes(sql);
  if (!state.state.empty()) bytes.append(state.state.data(), state.state.size());
  sql << "INSERT INTO monitor_states (id, position, format, state) VALUES (:id, :position, :format, :state) "
         "ON CONFLICT "
         "(id) DO UPDATE SET position = excluded.position, format = excluded.format, state = excluded.state",
      soci::use(state.id), soci::use(position), soci::use(format), soci::use(bytes);
}

void EraseMonitorState(soci::session& sql, const std::string& id) {
  sql << "DELETE FROM monitor_states WHERE id = :id", soci::use(id);
}

std::vector<MonitorState> SelectMonitorStates(soci::session& sql) {
  std::vector<MonitorState> states;
  MonitorState state;
  Integer position = 0, format = 1;
  soci::blob bytes(sql);
  soci::indicator present = soci::i_null;
  soci::statement statement(
      (sql.prepare << "SELECT id, position, format, state FROM monitor_states ORDER BY id",
       soci::into(state.id), soci::into(position), soci::into(format), soci::into(bytes, present)));
  statement.execute();
  while (statement.fetch()) {
    state.position = static_cast<uint64_t>(position);
    state.format = format;
    state.state.clear();
    if (present == soci::i_ok && bytes.get_len() > 0) {
      state.state.resize(bytes.get_len());
      bytes.read(0, state.state.data(), state.state.size());
    }
    states.push_back(state);
  }
  return states;
}

}  // namespace tocsin::store::internal
