// Incidents worked on by people: rules of the states, who may do what, and a view that is the timeline's.
#include "respond/lifecycle/incident_action.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kernel/rng.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr Time kNow{1'772'000'000'000'000'000};

class Lifecycle : public ::testing::Test {
 protected:
  void SetUp() override { ledger_ = std::move(*store::OpenSqlite({":memory:", false})); }
  IncidentId Declare(const std::string& title) {
    IncidentId id;
    const Status status = ledger_->Transact([&](store::LedgerTransaction& t) -> Status {
      Declaration declaration;
      declaration.title = title;
      TOCSIN_ASSIGN_OR_RETURN(const auto incident, DeclareIncident(t, declaration, {"kim"}, kNow));
      id = incident.id;
      return {};
    });
    EXPECT_TRUE(status.ok()) << status.ToString();
    return id;
  }
  Result<IncidentView> Do(const IncidentId& id, const json& action, const Actor& actor = {"kim"},
                          Time now = kNow + Duration::Minutes(1)) {
    TOCSIN_ASSIGN_OR_RETURN(const auto parsed, ParseIncidentAction(action));
    return ApplyAction(*ledger_, id, parsed, actor, now);
  }
  signal::Incident Row(const IncidentId& id) { return **ledger_->FindIncident(id); }
  IncidentView Folded(const IncidentId& id) { return FoldTimeline(*ledger_->Events(id.value, 0, 10'000)); }
  std::unique_ptr<store::Ledger> ledger_;
};

TEST_F(Lifecycle, ANightFromOpenToClosed) {
  const auto id = Declare("Answers name accounts that do not exist");
  ASSERT_TRUE(Do(id, {{"action", "acknowledge"}}));
  ASSERT_TRUE(Do(id, {{"action", "assign"}, {"role", "commander"}, {"person", "kim"}}));
  ASSERT_TRUE(Do(id, {{"action", "mitigate"}, {"reason", "prompt reverted"}}));
  ASSERT_TRUE(Do(id, {{"action", "task"}, {"text", "tell support"}, {"track", "communication"}}));
  ASSERT_TRUE(Do(id, {{"action", "task_done"}, {"number", 1}}));
  ASSERT_TRUE(Do(
      id,
      {{"action", "track"}, {"track", "communication"}, {"status", "posted a notice"}, {"next_in", "30m"}}));
  ASSERT_TRUE(Do(id, {{"action", "severity"}, {"harm", "harmful"}, {"rate", 0.04}, {"people", 5000}}));
  ASSERT_TRUE(Do(id, {{"action", "monitor"}}));
  const auto closed = Do(id, {{"action", "close"}, {"reason", "back to 0.1 %"}});
  ASSERT_TRUE(closed) << closed.error().ToString();
  EXPECT_EQ(Row(id).state, "closed");
  EXPECT_EQ(Row(id).severity, "sev1");
  EXPECT_EQ(closed->acknowledged_by, "kim");
  EXPECT_TRUE(closed->tasks.at(0).done);
  for (const char* clock : {"detected", "acknowledged", "mitigated", "closed"}) {
    EXPECT_TRUE(closed->clocks.contains(clock)) << clock;
  }
  EXPECT_EQ(*closed, Folded(id));
  const auto page = RenderView(*closed, kNow + Duration::Hours(1), 100);
  EXPECT_THAT(page, HasSubstr("acknowledged by kim, 59 min ago"));
  EXPECT_THAT(page, HasSubstr("NEXT UPDATE OVERDUE by 29 min"));
  EXPECT_THAT(page, HasSubstr("[x] 1. tell support"));
}

TEST_F(Lifecycle, ABotMayNoteButNotAcknowledgeOrClose) {
  const auto id = Declare("Something");
  const Actor bot{"copilot", false};
  EXPECT_TRUE(Do(id, {{"action", "note"}, {"text", "looks like the 09:14 deploy"}}, bot));
  for (const json& action : {json{{"action", "acknowledge"}}, json{{"action", "close"}, {"reason", "done"}},
                             json{{"action", "false_alarm"}, {"reason", "x"}}}) {
    EXPECT_EQ(Do(id, action, bot).error().code(), Code::kPermissionDenied);
  }
  EXPECT_EQ(Row(id).state, "open");
  size_t refused = 0;
  const auto events = *ledger_->Events(id.value, 0, 100);
  for (const auto& e : events) refused += e.kind == "incident.refused" ? 1U : 0U;
  EXPECT_EQ(refused, 3U);
}

TEST_F(Lifecycle, WrongActionsSayWhatIsWrong) {
  const auto id = Declare("Something");
  const auto why = [&](const json& action) {
    const auto done = Do(id, action);
    return done ? std::string("accepted") : done.error().ToString();
  };
  EXPECT_THAT(why(json::array()), HasSubstr("JSON object"));
  EXPECT_THAT(why({{"action", "explode"}}), HasSubstr("no action is called 'explode'"));
  EXPECT_THAT(why({{"action", "close"}}), HasSubstr("close needs 'reason'"));
  EXPECT_THAT(why({{"action", "note"}, {"text", 7}}), HasSubstr("text is not a text"));
  EXPECT_THAT(why({{"action", "note"}, {"text", "a"}, {"txet", "b"}}), HasSubstr("no field 'txet'"));
  EXPECT_THAT(why({{"action", "assign"}, {"role", "boss"}, {"person", "kim"}}), HasSubstr("role is 'boss'"));
  EXPECT_THAT(why({{"action", "severity"}, {"harm", "funny"}, {"rate", 7}}), HasSubstr("rate"));
  EXPECT_THAT(why({{"action", "severity"}}), HasSubstr("severity: give it"));
  EXPECT_THAT(why({{"action", "link"}, {"url", "javascript:alert(1)"}}), HasSubstr("http"));
  EXPECT_THAT(why({{"action", "task_done"}, {"number", 3}}), HasSubstr("no task 3"));
  EXPECT_THAT(why({{"action", "reopen"}, {"reason", "x"}}), HasSubstr("needs no opening"));
  EXPECT_THAT(why({{"action", "track"}, {"track", "engineering"}, {"next_in", "soon"}}),
              HasSubstr("next_in"));
  EXPECT_THAT(why({{"action", "note"}, {"text", std::string(9000, 'a')}}), HasSubstr("8000 bytes"));
  EXPECT_EQ(ApplyAction(*ledger_, {"INC-NONE"}, {"acknowledge", {}, {}}, {"kim"}, kNow).error().code(),
            Code::kNotFound);
  EXPECT_EQ(Do(id, {{"action", "note"}, {"text", "a"}}, {""}).error().code(), Code::kInvalidArgument);
}

TEST_F(Lifecycle, MergingTellsBothAndReopeningTakesApart) {
  const auto a = Declare("Checkout is slow"), b = Declare("Database is down");
  EXPECT_EQ(Do(a, {{"action", "merge"}, {"into", a.value}}).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(Do(a, {{"action", "merge"}, {"into", "INC-NONE"}}).error().code(), Code::kNotFound);
  ASSERT_TRUE(Do(a, {{"action", "merge"}, {"into", b.value}}));
  EXPECT_EQ(Row(a).state, "merged");
  EXPECT_EQ(Folded(b).merged_from, std::vector{a.value});
  EXPECT_EQ(Do(b, {{"action", "merge"}, {"into", a.value}}).error().code(), Code::kFailedPrecondition);
  const auto apart = Do(a, {{"action", "reopen"}, {"reason", "another fault"}});
  ASSERT_TRUE(apart) << apart.error().ToString();
  EXPECT_EQ(apart->merged_into, "");
  EXPECT_TRUE(Folded(b).merged_from.empty());
  EXPECT_EQ(Row(a).state, "open");
}

TEST_F(Lifecycle, RandomWorkKeepsRowViewAndTimelineTheSame) {
  const std::vector<json> actions = {
      {{"action", "acknowledge"}},
      {{"action", "triage"}},
      {{"action", "mitigate"}},
      {{"action", "monitor"}},
      {{"action", "close"}, {"reason", "r"}},
      {{"action", "false_alarm"}, {"reason", "r"}},
      {{"action", "reopen"}, {"reason", "r"}},
      {{"action", "severity"}, {"severity", "sev2"}},
      {{"action", "task"}, {"text", "t"}},
      {{"action", "task_done"}, {"number", 1}},
      {{"action", "factor"}, {"surface", "prompt"}, {"text", "edited"}, {"claim", "CLM-1"}},
      {{"action", "clock"}, {"clock", "context_ready"}},
      {{"action", "link"}, {"url", "https://wiki/x"}},
  };
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    const auto id = Declare("Seed " + std::to_string(seed));
    size_t done = 0;
    for (int i = 0; i < 60; ++i) {
      const Time now = kNow + Duration::Minutes(i);
      const auto view = Do(id, actions[rng.Below(actions.size())], {"kim"}, now);
      if (!view) {
        EXPECT_TRUE(view.error().code() == Code::kFailedPrecondition ||
                    view.error().code() == Code::kNotFound)
            << view.error().ToString();
        continue;
      }
      ++done;
      ASSERT_EQ(*view, Folded(id)) << "seed " << seed << " step " << i;
      ASSERT_EQ(view->state, Row(id).state);
      ASSERT_EQ(ViewFromJson(ViewToJson(*view)), *view);
    }
    EXPECT_GT(done, 10U);
  }
  EXPECT_TRUE(ledger_->VerifyAudit()->intact);
}

TEST(HarmSeverity, TheClassDecidesBeforeTheNumbers) {
  EXPECT_EQ(SeverityOf({"dangerous", 0.001, 1000, 0}), "sev1");
  EXPECT_EQ(SeverityOf({"harmful", 0.001, 1000, 0}), "sev2");
  EXPECT_EQ(SeverityOf({"harmful", 0.3, 1000, 0}), "sev1");
  EXPECT_EQ(SeverityOf({"misleading", 0.3, 1000, 0}), "sev2");
  EXPECT_EQ(SeverityOf({"funny", 0.3, 1000, 0}), "sev4");
  EXPECT_EQ(SeverityOf({"funny", 1, 20'000, 0}), "sev2");
  EXPECT_EQ(SeverityOf({"", 0, 0, 20}), "sev1");
  EXPECT_EQ(SeverityOf({"funny", 0.1, 10, 7}), "sev2");
  EXPECT_EQ(CheckHarm({"sad", 0, 0, 0}).code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace tocsin::respond
