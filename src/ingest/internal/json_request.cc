#include "ingest/internal/json_request.h"

#include <nlohmann/json.hpp>

#include "ingest/internal/json_items.h"

namespace tocsin::ingest::internal {
namespace {

struct Names {
  const char* resources;
  const char* scopes;
  const char* items;
};
constexpr Names kNames[] = {{"resourceSpans", "scopeSpans", "spans"},
                            {"resourceLogs", "scopeLogs", "logRecords"},
                            {"resourceMetrics", "scopeMetrics", "metrics"}};

template <class Decode>
void TakeItem(BatchBuilder& builder, const Decode& decode) {
  try {
    decode();
  } catch (const ItemError& error) {
    builder.Reject(error.why);
  }
}

class RequestReader {
 public:
  RequestReader(SignalKind kind, BatchBuilder& builder)
      : kind_(kind), names_(kNames[static_cast<size_t>(kind)]), builder_(builder) {}

  void Read(const JsonElement& root) {
    ForFields(root, "body", [&](std::string_view name, const JsonElement& list) {
      if (name != names_.resources) return;
      ForElements(list, name, [&](const JsonElement& resource) {
        ++builder_.place.resource;
        builder_.place.scope = builder_.place.item = -1;
        TakeItem(builder_, [&] { ReadResource(resource); });
      });
    });
  }

 private:
  void ReadResource(const JsonElement& element) {
    builder_.context_arena().Reset();
    Node attributes;
    attributes.kind = NodeKind::kMap;
    JsonElement scopes;
    bool has_scopes = false;
    ForFields(element, names_.resources, [&](std::string_view name, const JsonElement& v) {
      if (name == "resource") {
        ForFields(v, name, [&](std::string_view inner, const JsonElement& list) {
          if (inner == "attributes") ReadJsonAttributes(list, attributes, builder_.context_arena(), builder_);
        });
      } else if (name == names_.scopes) {
        scopes = v;
        has_scopes = true;
      }
    });
    builder_.BeginResource(attributes);
    if (!has_scopes) return;
    ForElements(scopes, names_.scopes, [&](const JsonElement& scope) {
      ++builder_.place.scope;
      builder_.place.item = -1;
      TakeItem(builder_, [&] { ReadScope(scope); });
    });
  }

  void ReadScope(const JsonElement& element) {
    std::string_view scope_name;
    JsonElement items;
    bool has_items = false;
    ForFields(element, names_.scopes, [&](std::string_view name, const JsonElement& v) {
      if (name == "scope") {
        ForFields(v, name, [&](std::string_view inner, const JsonElement& text) {
          if (inner == "name") scope_name = JsonString(text, "scope name");
        });
      } else if (name == names_.items) {
        items = v;
        has_items = true;
      }
    });
    builder_.BeginScope(scope_name);
    if (!has_items) return;
    ForElements(items, names_.items, [&](const JsonElement& item) {
      ++builder_.place.item;
      builder_.place.point = -1;
      TakeItem(builder_, [&] { ReadItem(item); });
    });
  }

  void ReadItem(const JsonElement& element) {
    if (kind_ == SignalKind::kMetrics) return ReadJsonMetric(element, builder_);
    if (!builder_.BeginItem()) return;
    if (kind_ == SignalKind::kTraces) {
      span_.Clear();
      ReadJsonSpan(element, span_, builder_);
      builder_.AddSpan(span_);
    } else {
      log_ = RawLog{};
      ReadJsonLog(element, log_, builder_);
      builder_.AddLog(log_);
    }
  }

  SignalKind kind_;
  const Names& names_;
  BatchBuilder& builder_;
  RawSpan span_;
  RawLog log_;
};

// Only run on a text already refused: finds where it stops being JSON.
struct PlaceOfError : nlohmann::json_sax<nlohmann::json> {
  size_t at = 0;
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) override {
    at = position;
    return false;
  }
};

Status NotJson(std::string_view body, simdjson::error_code error, int max_depth) {
  if (error == simdjson::DEPTH_ERROR) {
    return Status(Code::kOutOfRange, "body: JSON nested deeper than " + std::to_string(max_depth));
  }
  PlaceOfError place;
  nlohmann::json::sax_parse(body.begin(), body.end(), &place);
  return Status(Code::kInvalidArgument, "body is not JSON, near byte " + std::to_string(place.at) + ": " +
                                            simdjson::error_message(error));
}

}  // namespace

Status ReadJsonRequest(SignalKind kind, std::string_view body, BatchBuilder& builder) {
  // One attribute value nests four JSON levels: value, arrayValue, values, element.
  const int max_depth = builder.limits().max_depth * 4 + 24;
  simdjson::dom::parser parser;
  if (parser.allocate(std::max<size_t>(body.size(), 64), static_cast<size_t>(max_depth)) !=
      simdjson::SUCCESS) {
    return Status(Code::kResourceExhausted, "body: no memory for a JSON text of this size");
  }
  JsonElement root;
  simdjson::error_code error = parser.parse(body.data(), body.size()).get(root);
  std::string repaired;
  if (error == simdjson::UTF8_ERROR) {
    repaired = ReplaceInvalidUtf8(body);
    if (parser.allocate(repaired.size(), static_cast<size_t>(max_depth)) != simdjson::SUCCESS) {
      return Status(Code::kResourceExhausted, "body: no memory for a JSON text of this size");
    }
    error = parser.parse(repaired).get(root);
  }
  if (error != simdjson::SUCCESS) return NotJson(body, error, max_depth);
  try {
    RequestReader(kind, builder).Read(root);
  } catch (const ItemError& frame) {
    return Status(Code::kInvalidArgument, "body: " + frame.why);
  }
  return {};
}

}  // namespace tocsin::ingest::internal
