#include "respond/dispatch/alert_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kernel/ascii.h"
#include "respond/json_text.h"
#include "respond/notify/notice_text.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

constexpr size_t kShownAlerts = 20;
constexpr size_t kShownServices = 100;
constexpr size_t kMaxLinks = 4;

std::string_view ValueOf(const signal::LabelSet& labels, std::string_view name) {
  for (const auto& [key, value] : labels) {
    if (key == name) return value;
  }
  return {};
}

std::string Count(uint64_t n, const char* one, const char* many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

// By when they began; those of the probable sources before all others.
std::vector<std::pair<std::string, const FirstAlert*>> Ordered(const AlertWork& work,
                                                               const std::vector<ProbableSource>& sources) {
  std::vector<std::pair<std::string, const FirstAlert*>> out;
  for (const auto& [service, alert] : work.first) out.emplace_back(service, &alert);
  std::ranges::sort(out, [&](const auto& a, const auto& b) {
    const auto rank = [&](const std::string& service) {
      const auto at = std::ranges::find(sources, service, &ProbableSource::service);
      return at - sources.begin();
    };
    return std::tuple(rank(a.first), a.second->starts_at, a.first) <
           std::tuple(rank(b.first), b.second->starts_at, b.first);
  });
  return out;
}

std::string TitleOf(const AlertWork& work, const std::vector<ProbableSource>& sources) {
  const auto ordered = Ordered(work, sources);
  if (ordered.empty()) return "alerts";
  const std::string source = sources.empty() ? ordered[0].first : sources[0].service;
  const auto own = work.first.find(source);
  const uint64_t others = work.services - (own != work.first.end() && work.services > 0 ? 1 : 0);
  if (own == work.first.end()) {  // silent itself
    return CutUtf8(
        fmt::format("{}, probably because of {}", Count(others, "service fails", "services fail"), source),
        400);
  }
  std::string title = own->second.text;
  if (others > 0) title += fmt::format("; {} with it", Count(others, "service fails", "services fail"));
  return CutUtf8(title, 400);
}

template <class T>
T Get(const json& object, const char* key, T fallback) {
  const auto it = object.find(key);
  if (it == object.end()) return fallback;
  if constexpr (std::is_same_v<T, std::string>) return it->is_string() ? it->get<T>() : fallback;
  if constexpr (std::is_same_v<T, bool>) return it->is_boolean() ? it->get<T>() : fallback;
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
    return it->is_number_integer() ? it->get<T>() : fallback;
  return fallback;
}

}  // namespace

uint64_t AlertWork::firing() const {
  uint64_t sum = 0;
  for (const auto& [key, group] : groups) sum += group.firing;
  return sum;
}

std::string SeverityOfAlert(signal::Labels labels) {
  const std::string said = LowerAscii(signal::LabelValue(labels, "severity"));
  for (const char* word : {"critical", "page", "fatal", "emergency", "disaster", "sev1", "p1"}) {
    if (said == word) return "sev1";
  }
  for (const char* word : {"error", "high", "major", "sev2", "p2"}) {
    if (said == word) return "sev2";
  }
  for (const char* word : {"info", "low", "none", "debug", "notice", "sev4", "p4", "p5"}) {
    if (said == word) return "sev4";
  }
  return "sev3";
}

FirstAlert FirstAlertOf(const signal::Alert& alert) {
  FirstAlert out;
  const signal::LabelViews labels(alert.labels);
  out.name = CutUtf8(CleanText(ValueOf(alert.labels, "alertname"), false), 120);
  if (out.name.empty()) out.name = "alert";
  const std::string service(ServiceOf(labels));
  std::string words;
  for (const char* name : {"summary", "description", "message"}) {
    if (words.empty()) words = CleanText(ValueOf(alert.annotations, name), false);
  }
  out.text = out.name;
  if (!service.empty()) out.text += " on " + CleanText(service, false);
  if (!words.empty()) out.text += ": " + words;
  out.text = CutUtf8(out.text, 240);
  out.severity = SeverityOfAlert(labels);
  out.url = alert.generator_url.size() <= 500 && IsWebUrl(alert.generator_url) ? alert.generator_url : "";
  const std::string runbook(ValueOf(alert.annotations, "runbook_url"));
  out.runbook = runbook.size() <= 500 && IsWebUrl(runbook) ? runbook : "";
  out.fingerprint = alert.fingerprint;
  out.starts_at = alert.starts_at;
  return out;
}

void TakeAlert(AlertWork& work, const signal::Alert& alert) {
  const signal::LabelViews labels(alert.labels);
  work.severity = std::min(work.severity, SeverityOfAlert(labels));
  if (!work.onset.known() || alert.starts_at < work.onset) work.onset = alert.starts_at;
  const std::string service(ServiceOf(labels));
  const auto at = work.first.find(service);
  if (at == work.first.end()) {
    if (work.first.size() < kMaxWorkServices) work.first.emplace(service, FirstAlertOf(alert));
  } else if (alert.starts_at < at->second.starts_at) {
    at->second = FirstAlertOf(alert);
  }
}

std::string ExtentOf(const AlertWork& work) {
  return fmt::format("{} in {}", Count(work.firing(), "alert fires", "alerts fire"),
                     Count(std::max<uint64_t>(work.services, 1), "service", "services"));
}

void AddGroups(AlertWork& work, const AlertWork& from) {
  for (const auto& [key, group] : from.groups) {
    GroupWork& own = work.groups[key];
    own.firing += group.firing;
    own.services.insert(group.services.begin(), group.services.end());
  }
}

void Describe(signal::Incident& incident, const AlertWork& work, const std::vector<ProbableSource>& sources) {
  incident.title = TitleOf(work, sources);
  incident.service = sources.empty() ? "" : sources[0].service;
  if (incident.service.empty() && !work.first.empty()) incident.service = work.first.begin()->first;
  incident.onset = incident.onset_low = incident.onset_high = work.onset;
  json document = {{"format", 1}, {"type", "alerts"}, {"firing", work.firing()}, {"services", work.services}};
  document["sources"] = json::array();
  for (const auto& source : sources) {
    document["sources"].push_back(
        {{"service", source.service}, {"score", source.score}, {"reasons", source.reasons}});
  }
  document["extent"] = ExtentOf(work);
  document["receivers"] = work.receivers;
  document["alerts"] = document["failing"] = document["links"] = json::array();
  for (const auto& [service, alert] : Ordered(work, sources)) {
    if (document["failing"].size() < kShownServices && !service.empty())
      document["failing"].push_back(service);
    if (document["alerts"].size() == kShownAlerts) continue;
    document["alerts"].push_back({{"fingerprint", signal::FormatFingerprint(alert->fingerprint)},
                                  {"service", service},
                                  {"name", alert->name},
                                  {"text", alert->text},
                                  {"severity", alert->severity},
                                  {"starts_at", FormatTime(alert->starts_at)},
                                  {"url", alert->url}});
    if (!alert->runbook.empty()) {
      document["alerts"].back()["runbook_url"] = alert->runbook;
      if (document["links"].size() < kMaxLinks)
        document["links"].push_back({{"text", "Runbook: " + alert->name}, {"url", alert->runbook}});
    }
    if (!alert->url.empty() && document["links"].size() < kMaxLinks)
      document["links"].push_back({{"text", "The rule: " + alert->name}, {"url", alert->url}});
  }
  incident.document_json = DumpJson(document);
}

json ToJson(const AlertWork& work) {
  json out = {{"receivers", work.receivers},   {"groups", json::object()},
              {"services", work.services},     {"member_parts", work.member_parts},
              {"tellings", work.tellings},     {"severity", work.severity},
              {"onset_ns", work.onset.ns},     {"told", work.told},
              {"told_at_ns", work.told_at.ns}, {"over", work.over}};
  for (const auto& [key, group] : work.groups) out["groups"][key] = {group.firing, group.services};
  out["first"] = json::object();
  for (const auto& [service, a] : work.first) {
    out["first"][service] = {{"name", a.name},         {"text", a.text},       {"severity", a.severity},
                             {"url", a.url},           {"runbook", a.runbook}, {"fp", a.fingerprint},
                             {"at_ns", a.starts_at.ns}};
  }
  return out;
}

Result<AlertWork> AlertWorkFromJson(const std::string& text) {
  const json in = json::parse(text, nullptr, false);
  if (!in.is_object()) return Error(Code::kDataLoss, "the record of an alert incident is not JSON");
  AlertWork out;
  try {
    out.receivers = in.at("receivers").get<std::set<std::string>>();
    for (const auto& [key, group] : in.at("groups").items())
      out.groups[key] = {group.at(0).get<uint64_t>(), group.at(1).get<std::set<std::string>>()};
    for (const auto& [service, a] : in.at("first").items()) {
      out.first[service] = {Get(a, "name", std::string()),     Get(a, "text", std::string()),
                            Get(a, "severity", std::string()), Get(a, "url", std::string()),
                            Get(a, "runbook", std::string()),  Get(a, "fp", uint64_t{0}),
                            Time{Get(a, "at_ns", int64_t{0})}};
    }
  } catch (const json::exception&) {
    return Error(Status::FromException("reading the record of an alert incident", Code::kDataLoss));
  }
  out.services = Get(in, "services", uint64_t{0});
  out.member_parts = Get(in, "member_parts", uint64_t{0});
  out.tellings = Get(in, "tellings", uint64_t{0});
  out.severity = Get(in, "severity", std::string("sev4"));
  out.onset.ns = Get(in, "onset_ns", int64_t{0});
  out.told = Get(in, "told", std::string());
  out.told_at.ns = Get(in, "told_at_ns", int64_t{0});
  out.over = Get(in, "over", false);
  return out;
}

}  // namespace tocsin::respond
