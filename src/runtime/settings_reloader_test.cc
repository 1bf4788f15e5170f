// A configuration that changes while it is in use: a good one is applied, a bad one changes nothing.
#include "runtime/settings_reloader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "store/testing/scratch_directory.h"

namespace tocsin::runtime {
namespace {

using ::testing::HasSubstr;

constexpr Duration kNever = Duration::Hours(1);
constexpr Duration kOften = Duration::Millis(20);

std::string Rules(int pages) { return "log_level: info\npages_per_shift: " + std::to_string(pages) + "\n"; }

class SettingsReloaderTest : public ::testing::Test {
 protected:
  void Write(const std::string& text) {
    const std::string fresh = path_ + ".new";
    std::ofstream(fresh) << text;
    std::filesystem::rename(fresh, path_);
  }
  void Start(Duration every) {
    const auto settings = ReadSettings(path_);
    ASSERT_TRUE(settings) << settings.error().message();
    reloader_ = SettingsReloader::Start(
        *settings, ports::SystemClock(),
        [this](const Settings& now) {
          pages_ = now.dispatch.pages_per_shift;
          return now.dispatch.pages_per_shift == 13 ? Status(Code::kInternal, "not thirteen") : Status();
        },
        every);
  }
  void WaitUntil(const std::function<bool(const ReloadStats&)>& done) {
    for (int i = 0; i < 1000 && !done(reloader_->Stats()); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(done(reloader_->Stats()));
  }
  store::testing::ScratchDirectory scratch_;
  const std::string path_ = scratch_.path() + "/tocsin.yaml";
  std::atomic<int> pages_{0};
  std::unique_ptr<SettingsReloader> reloader_;
};

TEST_F(SettingsReloaderTest, AGoodFileIsAppliedABadOneChangesNothing) {
  Write(Rules(3));
  Start(kNever);
  Write(Rules(4));
  ASSERT_TRUE(reloader_->Reload("test").ok());
  EXPECT_EQ(pages_, 4);
  EXPECT_EQ(reloader_->Stats().reloads, 1u);
  EXPECT_TRUE(reloader_->Stats().last_reload.known());
  Write("pages_per_shift: 5\nroute: {receiver: nobody}\npeopel: {}\n");
  const Status refused = reloader_->Reload("test");
  EXPECT_EQ(refused.code(), Code::kInvalidArgument);
  EXPECT_THAT(refused.message(), HasSubstr("tocsin.yaml:2: route.receiver"));
  EXPECT_THAT(refused.message(), HasSubstr("tocsin.yaml:3: unknown key 'peopel'; is it 'people'?"));
  EXPECT_EQ(pages_, 4);
  EXPECT_EQ(reloader_->Stats().refused, 1u);
  EXPECT_EQ(reloader_->Stats().last_error, refused.message());
  Write(Rules(13));
  EXPECT_EQ(reloader_->Reload("test").message(), "not thirteen");
  std::filesystem::remove(path_);
  EXPECT_EQ(reloader_->Reload("test").code(), Code::kNotFound);
  Write(Rules(6));
  ASSERT_TRUE(reloader_->Reload("test").ok());
  EXPECT_EQ(pages_, 6);
  EXPECT_EQ(reloader_->Stats().last_error, "");
  EXPECT_EQ(reloader_->Stats().refused, 3u);
}

TEST_F(SettingsReloaderTest, SaysWhichKeysNeedARestart) {
  Write(Rules(3) + "http: 127.0.0.1:0\nlimits: {max_text_bytes: 1MiB}\n");
  Start(kNever);
  Write("# a comment\n" + Rules(4) + "limits: {max_text_bytes: 2MiB}\nstore: {threads: 2}\n");
  ASSERT_TRUE(reloader_->Reload("test").ok());
  EXPECT_EQ(reloader_->Stats().needs_restart, "limits, store, http");
  Write(Rules(4) + "http: 127.0.0.1:0\nlimits: {max_text_bytes: 1MiB}\n");
  ASSERT_TRUE(reloader_->Reload("test").ok());
  EXPECT_EQ(reloader_->Stats().needs_restart, "");
}

TEST_F(SettingsReloaderTest, AChangeOfTheFileIsSeen) {
  Write(Rules(3));
  Start(kOften);
  Write(Rules(7));
  WaitUntil([](const ReloadStats& stats) { return stats.reloads == 1; });
  EXPECT_EQ(pages_, 7);
  Write("wrong");
  WaitUntil([](const ReloadStats& stats) { return stats.refused == 1; });
  // Looked at again and again, refused once.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_EQ(reloader_->Stats().refused, 1u);
  std::filesystem::remove(path_);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  Write(Rules(8));
  WaitUntil([](const ReloadStats& stats) { return stats.reloads == 2; });
  EXPECT_EQ(pages_, 8);
}

TEST_F(SettingsReloaderTest, WithoutAFileThereIsNothingToRead) {
  reloader_ = SettingsReloader::Start(
      Settings(), ports::SystemClock(), [](const Settings&) { return Status(); }, kOften);
  EXPECT_EQ(reloader_->Reload("test").code(), Code::kFailedPrecondition);
}

}  // namespace
}  // namespace tocsin::runtime
