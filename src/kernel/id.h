// Strong id types: an IncidentId is not a string that happens to fit.
// Value types. Printed ids are short, sortable by creation and readable aloud: "INC-2K7Q".
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace tocsin {

template <class Tag>
struct Id {
  std::string value;
  bool empty() const { return value.empty(); }
  auto operator<=>(const Id&) const = default;
};

struct IncidentTag {};
struct MonitorTag {};
struct ChangeTag {};
using IncidentId = Id<IncidentTag>;
using MonitorId = Id<MonitorTag>;
using ChangeId = Id<ChangeTag>;

// Crockford base 32 without padding, upper case: no I, L, O, U to mishear at night.
std::string Base32(uint64_t value, int min_digits);
std::string HexEncode(std::string_view bytes);
// False when the text is not an even number of hex digits.
bool HexDecode(std::string_view hex, std::string& out);
// Stable 64-bit hash (XXH3) of bytes; the same on every run and machine.
uint64_t StableHash(std::string_view bytes, uint64_t seed = 0);

}  // namespace tocsin

template <class Tag>
struct std::hash<tocsin::Id<Tag>> {
  size_t operator()(const tocsin::Id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.value); }
};
