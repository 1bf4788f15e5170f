#include "ingest/feedback_decoder.h"

#include <cmath>

#include "ingest/internal/json_document.h"
#include "kernel/id.h"

namespace tocsin::ingest {
namespace {

using internal::Json;
using internal::ObjectReader;

void ReadScore(ObjectReader& reader, signal::Feedback& f) {
  const auto score = reader.Number("score");
  const auto csat = reader.Number("csat");
  const std::string thumbs = reader.Text("thumbs");
  if ((score ? 1 : 0) + (csat ? 1 : 0) + (thumbs.empty() ? 0 : 1) > 1) {
    return reader.Fail("score", "give one of score, thumbs or csat");
  }
  if (score) {
    if (*score < -1 || *score > 1)
      return reader.Fail("score", "must be -1 to 1, got " + std::to_string(*score));
    f.score = score;
  } else if (csat) {
    if (*csat < 1 || *csat > 5) return reader.Fail("csat", "must be 1 to 5, got " + std::to_string(*csat));
    f.score = (*csat - 3) / 2;
    if (f.label.empty()) f.label = "csat:" + std::to_string(std::llround(*csat));
  } else if (!thumbs.empty()) {
    if (thumbs != "up" && thumbs != "down") return reader.Fail("thumbs", "must be \"up\" or \"down\"");
    f.score = thumbs == "up" ? 1 : -1;
    if (f.label.empty()) f.label = "thumbs_" + thumbs;
  }
}

// An id of OTLP: hex in either case, kept in lower case.
std::string HexId(ObjectReader& reader, const char* name, size_t bytes) {
  const std::string text = reader.Text(name, Redactor::Kind::kIdentifier);
  std::string raw;
  if (text.empty()) return {};
  if (!HexDecode(text, raw) || raw.size() != bytes) {
    reader.Fail(name, "must be " + std::to_string(bytes * 2) + " hex digits");
    return {};
  }
  return HexEncode(raw);
}

Result<signal::Feedback> ReadOne(const Json& json, const std::string& path, const DecodeOptions& options) {
  ObjectReader reader(json, path, options);
  signal::Feedback f;
  f.trace_id = HexId(reader, "trace_id", 16);
  f.span_id = HexId(reader, "span_id", 8);
  f.response_id = reader.Text("response_id", Redactor::Kind::kIdentifier);
  f.conversation_id = reader.Text("conversation_id", Redactor::Kind::kIdentifier);
  f.service = reader.Text("service");
  f.label = reader.Text("label");
  f.comment = reader.Text("comment");
  f.user_id = reader.Text("user_id", Redactor::Kind::kIdentifier);
  f.time = reader.When("time");
  if (!f.time.known()) f.time = options.received;
  ReadScore(reader, f);
  if (f.trace_id.empty() && f.span_id.empty() && f.response_id.empty() && f.conversation_id.empty()) {
    reader.Fail("trace_id", "say which answer is meant: trace_id, span_id, response_id or conversation_id");
  }
  if (!f.score && f.label.empty() && f.comment.empty()) {
    reader.Fail("score", "one of score, thumbs, csat, label or comment is required");
  }
  f.id = reader.Text("id", Redactor::Kind::kIdentifier);
  if (f.id.empty()) {
    const std::string content = f.trace_id + "|" + f.span_id + "|" + f.response_id + "|" + f.conversation_id +
                                "|" + std::to_string(f.time.ns) + "|" + f.label + "|" + f.comment + "|" +
                                f.user_id + "|" + (f.score ? std::to_string(*f.score) : "");
    f.id = "fb:" + Base32(StableHash(content), 13);
  }
  if (!reader.status().ok()) return Error(reader.status());
  return f;
}

}  // namespace

Result<std::vector<signal::Feedback>> DecodeFeedback(std::string_view body, const DecodeOptions& options) {
  TOCSIN_ASSIGN_OR_RETURN(const Json json, internal::ParseDocument(body, options.limits));
  std::vector<signal::Feedback> out;
  if (!json.is_array()) {
    TOCSIN_ASSIGN_OR_RETURN(auto one, ReadOne(json, "", options));
    out.push_back(std::move(one));
    return out;
  }
  if (json.size() > options.limits.max_items_per_request) {
    return Error(Code::kOutOfRange, "body: " + std::to_string(json.size()) + " items, at most " +
                                        std::to_string(options.limits.max_items_per_request));
  }
  for (size_t i = 0; i < json.size(); ++i) {
    TOCSIN_ASSIGN_OR_RETURN(auto one, ReadOne(json[i], "[" + std::to_string(i) + "]", options));
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace tocsin::ingest
