// Encodes a stored signal by its field list (signal/fields.h), for saved monitor states.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "detect/internal/codec.h"
#include "signal/fields.h"

namespace tocsin::detect {

inline void PutField(ByteWriter& out, const std::string& v) { out.Text(v); }
inline void GetField(ByteReader& in, std::string& v) { in.Text(v); }

template <class T>
  requires std::is_trivially_copyable_v<T>
void PutField(ByteWriter& out, const T& v) {
  out.Put(v);
}
template <class T>
  requires std::is_trivially_copyable_v<T>
void GetField(ByteReader& in, T& v) {
  in.Get(v);
}
template <class T>
void PutField(ByteWriter& out, const std::optional<T>& v) {
  out.Put(static_cast<uint8_t>(v.has_value()));
  out.Put(v.value_or(T{}));
}
template <class T>
void GetField(ByteReader& in, std::optional<T>& v) {
  const bool has = in.Get<uint8_t>() != 0;
  const T value = in.Get<T>();
  v = has ? std::optional<T>(value) : std::nullopt;
}
inline void PutField(ByteWriter& out, const std::vector<signal::Document>& v) {
  out.Put(static_cast<uint32_t>(v.size()));
  for (const auto& d : v) {
    out.Text(d.id);
    out.Text(d.text);
    PutField(out, d.score);
  }
}
inline void GetField(ByteReader& in, std::vector<signal::Document>& v) {
  v.resize(in.Count());
  for (auto& d : v) {
    in.Text(d.id);
    in.Text(d.text);
    GetField(in, d.score);
  }
}
inline void PutField(ByteWriter& out, const std::vector<signal::ToolCall>& v) {
  out.Put(static_cast<uint32_t>(v.size()));
  for (const auto& t : v) {
    for (const auto* text : {&t.id, &t.name, &t.arguments, &t.result}) out.Text(*text);
    out.Put(static_cast<uint8_t>((t.executed ? 1 : 0) | (t.failed ? 2 : 0)));
  }
}
inline void GetField(ByteReader& in, std::vector<signal::ToolCall>& v) {
  v.resize(in.Count());
  for (auto& t : v) {
    for (auto* text : {&t.id, &t.name, &t.arguments, &t.result}) in.Text(*text);
    const auto flags = in.Get<uint8_t>();
    t.executed = (flags & 1U) != 0;
    t.failed = (flags & 2U) != 0;
  }
}
inline void PutField(ByteWriter& out, const std::map<std::string, std::string>& v) {
  out.Put(static_cast<uint32_t>(v.size()));
  for (const auto& [key, value] : v) {
    out.Text(key);
    out.Text(value);
  }
}
inline void GetField(ByteReader& in, std::map<std::string, std::string>& v) {
  v.clear();
  for (uint32_t n = in.Count(); n > 0; --n) {
    std::string key = in.Text();
    v[key] = in.Text();
  }
}

template <class Record>
void PutSignal(ByteWriter& out, const Record& record) {
  signal::VisitFields(record, [&](const char*, const auto& value) { PutField(out, value); });
}
template <class Record>
void GetSignal(ByteReader& in, Record& record) {
  signal::VisitFields(record, [&](const char*, auto& value) { GetField(in, value); });
}

}  // namespace tocsin::detect
