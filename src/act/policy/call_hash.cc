#include "act/policy/call_hash.h"

#include <openssl/evp.h>

#include <array>

#include "kernel/id.h"

namespace tocsin::act {

std::string Sha256Hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  return HexEncode({reinterpret_cast<const char*>(digest.data()), length});
}

std::string CallHash(const HashedCall& call) {
  using nlohmann::json;
  const auto number = [](const std::optional<double>& value) { return value ? json(*value) : json(); };
  json targets = json::array();
  for (const Target& target : call.targets) targets.push_back({target.kind, target.name});
  json canonical = {{"v", 1},
                    {"run", call.run},
                    {"step", call.step},
                    {"action", call.action},
                    {"with", call.with},
                    {"targets", std::move(targets)},
                    {"reach",
                     {number(call.reach.traffic), number(call.reach.instances), number(call.reach.users),
                      number(call.reach.money)}}};
  if (call.inverse) canonical["inverse"] = {{"action", call.inverse->action}, {"with", call.inverse->with}};
  // Keys are sorted by nlohmann's json; texts that are not UTF-8 are replaced alike.
  return Sha256Hex(canonical.dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace tocsin::act
