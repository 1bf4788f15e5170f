// Lines of one kind share an id, redaction comes first, and ids survive a restart.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

#include "ports/http_client.h"
#include "runtime/server.h"
#include "store/testing/scratch_directory.h"

namespace tocsin::e2e {
namespace {

using Json = nlohmann::json;

class LogTemplatesServed : public ::testing::Test {
 protected:
  void Start() {
    server_.reset();
    runtime::Settings settings;
    settings.data = directory_.path() + "/data";
    settings.http.port = 0;
    settings.grpc.port = 0;
    auto server = runtime::Server::Start(settings, ports::SystemClock());
    ASSERT_TRUE(server) << server.error().ToString();
    server_ = std::move(*server);
  }
  void Send(const std::vector<std::string>& bodies) {
    Json records = Json::array();
    for (const std::string& body : bodies) {
      records.push_back({{"severityNumber", 9}, {"body", {{"stringValue", body}}}});
    }
    const Json service = {{"key", "service.name"}, {"value", {{"stringValue", "shop"}}}};
    const Json logs = {{"scopeLogs", {{{"logRecords", records}}}}, {"resource", {{"attributes", {service}}}}};
    const Json request = {{"resourceLogs", {logs}}};
    const std::string text = request.dump();
    ports::HttpClient client;
    const auto response = client.Send({"POST",
                                       fmt::format("http://127.0.0.1:{}/v1/logs", server_->http_port()),
                                       {{"Content-Type", "application/json"}},
                                       text});
    ASSERT_TRUE(response) << response.error().ToString();
    ASSERT_EQ(response->status, 200) << response->body;
    ASSERT_TRUE(server_->writer().Flush().ok());
  }
  std::vector<std::string> Column(const std::string& sql) {
    const auto rows = server_->telemetry().Query(sql, {}, {});
    EXPECT_TRUE(rows) << (rows ? "" : rows.error().ToString());
    std::vector<std::string> values;
    if (!rows) return values;
    for (const auto& row : rows->rows) values.push_back(std::get<std::string>(row[0]));
    return values;
  }

  store::testing::ScratchDirectory directory_;
  std::unique_ptr<runtime::Server> server_;
};

TEST_F(LogTemplatesServed, IdsAreStoredWithTheirMeaningAndSurviveARestart) {
  Start();
  Send({"order 17 placed by web-1", "order 18 placed by web-2", "cart emptied"});
  auto ids = Column("SELECT template_id FROM logs ORDER BY position, ordinal");
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids[0].size(), 16u);
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_NE(ids[0], ids[2]);
  EXPECT_EQ(Column("SELECT text FROM log_templates ORDER BY time_ns"),
            (std::vector<std::string>{"order <*> placed by <*>", "cart emptied"}));
  Start();
  Send({"order 19 placed by web-3"});
  ids = Column("SELECT template_id FROM logs ORDER BY position, ordinal");
  ASSERT_EQ(ids.size(), 4u);
  EXPECT_EQ(ids[3], ids[0]);
  EXPECT_EQ(Column("SELECT text FROM log_templates").size(), 2u) << "nothing is new after the restart";
}

TEST_F(LogTemplatesServed, ASecretNeverReachesATemplate) {
  Start();
  Send({"login with Authorization: Bearer sk-abcdefghijklmnopqrstuvwxyz failed"});
  const auto texts = Column("SELECT text FROM log_templates");
  ASSERT_EQ(texts.size(), 1u);
  EXPECT_EQ(texts[0].find("abcdefghij"), std::string::npos) << texts[0];
}

}  // namespace
}  // namespace tocsin::e2e
