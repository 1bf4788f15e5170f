// What becomes a variable by the token alone. Read as: a line, and the text of the template made of it.
#include "stats/log_shape.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernel/rng.h"
#include "stats/template_miner.h"

namespace tocsin::stats {
namespace {

struct Example {
  const char* line;
  const char* text;
};

std::string TextOf(std::string_view line) {
  TemplateMiner miner;
  return miner.Text(miner.Add(line));
}

class LogShapeExamples : public ::testing::TestWithParam<Example> {};

TEST_P(LogShapeExamples, IsMasked) { EXPECT_EQ(TextOf(GetParam().line), GetParam().text); }

INSTANTIATE_TEST_SUITE_P(
    Tokens, LogShapeExamples,
    ::testing::Values(Example{"Took 19.84 seconds to build", "Took <*> seconds to build"},
                      Example{"worker-7 took 35 ms, 1.2 MB free", "<*> took <*> free"},
                      Example{"lifetime <1 sec", "lifetime <*>"}, Example{"lifetime 00:01", "lifetime <*>"},
                      Example{"<memory:1024, vCores:1>", "<memory:<*>, vCores:<*>>"},
                      Example{"connect to db.example.com failed", "connect to <*> failed"},
                      Example{"connect to cache.main:6379 failed", "connect to <*> failed"},
                      Example{"java.io.IOException: Broken pipe", "java.io.IOException: Broken pipe"},
                      Example{"open /var/lib/x/y.db failed", "open <*> failed"},
                      Example{"open C:\\Users\\ada\\x.txt failed", "open <*> failed"},
                      Example{"GET https://a/b?c=d done", "GET <*> done"},
                      Example{"mail to ada@lovelace.org sent", "mail to <*> sent"},
                      Example{"card FF:EA:9F:15:1E:5D is up", "card <*> is up"},
                      Example{"route fe80::c6b3:1ff:fecd:467f%en0 added", "route <*> added"},
                      Example{"at Fri Jun 17 07:07:00 2005 from x", "at <*> from x"},
                      Example{"Friday is a day in Jun", "Friday is a day in Jun"}));

INSTANTIATE_TEST_SUITE_P(
    Values, LogShapeExamples,
    ::testing::Values(
        Example{"lock=1, tag=\"View Lock\", ws=null, uid=7", "lock=<*>, tag=<*>, ws=<*>, uid=<*>"},
        Example{"bounds=Rect(0, 0 - 720, 1280) done", "bounds=<*> done"},
        Example{"open=Rect(zero, one", "open=<*> one"}, Example{"user= host=a end", "user= host=<*> end"},
        Example{"level=warn msg=\"disk is full\" dev=sda", "level=warn msg=\"disk is full\" dev=<*>"},
        Example{"r00=0x0 r01=0x1 r02=0x2", "r<*>"}, Example{"setLights(true)", "setLights(<*>)"},
        Example{"Failed none for ada", "Failed none for ada"},
        Example{"from 10.0.0.1 () at noon", "from <*> (<*>) at noon"}, Example{"init() ok", "init() ok"}));

INSTANTIATE_TEST_SUITE_P(Lists, LogShapeExamples,
                         ::testing::Values(Example{"free 1, 2, 3 pages", "free <*> pages"},
                                           Example{"free 1 pages", "free <*> pages"},
                                           Example{"i-fetch......0", "i-fetch......<*>"},
                                           Example{"[{\"n\":1},{\"n\":2},{\"n\":3}]", "[{\"n\":<*>}]"},
                                           Example{"nodes n1 <ok> n2 <ok> n3 <ok>", "nodes <*> <ok>"},
                                           Example{"1 of 2 (3)", "<*> of <*> (<*>)"}));

INSTANTIATE_TEST_SUITE_P(Edges, LogShapeExamples,
                         ::testing::Values(Example{"", ""}, Example{"   ", "   "}, Example{"****", "****"},
                                           Example{"5", "<*>"}, Example{"=", "="}, Example{"a=", "a="},
                                           Example{"x=\"", "x=\""},
                                           Example{"one two three\n  at four", "one two three"},
                                           Example{"{\n \"a\": \"b\"\n}", "{\n \"a\": \"b\"\n}"}));

TEST(LogShape, AListHasOneShapeWhateverItsLength) {
  LogShape one, many;
  one.Read("ask 10.0.0.1:50010 to delete blk_1");
  std::string line = "ask 10.0.0.1:50010 to delete";
  for (int i = 0; i < 500; ++i) line += " blk_" + std::to_string(i);
  many.Read(line);
  EXPECT_EQ(one.hash, many.hash) << "also when the line is cut";
  EXPECT_LE(many.length, kMaxShapeBytes);
}

// Random pieces of what log lines are made of, and random bytes.
std::string RandomLine(Rng& rng) {
  static const std::vector<std::string> kPieces = {
      "user", " ", "=",    "\"",  "'",    "(",      ")",  "[",  "]",       "{",    "}",
      "<",    ">", "<*>",  "12",  "0x1f", "/var/x", ":",  "::", "://",     ".",    "..",
      "-",    "_", ",",    ";",   "Fri",  "KB",     "\n", "\t", "a.b.com", "null", "x+",
      "FF",   "#", "C:\\", "r1=", "msg=", "żółć",   "*",  "@",  "for ",    "state"};
  std::string line;
  for (uint64_t n = rng.Below(40); n > 0; --n) {
    if (rng.Below(20) == 0) {
      line += static_cast<char>(rng.Below(256));
    } else {
      line += kPieces[rng.Below(kPieces.size())];
    }
  }
  return line;
}

TEST(LogShape, StaysInsideTheLineWhateverItHolds) {
  Rng rng(11);
  LogShape shape;
  for (int i = 0; i < 50'000; ++i) {
    const std::string line = RandomLine(rng);
    shape.Read(line);
    uint32_t at = 0;
    for (const ShapeItem& item : shape.items) {
      ASSERT_LE(at, item.gap_begin) << line;
      ASSERT_LE(item.gap_begin, item.begin) << line;
      ASSERT_LE(item.begin, item.end) << line;
      at = item.end;
    }
    ASSERT_LE(shape.tail_begin, shape.length) << line;
    ASSERT_LE(shape.length, line.size()) << line;
    ASSERT_LE(shape.items.size(), kMaxShapeItems);
  }
}

TEST(LogShape, LongLinesAreCut) {
  for (const std::string& part :
       {std::string("a "), std::string("7 "), std::string("x=("), std::string("((")}) {
    std::string line;
    while (line.size() < 200'000) line += part;
    LogShape shape;
    shape.Read(line);
    EXPECT_LE(shape.items.size(), kMaxShapeItems);
    EXPECT_LE(shape.length, kMaxShapeBytes);
  }
}

}  // namespace
}  // namespace tocsin::stats
