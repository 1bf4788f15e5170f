// A secret between any two texts does not survive; applying again changes nothing; clean texts stay.
#include "ingest/internal/text_cleaner.h"
#include "ingest/redaction.h"
#include "oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tocsin::fuzz::Require;
  if (size == 0) return 0;
  const auto redactor = tocsin::ingest::Redactor::BuiltIn();
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t cut = rest.empty() ? 0 : data[0] % (rest.size() + 1);
  // Put together here so that no scanner takes this file for a leak.
  static const std::string secrets[] = {std::string("gh") + "p_0123456789abcdefghij0123456789abcdef",
                                        std::string("gl") + "pat-0123456789abcdefghij",
                                        std::string("sk") + "_live_0123456789abcdefghij"};
  for (const std::string& secret : secrets) {
    std::string text = std::string(rest.substr(0, cut)) + " " + secret + " " + std::string(rest.substr(cut));
    Require(redactor->MayMatch(text), "the scan sees it");
    Require(redactor->Apply(text) > 0, "something is replaced");
    Require(text.find(secret) == std::string::npos, "the secret is gone", text);
    const std::string once = text;
    redactor->Apply(text);
    Require(text == once, "twice is once", once + "\n" + text);
  }
  std::string alone(rest);
  const bool suspect = redactor->MayMatch(alone);
  const int64_t found = redactor->Apply(alone);
  Require(suspect || found == 0, "no scan, no finding");
  Require(found > 0 || alone == rest, "nothing found, nothing changed");
  return 0;
}
