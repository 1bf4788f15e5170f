#include "detect/stream.h"

#include <string_view>

namespace tocsin::detect {
namespace {

constexpr size_t kMaxPart = 64;

void AppendPart(std::string& name, std::string_view part) {
  for (const char c : part.substr(0, kMaxPart)) {
    name += static_cast<unsigned char>(c) < 0x20 || c == '/' || c == '|' ? '_' : c;
  }
}

}  // namespace

std::string StreamKey::Name() const {
  std::string name;
  AppendPart(name, service.empty() ? std::string_view("unknown_service") : service);
  name += '/';
  AppendPart(name, operation.empty() ? std::string_view("chat") : operation);
  if (!feature.empty()) {
    name += '/';
    AppendPart(name, feature);
  }
  return name;
}

StreamKey StreamOf(const signal::Generation& generation) {
  return {generation.service, generation.operation,
          generation.prompt_name.empty() ? generation.agent : generation.prompt_name};
}

}  // namespace tocsin::detect
