// The context pack over a small shop whose payments database fails: each section says what happened, every
// claim it carries holds when it is run, and hostile or missing data change neither.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "claims/claim_json.h"
#include "claims/claim_text.h"
#include "claims/verifier.h"
#include "investigate/context/alert_history.h"
#include "investigate/context/build_context.h"
#include "investigate/context/context_render.h"
#include "kernel/rng.h"
#include "respond/lifecycle/incident_action.h"

namespace tocsin::investigate {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Time kOnset{1'780'000'200'000'000'000};
constexpr Time kNow = kOnset + Duration::Minutes(30);
constexpr const char* kHostile = "db'; DROP TABLE spans; --\x1b[2J\n\"}";

class Stopped final : public ports::Clock {
 public:
  Time Now() const override { return kNow; }
  Time Monotonic() const override { return Time{1}; }
};

class ContextTest : public ::testing::Test {
 protected:
  void SetUp() override {
    telemetry_ = std::move(*store::OpenDuckDb({":memory:", 512, 1}));
    ledger_ = std::move(*store::OpenSqlite({":memory:", false}));
  }

  void Put(const signal::Incident& incident) {
    ASSERT_TRUE(ledger_->Transact([&](store::LedgerTransaction& t) { return t.PutIncident(incident); }).ok());
  }
  void Act(const std::string& id, const json& action, Time at) {
    const auto parsed = respond::ParseIncidentAction(action);
    ASSERT_TRUE(parsed);
    const auto done = respond::ApplyAction(*ledger_, IncidentId{id}, *parsed, {"kim"}, at);
    ASSERT_TRUE(done) << done.error().ToString();
  }
  void Apply(signal::Batch batch) {
    store::JournalEntry entry{++position_, std::make_shared<signal::Batch>(std::move(batch))};
    const Status status = telemetry_->Apply(std::span(&entry, 1));
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  ContextOptions Options() const {
    ContextOptions options;
    options.now = kNow;
    return options;
  }
  ContextPack Build(const ContextOptions& options, const RunbookSource* runbooks = nullptr) {
    const ContextSources sources{*telemetry_, store::DuckDbDialect(), *ledger_, clock_, &alerts_, runbooks};
    auto pack = BuildContext(sources, IncidentId{"INC-1"}, options);
    EXPECT_TRUE(pack) << pack.error().ToString();
    return pack ? *std::move(pack) : ContextPack();
  }
  claims::Verdict Check(const claims::Claim& claim) {
    claims::VerifierOptions options;
    options.as_of = kNow;
    claims::Verifier verifier({*telemetry_, store::DuckDbDialect(), ledger_.get(), nullptr, &alerts_},
                              options);
    return verifier.Check(claim);
  }
  // An incident of alerts: the first began three minutes after the failure did.
  void PutAlertIncident() {
    signal::Incident i;
    i.id = IncidentId{"INC-1"};
    i.key = "alerts";
    i.state = "open";
    i.severity = "sev1";
    i.kind = "alerts";
    i.title = "ErrorRateHigh on checkout: 12 % of calls fail";
    i.service = "checkout";
    i.opened = i.updated = kOnset + Duration::Minutes(4);
    i.onset = i.onset_low = i.onset_high = kOnset + Duration::Minutes(3);
    i.document_json = json{{"format", 1},
                           {"type", "alerts"},
                           {"failing", {"checkout"}},
                           {"alerts",
                            {{{"fingerprint", "00000000000000aa"},
                              {"service", "checkout"},
                              {"name", "ErrorRateHigh"},
                              {"text", "ErrorRateHigh on checkout: 12 % of calls fail"},
                              {"severity", "sev1"},
                              {"starts_at", FormatTime(i.onset)},
                              {"url", ""},
                              {"runbook_url", "https://wiki.example.org/errors"}}}}}
                          .dump();
    Put(i);
  }

  Stopped clock_;
  std::unique_ptr<store::TelemetryStore> telemetry_;
  std::unique_ptr<store::Ledger> ledger_;
  uint64_t position_ = 0;
  // After the ledger, which it refers to; SetUp fills the pointer first.
  struct History final : claims::AlertSource {
    explicit History(ContextTest& test) : test_(test) {}
    Result<std::vector<Firing>> Alerts(const claims::Window& window, size_t limit) const override {
      return AlertHistory(nullptr, *test_.ledger_, test_.clock_).Alerts(window, limit);
    }
    ContextTest& test_;
  } alerts_{*this};
};

struct Call {
  std::string service, parent;
  double ms = 10;
};

signal::Span SpanOf(int64_t trace, size_t place, const Call& call, Time at, bool error, double ms) {
  signal::Span s;
  s.trace_id = fmt::format("{:032x}", StableHash(std::to_string(trace)));
  s.span_id = fmt::format("{:012x}{:04x}", trace, place + 1);
  s.service = call.service;
  s.name = "call " + call.service;
  s.kind = place == 0 ? "server" : "client";
  s.start = at + Duration::Millis(static_cast<int64_t>(place));
  s.duration = Duration{static_cast<int64_t>(ms * 1e6)};
  s.status = error ? "error" : "unset";
  if (error) s.status_message = "no connection";
  return s;
}

signal::LogRecord LogOf(Time at, const std::string& service, const std::string& id, int64_t severity) {
  signal::LogRecord l;
  l.time = l.observed_time = at;
  l.service = service;
  l.severity = severity;
  l.body = "line of " + id;
  l.template_id = id;
  return l;
}

signal::LogTemplate TemplateOf(const std::string& id, const std::string& service, const std::string& text,
                               Time first) {
  signal::LogTemplate t;
  t.time = t.first_seen = first;
  t.template_id = id;
  t.service = service;
  t.text = text;
  return t;
}

// gateway → checkout → payments → database: from the onset on the database fails four times in ten and is
// slow, and who calls it with it.
void FillTraces(signal::Batch& b, Time from, Time to, const std::string& database, Rng& rng) {
  const std::vector<Call> calls = {{"gateway", "", 40},
                                   {"checkout", "gateway", 30},
                                   {"payments", "checkout", 20},
                                   {database, "payments", 10}};
  for (Time at = from; at < to; at = at + Duration::Seconds(1)) {
    const int64_t trace = at.ns / 1'000'000'000;
    const bool faulty = at >= kOnset, fails = faulty && rng.Uniform() < 0.4;
    for (size_t i = 0; i < calls.size(); ++i) {
      const double ms = calls[i].ms * (0.8 + 0.4 * rng.Uniform()) * (faulty && i == 3 ? 8 : 1);
      b.spans.push_back(SpanOf(trace, i, calls[i], at, (fails && i > 0) || rng.Uniform() < 0.002, ms));
      if (i > 0) b.spans.back().parent_span_id = b.spans[b.spans.size() - 2].span_id;
    }
    b.logs.push_back(LogOf(at, "payments", "00000000000000f1", 9));
    if (!faulty) b.logs.push_back(LogOf(at, database, "00000000000000f2", 9));
    if (!faulty) b.logs.push_back(LogOf(at, "payments", "00000000000000f5", 9));
    if (fails) b.logs.push_back(LogOf(at, "payments", "00000000000000f3", 17));
    if (trace % 10 == 0) {
      signal::Generation g;
      g.time = at;
      g.trace_id = b.spans.back().trace_id;
      g.service = "checkout";
      g.tenant = trace % 20 == 0 ? "acme" : "zen";
      g.user_id = fmt::format("u{}", trace % 700);
      g.duration = Duration::Millis(1000 + static_cast<int64_t>(rng.Uniform() * 100));
      g.output_tokens = 50 + static_cast<int64_t>(rng.Uniform() * 10);
      b.generations.push_back(std::move(g));
    }
  }
}

void FillMetrics(signal::Batch& b, Time from, Time to, const std::string& database, Rng& rng) {
  double total = 0;
  for (Time at = from; at < to; at = at + Duration::Seconds(15)) {
    signal::MetricPoint p;
    p.name = "db.connections.waiting";
    p.unit = "1";
    p.kind = "gauge";
    p.service = database;
    p.time = at;
    p.value = 5 + 2 * rng.Uniform() + (at >= kOnset ? 60 : 0);
    p.attributes_json = json{{"pool", "main'; --"}}.dump();
    b.metrics.push_back(p);
    p.name = "db.calls";
    p.kind = "sum";
    p.temporality = "cumulative";
    p.monotonic = true;
    p.attributes_json = "{}";
    total += 100 + 10 * rng.Uniform();
    p.value = total;
    b.metrics.push_back(p);
  }
}

signal::Change ChangeOf(const std::string& id, const std::string& kind, const std::string& service, Time at) {
  signal::Change c;
  c.id = id;
  c.kind = kind;
  c.service = service;
  c.subject = kind == "prompt" ? "refund" : "image";
  c.summary = "by ci \x1b[31mnow";
  c.time = at;
  return c;
}

void FillShop(signal::Batch& b, const std::string& database = "payments-db") {
  Rng rng(7);
  const Time from = kOnset - Duration::Minutes(90);
  FillTraces(b, from, kNow, database, rng);
  FillMetrics(b, from, kNow, database, rng);
  b.log_templates = {
      TemplateOf("00000000000000f1", "payments", "took order <*>", from),
      TemplateOf("00000000000000f2", database, "checkpoint complete", from),
      TemplateOf("00000000000000f3", "payments", "no connection from pool <*> \x1b[2J", kOnset)};
  b.changes = {ChangeOf("dep-old", "deploy", "mailer", kOnset - Duration::Hours(3)),
               ChangeOf("dep-db", "deploy", database, kOnset - Duration::Minutes(6)),
               ChangeOf("prompt-late", "prompt", "checkout", kOnset + Duration::Minutes(12))};
}

std::string All(const ContextPack& pack, std::string_view section) {
  std::string out;
  for (const auto& line : pack.Find(section)->lines) out += line.text + " [" + line.note + "]\n";
  return out;
}

TEST_F(ContextTest, SaysWhatHappenedAndItsClaimsHold) {
  PutAlertIncident();
  signal::Batch batch;
  FillShop(batch);
  Apply(std::move(batch));
  const ContextPack pack = Build(Options());
  for (const auto& s : pack.sections)
    EXPECT_TRUE(s.not_looked_at.empty() || s.name == "people") << s.name << s.not_looked_at;
  ASSERT_FALSE(pack.affected.empty());
  EXPECT_EQ(pack.affected[0].service, "checkout");
  EXPECT_THAT(All(pack, "affected"), HasSubstr("payments-db: errors"));
  EXPECT_THAT(All(pack, "affected"), HasSubstr("Users: "));
  ASSERT_GE(pack.changes.size(), 3u);
  EXPECT_EQ(pack.changes[0].id, "dep-db");
  EXPECT_FALSE(pack.changes[0].refuted);
  EXPECT_EQ(pack.changes.back().id, "prompt-late");
  EXPECT_TRUE(pack.changes.back().refuted);
  ASSERT_GE(pack.logs.size(), 2u);
  EXPECT_EQ(pack.logs[0].template_id, "00000000000000f3");
  EXPECT_EQ(pack.logs[0].state, "new");
  EXPECT_THAT(All(pack, "logs"), HasSubstr("gone: "));
  ASSERT_FALSE(pack.calls.empty());
  EXPECT_EQ(pack.calls[0].callee, "payments-db");
  EXPECT_GT(pack.calls[0].after_errors, 0.3);
  ASSERT_FALSE(pack.metrics.empty());
  EXPECT_EQ(pack.metrics[0].name, "db.connections.waiting");
  EXPECT_FALSE(pack.metrics[0].affected);
  ASSERT_EQ(pack.exemplars.size(), 2u);
  EXPECT_GT(pack.exemplars[0].errors, 0u);
  EXPECT_EQ(pack.exemplars[1].errors, 0u);
  EXPECT_EQ(pack.exemplars[0].shown.size(), 4u);
  EXPECT_EQ(pack.exemplars[0].shown[3].depth, 3);
  ASSERT_EQ(pack.runbooks.size(), 1u);
  EXPECT_EQ(pack.runbooks[0].url, "https://wiki.example.org/errors");

  size_t with_claim = 0;
  for (const auto& s : pack.sections) {
    for (const auto& line : s.lines) {
      if (!line.claim) continue;
      ++with_claim;
      const auto again = claims::ReadClaim(json::parse(claims::WriteClaim(*line.claim).dump()));
      ASSERT_TRUE(again) << line.text << again.error().ToString();
      const auto verdict = Check(*again);
      EXPECT_TRUE(verdict.verified()) << s.name << ": " << line.text << "\n  " << claims::RenderClaim(*again)
                                      << "\n  " << claims::VerdictName(verdict.kind) << ": " << verdict.why;
    }
  }
  EXPECT_GE(with_claim, 15u);
}

TEST_F(ContextTest, ALargeStoreIsSampledByTraceAndItsClaimsStillHold) {
  PutAlertIncident();
  signal::Batch batch;
  FillShop(batch);
  Apply(std::move(batch));
  ContextOptions options = Options();
  options.max_spans = 4'000;
  const ContextPack pack = Build(options);
  EXPECT_THAT(pack.Find("calls")->sampled, HasSubstr("one trace in"));
  ASSERT_FALSE(pack.calls.empty());
  EXPECT_EQ(pack.calls[0].callee, "payments-db");
  EXPECT_LT(pack.calls[0].after_n, 1500u);
  for (const auto& line : pack.Find("calls")->lines) {
    if (!line.claim) continue;
    EXPECT_TRUE(Check(*line.claim).verified()) << line.text;
  }
  for (const auto& line : pack.Find("affected")->lines) {
    if (!line.claim) continue;
    EXPECT_TRUE(Check(*line.claim).verified()) << line.text << Check(*line.claim).why;
  }
}

TEST_F(ContextTest, TextsOfTelemetryStayTexts) {
  PutAlertIncident();
  signal::Batch batch;
  FillShop(batch, kHostile);
  Apply(std::move(batch));
  const ContextPack pack = Build(Options());
  EXPECT_EQ(pack.calls[0].callee, kHostile);
  const std::string page = RenderContext(pack), document = ContextToJson(pack).dump();
  EXPECT_EQ(page.find('\x1b'), std::string::npos);
  EXPECT_EQ(document.find("\\u001b[2J\""), std::string::npos);
  EXPECT_LE(std::ranges::count(page, '\n'), static_cast<std::ptrdiff_t>(kContextPageLines));
  for (const auto& line : pack.Find("calls")->lines) {
    if (!line.claim) continue;
    EXPECT_TRUE(Check(*line.claim).verified()) << line.text << Check(*line.claim).why;
  }
  EXPECT_TRUE(telemetry_->Query("SELECT count(*) FROM spans", {}, {}));
}

TEST_F(ContextTest, AnEmptyStoreGivesThePackWithoutIt) {
  PutAlertIncident();
  const ContextPack pack = Build(Options());
  ASSERT_EQ(pack.sections.size(), std::size(kContextSections));
  for (const char* name : {"logs", "metrics", "calls"})
    EXPECT_FALSE(pack.Find(name)->not_looked_at.empty()) << name;
  EXPECT_EQ(pack.onset, kOnset + Duration::Minutes(3));
  EXPECT_THAT(All(pack, "alerts"), HasSubstr("ErrorRateHigh"));
  EXPECT_THAT(RenderContext(pack), HasSubstr("Not looked at: "));
}

TEST_F(ContextTest, OnlyLogsAreEnoughForTheLogs) {
  PutAlertIncident();
  signal::Batch batch;
  FillShop(batch);
  batch.spans.clear();
  batch.metrics.clear();
  batch.generations.clear();
  Apply(std::move(batch));
  const ContextPack pack = Build(Options());
  EXPECT_THAT(pack.Find("calls")->not_looked_at, HasSubstr("no spans"));
  ASSERT_FALSE(pack.logs.empty());
  EXPECT_EQ(pack.logs[0].state, "new");
}

TEST_F(ContextTest, WithoutAnyOnsetItIsWhenTheIncidentWasOpened) {
  signal::Incident i;
  i.id = IncidentId{"INC-1"};
  i.key = "by hand";
  i.state = "open";
  i.kind = "declared";
  i.title = "Something is odd";
  i.opened = kOnset;
  Put(i);
  const ContextPack pack = Build(Options());
  EXPECT_EQ(pack.onset, kOnset);
  EXPECT_THAT(pack.onset_words, HasSubstr("opened"));
}

TEST_F(ContextTest, NobodyNamedAServiceSoTheWorstAreTaken) {
  signal::Incident i;
  i.id = IncidentId{"INC-1"};
  i.key = "by hand";
  i.state = "open";
  i.kind = "declared";
  i.title = "Something is odd";
  i.opened = kOnset;
  Put(i);
  signal::Batch batch;
  FillShop(batch);
  Apply(std::move(batch));
  const ContextPack pack = Build(Options());
  ASSERT_FALSE(pack.affected.empty());
  EXPECT_THAT(pack.affected[0].why, HasSubstr("rose most"));
}

TEST_F(ContextTest, PastIncidentsCountOnlyWithAConfirmedCause) {
  PutAlertIncident();
  const auto past = [&](const std::string& id, const std::string& title, const std::string& service,
                        bool claim, const std::string& end) {
    signal::Incident i;
    i.id = IncidentId{id};
    i.key = id;
    i.state = "open";
    i.severity = "sev2";
    i.kind = "alerts";
    i.title = title;
    i.service = service;
    i.opened = i.updated = i.onset = kOnset - Duration::Hours(24 * 9);
    i.document_json = json{{"format", 1}, {"alerts", {{{"name", "ErrorRateHigh"}}}}}.dump();
    Put(i);
    json factor = {{"action", "factor"}, {"surface", "dependency"}, {"text", "the pool was too small"}};
    if (claim) factor["claim"] = "c-0123456789abcdef";
    Act(id, factor, kOnset - Duration::Hours(24 * 9));
    Act(id, {{"action", end}, {"reason", "done"}}, kOnset - Duration::Hours(24 * 8));
  };
  past("INC-2", "ErrorRateHigh on checkout: 30 % of calls fail", "checkout", true, "close");
  past("INC-3", "ErrorRateHigh on checkout: 40 % of calls fail", "checkout", false, "close");
  past("INC-4", "ErrorRateHigh on checkout: 50 % of calls fail", "checkout", true, "false_alarm");
  past("INC-5", "Disk full on the archive", "archive", true, "close");
  const ContextPack pack = Build(Options());
  ASSERT_FALSE(pack.similar.empty());
  EXPECT_EQ(pack.similar[0].id, "INC-2");
  EXPECT_FALSE(pack.similar[0].shared.empty());
  for (const auto& s : pack.similar) EXPECT_THAT(s.id, ::testing::AnyOf("INC-2", "INC-5"));
  EXPECT_THAT(All(pack, "similar"), HasSubstr("the pool was too small"));
}

class SomeRunbooks final : public RunbookSource {
 public:
  Result<std::vector<RunbookMatch>> Candidates(const ContextPack& pack, size_t) const override {
    if (pack.affected.empty()) return Error(Code::kInternal, "nothing is affected");
    return std::vector<RunbookMatch>{
        {"rb-1", "Fail over the database", "", "names " + pack.affected[0].service, 0.9}};
  }
};

TEST_F(ContextTest, RunbooksOfASourceComeFirst) {
  PutAlertIncident();
  const SomeRunbooks runbooks;
  const ContextPack pack = Build(Options(), &runbooks);
  ASSERT_EQ(pack.runbooks.size(), 2u);
  EXPECT_EQ(pack.runbooks[0].id, "rb-1");
}

TEST_F(ContextTest, SectionsAreBounded) {
  PutAlertIncident();
  signal::Batch batch;
  FillShop(batch);
  for (int i = 0; i < 300; ++i) {
    for (int j = 0; j < 30; ++j)
      batch.logs.push_back(LogOf(kOnset + Duration::Minutes(5) + Duration::Seconds(j), "checkout",
                                 fmt::format("{:016x}", 0xabc000 + static_cast<unsigned>(i)), 17));
    batch.changes.push_back(
        ChangeOf(fmt::format("c{}", i), "deploy", "checkout", kOnset - Duration::Minutes(i)));
  }
  Apply(std::move(batch));
  const ContextOptions options = Options();
  const ContextPack pack = Build(options);
  for (const auto& s : pack.sections) EXPECT_LE(s.lines.size(), options.max_lines + 3) << s.name;
  EXPECT_TRUE(pack.Find("logs")->cut);
  EXPECT_TRUE(pack.Find("changes")->cut);
  EXPECT_LE(std::ranges::count(RenderContext(pack), '\n'), static_cast<std::ptrdiff_t>(kContextPageLines));
}

TEST_F(ContextTest, NoTimeLeftIsSaidAndNotAnError) {
  PutAlertIncident();
  ContextOptions options = Options();
  options.budget = Duration{};
  const ContextPack pack = Build(options);
  EXPECT_THAT(pack.Find("logs")->not_looked_at, Not(HasSubstr("SELECT")));
  EXPECT_FALSE(pack.Find("onset")->not_looked_at.empty());
  EXPECT_THAT(All(pack, "alerts"), HasSubstr("ErrorRateHigh"));
}

TEST_F(ContextTest, AnUnknownIncidentIsNotFound) {
  const ContextSources sources{*telemetry_, store::DuckDbDialect(), *ledger_, clock_};
  const auto pack = BuildContext(sources, IncidentId{"INC-9"}, Options());
  ASSERT_FALSE(pack);
  EXPECT_EQ(pack.error().code(), Code::kNotFound);
}

}  // namespace
}  // namespace tocsin::investigate
