#include "respond/notify/digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "respond/notify/notice_text.h"

namespace tocsin::respond {
namespace {

constexpr size_t kMaxLines = 39;  // a message shows 40: one is left to say how many more
constexpr size_t kMaxLinks = 5;

std::string LineOf(const NotificationMessage& message) {
  std::string line;
  if (!message.severity.empty()) line += "[" + SeverityWord(message.severity) + "] ";
  if (message.kind != "page") line += message.kind + ": ";
  line += CutUtf8(message.title, 300);
  if (!message.incident_id.empty()) line += " (" + message.incident_id + ")";
  return line;
}

}  // namespace

int SeverityRank(const std::string& severity) {
  if (severity == "sev1") return 0;
  if (severity == "sev3") return 2;
  return severity == "sev4" ? 3 : 1;
}

OutboxItem MakeDigest(std::vector<OutboxItem> items, Time now) {
  std::stable_sort(items.begin(), items.end(), [](const OutboxItem& a, const OutboxItem& b) {
    return SeverityRank(a.message.severity) < SeverityRank(b.message.severity);
  });
  OutboxItem digest;
  digest.key = "digest/" + items.front().key;
  digest.step = digest.key;
  digest.person = items.front().person;
  digest.destinations = {items.front().destination()};
  digest.created = now;
  digest.next_attempt = now;

  NotificationMessage& message = digest.message;
  message.kind = "digest";
  message.severity = items.front().message.severity;
  message.idempotency_key = digest.key;
  message.at = now;
  std::set<std::string> incidents;
  size_t pages = 0;
  for (const OutboxItem& item : items) {
    incidents.insert(item.message.incident_id);
    if (item.message.kind == "page") ++pages;
    if (message.lines.size() < kMaxLines) message.lines.push_back(LineOf(item.message));
    if (!item.message.links.empty() && message.links.size() < kMaxLinks) {
      message.links.push_back(item.message.links.front());
    }
  }
  if (items.size() > kMaxLines) message.lines.push_back(fmt::format("and {} more", items.size() - kMaxLines));
  if (incidents.size() == 1) message.incident_id = *incidents.begin();
  message.title = pages > 0 ? fmt::format("{} messages at once, {} of them pages; the worst: {}",
                                          items.size(), pages, CutUtf8(items.front().message.title, 200))
                            : fmt::format("{} messages at once", items.size());
  return digest;
}

}  // namespace tocsin::respond
