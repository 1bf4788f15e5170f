// Bounds hold for any bytes; what is compressed comes back. The first byte chooses the encoding.
#include <zlib.h>
#include <zstd.h>

#include "ingest/inflate.h"
#include "oracle.h"

namespace {

using tocsin::fuzz::Require;
using tocsin::ingest::ContentEncoding;

void RoundTrip(std::string_view text, const tocsin::Limits& limits) {
  std::string zlib(compressBound(text.size()), '\0');
  uLongf size = zlib.size();
  compress2(reinterpret_cast<Bytef*>(zlib.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
            text.size(), 1);
  zlib.resize(size);
  const auto back = tocsin::ingest::Inflate(zlib, ContentEncoding::kDeflate, limits);
  Require(back ? *back == text : back.error().code() == tocsin::Code::kOutOfRange, "zlib comes back");
  std::string zstd(ZSTD_compressBound(text.size()), '\0');
  zstd.resize(ZSTD_compress(zstd.data(), zstd.size(), text.data(), text.size(), 1));
  const auto same = tocsin::ingest::Inflate(zstd, ContentEncoding::kZstd, limits);
  Require(same ? *same == text : same.error().code() == tocsin::Code::kOutOfRange, "zstd comes back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  tocsin::Limits limits;
  limits.max_inflated_bytes = 2u << 20;
  limits.max_inflate_ratio = 50;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto encoding = static_cast<ContentEncoding>(data[0] % 4);
  const auto out = tocsin::ingest::Inflate(body, encoding, limits);
  if (out) {
    Require(out->size() <= limits.max_inflated_bytes, "the size is bounded");
  } else {
    Require(tocsin::HttpStatus(out.error().code()) < 500, "a refusal is the caller's",
            out.error().ToString());
  }
  RoundTrip(body, limits);
  return 0;
}
