#include "surface/mcp/resources.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "act/act_desk.h"
#include "claims/claim_text.h"
#include "investigate/investigation_desk.h"
#include "surface/cli/url_encode.h"
#include "surface/mcp/run_answer.h"
#include "surface/mcp/tool_table.h"

namespace tocsin::surface::mcp {
namespace {

using nlohmann::json;

constexpr std::string_view kRunbooks = "tocsin://runbooks/";
constexpr std::string_view kIncidents = "tocsin://incidents/";
constexpr std::string_view kBrief = "/brief";
constexpr size_t kMaxBriefs = 200;
constexpr size_t kMaxShown = 256u << 10;

json RunbookEntry(const act::Runbook& runbook) {
  return {{"uri", std::string(kRunbooks) + UrlEncode(runbook.id)},
          {"name", runbook.id},
          {"title", claims::Printable(runbook.title, 200)},
          {"mimeType", "application/yaml"}};
}

json BriefEntry(const signal::Incident& incident) {
  return {{"uri", fmt::format("{}{}{}", kIncidents, incident.id.value, kBrief)},
          {"name", incident.id.value + " brief"},
          {"mimeType", "text/plain"}};
}

json Contents(const std::string& uri, const char* type, std::string text) {
  return {{"contents", json::array({{{"uri", uri}, {"mimeType", type}, {"text", std::move(text)}}})}};
}

// An id as it stands in a URI of ours: letters, digits and what needs no escape there.
bool IsPlainId(std::string_view id) {
  return !id.empty() && id.size() <= 128 &&
         id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") ==
             std::string_view::npos;
}

}  // namespace

RpcResult<json> ListResources(const McpSources& sources, const std::string& cursor) {
  size_t first = 0;
  if (!cursor.empty()) {
    const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), first);
    if (error != std::errc() || end != cursor.data() + cursor.size() || first > 1'000'000)
      return RpcFail(kInvalidParams, "'cursor' is none that was given");
  }
  json all = json::array();
  if (sources.act != nullptr) {
    const auto library = sources.act->runbooks();
    for (const act::Runbook* runbook : library->All()) all.push_back(RunbookEntry(*runbook));
  }
  store::IncidentFilter filter;
  filter.state = "active";
  filter.limit = kMaxBriefs;
  const auto incidents = sources.ledger.FindIncidents(filter);
  if (!incidents) return tl::unexpected(ToRpcError(incidents.error()));
  for (const auto& incident : *incidents) all.push_back(BriefEntry(incident));
  json page = json::array();
  for (size_t i = first; i < all.size() && page.size() < kResourcesOfAPage; ++i) page.push_back(all[i]);
  json out{{"resources", std::move(page)}};
  if (first + kResourcesOfAPage < all.size()) out["nextCursor"] = std::to_string(first + kResourcesOfAPage);
  return out;
}

json ListResourceTemplates() {
  return json::array({{{"uriTemplate", "tocsin://runbooks/{id}"},
                       {"name", "runbook"},
                       {"title", "A runbook, as its owner wrote it"},
                       {"mimeType", "application/yaml"}},
                      {{"uriTemplate", "tocsin://incidents/{id}/brief"},
                       {"name", "brief"},
                       {"title", "The newest brief of an incident"},
                       {"mimeType", "text/plain"}}});
}

RpcResult<json> ReadResource(const McpSources& sources, const std::string& uri, int not_found) {
  std::string_view rest = uri;
  if (rest.starts_with(kRunbooks) && IsPlainId(rest.substr(kRunbooks.size()))) {
    if (sources.act == nullptr) return tl::unexpected(ToRpcError(NotConfigured()));
    const auto library = sources.act->runbooks();
    const act::Runbook* runbook = library->Find(rest.substr(kRunbooks.size()));
    if (runbook != nullptr) return Contents(uri, "application/yaml", runbook->text);
  } else if (rest.starts_with(kIncidents) && rest.ends_with(kBrief) &&
             rest.size() > kIncidents.size() + kBrief.size()) {
    rest.remove_prefix(kIncidents.size());
    rest.remove_suffix(kBrief.size());
    if (IsPlainId(rest)) {
      const auto brief = sources.investigations.Stored(IncidentId{std::string(rest)});
      if (!brief) return tl::unexpected(ToRpcError(brief.error()));
      if (*brief)
        return Contents(
            uri, "text/plain",
            std::string(kDataRule) + "\n" + MarkedAsData(investigate::RenderBrief(**brief), kMaxShown));
    }
  }
  return RpcFail(not_found, "there is no such resource", {{"uri", claims::Printable(uri, 200)}});
}

}  // namespace tocsin::surface::mcp
