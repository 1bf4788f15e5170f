// HMAC-SHA256 (RFC 2104, FIPS 198-1) and constant-time comparison, by OpenSSL: for signing what Tocsin sends
// and checking what claims to come from a service that shares a secret with it. Pure; thread-safe. Keys may
// be of any length, also empty. Errors: none (OpenSSL failing to hash is an abort of the digest, returned as
// "", which ConstantTimeEquals never accepts).
#pragma once

#include <string>
#include <string_view>

namespace tocsin::ports {

// 32 raw bytes; "" only when OpenSSL itself fails.
std::string HmacSha256(std::string_view key, std::string_view data);
// 64 lower-case hex digits; "" as above.
std::string HmacSha256Hex(std::string_view key, std::string_view data);
// True when both are the same and not empty, in time that depends on the lengths only.
bool ConstantTimeEquals(std::string_view a, std::string_view b);

}  // namespace tocsin::ports
