#include "ingest/inflate.h"

#include <gmock/gmock.h>
#include <zlib.h>
#include <zstd.h>

#include "kernel/rng.h"

namespace tocsin::ingest {
namespace {

using std::string;

string Deflate(const string& text, int window_bits) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}
string Gzip(const string& text) { return Deflate(text, 15 + 16); }
string Zstd(const string& text) {
  string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}
string SomeText(size_t n) {
  Rng rng(7);
  string out;
  while (out.size() < n) out += "word" + std::to_string(rng.Below(5000)) + ' ';
  return out;
}

TEST(Inflate, EveryEncodingRoundTrips) {
  for (const size_t n : {size_t{0}, size_t{1}, size_t{1000}, size_t{300'000}}) {
    const string text = SomeText(n);
    EXPECT_EQ(Inflate(text, ContentEncoding::kIdentity, {}), text);
    EXPECT_EQ(Inflate(Gzip(text), ContentEncoding::kGzip, {}), text);
    EXPECT_EQ(Inflate(Gzip(text) + Gzip("tail"), ContentEncoding::kGzip, {}), text + "tail");
    EXPECT_EQ(Inflate(Deflate(text, 15), ContentEncoding::kDeflate, {}), text);
    EXPECT_EQ(Inflate(Deflate(text, -15), ContentEncoding::kDeflate, {}), text);
    EXPECT_EQ(Inflate(Zstd(text), ContentEncoding::kZstd, {}), text);
    EXPECT_EQ(Inflate(Zstd(text) + Zstd("tail"), ContentEncoding::kZstd, {}), text + "tail");
  }
}

TEST(Inflate, BombsEndAtTheBound) {
  Limits limits;
  const string zeros(32u << 20, '\0');
  for (const auto& [body, encoding] : {std::pair{Gzip(zeros), ContentEncoding::kGzip},
                                       {Deflate(zeros, 15), ContentEncoding::kDeflate},
                                       {Zstd(zeros), ContentEncoding::kZstd}}) {
    const auto by_ratio = Inflate(body, encoding, limits);
    ASSERT_FALSE(by_ratio.has_value());
    EXPECT_EQ(by_ratio.error().code(), Code::kOutOfRange);
    Limits small = limits;
    small.max_inflate_ratio = 1'000'000;
    small.max_inflated_bytes = 1'000'000;
    const auto by_size = Inflate(body, encoding, small);
    ASSERT_FALSE(by_size.has_value());
    EXPECT_EQ(by_size.error().code(), Code::kOutOfRange);
    EXPECT_THAT(by_size.error().message(), testing::HasSubstr("more than 1000000 bytes"));
  }
  limits.max_request_bytes = 10;
  EXPECT_EQ(Inflate("01234567890", ContentEncoding::kIdentity, limits).error().code(), Code::kOutOfRange);
}

TEST(Inflate, DamagedAndTruncated) {
  const string text = SomeText(10'000);
  for (const auto& [body, encoding] : {std::pair{Gzip(text), ContentEncoding::kGzip},
                                       {Deflate(text, 15), ContentEncoding::kDeflate},
                                       {Zstd(text), ContentEncoding::kZstd}}) {
    for (const size_t keep : {size_t{0}, size_t{1}, size_t{5}, body.size() / 2, body.size() - 1}) {
      const auto cut = Inflate(std::string_view(body).substr(0, keep), encoding, {});
      // An empty zstd stream is a valid one.
      if (keep == 0 && encoding == ContentEncoding::kZstd) continue;
      ASSERT_FALSE(cut.has_value()) << keep;
      EXPECT_EQ(cut.error().code(), Code::kInvalidArgument);
    }
    string damaged = body;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
    const auto result = Inflate(damaged, encoding, {});
    // zstd has no checksum by default.
    if (encoding != ContentEncoding::kZstd) {
      EXPECT_FALSE(result.has_value());
    }
    EXPECT_FALSE(Inflate("not compressed at all", encoding, {}).has_value());
  }
  EXPECT_FALSE(Inflate(Gzip(text) + "rubbish", ContentEncoding::kGzip, {}).has_value());
}

TEST(Inflate, HeaderNames) {
  EXPECT_EQ(ParseContentEncoding(""), ContentEncoding::kIdentity);
  EXPECT_EQ(ParseContentEncoding("GZip"), ContentEncoding::kGzip);
  EXPECT_EQ(ParseContentEncoding("zstd"), ContentEncoding::kZstd);
  EXPECT_EQ(ParseContentEncoding("br").error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace tocsin::ingest
