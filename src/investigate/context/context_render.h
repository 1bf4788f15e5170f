// A context pack as one JSON document (docs/formats/context.md) and as one page for a tired person: at most
// kContextPageLines lines, most important first, times in UTC. Pure; thread-safe.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "investigate/context/context_pack.h"

namespace tocsin::investigate {

inline constexpr size_t kContextPageLines = 80;

nlohmann::ordered_json ContextToJson(const ContextPack& pack);
std::string RenderContext(const ContextPack& pack, size_t columns = 100);

}  // namespace tocsin::investigate
