#include "ingest/change_decoder.h"

#include <algorithm>
#include <array>

#include "ingest/internal/cloud_event.h"
#include "ingest/internal/json_document.h"
#include "kernel/ascii.h"
#include "kernel/id.h"

namespace tocsin::ingest {
namespace {

using internal::Json;
using internal::ObjectReader;

constexpr size_t kMaxAttributes = 64;
constexpr size_t kMaxAttributeBytes = 4096;

// The kind named by a CloudEvents type: a segment of "com.acme.prompt.updated" that is a kind or its synonym.
std::string KindOfType(std::string_view type) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 20> kWords = {{
      {"deploy", "deploy"},     {"deployment", "deploy"}, {"release", "deploy"},  {"rollout", "deploy"},
      {"prompt", "prompt"},     {"model", "model"},       {"flag", "flag"},       {"featureflag", "flag"},
      {"feature_flag", "flag"}, {"index", "index"},       {"embedding", "index"}, {"provider", "provider"},
      {"data", "data"},         {"dataset", "data"},      {"config", "config"},   {"configuration", "config"},
      {"service", "deploy"},    {"taskrun", "deploy"},    {"other", "other"},     {"setting", "config"},
  }};
  std::string lower = LowerAscii(type);
  std::replace(lower.begin(), lower.end(), '-', '.');
  for (size_t from = 0; from <= lower.size();) {
    const size_t dot = std::min(lower.find('.', from), lower.size());
    const std::string_view segment = std::string_view(lower).substr(from, dot - from);
    for (const auto& [word, kind] : kWords) {
      if (segment == word ||
          (segment.size() == word.size() + 1 && segment.back() == 's' && segment.starts_with(word)))
        return std::string(kind);
    }
    from = dot + 1;
  }
  return "other";
}

bool IsKind(std::string_view kind) {
  static constexpr std::string_view kKinds[] = {"deploy",   "prompt", "model",  "flag", "index",
                                                "provider", "data",   "config", "other"};
  return std::find(std::begin(kKinds), std::end(kKinds), kind) != std::end(kKinds);
}

void AddAttributes(ObjectReader& reader, const Json& object, std::initializer_list<std::string_view> taken,
                   signal::Change& change) {
  for (const auto& [key, value] : object.items()) {
    if (change.attributes.size() >= kMaxAttributes) return;
    if (std::find(taken.begin(), taken.end(), key) != taken.end() || value.is_null()) continue;
    std::string text =
        IsCredentialKey(key) ? std::string(kCredentialMarker) : reader.AsText(value, kMaxAttributeBytes);
    change.attributes.emplace(reader.AsText(Json(key), kMaxAttributeBytes), std::move(text));
  }
}

// The event's data: our own fields when it is an object, else its text as the summary.
Status ReadData(const Json& data, const std::string& path, const DecodeOptions& options,
                signal::Change& change) {
  if (!data.is_object()) {
    const Json empty = Json::object();
    change.summary = ObjectReader(empty, path, options).AsText(data, options.limits.max_attribute_bytes);
    return {};
  }
  ObjectReader reader(data, path, options);
  if (const std::string kind = reader.Text("kind"); !kind.empty()) {
    if (!IsKind(kind)) {
      reader.Fail("kind", "must be deploy, prompt, model, flag, index, provider, data, config or other");
    }
    change.kind = kind;
  }
  change.service = reader.Text("service");
  if (const std::string subject = reader.Text("subject"); !subject.empty()) change.subject = subject;
  change.summary = reader.Text("summary");
  for (const auto& [name, member] :
       {std::pair{"before", &signal::Change::before}, {"after", &signal::Change::after}}) {
    if (const Json* value = reader.Find(name))
      change.*member = reader.AsText(*value, options.limits.max_text_bytes);
  }
  change.link = reader.Text("link");
  AddAttributes(reader, data, {"kind", "service", "subject", "summary", "before", "after", "link"}, change);
  return reader.status();
}

// `event` holds the context attributes, with the data under "data".
Result<signal::Change> ReadEvent(const Json& event, const std::string& path, const DecodeOptions& options) {
  ObjectReader reader(event, path, options);
  signal::Change change;
  if (const std::string version = reader.Required("specversion"); !version.empty() && version != "1.0") {
    reader.Fail("specversion", "must be \"1.0\", got \"" + version.substr(0, 20) + "\"");
  }
  const std::string type = reader.Required("type");
  const std::string id = reader.Required("id", Redactor::Kind::kIdentifier);
  change.source = reader.Required("source");
  change.kind = KindOfType(type);
  change.id = change.source + "#" + id;  // unique only together (CloudEvents 1.0, "source")
  change.subject = reader.Text("subject");
  change.time = reader.When("time");
  if (!change.time.known()) change.time = options.received;
  if (!reader.status().ok()) return Error(reader.status());
  if (const Json* data = reader.Find("data")) {
    TOCSIN_RETURN_IF_ERROR(ReadData(*data, path.empty() ? "data" : path + ".data", options, change));
  }
  AddAttributes(reader, event,
                {"specversion", "id", "source", "subject", "time", "data", "data_base64", "datacontenttype"},
                change);
  if (change.summary.empty()) change.summary = type;
  return change;
}

}  // namespace

Result<std::vector<signal::Change>> DecodeCloudEvent(std::string_view body, const HeaderList& headers,
                                                     const DecodeOptions& options) {
  TOCSIN_ASSIGN_OR_RETURN(const internal::CloudEvents read,
                          internal::ReadCloudEvents(body, headers, options));
  std::vector<signal::Change> out;
  for (size_t i = 0; i < read.events.size(); ++i) {
    TOCSIN_ASSIGN_OR_RETURN(auto change, ReadEvent(read.events[i], read.PathOf(i), options));
    out.push_back(std::move(change));
  }
  return out;
}

Result<signal::Change> DecodePagerDutyChange(std::string_view body, const DecodeOptions& options) {
  TOCSIN_ASSIGN_OR_RETURN(const Json json, internal::ParseDocument(body, options.limits));
  ObjectReader top(json, "", options);
  const Json* payload = top.Find("payload");
  if (payload == nullptr) top.Fail("payload", "is required");
  if (!top.status().ok()) return Error(top.status());
  ObjectReader reader(*payload, "payload", options);
  signal::Change change;
  change.summary = reader.Required("summary");
  change.source = reader.Text("source");
  change.time = reader.When("timestamp");
  if (!change.time.known()) change.time = options.received;
  change.kind = KindOfType(change.summary.substr(0, change.summary.find(' ')));
  if (const Json* details = reader.Find("custom_details"); details != nullptr && details->is_object()) {
    ObjectReader custom(*details, "payload.custom_details", options);
    if (const Json* kind = custom.Find("kind");
        kind != nullptr && kind->is_string() && IsKind(kind->get<std::string>())) {
      change.kind = kind->get<std::string>();
    }
    for (const auto& [name, member] : {std::pair{"service", &signal::Change::service},
                                       {"subject", &signal::Change::subject},
                                       {"before", &signal::Change::before},
                                       {"after", &signal::Change::after}}) {
      if (const Json* value = custom.Find(name))
        change.*member = custom.AsText(*value, options.limits.max_text_bytes);
    }
    AddAttributes(custom, *details, {"kind", "service", "subject", "before", "after"}, change);
  }
  if (const Json* links = top.Find("links"); links != nullptr && links->is_array() && !links->empty()) {
    ObjectReader link((*links)[0], "links[0]", options);
    change.link = link.Text("href");
    if (!link.status().ok()) return Error(link.status());
  }
  if (!reader.status().ok()) return Error(reader.status());
  // routing_key is a credential: it is not kept.
  change.id =
      "pd:" +
      Base32(StableHash(change.source + "|" + change.summary + "|" + std::to_string(change.time.ns)), 13);
  return change;
}

}  // namespace tocsin::ingest
