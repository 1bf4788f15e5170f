#include "runtime/internal/read_alert_mappings.h"

namespace tocsin::runtime::internal {
namespace {

using ingest::AlertMapping;
using ports::YamlValue;

constexpr size_t kMostNames = 64;
constexpr size_t kMostText = 4096;

Status ReadText(const YamlValue& yaml, std::string_view key, std::string& out) {
  const auto at = yaml.Find(key);
  if (!at) return Status::Ok();
  TOCSIN_ASSIGN_OR_RETURN(out, at->Text(kMostText));
  return Status::Ok();
}

Status ReadNames(const YamlValue& yaml, std::string_view key, AlertMapping::Names& out) {
  const auto at = yaml.Find(key);
  if (!at) return Status::Ok();
  TOCSIN_ASSIGN_OR_RETURN(const auto pairs, at->Pairs(kMostNames));
  for (const auto& [name, value] : pairs) {
    TOCSIN_ASSIGN_OR_RETURN(std::string text, value.Text(kMostText));
    out.emplace_back(name, std::move(text));
  }
  return Status::Ok();
}

Status ReadTexts(const YamlValue& yaml, std::string_view key, std::vector<std::string>& out) {
  const auto at = yaml.Find(key);
  if (!at) return Status::Ok();
  TOCSIN_ASSIGN_OR_RETURN(out, at->Texts(kMostNames));
  return Status::Ok();
}

Status ReadMapping(const YamlValue& yaml, AlertMapping& out) {
  TOCSIN_RETURN_IF_ERROR(
      yaml.Keys({"items", "labels", "fixed_labels", "annotations", "starts_at", "ends_at", "generator_url",
                 "status", "resolved_values", "identity", "timeout", "source"}));
  TOCSIN_RETURN_IF_ERROR(ReadText(yaml, "items", out.items));
  TOCSIN_RETURN_IF_ERROR(ReadNames(yaml, "labels", out.labels));
  TOCSIN_RETURN_IF_ERROR(ReadNames(yaml, "fixed_labels", out.fixed_labels));
  TOCSIN_RETURN_IF_ERROR(ReadNames(yaml, "annotations", out.annotations));
  TOCSIN_RETURN_IF_ERROR(ReadText(yaml, "starts_at", out.starts_at));
  TOCSIN_RETURN_IF_ERROR(ReadText(yaml, "ends_at", out.ends_at));
  TOCSIN_RETURN_IF_ERROR(ReadText(yaml, "generator_url", out.generator_url));
  TOCSIN_RETURN_IF_ERROR(ReadText(yaml, "status", out.status));
  TOCSIN_RETURN_IF_ERROR(ReadTexts(yaml, "resolved_values", out.resolved_values));
  TOCSIN_RETURN_IF_ERROR(ReadTexts(yaml, "identity", out.identity));
  if (const auto timeout = yaml.Find("timeout")) {
    TOCSIN_ASSIGN_OR_RETURN(out.timeout, timeout->Span());
  }
  TOCSIN_RETURN_IF_ERROR(ReadText(yaml, "source", out.source));
  const Status status = ingest::CheckAlertMapping(out);
  return status.ok() ? status : yaml.Wrong(status.message());
}

}  // namespace

void ReadAlertMappings(const YamlValue& yaml, std::map<std::string, AlertMapping>& out) {
  const auto entries = yaml.Named(kMaxAlertMappings);
  if (!entries) return yaml.Note(entries.error());
  for (const auto& [name, entry] : *entries) {
    AlertMapping mapping;
    const Status status = ReadMapping(entry, mapping);
    entry.Note(status);
    if (status.ok()) out.emplace(name, std::move(mapping));
  }
}

}  // namespace tocsin::runtime::internal
