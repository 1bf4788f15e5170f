#include "runtime/server.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <optional>

#include "act/kill/signed_switch.h"
#include "act/runbook/runbook_match.h"
#include "detect/behavior_source.h"
#include "ingest/duplicate_filter.h"
#include "ingest/log_templates.h"
#include "investigate/agent/investigator.h"
#include "investigate/context/alert_history.h"
#include "investigate/investigation_desk.h"
#include "runtime/internal/acting.h"
#include "runtime/internal/brief_follower.h"
#include "runtime/internal/restore_templates.h"
#include "runtime/internal/retention.h"
#include "runtime/settings_reloader.h"
#include "store/data_directory.h"
#include "surface/cli/version.h"
#include "surface/grpc/server.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/server.h"
#include "surface/server_metrics.h"
#include "surface/telemetry_receiver.h"

namespace tocsin::runtime {
namespace {

constexpr size_t kRememberedSpans = 500'000;
constexpr size_t kSeededSpans = 100'000;

class Running final : public Server {
 public:
  Running(const Settings& settings, const ports::Clock& clock)
      : settings_(settings), clock_(clock), duplicates_(kRememberedSpans) {}
  ~Running() override { Stop(); }

  Status Open() {
    TOCSIN_ASSIGN_OR_RETURN(auto redactor, ingest::Redactor::Make(settings_.redaction));
    decode_.limits = settings_.limits;
    decode_.redactor = std::move(redactor);
    TOCSIN_RETURN_IF_ERROR(OpenStores());
    TOCSIN_RETURN_IF_ERROR(SeedDuplicates());
    TOCSIN_RETURN_IF_ERROR(internal::RestoreTemplates(*stores_->telemetry, templates_));
    return StartServers();
  }

  uint16_t http_port() const override { return http_->port(); }
  uint16_t grpc_port() const override { return grpc_ ? grpc_->port() : uint16_t{0}; }
  store::TelemetryWriter& writer() override { return *writer_; }
  store::TelemetryStore& telemetry() override { return *stores_->telemetry; }
  store::Ledger& ledger() override { return *stores_->ledger; }
  respond::DetectionService& detection() override { return *detection_; }

  Status Reload(const std::string& why) override { return reloader_->Reload(why); }

  void Stop() override {
    if (stopped_.exchange(true)) return;
    ready_ = false;
    retention_.reset();
    briefs_.reset();
    if (grpc_) grpc_->Stop();
    if (http_) http_->Stop();
    if (act_) act_->Close();
    metrics_.SetSampler(nullptr);
    reloader_.reset();
    if (dispatcher_) dispatcher_->Stop();
    if (writer_) {
      if (const Status status = writer_->Flush(); !status.ok())
        spdlog::error("storing what is left: {}", status.message());
    }
    http_.reset();
    grpc_.reset();
    act_.reset();
    investigations_.reset();
    writer_.reset();  // offers nothing more
    detection_.reset();
    dispatcher_.reset();
    alerts_.reset();
    stores_.reset();
  }

 private:
  Status OpenStores() {
    store::StoreOptions options;
    options.directory = settings_.data;
    options.memory_limit_mb = settings_.store_memory_mb;
    options.threads = settings_.store_threads;
    TOCSIN_ASSIGN_OR_RETURN(stores_, store::OpenStores(options));
    TOCSIN_ASSIGN_OR_RETURN(
        detection_,
        respond::DetectionService::Start(settings_.detection, *stores_->telemetry, *stores_->ledger, clock_));
    respond::AlertDeskOptions alerts;
    alerts.directory = settings_.data + "/alerts";
    alerts.rules = settings_.alerts;
    TOCSIN_ASSIGN_OR_RETURN(alerts_, respond::AlertDesk::Open(alerts));
    TOCSIN_ASSIGN_OR_RETURN(
        dispatcher_,
        respond::Dispatcher::Open({}, *stores_->ledger, alerts_.get(), clock_,
                                  std::make_shared<const respond::DispatchConfig>(settings_.dispatch)));
    store::WriterOptions writer;
    writer.journal_directory = stores_->directory.journal();
    writer.limits = settings_.limits;
    TOCSIN_ASSIGN_OR_RETURN(writer_, store::StartTelemetryWriter(writer, *stores_->telemetry,
                                                                 [this](const store::JournalEntry& entry) {
                                                                   detection_->Offer(entry);
                                                                   dispatcher_->calls().Observe(*entry.batch);
                                                                 }));
    return Status::Ok();
  }

  // An exporter whose acknowledgement was lost in a crash sends again: know what was stored last.
  Status SeedDuplicates() {
    TOCSIN_RETURN_IF_ERROR(writer_->Flush());
    store::QueryLimits limits;
    limits.max_rows = kSeededSpans;
    auto rows = stores_->telemetry->Query(
        fmt::format("SELECT trace_id, span_id FROM spans ORDER BY position DESC LIMIT {}", kSeededSpans), {},
        limits);
    if (!rows) return rows.error().WithContext("reading the ids last stored");
    for (const auto& row : rows->rows) {
      const auto* trace = std::get_if<std::string>(&row[0]);
      const auto* span = std::get_if<std::string>(&row[1]);
      if (trace != nullptr && span != nullptr) duplicates_.Seed(*trace, *span);
    }
    return Status::Ok();
  }

  Status StartServers() {
    receiver_ =
        surface::MakeTelemetryReceiver({*writer_, duplicates_, templates_, clock_, metrics_, decode_});
    TOCSIN_RETURN_IF_ERROR(OpenInvestigations());
    TOCSIN_ASSIGN_OR_RETURN(act_, internal::OpenActing(settings_.act, settings_.data, *stores_->ledger,
                                                       clock_, *investigations_, *dispatcher_));
    if (!settings_.act.switch_key.empty()) {
      TOCSIN_ASSIGN_OR_RETURN(signed_switch_, act::SignedSwitch::Make(settings_.act.switch_key,
                                                                      settings_.act.switch_seconds, clock_));
    }
    api_.emplace(surface::ApiDependencies{
        *receiver_, *writer_, *stores_->telemetry, *stores_->ledger, *detection_, *alerts_, *dispatcher_,
        *investigations_, settings_.alert_mappings, clock_, metrics_, surface::kVersion, clock_.Now(),
        decode_, [this] { return ready_.load(); }, settings_.detection.watcher.alpha, act_.get(),
        surface::SwitchSources{signed_switch_.get(), [this] { return act_->Killed(); }}});
    if (settings_.grpc_enabled) {
      surface::GrpcServerOptions options{settings_.grpc.host, settings_.grpc.port, settings_.limits};
      TOCSIN_ASSIGN_OR_RETURN(grpc_, surface::GrpcServer::Start(options, *receiver_));
    }
    surface::HttpServerOptions options;
    options.address = settings_.http.host;
    options.port = settings_.http.port;
    options.io_threads = settings_.io_threads;
    options.limits = settings_.limits;
    options.observe = [this](const std::string& route, int status, Duration took) {
      metrics_.HttpRequest(route, status, took);
    };
    reloader_ =
        SettingsReloader::Start(settings_, clock_, [this](const Settings& next) { return Use(next); });
    surface::Router router = surface::BuildRouter(*api_);
    AddReload(router);
    TOCSIN_ASSIGN_OR_RETURN(http_, surface::HttpServer::Start(options, std::move(router)));
    metrics_.SetSampler([this] { return Sample(); });
    retention_ = std::make_unique<internal::RetentionTimer>(*stores_->telemetry, clock_, settings_.retention);
    dispatcher_->Start();
    act_->Start();
    if (settings_.investigation.briefs)
      briefs_ =
          std::make_unique<internal::BriefFollower>(*investigations_, settings_.investigation.ask_by_itself);
    ready_ = true;
    return Status::Ok();
  }

  Status OpenInvestigations() {
    if (settings_.investigation.model) {
      TOCSIN_ASSIGN_OR_RETURN(model_, ports::MakeModelClient(*settings_.investigation.model, clock_));
      mcp_tools_ = std::make_unique<investigate::McpTools>(settings_.investigation.mcp);
      investigator_ = std::make_unique<investigate::Investigator>(*model_, settings_.investigation.options,
                                                                  mcp_tools_.get());
    }
    behavior_ = detect::MakeBehaviorSource({settings_.detection.watcher.entity_prefixes});
    alert_history_ = std::make_unique<investigate::AlertHistory>(alerts_.get(), *stores_->ledger, clock_);
    investigate::ContextSources context{*stores_->telemetry, store::DuckDbDialect(), *stores_->ledger,
                                        clock_};
    context.alerts = alert_history_.get();
    context.runbooks = &runbooks_;
    investigations_ = std::make_unique<investigate::InvestigationDesk>(investigate::InvestigationSources{
        context, behavior_.get(), clock_, investigator_.get(), [this] { return dispatcher_->config(); }});
    return Status::Ok();
  }

  Status Use(const Settings& next) {
    TOCSIN_RETURN_IF_ERROR(alerts_->Configure(next.alerts, clock_.Now()));
    TOCSIN_RETURN_IF_ERROR(act_->Configure(next.act));
    return dispatcher_->Configure(std::make_shared<const respond::DispatchConfig>(next.dispatch));
  }

  // As Prometheus and Alertmanager have it.
  void AddReload(surface::Router& router) {
    surface::Route route{"POST", "/-/reload", nullptr, {}, true};
    route.handler = [this](surface::Request&&, const surface::Responder& respond) {
      const Status status = reloader_->Reload("POST /-/reload");
      surface::Response response;
      response.content_type = "text/plain; charset=utf-8";
      response.status = status.ok() ? 200 : 400;
      response.body = status.ok() ? "reloaded\n" : status.message() + "\n";
      respond(std::move(response));
    };
    route.operation.summary = "Read the configuration again";
    router.Add(std::move(route));
  }

  std::vector<surface::ServerMetrics::Gauge> Sample() const {
    const store::WriterStats writer = writer_->Stats();
    const respond::DetectionStats detection = detection_->Stats();
    const respond::AlertCounts alerts = alerts_->Counts();
    const respond::DispatcherStats dispatch = dispatcher_->Stats();
    const ReloadStats reload = reloader_->Stats();
    const surface::HttpServerStats http = http_ ? http_->Stats() : surface::HttpServerStats{};
    const auto number = [](auto value) { return static_cast<double>(value); };
    return {{"tocsin_backlog_bytes", "Journalled, not yet in the store", number(writer.backlog_bytes), false},
            {"tocsin_durable_position", "Last durable batch", number(writer.durable_position), true},
            {"tocsin_applied_position", "Last batch in the store", number(writer.applied_position), true},
            {"tocsin_refused_batches_total", "Batches refused: backlog full", number(writer.refused_batches),
             true},
            {"tocsin_detect_position", "Last batch the monitors have seen", number(detection.position), true},
            {"tocsin_generations_total", "Generations the monitors have seen", number(detection.generations),
             true},
            {"tocsin_generations_sampled_out_total", "Left out of the monitors' sample",
             number(detection.sampled_out), true},
            {"tocsin_detect_queue", "Generations waiting for the monitors",
             number(detection.queued_generations), false},
            {"tocsin_incidents_opened_total", "Incidents opened", number(detection.incidents_opened), true},
            {"tocsin_alerts", "Alerts known", number(alerts.alerts), false},
            {"tocsin_alerts_received_total", "Alerts received", number(alerts.received), true},
            {"tocsin_alert_notifications", "Groups waiting to be told", number(alerts.notifications), false},
            {"tocsin_config_reloads_total", "Times the configuration was read again and taken",
             number(reload.reloads), true},
            {"tocsin_config_refused_total", "Times it was wrong, and the old one stayed",
             number(reload.refused), true},
            {"tocsin_dispatch_errors_total", "Looks of the dispatcher that failed and are done again",
             number(dispatch.errors), true},
            {"tocsin_notifications_sent_total", "Messages that a channel has taken",
             number(dispatch.sender.sent), true},
            {"tocsin_notification_tries_failed_total", "Tries that a channel did not take",
             number(dispatch.sender.tries_failed), true},
            {"tocsin_log_templates", "Kinds of log line that are known", number(templates_.size()), false},
            {"tocsin_http_connections", "Open HTTP connections", number(http.connections), false},
            {"tocsin_http_inflight_bytes", "Request bodies being read or decoded",
             number(http.inflight_bytes), false}};
  }

  Settings settings_;
  const ports::Clock& clock_;
  ingest::DecodeOptions decode_;
  ingest::DuplicateFilter duplicates_;
  ingest::LogTemplates templates_;
  surface::ServerMetrics metrics_;
  std::optional<store::Stores> stores_;
  std::unique_ptr<respond::DetectionService> detection_;
  std::unique_ptr<respond::AlertDesk> alerts_;
  std::unique_ptr<respond::Dispatcher> dispatcher_;
  std::unique_ptr<SettingsReloader> reloader_;
  std::unique_ptr<store::TelemetryWriter> writer_;
  std::unique_ptr<surface::TelemetryReceiver> receiver_;
  std::unique_ptr<claims::BehaviorSource> behavior_;
  std::unique_ptr<investigate::AlertHistory> alert_history_;
  std::unique_ptr<ports::ModelClient> model_;
  std::unique_ptr<investigate::McpTools> mcp_tools_;
  std::unique_ptr<investigate::Investigator> investigator_;
  std::unique_ptr<investigate::InvestigationDesk> investigations_;
  std::unique_ptr<act::RunningDesk> act_;
  std::unique_ptr<act::SignedSwitch> signed_switch_;
  act::RunbookMatcher runbooks_{[this] { return act_ ? act_->runbooks() : nullptr; }};
  std::optional<surface::ApiDependencies> api_;
  std::unique_ptr<surface::GrpcServer> grpc_;
  std::unique_ptr<surface::HttpServer> http_;
  std::unique_ptr<internal::RetentionTimer> retention_;
  std::unique_ptr<internal::BriefFollower> briefs_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> stopped_{false};
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const Settings& settings, const ports::Clock& clock) {
  try {
    auto server = std::make_unique<Running>(settings, clock);
    TOCSIN_RETURN_IF_ERROR(server->Open());
    return server;
  } catch (...) {
    return Error(Status::FromException("starting the server"));
  }
}

}  // namespace tocsin::runtime
