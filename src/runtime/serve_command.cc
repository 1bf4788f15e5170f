#include "runtime/serve_command.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <ostream>

#include "runtime/server.h"
#include "surface/cli/version.h"

namespace tocsin::runtime {
namespace {

struct Options {
  std::string config, data, http, grpc, log_level;
};

Result<Settings> Load(const Options& options) {
  Settings settings;
  if (!options.config.empty()) {
    TOCSIN_ASSIGN_OR_RETURN(settings, ReadSettings(options.config));
  } else if (std::filesystem::exists("tocsin.yaml")) {
    TOCSIN_ASSIGN_OR_RETURN(settings, ReadSettings("tocsin.yaml"));
  }
  if (!options.data.empty()) settings.data = options.data;
  if (!options.log_level.empty()) settings.log_level = options.log_level;
  if (!options.http.empty()) {
    TOCSIN_ASSIGN_OR_RETURN(settings.http, ParseAddress(options.http));
  }
  if (options.grpc == "off") {
    settings.grpc_enabled = false;
  } else if (!options.grpc.empty()) {
    TOCSIN_ASSIGN_OR_RETURN(settings.grpc, ParseAddress(options.grpc));
  }
  return settings;
}

Status StartLog(const std::string& level) {
  const auto parsed = spdlog::level::from_str(level);
  if (parsed == spdlog::level::off && level != "off") {
    return Status(Code::kInvalidArgument,
                  fmt::format("log level '{}' is none of debug, info, warn, error, off", level));
  }
  static const auto logger = spdlog::stderr_color_mt("tocsin");
  spdlog::set_default_logger(logger);
  spdlog::set_level(parsed);
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  spdlog::flush_on(spdlog::level::info);
  return Status::Ok();
}

void Announce(const Server& server, const Settings& settings, std::ostream& out) {
  const std::string shown = settings.http.host == "0.0.0.0" ? "127.0.0.1" : settings.http.host;
  out << fmt::format("Tocsin {} is ready.\n", surface::kVersion);
  out << fmt::format("  OTLP/HTTP  http://{}:{}   set OTEL_EXPORTER_OTLP_ENDPOINT=http://{}:{}\n",
                     settings.http.host, server.http_port(), shown, server.http_port());
  if (server.grpc_port() != 0) {
    out << fmt::format(
        "  OTLP/gRPC  {}:{}   set OTEL_EXPORTER_OTLP_PROTOCOL=grpc and "
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://{}:{}\n",
        settings.grpc.host, server.grpc_port(), shown, server.grpc_port());
  }
  out << fmt::format("  Incidents  http://{}:{}/\n", shown, server.http_port());
  out << fmt::format("  Data       {}\n", settings.data);
  out.flush();
}

Status Serve(const Options& options, surface::CommandContext& context) {
  TOCSIN_ASSIGN_OR_RETURN(const Settings settings, Load(options));
  TOCSIN_RETURN_IF_ERROR(StartLog(settings.log_level));
  // Blocked before any thread starts, so that only sigwait below sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  spdlog::info("opening {}", settings.data);
  TOCSIN_ASSIGN_OR_RETURN(const auto server, Server::Start(settings, ports::SystemClock()));
  Announce(*server, settings, context.out);
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) {
    (void)server->Reload("SIGHUP");  // what is wrong with the file is logged, and the old one stays
  }
  spdlog::info("stopping: storing what has been acknowledged");
  server->Stop();
  spdlog::info("stopped");
  return Status::Ok();
}

}  // namespace

void AddServe(CLI::App& app, surface::CommandContext& context) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("serve", "Run the server");
  command->add_option("--config", options->config, "Settings (tocsin.yaml in this folder when absent)");
  command->add_option("--data", options->data, "Data directory (.tocsin)");
  command->add_option("--http", options->http, "Address of HTTP (127.0.0.1:4318)");
  command->add_option("--grpc", options->grpc, "Address of gRPC (127.0.0.1:4317), or off");
  command->add_option("--log-level", options->log_level, "debug, info, warn, error or off");
  command->callback([options, &context] {
    if (const Status status = Serve(*options, context); !status.ok()) context.Fail(status);
  });
}

}  // namespace tocsin::runtime
