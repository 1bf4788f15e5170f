// A recorded world as an incident: its pack, made by hand of claims that are true of it, its store, and a
// verifier. For tests.
#pragma once

#include <functional>
#include <memory>

#include "claims/verifier.h"
#include "detect/behavior_source.h"
#include "investigate/brief/make_brief.h"
#include "investigate/context/context_pack.h"
#include "investigate/evaluation/claim_plan.h"
#include "investigate/evaluation/recorded_world.h"

namespace tocsin::investigate::testing {

struct WorldCase {
  explicit WorldCase(uint64_t seed, const std::function<void(RecordedWorld&)>& alter = nullptr)
      : world(MakeRecordedWorld(seed)) {
    plan = PlantClaims(world, seed);
    if (alter) alter(world);
    telemetry = *StoreWorld(world, std::nullopt);
    behavior = detect::MakeBehaviorSource({});
    pack.incident.id = IncidentId{"INC-TEST"};
    pack.incident.title = "checkout fails";
    pack.incident.service = "bot";
    pack.onset = world.onset;
    pack.built = world.end;
    pack.windows.baseline = {world.onset - Duration::Minutes(50), world.onset - Duration::Minutes(1)};
    pack.windows.window = {world.onset, world.end};
    for (const auto name : kContextSections) {
      ContextSection section;
      section.name = name;
      pack.sections.push_back(std::move(section));
    }
    for (const auto& planted : plan) {
      if (!planted.is_true || pack.sections[6].lines.size() >= 12) continue;
      if (!std::holds_alternative<claims::MetricChange>(planted.claim) &&
          !std::holds_alternative<claims::LogTemplate>(planted.claim))
        continue;
      ContextLine line;
      line.text = "a line of the pack";
      line.claim = planted.claim;
      pack.sections[6].lines.push_back(std::move(line));
    }
  }

  claims::Verifier Verifier() const {
    return claims::Verifier({*telemetry, store::DuckDbDialect(), nullptr, behavior.get(), nullptr},
                            {world.end});
  }
  Brief Deterministic() const {
    auto verifier = Verifier();
    BriefOptions options;
    options.now = world.end;
    return MakeBrief(pack, nullptr, *telemetry, verifier, options);
  }

  RecordedWorld world;
  std::vector<PlantedClaim> plan;
  std::unique_ptr<store::TelemetryStore> telemetry;
  std::unique_ptr<claims::BehaviorSource> behavior;
  ContextPack pack;
};

}  // namespace tocsin::investigate::testing
