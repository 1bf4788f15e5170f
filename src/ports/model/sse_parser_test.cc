#include "ports/model/sse_parser.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "kernel/rng.h"

namespace tocsin::ports {
namespace {

using Events = std::vector<std::pair<std::string, std::string>>;

Events Parse(std::string_view text, size_t piece) {
  Events events;
  SseParser parser([&](const SseEvent& e) {
    events.emplace_back(e.name, e.data);
    return Status::Ok();
  });
  for (size_t at = 0; at < text.size(); at += piece) EXPECT_TRUE(parser.Feed(text.substr(at, piece)).ok());
  return events;
}

TEST(SseParser, WhatTheStandardSays) {
  const std::string text =
      "\xef\xbb\xbf"
      ": a comment\n\nevent: add\ndata: one\ndata:two\r\n\r\ndata\r\rid: 7\nretry: 3\ndata:  "
      "spaced\n\nevent: none\n\ndata: cut";
  const Events expected = {{"add", "one\ntwo"}, {"", ""}, {"", " spaced"}};
  for (size_t piece = 1; piece <= text.size(); ++piece) EXPECT_EQ(Parse(text, piece), expected) << piece;
}

TEST(SseParser, BytesOfAnyKindAndPiecesOfAnySizeGiveTheSameEvents) {
  Rng rng(4);
  static const std::vector<std::string> kParts = {"data: ", "event:", "\n", "\r",   "\r\n",
                                                  "\n\n",   "x",      ":",  "\xff", " "};
  for (int i = 0; i < 2'000; ++i) {
    std::string text;
    for (uint64_t n = rng.Below(40); n > 0; --n) text += kParts[rng.Below(kParts.size())];
    const Events whole = Parse(text, text.size() + 1);
    EXPECT_EQ(Parse(text, 1), whole);
    EXPECT_EQ(Parse(text, 3), whole);
  }
}

TEST(SseParser, AnEventIsBoundedWhateverItsLines) {
  for (const std::string& line : {std::string("data: xxxxxxxxx\n"), std::string("x"), std::string(":c")}) {
    SseParser parser([](const SseEvent&) { return Status::Ok(); }, 1'000);
    Status status;
    for (int i = 0; i < 2'000 && status.ok(); ++i) status = parser.Feed(line);
    EXPECT_EQ(status.code(), Code::kOutOfRange) << line;
    EXPECT_EQ(parser.Feed("data: x\n\n").code(), Code::kOutOfRange) << "and stays so";
  }
}

TEST(SseParser, AnErrorOfTheReaderEndsIt) {
  int seen = 0;
  SseParser parser([&](const SseEvent&) {
    ++seen;
    return Status(Code::kDataLoss, "no");
  });
  EXPECT_EQ(parser.Feed("data: a\n\ndata: b\n\n").code(), Code::kDataLoss);
  EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace tocsin::ports
