// Well-formedness, bounds, partial success, times: what holds whatever an item means.
#include "ingest/decoder.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "ingest/internal/request_for_tests.h"

namespace tocsin::ingest {
namespace {

using std::string;
using testing::HasSubstr;

TEST(Decoder, ABadSpanDoesNotCostItsNeighbours) {
  TraceRequest request;
  request.Add({});
  request.Add({}).set_trace_id("abc");
  request.Add({}).set_span_id(string(8, '\0'));
  request.Add({}).set_parent_span_id("xy");
  request.Add({});
  const auto outcome = DecodeBoth(request);
  EXPECT_EQ(outcome.batch.spans.size(), 2u);
  EXPECT_EQ(outcome.rejected, 3);
  EXPECT_EQ(outcome.reason,
            "resourceSpans[0].scopeSpans[0].spans[1]: traceId must be 16 bytes, got 3; "
            "resourceSpans[0].scopeSpans[0].spans[2]: spanId must not be all zeros; "
            "resourceSpans[0].scopeSpans[0].spans[3]: parentSpanId must be 8 bytes, got 2");
}

TEST(Decoder, ReasonsAreFewAndCounted) {
  TraceRequest request;
  for (int i = 0; i < 9; ++i) request.Add({}).set_trace_id("");
  const auto outcome = DecodeBoth(request);
  EXPECT_EQ(outcome.rejected, 9);
  EXPECT_THAT(outcome.reason, HasSubstr("; and 6 more"));
}

TEST(Decoder, DamagedBytesInsideOneSpanRejectThatSpan) {
  TraceRequest request;
  request.Add({}, "first");
  request.Add({}, "DAMAGED");
  request.Add({}, "third");
  string body = request.message.SerializeAsString();
  body[body.find("DAMAGED") - 1] = 120;  // the name claims to be longer than its span
  const auto outcome = DecodeTraces(body, Encoding::kProtobuf, {});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->batch.spans.size(), 2u);
  EXPECT_EQ(outcome->rejected, 1);
  EXPECT_THAT(outcome->reason, HasSubstr("spans[1]: damaged protobuf"));
}

TEST(Decoder, UnreadableRequestsAreRefusedWithThePlace) {
  TraceRequest request;
  request.Add({});
  const string body = request.message.SerializeAsString();
  const auto cut = DecodeTraces(body.substr(0, body.size() - 5), Encoding::kProtobuf, {});
  ASSERT_FALSE(cut.has_value());
  EXPECT_EQ(cut.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(cut.error().message(), HasSubstr("near byte"));
  const auto not_json = DecodeTraces(R"({"resourceSpans":[}])", Encoding::kJson, {});
  ASSERT_FALSE(not_json.has_value());
  EXPECT_THAT(not_json.error().message(), HasSubstr("near byte 19"));
  const auto shape = DecodeTraces(R"({"resourceSpans":{}})", Encoding::kJson, {});
  ASSERT_FALSE(shape.has_value());
  EXPECT_EQ(shape.error().message(), "body: resourceSpans must be an array");
  EXPECT_FALSE(DecodeTraces("[]", Encoding::kJson, {}).has_value());
  EXPECT_FALSE(DecodeTraces("", Encoding::kJson, {}).has_value());
  EXPECT_TRUE(DecodeTraces("", Encoding::kProtobuf, {}).has_value());  // an empty request is valid
  EXPECT_TRUE(DecodeTraces("{}", Encoding::kJson, {}).has_value());
}

TEST(Decoder, WrongTypesInJsonRejectTheItemAndNameTheField) {
  const string good =
      R"({"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","name":"ok"})";
  for (const auto& [bad, why] : std::vector<std::pair<string, string>>{
           {R"({"traceId":5})", "traceId must be a string"},
           {R"({"traceId":"zz"})", "traceId must be hex digits"},
           {R"({"kind":"SPAN_KIND_ODD"})", "kind must be a number or a name of its enum"},
           {R"({"startTimeUnixNano":"soon"})", "startTimeUnixNano must be an unsigned 64-bit integer"},
           {R"({"startTimeUnixNano":-1})", "startTimeUnixNano must be an unsigned"},
           {R"({"attributes":{}})", "attributes must be an array"},
           {R"({"attributes":[{"key":"a","value":{"intValue":"x"}}]})", "intValue must be a 64-bit integer"},
           {R"({"attributes":[{"key":"a","value":{"bytesValue":"**"}}]})", "bytesValue must be base64"},
           {R"("text")", "span must be an object"}}) {
    const string body = R"({"resourceSpans":[{"scopeSpans":[{"spans":[)" + bad + "," + good + "]}]}]}";
    const auto outcome = DecodeTraces(body, Encoding::kJson, {});
    ASSERT_TRUE(outcome.has_value()) << bad;
    EXPECT_EQ(outcome->batch.spans.size(), 1u) << bad;
    EXPECT_EQ(outcome->rejected, 1) << bad;
    EXPECT_THAT(outcome->reason, HasSubstr("spans[0]: " + why)) << bad;
  }
}

TEST(Decoder, JsonLeniencies) {
  const string body = R"({"resource_spans":[{"scope_spans":[{"scope":null,"spans":[{
    "trace_id":"5b8efff798038103d269b633813fc60c","spanId":"EEE19B7EC3C1B174","parentSpanId":"","kind":"SPAN_KIND_SERVER",
    "start_time_unix_nano":1764000000000000000,"endTimeUnixNano":"1764000001000000000","unknown":{"x":[1]},
    "status":{"code":"STATUS_CODE_ERROR","message":"no"},
    "attributes":[{"key":"i","value":{"int_value":7}},{"key":"d","value":{"doubleValue":"NaN"}},{"key":"n","value":null},
                  {"key":"e","value":{}},{"key":"b","value":{"bytesValue":"AQID"}}]}]}]}]})";
  const auto outcome = DecodeTraces(body, Encoding::kJson, {});
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  ASSERT_EQ(outcome->batch.spans.size(), 1u) << outcome->reason;
  const auto& span = outcome->batch.spans[0];
  EXPECT_EQ(span.trace_id, "5b8efff798038103d269b633813fc60c");
  EXPECT_EQ(span.span_id, "eee19b7ec3c1b174");
  EXPECT_EQ(span.kind, "server");
  EXPECT_EQ(span.status, "error");
  EXPECT_EQ(span.duration.ns, 1'000'000'000);
  EXPECT_EQ(span.service, "unknown_service");
  EXPECT_EQ(span.attributes_json, R"({"i":7,"d":"NaN","n":null,"e":null,"b":"AQID"})");
}

otlp::AnyValue Nested(int depth) {
  otlp::AnyValue value;
  value.set_string_value("bottom");
  for (int i = 1; i < depth; ++i) {
    otlp::AnyValue outer;
    *outer.mutable_array_value()->add_values() = value;
    value = outer;
  }
  return value;
}

TEST(Decoder, DepthIsBoundedTheSameInBothEncodings) {
  for (const int depth : {32, 33, 60}) {
    TraceRequest request;
    auto* attribute = request.Add({}).add_attributes();
    attribute->set_key("deep");
    *attribute->mutable_value() = Nested(depth);
    request.Add({});
    const auto binary = DecodeTraces(request.message.SerializeAsString(), Encoding::kProtobuf, {});
    ASSERT_TRUE(binary.has_value());
    EXPECT_EQ(binary->batch.spans.size(), depth <= 32 ? 2u : 1u) << depth;
    if (depth == 60) continue;
    EXPECT_EQ(DecodeBoth(request).rejected, depth <= 32 ? 0 : 1);
  }
  string json = R"({"resourceSpans":)";
  json += string(5000, '[') + string(5000, ']') + '}';
  const auto deep = DecodeTraces(json, Encoding::kJson, {});
  ASSERT_FALSE(deep.has_value());
  EXPECT_EQ(deep.error().code(), Code::kOutOfRange);
}

TEST(Decoder, CountsAndSizesAreBounded) {
  DecodeOptions options;
  options.limits.max_attributes = 4;
  options.limits.max_attribute_bytes = 21;
  options.limits.max_items_per_request = 2;
  TraceRequest request;
  Attributes many;
  for (int i = 0; i < 9; ++i) many.emplace_back("k" + std::to_string(i), int64_t{i});
  request.Add(many);
  // Three-byte characters: the cut falls between them.
  request.Add({{"long", string("\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2"
                               "\x82\xAC\xE2\x82\xAC")}});
  request.Add({});
  request.Add({});
  const auto outcome = DecodeBoth(request, options);
  EXPECT_EQ(outcome.batch.spans.size(), 2u);
  EXPECT_EQ(outcome.rejected, 2);
  EXPECT_THAT(outcome.reason, HasSubstr("spans[2]: more than 2 items in one request"));
  EXPECT_EQ(outcome.dropped_attributes, 5);
  EXPECT_EQ(outcome.batch.spans[0].attributes_json, R"({"k0":0,"k1":1,"k2":2,"k3":3})");
  EXPECT_EQ(outcome.shortened_texts, 1);
  EXPECT_EQ(outcome.batch.spans[1].attributes_json,
            "{\"long\":\"\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x80\xA6[cut]\"}");
}

TEST(Decoder, InvalidUtf8IsReplaced) {
  TraceRequest request;
  request.Add({}, "aXYb");
  string body = request.message.SerializeAsString();
  const size_t at = body.find("aXYb");
  body[at + 1] = '\xC3';
  body[at + 2] = '\x28';
  auto outcome = DecodeTraces(body, Encoding::kProtobuf, {});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->batch.spans[0].name, "a\xEF\xBF\xBD(b");
  string json = internal::OtlpJson(request.message);
  json[json.find("aXYb") + 1] = '\xFF';
  outcome = DecodeTraces(json, Encoding::kJson, {});
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_EQ(outcome->batch.spans[0].name, "a\xEF\xBF\xBDYb");
}

TEST(Decoder, TimesThatCannotBeTrue) {
  DecodeOptions options;
  options.received = {kNoon};
  TraceRequest request;
  auto& no_start = request.Add({});
  no_start.set_start_time_unix_nano(0);
  no_start.set_end_time_unix_nano(kNoon - 5);
  auto& none = request.Add({});
  none.set_start_time_unix_nano(0);
  none.set_end_time_unix_nano(0);
  auto& absurd = request.Add({});
  absurd.set_start_time_unix_nano(std::numeric_limits<uint64_t>::max());
  absurd.set_end_time_unix_nano(kNoon);
  auto& backwards = request.Add({});
  backwards.set_start_time_unix_nano(kNoon - 1);
  backwards.set_end_time_unix_nano(kNoon - 9);
  const auto outcome = DecodeBoth(request, options);
  ASSERT_EQ(outcome.batch.spans.size(), 4u);
  EXPECT_EQ(outcome.batch.spans[0].start.ns, kNoon - 5);
  EXPECT_EQ(outcome.batch.spans[1].start.ns, kNoon);
  EXPECT_EQ(outcome.batch.spans[2].start.ns, kNoon);
  for (const auto& span : outcome.batch.spans) EXPECT_GE(span.duration.ns, 0);
}

TEST(Decoder, MetricsOfEveryKind) {
  otlp::ExportMetricsRequest request;
  auto* scope = request.add_resource_metrics()->add_scope_metrics();
  const auto add = [&](const char* name) {
    auto* metric = scope->add_metrics();
    metric->set_name(name);
    metric->set_unit("s");
    return metric;
  };
  auto* gauge = add("g")->mutable_gauge()->add_data_points();
  gauge->set_as_int(-4);
  auto* sum = add("s")->mutable_sum();
  sum->set_is_monotonic(true);
  sum->set_aggregation_temporality(2);
  sum->add_data_points()->set_as_double(1.5);
  auto* exemplar = sum->mutable_data_points(0)->add_exemplars();
  exemplar->set_as_double(2);
  exemplar->set_trace_id(string(16, '\x11'));
  auto* histogram = add("h")->mutable_histogram()->add_data_points();
  histogram->set_count(3);
  histogram->set_sum(9);
  histogram->add_bucket_counts(1);
  histogram->add_bucket_counts(2);
  histogram->add_explicit_bounds(0.5);
  auto* exponential = add("e")->mutable_exponential_histogram()->add_data_points();
  exponential->set_scale(-2);
  exponential->mutable_positive()->set_offset(-1);
  exponential->mutable_positive()->add_bucket_counts(7);
  auto* summary = add("q")->mutable_summary()->add_data_points();
  summary->set_count(5);
  summary->add_quantile_values()->set_quantile(0.5);
  add("nothing");
  auto* nameless = add("");
  nameless->mutable_gauge()->add_data_points()->set_as_int(1);
  const auto outcome = DecodeBoth(SignalKind::kMetrics, request);
  const auto& m = outcome.batch.metrics;
  ASSERT_EQ(m.size(), 5u);
  EXPECT_EQ(m[0].value, -4);
  EXPECT_TRUE(m[1].monotonic);
  EXPECT_EQ(m[1].temporality, "cumulative");
  EXPECT_THAT(m[1].exemplars_json, HasSubstr("1111"));
  EXPECT_EQ(m[2].count, 3);
  EXPECT_EQ(m[2].buckets_json, R"({"bounds":[0.5],"counts":[1,2]})");
  EXPECT_FALSE(m[2].min.has_value());
  EXPECT_EQ(
      m[3].buckets_json,
      R"({"scale":-2,"zero_count":0,"positive":{"offset":-1,"counts":[7]},"negative":{"offset":0,"counts":[]}})");
  EXPECT_EQ(m[4].buckets_json, R"({"quantiles":[[0.5,0]]})");
  EXPECT_EQ(outcome.rejected, 1);
  EXPECT_EQ(outcome.reason,
            "resourceMetrics[0].scopeMetrics[0].metrics[6].dataPoints[0]: a metric needs a name");
}

// Found by fuzzing: a large double was written as an integer that readers of JSON refuse.
TEST(Decoder, LargeDoublesStayReadableJson) {
  TraceRequest request;
  request.Add({{"a", -147573952589676412928.0}, {"b", 3.0}, {"c", 1e300}, {"d", 0.1}});
  const auto outcome = DecodeBoth(request);
  EXPECT_EQ(outcome.batch.spans[0].attributes_json,
            R"({"a":-1.4757395258967641e+20,"b":3,"c":1e+300,"d":0.1})");
}

TEST(Decoder, ExportResponses) {
  DecodeOutcome outcome;
  EXPECT_EQ(EncodeExportResponse(SignalKind::kTraces, outcome, Encoding::kJson), "{}");
  EXPECT_EQ(EncodeExportResponse(SignalKind::kTraces, outcome, Encoding::kProtobuf), "");
  outcome.rejected = 2;
  outcome.reason = "x \"y\"";
  EXPECT_EQ(EncodeExportResponse(SignalKind::kLogs, outcome, Encoding::kJson),
            R"({"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"x \"y\""}})");
  otlp::ExportResponse response;
  ASSERT_TRUE(
      response.ParseFromString(EncodeExportResponse(SignalKind::kTraces, outcome, Encoding::kProtobuf)));
  EXPECT_EQ(response.partial_success().rejected(), 2);
  EXPECT_EQ(response.partial_success().error_message(), outcome.reason);
}

// The examples published with the protocol.
TEST(Decoder, PublishedExamples) {
  const char* given = std::getenv("TOCSIN_DATA");
  const char* source = std::getenv("TOCSIN_SOURCE_DIR");
  const std::filesystem::path data =
      given != nullptr ? std::filesystem::path(given)
                       : std::filesystem::path(source != nullptr ? source : ".") / "../shared/data";
  if (!std::filesystem::exists(data / "otlp"))
    GTEST_SKIP() << "no recorded data at " << data << " (set TOCSIN_DATA)";
  const auto decode = [&](const char* file, SignalKind kind) {
    std::ifstream in(data / "otlp" / file);
    std::stringstream text;
    text << in.rdbuf();
    const auto outcome = Decode(kind, text.str(), Encoding::kJson, {});
    EXPECT_TRUE(outcome.has_value()) << file << outcome.error().message();
    EXPECT_EQ(outcome->rejected, 0) << outcome->reason;
    return outcome->batch;
  };
  const auto traces = decode("trace.json", SignalKind::kTraces);
  ASSERT_EQ(traces.spans.size(), 1u);
  EXPECT_EQ(traces.spans[0].trace_id, "5b8efff798038103d269b633813fc60c");
  EXPECT_EQ(traces.spans[0].service, "my.service");
  EXPECT_EQ(decode("metrics.json", SignalKind::kMetrics).metrics.size(), 4u);
  EXPECT_EQ(decode("logs.json", SignalKind::kLogs).logs[0].body, "Example log record");
  EXPECT_EQ(decode("events.json", SignalKind::kLogs).logs[0].event_name, "browser.page_view");
}

}  // namespace
}  // namespace tocsin::ingest
