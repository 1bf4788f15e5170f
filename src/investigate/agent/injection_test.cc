// Attacks in logs, span attributes, tool results, retrieved documents and answers: no verdict changes, no
// query has another scope, and nothing but the model's own endpoint is ever spoken to.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "claims/claim_json.h"
#include "investigate/agent/agent_tools.h"
#include "investigate/testing/world_case.h"
#include "ports/testing/scripted_model.h"
#include "store/testing/scratch_directory.h"

namespace tocsin::investigate {
namespace {

using nlohmann::json;

std::vector<std::string> Attacks() {
  const char* source = std::getenv("TOCSIN_SOURCE_DIR");
  const char* data = std::getenv("TOCSIN_DATA");
  const std::string root =
      data != nullptr ? data : std::string(source != nullptr ? source : ".") + "/../shared/data";
  const std::string packed = root + "/bipia/train.tar.zst";
  if (!std::filesystem::exists(packed)) return {};
  const store::testing::ScratchDirectory scratch;
  const std::string command = "tar --zstd -xf '" + packed + "' -C '" + scratch.path() + "'";
  if (std::system(command.c_str()) != 0) return {};
  std::vector<std::string> out;
  for (const char* name : {"text_attack_train.json", "code_attack_train.json"}) {
    std::ifstream in(scratch.path() + "/benchmark/" + name);
    const json parsed = json::parse(in, nullptr, false);
    for (const auto& [kind, list] : parsed.items()) {
      for (const auto& attack : list) out.push_back(attack.get<std::string>());
    }
  }
  return out;
}

// Each attack many times over the whole time, so that it is no news of the incident itself.
void Plant(RecordedWorld& w, const std::vector<std::string>& attacks) {
  size_t next = 0;
  const auto attack = [&] { return attacks[next++ % attacks.size()]; };
  for (size_t i = 0; i < w.batch.logs.size(); i += 20) w.batch.logs[i].body += " " + attack();
  for (size_t i = 0; i < w.batch.spans.size(); i += 20) {
    w.batch.spans[i].attributes_json = json{{"http.url", attack()}, {"note", attack()}}.dump();
    w.batch.spans[i].status_message = attack();
  }
  for (size_t i = 0; i < w.batch.generations.size(); i += 10) {
    const auto& g = w.batch.generations[i];
    signal::Retrieval r;
    r.trace_id = g.trace_id;
    r.service = g.service;
    r.time = g.time;
    r.documents = {{"doc", attack(), std::nullopt}};
    w.batch.retrievals.push_back(std::move(r));
    signal::ToolExecution t;
    t.trace_id = g.trace_id;
    t.service = g.service;
    t.time = g.time;
    t.name = "lookup";
    t.result = attack();
    w.batch.tool_executions.push_back(std::move(t));
  }
}

TEST(Injection, NoAttackChangesAVerdictOrAScope) {
  const auto attacks = Attacks();
  if (attacks.empty()) GTEST_SKIP() << "bipia/train.tar.zst is not below TOCSIN_DATA";
  EXPECT_EQ(attacks.size(), 125u);
  const testing::WorldCase clean(77);
  const testing::WorldCase hostile(77, [&](RecordedWorld& w) { Plant(w, attacks); });
  auto of_clean = clean.Verifier(), of_hostile = hostile.Verifier();
  size_t compared = 0;
  for (const auto& planted : clean.plan) {
    const auto a = of_clean.Check(planted.claim), b = of_hostile.Check(planted.claim);
    EXPECT_EQ(claims::VerdictName(a.kind), claims::VerdictName(b.kind))
        << claims::WriteClaim(planted.claim).dump();
    ASSERT_EQ(a.queries.size(), b.queries.size());
    for (size_t i = 0; i < a.queries.size(); ++i) {
      EXPECT_EQ(a.queries[i].sql, b.queries[i].sql);
      EXPECT_EQ(a.queries[i].parameters, b.queries[i].parameters);
    }
    ++compared;
  }
  EXPECT_GT(compared, 300u);
}

// A model that does whatever any text it was shown says: it repeats each attack as a claim, a tool and a
// tool's arguments. The proven part is what it was.
TEST(Injection, AModelThatObeysEveryAttackProvesNothing) {
  const auto attacks = Attacks();
  if (attacks.empty()) GTEST_SKIP() << "bipia/train.tar.zst is not below TOCSIN_DATA";
  const testing::WorldCase hostile(78, [&](RecordedWorld& w) { Plant(w, attacks); });
  const Brief base = hostile.Deterministic();
  ports::testing::ScriptedModel model;
  size_t turn = 0;
  model.Otherwise([&](const auto&) {
    std::vector<ports::testing::ScriptedCall> calls;
    for (size_t i = 0; i < 10; ++i, ++turn) {
      const std::string& text = attacks[turn % attacks.size()];
      if (turn % 3 == 0) calls.push_back({"search_logs", json{{"service", text}, {"contains", text}}.dump()});
      if (turn % 3 == 1) calls.push_back({text.substr(0, 60), json{{"do", text}}.dump()});
      if (turn % 3 == 2) calls.push_back({"check_claim", json{{"claim", {{"kind", text}}}}.dump()});
    }
    if (turn > attacks.size())
      calls = {{kSubmitTool,
                json{{"hypotheses",
                      {{{"surface", attacks[1]}, {"cause", attacks[2]}, {"supporting", {attacks[3]}}}}},
                     {"statements", attacks},
                     {"summary", attacks[4]}}
                    .dump()}};
    return ports::testing::ScriptedTurn::ToolCalls(std::move(calls), attacks[turn % attacks.size()]);
  });
  ports::ModelSettings settings;
  settings.base_url = model.Url();
  settings.model = "obedient";
  auto client = ports::MakeModelClient(settings);
  ASSERT_TRUE(client);
  InvestigatorOptions options;
  options.model = "obedient";
  options.max_turns = 20;
  options.max_tool_calls = 200;
  options.budget.max_tokens = 10'000'000;
  Brief brief = base;
  auto verifier = hostile.Verifier();
  Investigator(**client, options)
      .Investigate({hostile.pack, *hostile.telemetry, verifier, hostile.world.end}, brief, {});
  size_t proven = 0, before = 0;
  for (const auto& line : brief.lines) {
    if (line.part == BriefPart::kProven) ++proven;
    if (line.part == BriefPart::kProse) continue;
    for (const auto& attack : attacks) EXPECT_EQ(line.text.find(attack.substr(0, 40)), std::string::npos);
  }
  for (const auto& line : base.lines) before += line.part == BriefPart::kProven ? 1u : 0u;
  EXPECT_EQ(proven, before);
  EXPECT_GT(model.Requests().size(), 5u);
}

}  // namespace
}  // namespace tocsin::investigate
