#include "bench/alerts/sides.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "bench/alerts/alert_bodies.h"
#include "store/testing/scratch_directory.h"
#include "tests/e2e/peer_process.h"
#include "tests/e2e/server_process.h"

namespace tocsin::bench {
namespace {

std::string WriteYaml(const std::string& path) {
  std::ofstream(path) << AlertmanagerYaml();
  return path;
}

class Tocsin final : public Side {
 public:
  Tocsin() : server_(folder_.path() + "/data", {"--config", WriteYaml(folder_.path() + "/tocsin.yaml")}) {}
  uint16_t port() const override { return server_.port(); }
  pid_t pid() const override { return server_.pid(); }

 private:
  store::testing::ScratchDirectory folder_;
  e2e::ServerProcess server_;
};

class Alertmanager final : public Side {
 public:
  Alertmanager() {
    const std::string& folder = folder_.path();
    const std::string yaml = WriteYaml(folder + "/alertmanager.yml");
    peer_ = e2e::StartListening(
        [&](uint16_t port) {
          return std::vector<std::string>{kAlertmanager,
                                          "--config.file=" + yaml,
                                          "--storage.path=" + folder + "/data",
                                          fmt::format("--web.listen-address=127.0.0.1:{}", port),
                                          "--cluster.listen-address=",
                                          "--log.level=error"};
        },
        folder + "/log", "/-/ready");
  }
  uint16_t port() const override { return peer_.port; }
  pid_t pid() const override { return peer_.process->pid(); }

 private:
  store::testing::ScratchDirectory folder_;
  e2e::ListeningPeer peer_;
};

}  // namespace

double Side::StatusMb(const char* field) const {
  std::ifstream status(fmt::format("/proc/{}/status", pid()));
  const std::string name = field;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::atof(line.c_str() + name.size()) / 1024;
  }
  return 0;
}

std::unique_ptr<Side> StartTocsin() { return std::make_unique<Tocsin>(); }
std::unique_ptr<Side> StartAlertmanager() { return std::make_unique<Alertmanager>(); }

}  // namespace tocsin::bench
