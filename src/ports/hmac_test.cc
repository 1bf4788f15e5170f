#include "ports/hmac.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>

namespace tocsin::ports {
namespace {

// The openssl command computes the same independently of this code.
std::string OpensslHmac(const std::string& key, const std::string& data) {
  const std::string file = testing::TempDir() + "/hmac-input";
  std::ofstream(file, std::ios::binary) << data;
  const std::string command = "openssl dgst -sha256 -hmac '" + key + "' '" + file + "'";
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::array<char, 512> line{};
  if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) return "";
  const std::string text = line.data();
  const size_t at = text.rfind("= ");
  return at == std::string::npos ? "" : text.substr(at + 2, 64);
}

TEST(Hmac, Rfc4231TestCases) {
  EXPECT_EQ(HmacSha256Hex(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(HmacSha256Hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HmacSha256Hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, AgreesWithTheOpensslCommand) {
  for (const std::string data : {"", "v0:1700000000:payload=%7B%7D", "tocsin \xc3\xa9\n\r\t"}) {
    EXPECT_EQ(HmacSha256Hex("a-shared-secret", data), OpensslHmac("a-shared-secret", data)) << data;
  }
}

TEST(Hmac, ComparisonRefusesEmptyAndDifferent) {
  EXPECT_TRUE(ConstantTimeEquals("abc", "abc"));
  EXPECT_FALSE(ConstantTimeEquals("abc", "abd"));
  EXPECT_FALSE(ConstantTimeEquals("abc", "ab"));
  EXPECT_FALSE(ConstantTimeEquals("", ""));
}

}  // namespace
}  // namespace tocsin::ports
