#include "ingest/inflate.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

namespace tocsin::ingest {
namespace {

constexpr size_t kStep = 64u << 10;
constexpr size_t kRatioCheckedFrom = 1u << 20;

class Bound {
 public:
  Bound(size_t wire, const Limits& limits) : wire_(std::max<size_t>(wire, 1)), limits_(limits) {}
  Status Check(size_t out) const {
    if (out > limits_.max_inflated_bytes) {
      return Status(Code::kOutOfRange,
                    "body: inflates to more than " + std::to_string(limits_.max_inflated_bytes) + " bytes");
    }
    if (out > kRatioCheckedFrom && out / wire_ > limits_.max_inflate_ratio) {
      return Status(Code::kOutOfRange,
                    "body: inflates by more than a factor of " + std::to_string(limits_.max_inflate_ratio));
    }
    return {};
  }

 private:
  size_t wire_;
  const Limits& limits_;
};

Status Damaged(std::string_view what, size_t offset, const char* why) {
  return Status(Code::kInvalidArgument, "body: " + std::string(what) + " data is damaged near byte " +
                                            std::to_string(offset) +
                                            (why != nullptr ? std::string(": ") + why : ""));
}
Status Truncated(std::string_view what, size_t size) {
  return Status(Code::kInvalidArgument,
                "body: " + std::string(what) + " data ends too early, after byte " + std::to_string(size));
}

struct ZStreamEnd {
  void operator()(z_stream* z) const { inflateEnd(z); }
};

// window_bits: 15 + 16 gzip, 15 zlib, -15 raw deflate.
Result<std::string> InflateZlib(std::string_view body, int window_bits, std::string_view what,
                                const Limits& limits) {
  z_stream z{};
  if (inflateInit2(&z, window_bits) != Z_OK) return Error(Code::kInternal, "inflate: cannot start zlib");
  const std::unique_ptr<z_stream, ZStreamEnd> end(&z);
  const Bound bound(body.size(), limits);
  std::string out;
  auto* const begin = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));  // zlib's old signature
  z.next_in = begin;
  z.avail_in = static_cast<uInt>(body.size());
  for (;;) {
    const size_t had = out.size();
    out.resize(had + std::clamp(body.size() * 2, size_t{4096}, kStep));
    z.next_out = reinterpret_cast<Bytef*>(out.data() + had);
    z.avail_out = static_cast<uInt>(out.size() - had);
    const int rc = inflate(&z, Z_NO_FLUSH);
    out.resize(out.size() - z.avail_out);
    TOCSIN_RETURN_IF_ERROR(bound.Check(out.size()));
    const auto offset = static_cast<size_t>(z.next_in - begin);
    if (rc == Z_STREAM_END) {
      if (z.avail_in == 0) return out;
      // Another gzip member may follow; anything else is damage.
      if (window_bits <= 15 || inflateReset(&z) != Z_OK)
        return Error(Damaged(what, offset, "bytes after the end"));
      continue;
    }
    if (rc == Z_BUF_ERROR || (rc == Z_OK && z.avail_in == 0 && out.size() == had)) {
      return Error(Truncated(what, body.size()));
    }
    if (rc != Z_OK) return Error(Damaged(what, offset, z.msg));
  }
}

struct ZstdFree {
  void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
};

Result<std::string> InflateZstd(std::string_view body, const Limits& limits) {
  const std::unique_ptr<ZSTD_DCtx, ZstdFree> context(ZSTD_createDCtx());
  if (context == nullptr) return Error(Code::kInternal, "inflate: cannot start zstd");
  // A frame may ask for a window of any size; 8 MiB is what every compressor of requests stays under.
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, 23);
  const Bound bound(body.size(), limits);
  std::string out;
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  size_t left = 1;
  for (;;) {
    const size_t had = out.size(), consumed = in.pos;
    out.resize(had + std::clamp(body.size() * 2, size_t{4096}, kStep));
    ZSTD_outBuffer to{out.data() + had, out.size() - had, 0};
    left = ZSTD_decompressStream(context.get(), &to, &in);
    out.resize(had + to.pos);
    if (ZSTD_isError(left)) return Error(Damaged("zstd", in.pos, ZSTD_getErrorName(left)));
    TOCSIN_RETURN_IF_ERROR(bound.Check(out.size()));
    if (left == 0 && in.pos == in.size) return out;
    if (to.pos == 0 && in.pos == consumed) return Error(Truncated("zstd", body.size()));
  }
}

}  // namespace

Result<ContentEncoding> ParseContentEncoding(std::string_view header) {
  std::string name(header);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (name.empty() || name == "identity") return ContentEncoding::kIdentity;
  if (name == "gzip" || name == "x-gzip") return ContentEncoding::kGzip;
  if (name == "deflate") return ContentEncoding::kDeflate;
  if (name == "zstd") return ContentEncoding::kZstd;
  return Error(Code::kInvalidArgument, "Content-Encoding: must be identity, gzip, deflate or zstd, got \"" +
                                           name.substr(0, 40) + "\"");
}

Result<std::string> Inflate(std::string_view body, ContentEncoding encoding, const Limits& limits) {
  if (body.size() > limits.max_request_bytes) {
    return Error(Code::kOutOfRange, "body: " + std::to_string(body.size()) + " bytes, at most " +
                                        std::to_string(limits.max_request_bytes));
  }
  switch (encoding) {
    case ContentEncoding::kIdentity:
      return std::string(body);
    case ContentEncoding::kGzip:
      return InflateZlib(body, 15 + 16, "gzip", limits);
    case ContentEncoding::kDeflate:
      // Named "deflate", meant as zlib; some senders leave the zlib header out.
      if (body.size() >= 2 && (static_cast<unsigned char>(body[0]) & 15) == 8 &&
          (static_cast<unsigned char>(body[0]) * 256 + static_cast<unsigned char>(body[1])) % 31 == 0) {
        return InflateZlib(body, 15, "deflate", limits);
      }
      return InflateZlib(body, -15, "deflate", limits);
    case ContentEncoding::kZstd:
      return InflateZstd(body, limits);
  }
  return Error(Code::kInternal, "inflate: unknown encoding");
}

}  // namespace tocsin::ingest
