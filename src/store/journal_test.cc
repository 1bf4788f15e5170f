#include <fcntl.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "kernel/id.h"
#include "kernel/rng.h"
#include "store/internal/journal.h"
#include "store/internal/journal_format.h"
#include "store/testing/scratch_directory.h"

namespace tocsin::store::internal {
namespace {

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() { spdlog::set_level(spdlog::level::off); }
  ~JournalTest() override { spdlog::set_level(spdlog::level::info); }
  using Recovered = std::map<uint64_t, std::string>;

  std::unique_ptr<Journal> Open(Recovered* recovered = nullptr, Status* failure = nullptr) {
    auto journal = Journal::Open(scratch_.path(), 1 << 20, 0, CreateJournalFile,
                                 [&](uint64_t position, std::string_view payload) {
                                   if (recovered != nullptr) (*recovered)[position] = std::string(payload);
                                   return Status::Ok();
                                 });
    if (failure != nullptr) *failure = journal ? Status::Ok() : journal.error();
    EXPECT_TRUE(journal || failure != nullptr) << journal.error().ToString();
    return journal ? std::move(*journal) : nullptr;
  }
  // Writes groups of records "payload <position>".
  void Write(const std::vector<int>& groups) {
    auto journal = Open();
    for (const int size : groups) {
      std::vector<JournalPayload> payloads;
      for (int i = 0; i < size; ++i) {
        std::string bytes = "payload " + std::to_string(journal->Position() + 1 + static_cast<uint64_t>(i));
        bytes += std::string(700, 'p');
        payloads.push_back({bytes, StableHash(bytes)});
      }
      ASSERT_TRUE(journal->Write(payloads));
    }
  }
  std::string OnlySegment() {
    for (const auto& f : std::filesystem::directory_iterator(scratch_.path())) {
      if (f.path().extension() == ".seg") return f.path().string();
    }
    return "";
  }
  static std::string Slurp(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void Spill(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  testing::ScratchDirectory scratch_;
};

TEST_F(JournalTest, EveryCutOfTheTailLosesOnlyWhatWasCut) {
  Write({1, 2, 1});
  const std::string path = OnlySegment(), whole = Slurp(path);
  const size_t record = (whole.size() - kSegmentHeaderBytes) / 4;
  for (size_t n = 0; n <= whole.size(); n += 41) {
    std::filesystem::remove_all(scratch_.path());
    std::filesystem::create_directory(scratch_.path());
    Spill(path, whole.substr(0, n));
    Recovered recovered;
    auto journal = Open(&recovered);
    ASSERT_TRUE(journal) << n;
    const size_t records = n < kSegmentHeaderBytes ? 0 : (n - kSegmentHeaderBytes) / record;
    ASSERT_EQ(recovered.size(), records) << n;
    ASSERT_EQ(journal->Position(), records) << n;
    // And it goes on from there.
    const std::string bytes = "next";
    const JournalPayload next{bytes, StableHash(bytes)};
    ASSERT_EQ(*journal->Write({&next, 1}), records + 1);
    journal.reset();
    recovered.clear();
    ASSERT_TRUE(Open(&recovered));
    ASSERT_EQ(recovered[records + 1], "next");
  }
}

TEST_F(JournalTest, AnyFlippedBitIsFoundAndNamed) {
  Write({1, 2, 1});
  const std::string path = OnlySegment(), whole = Slurp(path);
  Rng rng(5);
  for (int i = 0; i < 400; ++i) {
    std::string damaged = whole;
    const size_t at = rng.Below(damaged.size());
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << rng.Below(8)));
    Spill(path, damaged);
    Status failure;
    Open(nullptr, &failure);
    ASSERT_EQ(failure.code(), Code::kDataLoss) << "byte " << at << ": " << failure.ToString();
    ASSERT_NE(failure.message().find(path), std::string::npos);
    ASSERT_NE(failure.message().find("byte "), std::string::npos);
    ASSERT_EQ(Slurp(path), damaged) << "a damaged journal is left as it is";
  }
}

TEST_F(JournalTest, SectorsThatNeverReachedTheDiskAreATornTail) {
  Write({1, 3});
  const std::string path = OnlySegment();
  std::string bytes = Slurp(path);
  const size_t record = (bytes.size() - kSegmentHeaderBytes) / 4;
  // The second group lost a sector in its first record; its others are whole, but were never acknowledged.
  const size_t sector = (kSegmentHeaderBytes + record + 511) / 512 * 512;
  for (size_t i = sector; i < sector + 512; ++i) bytes[i] = 0;
  Spill(path, bytes);
  Recovered recovered;
  auto journal = Open(&recovered);
  ASSERT_TRUE(journal);
  EXPECT_EQ(recovered.size(), 1u);
  EXPECT_EQ(journal->Position(), 1u);
  bool kept = false;
  for (const auto& f : std::filesystem::directory_iterator(scratch_.path()))
    kept |= f.path().extension() == ".bad";
  EXPECT_TRUE(kept);
}

TEST_F(JournalTest, ALostSectorOfAnAcknowledgedRecordIsDataLoss) {
  Write({1, 1, 1});
  const std::string path = OnlySegment();
  std::string bytes = Slurp(path);
  for (size_t i = 512; i < 1024; ++i) bytes[i] = 0;
  Spill(path, bytes);
  Status failure;
  Open(nullptr, &failure);
  EXPECT_EQ(failure.code(), Code::kDataLoss) << failure.ToString();
}

TEST_F(JournalTest, AMissingSegmentIsDataLoss) {
  Write({1});
  Write({1});
  Write({1});
  std::map<std::string, std::string> names;
  std::filesystem::remove(scratch_.path() + "/00000000000000000002.seg");
  Status failure;
  Open(nullptr, &failure);
  EXPECT_EQ(failure.code(), Code::kDataLoss) << failure.ToString();
  EXPECT_NE(failure.message().find("positions 2 to 2 are missing"), std::string::npos) << failure.message();
}

}  // namespace
}  // namespace tocsin::store::internal
