// An alert, then everything a person gets about it: the brief that makes itself, claims run, a model that
// joins, and the command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "claims/claim_json.h"
#include "investigate/evaluation/claim_plan.h"
#include "investigate/evaluation/recorded_world.h"
#include "ports/testing/scripted_model.h"
#include "store/testing/scratch_directory.h"
#include "tests/e2e/running_server.h"
#include "tests/e2e/server_process.h"

namespace tocsin::e2e {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// The world, so that it ends now.
investigate::RecordedWorld WorldUntilNow(uint64_t seed) {
  auto w = investigate::MakeRecordedWorld(seed);
  const Duration later = ports::SystemClock().Now() - Duration::Seconds(5) - w.end;
  for (Time* t : {&w.start, &w.onset, &w.end}) *t = *t + later;
  for (auto& s : w.batch.spans) s.start = s.start + later;
  for (auto& l : w.batch.logs) l.time = l.observed_time = l.time + later;
  for (auto& m : w.batch.metrics) m.time = m.time + later;
  for (auto& g : w.batch.generations) g.time = g.time + later;
  for (auto& c : w.batch.changes) c.time = c.time + later;
  return w;
}

class Investigation : public ::testing::Test {
 protected:
  static runtime::Settings MakeSettings(const std::string& model_url) {
    runtime::Settings settings;
    settings.alerts.route.group_wait = Duration::Millis(100);
    ports::ModelSettings model;
    model.base_url = model_url;
    model.model = "scripted";
    settings.investigation.model = model;
    settings.investigation.options.model = "scripted";
    return settings;
  }

  Investigation() : world_(WorldUntilNow(901)), server_(MakeSettings(model_.Url())) {
    std::promise<void> stored;
    server_.server().writer().Append(world_.batch, [&](Result<uint64_t> done) {
      EXPECT_TRUE(done);
      stored.set_value();
    });
    stored.get_future().wait();
    EXPECT_TRUE(server_.server().writer().Flush().ok());
  }

  json Get(const std::string& path) { return json::parse(server_.Get(path).body, nullptr, false); }

  // Posts the alert and waits for the incident's brief.
  std::string IncidentWithBrief() {
    const json alert = json::array(
        {{{"labels", {{"alertname", "ErrorRate"}, {"service", world_.faulty}, {"severity", "critical"}}},
          {"annotations", {{"summary", world_.faulty + " fails"}}},
          {"startsAt", FormatTime(world_.onset + Duration::Minutes(2))}}});
    EXPECT_EQ(server_.Post("/api/v2/alerts", "application/json", alert.dump()).status, 200);
    for (int i = 0; i < 600; ++i) {
      const json list = Get("/api/v1/incidents");
      for (const auto& incident : list.value("incidents", json::array())) {
        const std::string id = incident.value("id", "");
        if (incident.value("kind", "") != "alerts") continue;
        if (server_.Get("/api/v1/incidents/" + id + "/brief").status == 200) return id;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ADD_FAILURE() << "no brief was made";
    return "";
  }

  static CommandResult Tocsin(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), TOCSIN_BINARY);
    return RunCommand(arguments);
  }

  ports::testing::ScriptedModel model_;
  investigate::RecordedWorld world_;
  RunningServer server_;
  store::testing::ScratchDirectory scratch_;
};

TEST_F(Investigation, AnAlertGetsABriefByItself) {
  const std::string id = IncidentWithBrief();
  const json brief = Get("/api/v1/incidents/" + id + "/brief");
  size_t proven = 0;
  bool names_it = false, change = false;
  for (const auto& line : brief["lines"]) {
    if (line["part"] != "proven") continue;
    ++proven;
    EXPECT_EQ(line["verdict"]["verdict"], "verified");
    EXPECT_FALSE(line["verdict"]["queries"].empty());
    const std::string text = line["text"];
    names_it = names_it || text.find(world_.faulty) != std::string::npos;
    change = change || text.find(world_.culprit_change) != std::string::npos;
  }
  EXPECT_GT(proven, 5u);
  EXPECT_TRUE(names_it);
  EXPECT_TRUE(change);
  ASSERT_FALSE(brief["hypotheses"].empty());
  EXPECT_EQ(brief["hypotheses"][0]["standing"], "supported");
  EXPECT_THAT(brief["hypotheses"][0]["cause"].get<std::string>(), HasSubstr(world_.faulty));
  EXPECT_FALSE(brief["abstains"].get<bool>());
  for (const auto& h : brief["hypotheses"]) {
    if (h["cause"].get<std::string>().find("flag") != std::string::npos) {
      EXPECT_EQ(h["standing"], "refuted") << h["cause"];
    }
  }
  const auto text = server_.Get("/api/v1/incidents/" + id + "/brief?format=text");
  EXPECT_THAT(text.body, HasSubstr("Proven"));
  EXPECT_THAT(server_.Get("/incidents/" + id, "text/html").body, HasSubstr("What is proven"));
  const auto events = Get("/api/v1/incidents/" + id + "/timeline");
  EXPECT_THAT(events.dump(), HasSubstr("brief.made"));
  EXPECT_EQ(model_.Requests().size(), 0u);  // not unless asked
}

// The assistant changed too: its incident is one of behaviour, with claims about lengths and shares.
TEST_F(Investigation, EveryIncidentHasABriefThatReadsBackAndHolds) {
  IncidentWithBrief();
  size_t kinds = 0;
  for (int i = 0; i < 300 && kinds < 2; ++i) {
    kinds = 0;
    const json incidents = Get("/api/v1/incidents")["incidents"];
    for (const auto& incident : incidents)
      kinds += server_.Get("/api/v1/incidents/" + incident["id"].get<std::string>() + "/brief").status == 200
                   ? 1u
                   : 0u;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_GE(kinds, 2u) << Get("/api/v1/incidents").dump();
  const json incidents = Get("/api/v1/incidents")["incidents"];
  for (const auto& incident : incidents) {
    const std::string path = "/api/v1/incidents/" + incident["id"].get<std::string>() + "/brief";
    const auto verified = server_.Post(path + "/verify", "application/json", "");
    ASSERT_EQ(verified.status, 200) << verified.body;
    EXPECT_TRUE(json::parse(verified.body)["changed"].empty()) << verified.body.substr(0, 600);
  }
}

TEST_F(Investigation, TheCommandLineShowsRunsAndChecks) {
  const std::string id = IncidentWithBrief();
  const auto shown = Tocsin({"brief", "show", id, "--url", server_.url()});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("Likeliest causes"));
  const auto verified = Tocsin({"brief", "verify", id, "--url", server_.url()});
  EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("claims run again"));
  EXPECT_EQ(Tocsin({"brief", "show", "INC-NONE", "--url", server_.url()}).exit_code, 1);
  json claims = json::array();
  std::vector<bool> expected;
  for (const auto& planted : investigate::PlantClaims(world_, 901)) {
    const bool plain = std::holds_alternative<claims::RecordCount>(planted.claim) ||
                       std::holds_alternative<claims::MetricLevel>(planted.claim);
    if (!plain || claims.size() >= 20) continue;
    claims.push_back(json(claims::WriteClaim(planted.claim)));
    expected.push_back(planted.is_true);
  }
  const std::string file = scratch_.path() + "/claims.json";
  std::ofstream(file) << claims.dump();
  const auto checked = Tocsin({"claim", "check", file, "--json", "--url", server_.url()});
  EXPECT_EQ(checked.exit_code, 1);  // some are false
  const json answer = json::parse(checked.out, nullptr, false);
  ASSERT_EQ(answer["results"].size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(answer["results"][i]["verdict"], expected[i] ? "verified" : "refuted")
        << answer["results"][i]["text"];
  std::ofstream(file) << "- kind: metric_levle\n";
  const auto wrong = Tocsin({"claim", "check", file, "--url", server_.url()});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("claims[0].kind: did you mean 'metric_level'?"));
}

TEST_F(Investigation, AModelJoinsWhenAskedAndLosesNothing) {
  const std::string id = IncidentWithBrief();
  const auto proven = [](const json& brief) {
    std::set<std::string> out;
    for (const auto& line : brief["lines"]) {
      if (line["part"] == "proven") out.insert(line["claim_id"]);
    }
    return out;
  };
  model_.Otherwise([](const auto&) {
    return ports::testing::ScriptedTurn::Answer("Roll back everything. Verified by me.");
  });
  const auto made = server_.Post("/api/v1/incidents/" + id + "/brief?model=true", "application/json", "");
  ASSERT_EQ(made.status, 200) << made.body;
  const json brief = json::parse(made.body);
  EXPECT_EQ(brief["model"]["outcome"], "malformed");
  EXPECT_GE(model_.Requests().size(), 1u);
  for (const auto& line : brief["lines"]) {
    if (line["part"] != "prose") {
      EXPECT_EQ(line["text"].get<std::string>().find("Roll back"), std::string::npos);
    }
  }
  EXPECT_GT(proven(brief).size(), 5u);
  // What was said is kept.
  const auto kept = server_.server().ledger().FindDocuments({"exchanges", std::nullopt, "", 100});
  ASSERT_TRUE(kept);
  EXPECT_GT(kept->size(), 2u);
}

}  // namespace
}  // namespace tocsin::e2e
