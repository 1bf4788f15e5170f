// The drill's links: which there are, and whether they answer.
#include <fmt/format.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "ports/http_client.h"
#include "respond/dispatch/access_drill.h"
#include "respond/lifecycle/incident_action.h"
#include "respond/notify/notice_text.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

constexpr size_t kWorkers = 8;
constexpr size_t kMaxAnswerBytes = 1u << 20;

// `url` of the objects in document[list].
void AddFrom(const json& document, const char* list, const std::string& why, std::vector<DrillLink>& links) {
  const auto it = document.find(list);
  if (it == document.end() || !it->is_array()) return;
  for (const auto& entry : *it) {
    if (!entry.is_object()) continue;
    for (const char* key : {"url", "runbook_url", "runbook"}) {
      const auto url = entry.find(key);
      if (url != entry.end() && url->is_string() && !url->get<std::string>().empty())
        links.push_back({url->get<std::string>(), why});
    }
  }
}

Status AddIncident(const DispatchConfig& config, store::Ledger& ledger, const signal::Incident& incident,
                   std::vector<DrillLink>& links) {
  if (!config.url.empty()) {
    links.push_back({config.url + "/incidents/" + incident.id.value, "page of " + incident.id.value});
  }
  const std::string why = "link of " + incident.id.value;
  const json document = json::parse(incident.document_json, nullptr, false);
  if (document.is_object()) {
    AddFrom(document, "links", why, links);
    AddFrom(document, "alerts", why, links);
  }
  TOCSIN_ASSIGN_OR_RETURN(const IncidentView view, ReadView(ledger, incident));
  for (const auto& link : view.links) links.push_back({link.url, why});
  return Status::Ok();
}

DrillCheck CheckLink(ports::HttpClient& client, const DrillLink& link) {
  DrillCheck check{"link", CutUtf8(link.url, 300), false, ""};
  if (!IsWebUrl(link.url)) {
    check.detail = link.why + ": is no http or https address";
    return check;
  }
  ports::HttpRequest request;
  request.url = link.url;
  request.headers = {{"User-Agent", "tocsin-drill"}};
  const auto answer = client.Send(request);
  if (!answer) {
    check.ok = answer.error().code() == Code::kOutOfRange;  // it answers, at length
    check.detail = link.why + (check.ok ? ": reachable" : ": " + answer.error().message());
    return check;
  }
  const int status = answer->status;
  check.ok = (status >= 200 && status < 400) || status == 401;
  check.detail = fmt::format("{}: {}", link.why,
                             status == 401 ? "reachable, needs a sign-in"
                             : check.ok    ? "reachable"
                                           : fmt::format("answered {}", status));
  return check;
}

}  // namespace

Result<std::vector<DrillLink>> LinksToCheck(const DispatchConfig& config, store::Ledger* ledger) {
  std::vector<DrillLink> links;
  if (!config.url.empty()) links.push_back({config.url + "/", "the incidents' own address"});
  if (ledger != nullptr) {
    store::IncidentFilter active;
    active.state = "active";
    active.limit = kMaxDrillIncidents;
    TOCSIN_ASSIGN_OR_RETURN(const auto incidents, ledger->FindIncidents(active));
    for (const auto& incident : incidents) {
      TOCSIN_RETURN_IF_ERROR(AddIncident(config, *ledger, incident, links));
    }
  }
  std::set<std::string> seen;
  std::erase_if(links, [&](const DrillLink& link) { return !seen.insert(link.url).second; });
  return links;
}

std::vector<DrillCheck> CheckLinks(const std::vector<DrillLink>& links, Duration timeout) {
  const size_t count = std::min(links.size(), kMaxDrillLinks);
  std::vector<DrillCheck> checks(count);
  std::atomic<size_t> next{0};
  const auto work = [&] {
    ports::HttpClient client({.connect_timeout_ms = timeout.ns / 1'000'000,
                              .timeout_ms = timeout.ns / 1'000'000,
                              .max_response_bytes = kMaxAnswerBytes});
    for (size_t i = next++; i < count; i = next++) checks[i] = CheckLink(client, links[i]);
  };
  std::vector<std::thread> workers;
  for (size_t i = 0; i < std::min(kWorkers, count); ++i) workers.emplace_back(work);
  for (auto& worker : workers) worker.join();
  if (links.size() > count) {
    checks.push_back(
        {"link", fmt::format("{} more", links.size() - count), false, "not looked at: too many"});
  }
  return checks;
}

}  // namespace tocsin::respond
