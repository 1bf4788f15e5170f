// For tests and fuzzers only: an OTLP protobuf message as OTLP/JSON, by reflection, independent of the
// decoder. Ids are hex, other bytes base64, 64-bit integers strings, NaN and infinities strings.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "ingest/internal/json_writer.h"
#include "kernel/id.h"

namespace tocsin::ingest::internal {

class OtlpJsonPrinter {
 public:
  explicit OtlpJsonPrinter(bool snake_case) : snake_case_(snake_case) {}

  void Print(const google::protobuf::Message& message, std::string& out) const {
    std::vector<const google::protobuf::FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    out += '{';
    for (const auto* field : fields) {
      if (field != fields.front()) out += ',';
      AppendJsonString(out, snake_case_ ? field->name() : field->json_name());
      out += ':';
      if (field->is_repeated()) {
        out += '[';
        const int n = message.GetReflection()->FieldSize(message, field);
        for (int i = 0; i < n; ++i) {
          if (i > 0) out += ',';
          Value(message, *field, i, out);
        }
        out += ']';
      } else {
        Value(message, *field, -1, out);
      }
    }
    out += '}';
  }

 private:
  using Field = google::protobuf::FieldDescriptor;

  static void Double(double value, std::string& out) {
    const size_t from = out.size();
    AppendJsonDouble(out, value);
    // "5" would do; "-0" would lose its sign as an integer.
    if (std::isfinite(value) && out.find_first_of(".e", from) == std::string::npos) out += ".0";
  }
  static void Bytes(const std::string& bytes, const std::string& name, std::string& out) {
    const bool id = name == "trace_id" || name == "span_id" || name == "parent_span_id";
    AppendJsonString(out, id ? HexEncode(bytes) : Base64(bytes));
  }
  void Value(const google::protobuf::Message& m, const Field& f, int i, std::string& out) const {
    const auto& r = *m.GetReflection();
    const bool one = i < 0;
    std::string scratch;
    switch (f.cpp_type()) {
      case Field::CPPTYPE_MESSAGE:
        return Print(one ? r.GetMessage(m, &f) : r.GetRepeatedMessage(m, &f, i), out);
      case Field::CPPTYPE_STRING: {
        const auto& s =
            one ? r.GetStringReference(m, &f, &scratch) : r.GetRepeatedStringReference(m, &f, i, &scratch);
        return f.type() == Field::TYPE_BYTES ? Bytes(s, f.name(), out) : AppendJsonString(out, s);
      }
      case Field::CPPTYPE_DOUBLE:
        return Double(one ? r.GetDouble(m, &f) : r.GetRepeatedDouble(m, &f, i), out);
      case Field::CPPTYPE_INT64:
        out += '"' + std::to_string(one ? r.GetInt64(m, &f) : r.GetRepeatedInt64(m, &f, i)) + '"';
        return;
      case Field::CPPTYPE_UINT64:
        out += '"' + std::to_string(one ? r.GetUInt64(m, &f) : r.GetRepeatedUInt64(m, &f, i)) + '"';
        return;
      case Field::CPPTYPE_INT32:
        out += std::to_string(one ? r.GetInt32(m, &f) : r.GetRepeatedInt32(m, &f, i));
        return;
      case Field::CPPTYPE_BOOL:
        out += r.GetBool(m, &f) ? "true" : "false";
        return;
      default:
        out += "null";
    }
  }

  bool snake_case_;
};

inline std::string OtlpJson(const google::protobuf::Message& message, bool snake_case = false) {
  std::string out;
  OtlpJsonPrinter(snake_case).Print(message, out);
  return out;
}

}  // namespace tocsin::ingest::internal
