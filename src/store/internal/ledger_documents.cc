// The ledger's documents.
#include "store/internal/ledger_rows.h"

namespace tocsin::store::internal {
namespace {

using Integer = long long;

// Reads what `query` selects: id, due_ns, body_json.
std::vector<Document> Read(soci::statement& statement, const std::string& collection, const std::string& id,
                           const Integer& due, const std::string& body) {
  std::vector<Document> found;
  statement.execute();
  while (statement.fetch()) found.push_back({collection, id, Time{due}, body});
  return found;
}

}  // namespace

void UpsertDocument(soci::session& sql, const Document& document) {
  const Integer due = document.due.ns;
  sql << "INSERT INTO documents (collection, id, due_ns, body_json) VALUES (:collection, :id, :due, :body) "
         "ON CONFLICT (collection, id) DO UPDATE SET due_ns = excluded.due_ns, body_json = "
         "excluded.body_json",
      soci::use(document.collection), soci::use(document.id), soci::use(due), soci::use(document.body_json);
}

bool EraseDocument(soci::session& sql, const std::string& collection, const std::string& id) {
  soci::statement statement =
      (sql.prepare << "DELETE FROM documents WHERE collection = :collection AND id = :id",
       soci::use(collection), soci::use(id));
  statement.execute(true);
  return statement.get_affected_rows() > 0;
}

std::optional<Document> SelectDocument(soci::session& sql, const std::string& collection,
                                       const std::string& id) {
  std::string found, body;
  Integer due = 0;
  soci::statement statement =
      (sql.prepare
           << "SELECT id, due_ns, body_json FROM documents WHERE collection = :collection AND id = :id",
       soci::use(collection), soci::use(id), soci::into(found), soci::into(due), soci::into(body));
  std::vector<Document> documents = Read(statement, collection, found, due, body);
  if (documents.empty()) return std::nullopt;
  return std::move(documents.front());
}

std::vector<Document> SelectDocuments(soci::session& sql, const DocumentFilter& filter) {
  std::string id, body;
  Integer due = 0;
  const auto limit = static_cast<Integer>(filter.limit);
  if (filter.due_until) {
    const Integer until = filter.due_until->ns;
    soci::statement statement =
        (sql.prepare << "SELECT id, due_ns, body_json FROM documents WHERE collection = :collection AND "
                        "due_ns > 0 AND due_ns <= :until ORDER BY due_ns, id LIMIT :most",
         soci::use(filter.collection), soci::use(until), soci::use(limit), soci::into(id), soci::into(due),
         soci::into(body));
    return Read(statement, filter.collection, id, due, body);
  }
  soci::statement statement =
      (sql.prepare << "SELECT id, due_ns, body_json FROM documents WHERE collection = :collection AND id > "
                      ":after ORDER BY id LIMIT :most",
       soci::use(filter.collection), soci::use(filter.after_id), soci::use(limit), soci::into(id),
       soci::into(due), soci::into(body));
  return Read(statement, filter.collection, id, due, body);
}

}  // namespace tocsin::store::internal
