#include "store/state_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>
#include <vector>

#include "store/testing/scratch_directory.h"

namespace tocsin::store {
namespace {

// Remembers every record, in order.
class Lines final : public StateMachine {
 public:
  Status Load(std::string_view snapshot) override {
    lines.clear();
    while (!snapshot.empty()) {
      const size_t end = snapshot.find('\n');
      lines.emplace_back(snapshot.substr(0, end));
      snapshot.remove_prefix(end + 1);
    }
    return {};
  }
  Status Apply(std::string_view record, const void* decoded) override {
    if (decoded != nullptr) {
      EXPECT_EQ(*static_cast<const std::string*>(decoded), record);
    }
    lines.emplace_back(record);
    return {};
  }
  std::string Save() const override {
    std::string out;
    for (const auto& line : lines) out += line + "\n";
    return out;
  }
  std::vector<std::string> lines;
};

class StateLogTest : public ::testing::Test {
 protected:
  StateLogOptions Options() const {
    StateLogOptions options;
    options.directory = scratch_.path() + "/log";
    options.segment_bytes = 2000;
    return options;
  }
  testing::ScratchDirectory scratch_;
};

TEST_F(StateLogTest, WhatWasAcknowledgedIsThereAgainOnceAndInOrder) {
  std::vector<std::string> expected;
  for (int round = 0; round < 6; ++round) {
    Lines machine;
    StateLogOptions options = Options();
    options.snapshot_every_bytes = round % 2 == 0 ? 700 : 1u << 20;
    auto log = StateLog::Open(options, machine);
    ASSERT_TRUE(log) << log.error().ToString();
    EXPECT_EQ(machine.lines, expected);
    for (int i = 0; i < 50; ++i) {
      const auto line = std::make_shared<const std::string>("round " + std::to_string(round) + " line " +
                                                            std::to_string(i));
      ASSERT_TRUE((*log)->AppendAndWait(*line, line).ok());
      expected.push_back(*line);
    }
    EXPECT_EQ((*log)->Stats().position, expected.size());
  }
}

TEST_F(StateLogTest, ACrashAtAnyPointLosesNothingAcknowledged) {
  // The files as they are at each moment are what a crash would leave.
  Lines machine;
  StateLogOptions options = Options();
  options.snapshot_every_bytes = 400;
  auto log = StateLog::Open(options, machine);
  ASSERT_TRUE(log);
  std::vector<std::string> acknowledged;
  for (int i = 0; i < 60; ++i) {
    acknowledged.push_back("line " + std::to_string(i));
    ASSERT_TRUE((*log)->AppendAndWait(acknowledged.back()).ok());
    StateLogOptions copy = options;
    copy.directory = scratch_.path() + "/copy" + std::to_string(i);
    // A snapshot may be under way, as in a real crash; a file that goes while it is copied is copied again.
    std::error_code error;
    do {
      error.clear();
      std::filesystem::remove_all(copy.directory);
      std::filesystem::copy(options.directory, copy.directory, error);
    } while (error);
    Lines recovered;
    const auto again = StateLog::Open(copy, recovered);
    ASSERT_TRUE(again) << again.error().ToString();
    EXPECT_EQ(recovered.lines, acknowledged);
  }
}

TEST_F(StateLogTest, ManyWritersShareTheDisk) {
  Lines machine;
  auto log = StateLog::Open(Options(), machine);
  ASSERT_TRUE(log);
  std::atomic<int> good{0};
  std::latch all(4000);
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        (*log)->Append("x", nullptr, [&](Status status) {
          good += status.ok() ? 1 : 0;
          all.count_down();
        });
      }
    });
  }
  for (auto& writer : writers) writer.join();
  all.wait();
  EXPECT_EQ(good, 4000);
  EXPECT_EQ((*log)->Stats().position, 4000U);
  EXPECT_EQ((*log)->Stats().queued_bytes, 0U);
}

TEST_F(StateLogTest, AFullQueueRefusesAtOnce) {
  Lines machine;
  StateLogOptions options = Options();
  options.max_queue_bytes = 10;
  auto log = StateLog::Open(options, machine);
  ASSERT_TRUE(log);
  EXPECT_EQ((*log)->AppendAndWait("longer than the queue").code(), Code::kResourceExhausted);
  EXPECT_TRUE((*log)->AppendAndWait("short").ok());
}

TEST_F(StateLogTest, ADamagedSnapshotIsAnErrorThatNamesTheFile) {
  {
    Lines machine;
    auto log = StateLog::Open(Options(), machine);
    ASSERT_TRUE((*log)->AppendAndWait("kept").ok());
  }
  const std::string path = Options().directory + "/snapshot";
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-1, std::ios::end);
  file.put('x');
  file.close();
  Lines machine;
  const auto log = StateLog::Open(Options(), machine);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code(), Code::kDataLoss);
  EXPECT_NE(log.error().message().find("snapshot"), std::string::npos);
}

}  // namespace
}  // namespace tocsin::store
