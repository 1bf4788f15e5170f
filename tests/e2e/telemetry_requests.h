// OTLP requests as the tests send them, with ids made from a number, so that what arrived can be counted.
#pragma once

#include <cstdint>
#include <string>

#include "otlp.pb.h"

namespace tocsin::e2e {

struct RequestShape {
  std::string service = "e2e";
  uint64_t first = 0;  // number of the first span
  int spans = 10;
  size_t text_bytes = 200;
};

// 32 hex digits of span number n.
std::string TraceIdHex(uint64_t n);
otlp::ExportTraceRequest TraceRequest(const RequestShape& shape);
// One client span of `service` that asks `peer`.
otlp::ExportTraceRequest CallRequest(const std::string& service, const std::string& peer, uint64_t number);
std::string Gzip(const std::string& text);

}  // namespace tocsin::e2e
