// DetectionService with the real stores: catching up, restarts, a full queue.
#include "respond/detection_service.h"

#include <gtest/gtest.h>

#include "kernel/rng.h"
#include "respond/lifecycle/incident_action.h"

namespace tocsin::respond {
namespace {

store::JournalEntry Entry(uint64_t position, bool changed, size_t generations = 1) {
  static const char* const kUsual[] = {"Your parcel is on its way", "The carrier has it",
                                       "It will arrive soon"};
  static const char* const kOther[] = {"Sure! Absolutely!", "Great question!", "Happy to help!"};
  Rng rng(position);
  auto batch = std::make_shared<signal::Batch>();
  for (size_t i = 0; i < generations; ++i) {
    signal::Generation g;
    g.time = {(1'772'000'000 + static_cast<int64_t>(position) * 10) * 1'000'000'000};
    g.trace_id = "t" + std::to_string(position) + "." + std::to_string(i);
    g.service = "bot";
    g.operation = "chat";
    g.input = "Where is my parcel " + std::to_string(100000 + position) + "?";
    for (int k = 0; k < 4; ++k)
      g.output += std::string(changed ? kOther[rng.Below(3)] : kUsual[rng.Below(3)]) + ". ";
    batch->generations.push_back(std::move(g));
  }
  return {position, batch};
}

class ServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    telemetry_ = std::move(*store::OpenDuckDb({":memory:", 256, 1}));
    ledger_ = std::move(*store::OpenSqlite({":memory:", false}));
    options_.watcher.reference_size = 150;
  }
  std::unique_ptr<DetectionService> Start() {
    auto service = DetectionService::Start(options_, *telemetry_, *ledger_, ports::SystemClock());
    EXPECT_TRUE(service.has_value());
    return std::move(*service);
  }
  void Apply(const store::JournalEntry& entry) { ASSERT_TRUE(telemetry_->Apply(std::span(&entry, 1)).ok()); }

  std::unique_ptr<store::TelemetryStore> telemetry_;
  std::unique_ptr<store::Ledger> ledger_;
  DetectionOptions options_;
};

TEST_F(ServiceTest, OpensOneIncidentAcrossRestarts) {
  auto service = Start();
  for (uint64_t p = 1; p <= 400; ++p) {
    const auto entry = Entry(p, p > 250);
    Apply(entry);
    if (p % 90 == 0) {
      service.reset();
      service = Start();
    }
    if (p % 97 > 5) service->Offer(entry);  // some are missed and must be found in the store
  }
  ASSERT_TRUE(service->Drain().ok());
  EXPECT_EQ(service->Stats().position, 400U);
  EXPECT_EQ(service->Stats().gaps, 0U);
  EXPECT_EQ(service->Watching().generations, 400U);
  service.reset();
  service = Start();
  ASSERT_TRUE(service->Drain().ok());
  const auto incidents = *ledger_->FindIncidents({});
  ASSERT_EQ(incidents.size(), 1U);
  EXPECT_EQ(incidents[0].kind, "behavior");
  size_t opened = 0;
  const auto events = *ledger_->Events("", 0, 1000);
  for (const auto& e : events) opened += e.kind == "incident.opened" ? 1U : 0U;
  EXPECT_EQ(opened, 1U);
}

TEST_F(ServiceTest, CatchesUpWithWhatOnlyTheStoreHolds) {
  for (uint64_t p = 1; p <= 50; ++p) Apply(Entry(p, false));
  auto service = Start();
  ASSERT_TRUE(service->Drain().ok());
  EXPECT_EQ(service->Stats().position, 50U);
  EXPECT_EQ(service->Stats().saved_position, 50U);
}

TEST_F(ServiceTest, AFullQueueSamplesAndNeverBlocks) {
  options_.limits.max_detect_queue = 200;
  auto service = Start();
  uint64_t offered = 0;
  for (uint64_t p = 1; p <= 300; ++p) {
    service->Offer(Entry(p, false, 50));
    offered += 50;
    ASSERT_LE(service->Stats().queued_generations, 200U);
  }
  ASSERT_TRUE(service->Drain().ok());
  const auto stats = service->Stats();
  EXPECT_EQ(stats.position, 300U);
  EXPECT_GT(stats.sampled_out, 0U);
  EXPECT_EQ(stats.generations + stats.sampled_out, offered);
}

TEST_F(ServiceTest, AClosedIncidentTeachesTheNewNormal) {
  auto service = Start();
  for (uint64_t p = 1; p <= 320; ++p) {
    Apply(Entry(p, p > 200));
    service->Offer(Entry(p, p > 200));
  }
  ASSERT_TRUE(service->Drain().ok());
  const auto incidents = *ledger_->FindIncidents({});
  ASSERT_EQ(incidents.size(), 1U);
  ASSERT_EQ(service->Watching().streams.at(0).state, "changed");
  ASSERT_TRUE(ApplyAction(*ledger_, incidents[0].id, {"close", {{"reason", "fine"}}, {}}, {"kim"},
                          ports::SystemClock().Now()));
  ASSERT_TRUE(service->Drain().ok());
  EXPECT_EQ(service->Watching().streams.at(0).state, "learning");
  EXPECT_EQ(service->Rebaseline("no/such").code(), Code::kNotFound);
}

}  // namespace
}  // namespace tocsin::respond
