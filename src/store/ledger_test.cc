#include "store/ledger.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "store/testing/scratch_directory.h"

namespace tocsin::store {
namespace {

class LedgerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Ledger> Open(bool read_only = false) {
    SqliteOptions options;
    options.path = path_;
    options.read_only = read_only;
    auto ledger = OpenSqlite(options);
    EXPECT_TRUE(ledger) << ledger.error().ToString();
    return ledger ? std::move(*ledger) : nullptr;
  }
  static Status Append(Ledger& ledger, int count, const std::string& subject = "INC-1") {
    return ledger.Transact([&](LedgerTransaction& t) -> Status {
      for (int i = 0; i < count; ++i) {
        signal::Event event;
        event.time = {1000 + i};
        event.kind = "incident.updated";
        event.subject = subject;
        event.actor = "tocsin";
        event.body_json = R"({"text":"żółć :colon ? % ' quoted"})";
        TOCSIN_ASSIGN_OR_RETURN([[maybe_unused]] const uint64_t seq, t.AppendEvent(event));
      }
      return Status::Ok();
    });
  }
  // What someone with access to the file would do.
  void Tamper(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(
        sqlite3_exec(db, ("DROP TRIGGER events_no_update; DROP TRIGGER events_no_delete;" + sql).c_str(),
                     nullptr, nullptr, &error),
        SQLITE_OK)
        << error;
    sqlite3_close(db);
  }
  AuditReport Verify() { return *Open(true)->VerifyAudit(); }

  testing::ScratchDirectory scratch_;
  std::string path_ = scratch_.path() + "/ledger.sqlite";
};

signal::Incident SomeIncident(const std::string& id) {
  signal::Incident i;
  i.id = {id};
  i.key = "support-bot/chat|behavior";
  i.state = "open";
  i.severity = "sev2";
  i.kind = "behavior";
  i.title = "Answers of 'support-bot' changed: żółć";
  i.service = "support-bot";
  i.stream = "support-bot/chat";
  i.opened = {INT64_MAX - 1};
  i.updated = {2};
  i.onset = {3};
  i.onset_low = {4};
  i.onset_high = {5};
  i.e_value = 1.5e300;
  i.alpha = 0.001;
  i.page = false;
  i.document_json = R"({"a":[1,2,"ż"]})";
  return i;
}

TEST_F(LedgerTest, IncidentsComeBackWhole) {
  auto ledger = Open();
  const signal::Incident incident = SomeIncident("INC-1");
  ASSERT_TRUE(ledger
                  ->Transact([&](LedgerTransaction& t) {
                    EXPECT_TRUE(t.PutIncident(incident).ok());
                    EXPECT_TRUE((*t.FindIncident(incident.id)).has_value());
                    return Status::Ok();
                  })
                  .ok());
  ledger = Open();
  const auto found = *ledger->FindIncident(incident.id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key, incident.key);
  EXPECT_EQ(found->title, incident.title);
  EXPECT_EQ(found->opened, incident.opened);
  EXPECT_EQ(found->onset_low, incident.onset_low);
  EXPECT_EQ(found->onset_high, incident.onset_high);
  EXPECT_EQ(found->e_value, incident.e_value);
  EXPECT_EQ(found->alpha, incident.alpha);
  EXPECT_EQ(found->page, false);
  EXPECT_EQ(found->document_json, incident.document_json);
  EXPECT_FALSE((*ledger->FindIncident({"INC-none"})).has_value());
}

TEST_F(LedgerTest, IncidentFilters) {
  auto ledger = Open();
  ASSERT_TRUE(ledger
                  ->Transact([&](LedgerTransaction& t) {
                    for (int i = 0; i < 6; ++i) {
                      signal::Incident incident = SomeIncident("INC-" + std::to_string(i));
                      incident.opened = {i};
                      incident.state = i < 2 ? "closed" : "open";
                      incident.service = i % 2 == 0 ? "a" : "b";
                      EXPECT_TRUE(t.PutIncident(incident).ok());
                      incident.updated = {99};
                      EXPECT_TRUE(t.PutIncident(incident).ok()) << "replaces";
                    }
                    return Status::Ok();
                  })
                  .ok());
  const auto count = [&](const std::string& state, const std::string& service, size_t limit) {
    IncidentFilter filter;
    filter.state = state;
    filter.service = service;
    filter.limit = limit;
    return ledger->FindIncidents(filter)->size();
  };
  EXPECT_EQ(count("", "", 100), 6u);
  EXPECT_EQ(count("active", "", 100), 4u);
  EXPECT_EQ(count("closed", "", 100), 2u);
  EXPECT_EQ(count("active", "a", 100), 2u);
  EXPECT_EQ(count("", "", 3), 3u);
  EXPECT_EQ((*ledger->FindIncidents({}))[0].id.value, "INC-5") << "newest first";
}

TEST_F(LedgerTest, MonitorStatesHoldAnyBytes) {
  auto ledger = Open();
  std::string bytes;
  for (int i = 0; i < 100'000; ++i) bytes += static_cast<char>(i * 7 % 256);
  ASSERT_TRUE(ledger
                  ->Transact([&](LedgerTransaction& t) {
                    EXPECT_TRUE(t.PutMonitorState({"a", 17, 3, bytes}).ok());
                    EXPECT_TRUE(t.PutMonitorState({"b", 1, 1, ""}).ok());
                    EXPECT_TRUE(t.PutMonitorState({"c", 1, 1, "gone"}).ok());
                    EXPECT_TRUE(t.PutMonitorState({"b", 2, 1, std::string("\0x", 2)}).ok());
                    EXPECT_TRUE(t.DeleteMonitorState("c").ok());
                    return Status::Ok();
                  })
                  .ok());
  ledger = Open();
  const auto states = *ledger->MonitorStates();
  ASSERT_EQ(states.size(), 2u);
  EXPECT_EQ(states[0].state, bytes);
  EXPECT_EQ(states[0].position, 17u);
  EXPECT_EQ(states[0].format, 3);
  EXPECT_EQ(states[1].position, 2u);
  EXPECT_EQ(states[1].state, std::string("\0x", 2));
}

TEST_F(LedgerTest, AFailedTransactionLeavesNothing) {
  auto ledger = Open();
  ASSERT_TRUE(Append(*ledger, 2).ok());
  const Status status = ledger->Transact([&](LedgerTransaction& t) {
    EXPECT_EQ(*t.AppendEvent({}), 3u);
    EXPECT_TRUE(t.PutIncident(SomeIncident("INC-9")).ok());
    return Status(Code::kNotFound, "changed my mind");
  });
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_FALSE((*ledger->FindIncident({"INC-9"})).has_value());
  ASSERT_TRUE(Append(*ledger, 1).ok());
  EXPECT_EQ(ledger->VerifyAudit()->events, 3u);
  EXPECT_TRUE(ledger->VerifyAudit()->intact);
}

TEST_F(LedgerTest, EventsAreChainedAndReadBySubject) {
  auto ledger = Open();
  ASSERT_TRUE(Append(*ledger, 3, "INC-1").ok());
  ASSERT_TRUE(Append(*ledger, 2, "INC-2").ok());
  EXPECT_EQ(ledger->Events("", 0, 100)->size(), 5u);
  EXPECT_EQ(ledger->Events("INC-2", 0, 100)->size(), 2u);
  EXPECT_EQ(ledger->Events("", 3, 1)->front().seq, 4u);
  const AuditReport report = Verify();
  EXPECT_TRUE(report.intact) << report.what;
  EXPECT_EQ(report.events, 5u);
  EXPECT_EQ(report.head_hash, ledger->Events("", 4, 1)->front().hash);
}

// Computed from docs/formats/audit-chain.md with another implementation (Python's hashlib).
TEST_F(LedgerTest, TheChainIsTheDocumentedOne) {
  auto ledger = Open();
  ASSERT_TRUE(ledger
                  ->Transact([](LedgerTransaction& t) {
                    signal::Event event;
                    event.time = {1790000000123456789};
                    event.kind = "incident.opened";
                    event.subject = "INC-2K7Q";
                    event.actor = "tocsin";
                    event.body_json = "{\"title\":\"Odpowiedzi się zmieniły\"}";
                    return t.AppendEvent(event) ? Status::Ok() : Status(Code::kInternal, "");
                  })
                  .ok());
  EXPECT_EQ(ledger->Events("", 0, 1)->front().hash,
            "18fe851e16c4c77fc71d47a07e192ff157b1107f98a55546f4c6772025d7c521");
}

TEST_F(LedgerTest, TheDatabaseItselfRefusesToAlterTheTimeline) {
  auto ledger = Open();
  ASSERT_TRUE(Append(*ledger, 2).ok());
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
  EXPECT_NE(sqlite3_exec(db, "UPDATE events SET kind = 'x'", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_NE(sqlite3_exec(db, "DELETE FROM events", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
}

TEST_F(LedgerTest, EveryKindOfTamperingIsFound) {
  struct Case {
    const char* sql;
    uint64_t bad;
  };
  for (const Case& c :
       {Case{"UPDATE events SET body_json = '{}' WHERE seq = 4", 4},
        Case{"UPDATE events SET time_ns = time_ns + 1 WHERE seq = 1", 1},
        Case{"UPDATE events SET actor = 'me' WHERE seq = 10", 10},
        Case{"DELETE FROM events WHERE seq = 5", 5}, Case{"DELETE FROM events WHERE seq = 1", 1},
        Case{"UPDATE events SET seq = 99 WHERE seq = 6; UPDATE events SET seq = 6 WHERE seq = 7; "
             "UPDATE events SET seq = 7 WHERE seq = 99",
             6},
        Case{"DELETE FROM events WHERE seq > 7", 8}, Case{"DELETE FROM events", 1},
        Case{"UPDATE events SET hash = '00' WHERE seq = 3", 3}}) {
    std::filesystem::remove_all(scratch_.path());
    std::filesystem::create_directory(scratch_.path());
    ASSERT_TRUE(Append(*Open(), 10).ok());
    ASSERT_TRUE(Verify().intact);
    Tamper(c.sql);
    const AuditReport report = Verify();
    EXPECT_FALSE(report.intact) << c.sql;
    EXPECT_EQ(report.first_bad_seq, c.bad) << c.sql << ": " << report.what;
    EXPECT_FALSE(report.what.empty());
  }
}

TEST_F(LedgerTest, ACutEndIsStillToldAfterTheServerRestarted) {
  ASSERT_TRUE(Append(*Open(), 10).ok());
  Tamper("DELETE FROM events WHERE seq > 7");
  ASSERT_TRUE(Append(*Open(), 5).ok());
  const AuditReport report = Verify();
  EXPECT_FALSE(report.intact);
  EXPECT_EQ(report.first_bad_seq, 8u);
  EXPECT_NE(report.what.find("10 events"), std::string::npos) << report.what;
}

TEST_F(LedgerTest, AMissingHeadIsTold) {
  ASSERT_TRUE(Append(*Open(), 3).ok());
  std::filesystem::remove(scratch_.path() + "/audit.head");
  EXPECT_FALSE(Verify().intact);
}

TEST_F(LedgerTest, VerifiesBesideAWriter) {
  auto ledger = Open();
  std::thread writing([&] {
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(Append(*ledger, 3).ok());
  });
  for (int i = 0; i < 20; ++i) {
    const AuditReport report = Verify();
    EXPECT_TRUE(report.intact) << report.what;
  }
  writing.join();
  EXPECT_EQ(Verify().events, 300u);
}

TEST_F(LedgerTest, ReadOnlyNeverWritesAndNeedsAFile) {
  SqliteOptions options;
  options.path = path_;
  options.read_only = true;
  EXPECT_EQ(OpenSqlite(options).error().code(), Code::kUnavailable);
  EXPECT_FALSE(std::filesystem::exists(path_));
  Open();
  EXPECT_EQ(Append(*Open(true), 1).code(), Code::kFailedPrecondition);
}

TEST_F(LedgerTest, ADamagedFileIsDataLoss) {
  std::ofstream(path_) << std::string(8192, 'x');
  SqliteOptions options;
  options.path = path_;
  EXPECT_EQ(OpenSqlite(options).error().code(), Code::kDataLoss) << OpenSqlite(options).error().ToString();
}

TEST_F(LedgerTest, TextsWithZeroBytesDoNotBreakTheChain) {
  auto ledger = Open();
  const Status status = ledger->Transact([](LedgerTransaction& t) -> Status {
    signal::Event event;
    event.subject = std::string("a\0b", 3);
    TOCSIN_ASSIGN_OR_RETURN([[maybe_unused]] const uint64_t seq, t.AppendEvent(event));
    return Status::Ok();
  });
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_TRUE(ledger->VerifyAudit()->intact) << ledger->VerifyAudit()->what;
}

TEST_F(LedgerTest, InMemory) {
  SqliteOptions options;
  options.path = ":memory:";
  auto ledger = OpenSqlite(options);
  ASSERT_TRUE(ledger);
  ASSERT_TRUE(Append(**ledger, 3).ok());
  EXPECT_TRUE((*ledger)->VerifyAudit()->intact);
}

TEST_F(LedgerTest, AMillionEventsVerifyInSeconds) {
  auto ledger = Open();
  ASSERT_TRUE(Append(*ledger, 200'000).ok());
  const auto start = std::chrono::steady_clock::now();
  const AuditReport report = *ledger->VerifyAudit();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_TRUE(report.intact);
  EXPECT_EQ(report.events, 200'000u);
  RecordProperty("seconds_per_million", std::to_string(took.count() * 5));
  EXPECT_LT(took.count() * 5, 30) << "on a machine shared with others";
  printf("audit: %.2f s per million events\n", took.count() * 5);
}

TEST_F(LedgerTest, DocumentsAreFoundByIdAndByWhenTheyAreDue) {
  {
    const auto ledger = Open();
    ASSERT_TRUE(ledger
                    ->Transact([](LedgerTransaction& t) -> Status {
                      TOCSIN_RETURN_IF_ERROR(t.PutDocument({"outbox", "b", Time{200}, R"({"n":1})"}));
                      TOCSIN_RETURN_IF_ERROR(t.PutDocument({"outbox", "a", Time{300}, R"({"n":2})"}));
                      TOCSIN_RETURN_IF_ERROR(t.PutDocument({"outbox", "c", Time{}, "{}"}));
                      TOCSIN_RETURN_IF_ERROR(t.PutDocument({"silences", "a", Time{1}, "{}"}));
                      TOCSIN_RETURN_IF_ERROR(t.PutDocument({"outbox", "b", Time{250}, R"({"n":3})"}));
                      const auto seen = t.FindDocument("outbox", "b");
                      return seen && *seen && (*seen)->due.ns == 250 ? Status::Ok()
                                                                     : Status(Code::kInternal, "not seen");
                    })
                    .ok());
    const Status undone = ledger->Transact([](LedgerTransaction& t) -> Status {
      TOCSIN_RETURN_IF_ERROR(t.PutDocument({"outbox", "d", Time{1}, "{}"}));
      return {Code::kFailedPrecondition, "no"};
    });
    EXPECT_EQ(undone.code(), Code::kFailedPrecondition);
  }
  const auto ledger = Open();
  const auto due = *ledger->FindDocuments({"outbox", Time{300}, "", 10});
  ASSERT_EQ(due.size(), 2U);
  EXPECT_EQ(due[0].id, "b");
  EXPECT_EQ(due[0].body_json, R"({"n":3})");
  EXPECT_EQ(due[1].id, "a");
  EXPECT_EQ(ledger->FindDocuments({"outbox", Time{299}, "", 10})->size(), 1U);
  const auto rest = *ledger->FindDocuments({"outbox", std::nullopt, "a", 10});
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[1].id, "c");
  EXPECT_FALSE((*ledger->FindDocument("silences", "zz")).has_value());
  ASSERT_TRUE(ledger
                  ->Transact([](LedgerTransaction& t) -> Status {
                    TOCSIN_ASSIGN_OR_RETURN(const bool had, t.DeleteDocument("outbox", "b"));
                    TOCSIN_ASSIGN_OR_RETURN(const bool again, t.DeleteDocument("outbox", "b"));
                    return had && !again ? Status::Ok() : Status(Code::kInternal, "wrong");
                  })
                  .ok());
  EXPECT_FALSE((*ledger->FindDocument("outbox", "b")).has_value());
}

}  // namespace
}  // namespace tocsin::store
