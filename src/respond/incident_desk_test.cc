// IncidentDesk and the page: one incident for one change, whatever is found when.
#include "respond/incident_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "respond/incident_document.h"
#include "respond/lifecycle/incident_action.h"
#include "respond/render_incident.h"
#include "respond/render_text.h"

namespace tocsin::respond {
namespace {

using detect::Finding;
using detect::FindingKind;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Time kNow{1'772'000'000'000'000'000};

Finding Alarm() {
  Finding f;
  f.family = "behavior";
  f.stream = {"bot", "chat", "support"};
  f.title = "Answers of bot (support) became 40 % shorter";
  f.time = kNow;
  f.generation = 600;
  f.after_count = 90;
  f.rate_per_hour = 120;
  f.log_e_value = 9;
  f.alpha = 1e-3;
  f.leading_monitor = "length.chars";
  f.onset = {kNow - Duration::Minutes(45), kNow - Duration::Minutes(50), kNow - Duration::Minutes(40), true};
  f.lines.push_back({"length.chars", "answers are shorter", 700, 420, 400, 90, "characters", 9, 8, true});
  for (int i = 0; i < 20; ++i) {
    f.exemplars.push_back(
        {"trace" + std::to_string(i), "", "", "", kNow, "question", "answer", "", i % 2 == 0});
  }
  return f;
}

IncidentAction Close() { return {"close", {{"reason", "rolled back"}}, {}}; }

class Desk : public ::testing::Test {
 protected:
  void SetUp() override { ledger_ = std::move(*store::OpenSqlite({":memory:", false})); }
  DeskOutcome Record(const Finding& f, Time now = kNow) {
    DeskOutcome outcome;
    const Status status = ledger_->Transact([&](store::LedgerTransaction& t) -> Status {
      TOCSIN_ASSIGN_OR_RETURN(outcome, desk_.Record(t, std::span(&f, 1), now));
      return {};
    });
    EXPECT_TRUE(status.ok()) << status.ToString();
    return outcome;
  }
  std::vector<signal::Incident> Incidents() { return *ledger_->FindIncidents({}); }
  size_t Events(const std::string& kind) {
    size_t n = 0;
    const auto events = *ledger_->Events("", 0, 1000);
    for (const auto& e : events) n += e.kind == kind ? 1U : 0U;
    return n;
  }
  std::unique_ptr<store::Ledger> ledger_;
  IncidentDesk desk_;
};

TEST_F(Desk, OpensOnceAndUpdatesQuietly) {
  Record(Alarm());
  Record(Alarm());  // read again after a crash
  Finding more = Alarm();
  more.update = true;
  more.after_count = 180;
  Record(more);
  ASSERT_EQ(Incidents().size(), 1U);
  EXPECT_EQ(Events("incident.opened"), 1U);
  EXPECT_EQ(Events("incident.updated"), 0U);
  EXPECT_THAT(Incidents()[0].document_json, HasSubstr("\"after_count\":180"));
  more.time = kNow + Duration::Minutes(6);
  Record(more);
  EXPECT_EQ(Events("incident.updated"), 1U);
}

TEST_F(Desk, TellsAtOnceWhatIsNew) {
  Record(Alarm());
  Finding more = Alarm();
  more.update = true;
  more.kind = FindingKind::kGrounding;
  more.lines.push_back({"grounding.unsupported", "…", 0, 0.2, 400, 90, "share", 20, 12, true});
  Record(more);
  EXPECT_EQ(Events("incident.updated"), 1U);
  EXPECT_EQ(Incidents()[0].kind, "grounding");
  EXPECT_EQ(Incidents()[0].severity, "sev1");
}

TEST_F(Desk, AClosedIncidentStaysClosedUntilTheNextAlarm) {
  const auto id = Record(Alarm()).opened.at(0).id;
  ASSERT_TRUE(ApplyAction(*ledger_, id, Close(), {"kim"}, kNow));
  Finding more = Alarm();
  more.update = true;
  EXPECT_EQ(Record(more).unchanged, 1U);
  EXPECT_EQ(Incidents().size(), 1U);
  Finding next = Alarm();
  next.time = kNow + Duration::Hours(30);
  EXPECT_EQ(Record(next).opened.size(), 1U);
  EXPECT_EQ(Incidents().size(), 2U);
}

TEST_F(Desk, OtherStreamsAndFamiliesAreOtherIncidents) {
  Record(Alarm());
  Finding other = Alarm();
  other.stream.feature = "refund";
  Record(other);
  Finding fact = Alarm();
  fact.kind = FindingKind::kModelInventory;
  fact.family = "model_inventory";
  fact.detail = "not_found:x";
  Record(fact);
  EXPECT_EQ(Incidents().size(), 3U);
  Finding note = Alarm();
  note.family = "note";
  Record(note);
  EXPECT_EQ(Incidents().size(), 3U);
  EXPECT_EQ(Events("model.first_seen"), 1U);
}

TEST_F(Desk, TheTimelineIsChained) {
  Record(Alarm());
  EXPECT_TRUE(ledger_->VerifyAudit()->intact);
}

TEST(Document, IsBounded) {
  Finding f = Alarm();
  for (auto& e : f.exemplars) e.output = std::string(100'000, 'x');
  const std::string text = DocumentOf(f, 64u << 10);
  EXPECT_LE(text.size(), 64u << 10);
  const auto d = nlohmann::json::parse(text);
  EXPECT_TRUE(d["shortened"]);
  EXPECT_EQ(d["lines"].size(), 1U);
}

TEST(Document, SurvivesBytesThatAreNotUtf8) {
  Finding f = Alarm();
  f.exemplars[0].output = "\xff\xfe broken";
  EXPECT_FALSE(nlohmann::json::parse(DocumentOf(f, 1u << 20), nullptr, false).is_discarded());
}

signal::Incident Shown(Finding f) {
  signal::Incident i;
  i.id = {"INC-2K7Q"};
  i.state = "open";
  i.severity = "sev3";
  i.kind = "behavior";
  i.title = f.title;
  i.stream = f.stream.Name();
  i.onset = f.onset.time;
  i.onset_low = f.onset.low;
  i.onset_high = f.onset.high;
  i.alpha = f.alpha;
  i.e_value = 8103;
  i.document_json = DocumentOf(f, 1u << 20);
  return i;
}

TEST(Page, FitsEightyColumnsAndSixtyLines) {
  const std::string page = RenderIncident(Shown(Alarm()));
  size_t lines = 0;
  for (size_t at = 0; at < page.size();) {
    const size_t end = page.find('\n', at);
    EXPECT_LE(Width(page.substr(at, end - at)), 80U) << page.substr(at, end - at);
    ++lines;
    at = end + 1;
  }
  EXPECT_LE(lines, 60U);
  EXPECT_THAT(page, HasSubstr("false alarm at most once per 1,000"));
  EXPECT_THAT(page, HasSubstr("700 → 420 characters"));
}

TEST(Page, HostileTextCannotMoveTheCursor) {
  Finding f = Alarm();
  f.title = "x\x1b[2J\r\nINC-FAKE resolved";
  f.exemplars[0].prompt = "\x1b]0;owned\x07 \xe2\x80\xae reversed";
  const std::string page = RenderIncident(Shown(f));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page, Not(HasSubstr("\r")));
  EXPECT_THAT(page, Not(HasSubstr("\xe2\x80\xae")));
}

TEST(Page, ADamagedDocumentStillShowsTheRow) {
  signal::Incident i = Shown(Alarm());
  i.document_json = "{\"lines\": 7, \"contrast\": [3], \"notes\": {}}";
  EXPECT_THAT(RenderIncident(i), HasSubstr("INC-2K7Q"));
  i.document_json = "not json";
  EXPECT_THAT(RenderIncident(i), HasSubstr("INC-2K7Q"));
  EXPECT_EQ(IncidentToJson(i)["evidence"], nlohmann::json::object());
}

TEST(Page, AnEmptyListSaysSo) { EXPECT_EQ(RenderIncidentList({}), "No incidents.\n"); }

}  // namespace
}  // namespace tocsin::respond
