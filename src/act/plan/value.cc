#include "act/plan/value.h"

#include <array>

namespace tocsin::act {
namespace {
constexpr std::array<std::string_view, 7> kNames = {"runbook", "inventory", "person", "undo",
                                                    "agent",   "telemetry", "output"};
}  // namespace

std::string_view OriginName(Origin origin) { return kNames.at(static_cast<size_t>(origin)); }

bool ParseOrigin(std::string_view name, Origin& origin) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] != name) continue;
    origin = static_cast<Origin>(i);
    return true;
  }
  return false;
}

std::string TextOf(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace tocsin::act
