// Debian's own Prometheus, Alertmanager and amtool against the whole server:
//
//   prometheus ──────────────────────────▶ /api/v2/alerts ──────────────┐
//        └──▶ prometheus-alertmanager ──▶ /api/v1/alerts/alertmanager ──┴─▶ one alert, one incident
//
// Skipped where a program is absent.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "peer_process.h"
#include "running_server.h"
#include "server_process.h"

namespace tocsin {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

bool Eventually(const std::function<bool()>& holds, int seconds = 20) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return true;
}

class AlertPeers : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"prometheus", "prometheus-alertmanager", "amtool"}) {
      if (!e2e::HaveProgram(name)) GTEST_SKIP() << name << " is not installed (./x setup installs it)";
    }
    server_.emplace();
  }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = folder_.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  json Get(const std::string& path) { return json::parse(server_->Get(path).body, nullptr, false); }
  e2e::CommandResult Amtool(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"amtool", "--alertmanager.url=" + server_->url()});
    return e2e::RunCommand(arguments, 20);
  }
  // Requests to the route that were answered with 200.
  bool Taken(const std::string& route) {
    const std::string metrics = server_->Get("/metrics", "text/plain").body;
    for (size_t at = 0; (at = metrics.find("tocsin_http_requests_total{", at)) != std::string::npos; ++at) {
      const std::string line = metrics.substr(at, metrics.find('\n', at) - at);
      if (line.find('"' + route + '"') != std::string::npos && line.find("\"200\"") != std::string::npos)
        return true;
    }
    return false;
  }
  void StartAlertmanager();
  void StartPrometheus();
  json TheAlert() {
    const json alerts = Get("/api/v2/alerts?filter=alertname%3DCheckoutDown");
    return alerts.size() == 1 ? alerts[0] : json();
  }

  store::testing::ScratchDirectory folder_;
  std::optional<e2e::RunningServer> server_;
  e2e::ListeningPeer alertmanager_, prometheus_;
};

void AlertPeers::StartAlertmanager() {
  const std::string config = Write("alertmanager.yml", fmt::format(R"(route:
  receiver: tocsin
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
receivers:
  - name: tocsin
    webhook_configs:
      - url: {}/api/v1/alerts/alertmanager
)",
                                                                   server_->url()));
  alertmanager_ = e2e::StartListening(
      [&](uint16_t port) {
        return std::vector<std::string>{"prometheus-alertmanager", "--config.file=" + config,
                                        "--storage.path=" + folder_.path() + "/alertmanager",
                                        fmt::format("--web.listen-address=127.0.0.1:{}", port),
                                        "--cluster.listen-address="};
      },
      folder_.path() + "/alertmanager.log", "/-/ready");
}

void AlertPeers::StartPrometheus() {
  const std::string rules = Write("rules.yml", R"(groups:
  - name: e2e
    rules:
      - alert: CheckoutDown
        expr: vector(1) > 0
        labels: {severity: critical, service: checkout}
        annotations: {summary: "Checkout does not answer"}
)");
  const std::string config = Write("prometheus.yml", fmt::format(R"(global:
  evaluation_interval: 1s
  scrape_interval: 1s
  external_labels: {{cluster: e2e}}
rule_files: ["{}"]
alerting:
  alertmanagers:
    - static_configs: [{{targets: ["127.0.0.1:{}", "127.0.0.1:{}"]}}]
)",
                                                                 rules, server_->port(), alertmanager_.port));
  prometheus_ = e2e::StartListening(
      [&](uint16_t port) {
        // Sends again soon: what comes before it knows its receivers goes nowhere.
        return std::vector<std::string>{"prometheus", "--config.file=" + config,
                                        "--rules.alert.resend-delay=1s",
                                        "--storage.tsdb.path=" + folder_.path() + "/prometheus",
                                        fmt::format("--web.listen-address=127.0.0.1:{}", port)};
      },
      folder_.path() + "/prometheus.log", "/-/ready");
}

TEST_F(AlertPeers, BothWaysEndInOneAlertAndOneIncident) {
  StartAlertmanager();
  StartPrometheus();
  ASSERT_TRUE(Eventually([&] { return Taken("/api/v2/alerts"); })) << prometheus_.process->LogTail();
  ASSERT_TRUE(Eventually([&] { return Taken("/api/v1/alerts/alertmanager"); }))
      << alertmanager_.process->LogTail();
  const json alerts = Get("/api/v2/alerts");
  ASSERT_EQ(alerts.size(), 1U) << alerts.dump(1);
  const std::string fingerprint = alerts[0]["fingerprint"];
  EXPECT_EQ(alerts[0]["labels"], (json{{"alertname", "CheckoutDown"},
                                       {"cluster", "e2e"},
                                       {"service", "checkout"},
                                       {"severity", "critical"}}));
  EXPECT_EQ(alerts[0]["annotations"]["summary"], "Checkout does not answer");
  EXPECT_EQ(alerts[0]["status"]["state"], "active");

  json incidents;
  ASSERT_TRUE(Eventually([&] {
    incidents = Get("/api/v1/incidents")["incidents"];
    return !incidents.empty();
  }));
  // What both went on sending meanwhile has opened no second one.
  std::this_thread::sleep_for(std::chrono::seconds(2));
  incidents = Get("/api/v1/incidents")["incidents"];
  ASSERT_EQ(incidents.size(), 1U) << incidents.dump(1);
  EXPECT_EQ(incidents[0]["service"], "checkout");
  const json incident = Get("/api/v1/incidents/" + incidents[0]["id"].get<std::string>());
  ASSERT_EQ(incident["evidence"]["alerts"].size(), 1U) << incident.dump(1);
  EXPECT_EQ(incident["evidence"]["alerts"][0]["fingerprint"], fingerprint);
}

TEST_F(AlertPeers, AmtoolSilencesAndTakesItBack) {
  ASSERT_EQ(server_
                ->Post("/api/v2/alerts", "application/json",
                       R"([{"labels":{"alertname":"CheckoutDown","service":"checkout"}},
                           {"labels":{"alertname":"Other","service":"checkout"}}])")
                .status,
            200);
  EXPECT_THAT(Amtool({"alert", "query"}).out, HasSubstr("CheckoutDown"));
  const auto added = Amtool({"silence", "add", "alertname=CheckoutDown", "service=~check.+", "--author=kim",
                             "--comment=known, being worked on", "--duration=1h"});
  ASSERT_EQ(added.exit_code, 0) << added.err;
  const std::string id = added.out.substr(0, added.out.find('\n'));

  const json silenced = TheAlert();
  EXPECT_EQ(silenced["status"]["state"], "suppressed");
  EXPECT_EQ(silenced["status"]["silencedBy"], json{id});
  const auto all = Amtool({"silence", "query", "-o", "json"});
  const json list = json::parse(all.out, nullptr, false);
  ASSERT_EQ(list.size(), 1U) << all.out << all.err;
  EXPECT_EQ(list[0]["id"], id);
  EXPECT_EQ(list[0]["createdBy"], "kim");
  EXPECT_EQ(list[0]["comment"], "known, being worked on");
  EXPECT_THAT(Amtool({"alert", "query"}).out, Not(HasSubstr("CheckoutDown")));
  EXPECT_THAT(Amtool({"alert", "query", "--silenced"}).out, HasSubstr("CheckoutDown"));

  const auto expired = Amtool({"silence", "expire", id});
  EXPECT_EQ(expired.exit_code, 0) << expired.err;
  EXPECT_EQ(TheAlert()["status"]["state"], "active");
  EXPECT_EQ(json::parse(Amtool({"silence", "query", "-o", "json"}).out, nullptr, false).size(), 0U);
  EXPECT_THAT(Amtool({"silence", "query", "--expired"}).out, HasSubstr(id.substr(0, 8)));
}

}  // namespace
}  // namespace tocsin
