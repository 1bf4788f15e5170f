#include "runtime/lint_world.h"

#include <filesystem>

#include "runtime/settings.h"

namespace tocsin::runtime {

Result<surface::LintWorld> LintWorldOf(const std::string& config) {
  surface::LintWorld world;
  const std::string path = config.empty() ? "tocsin.yaml" : config;
  if (config.empty() && !std::filesystem::exists(path)) return world;
  TOCSIN_ASSIGN_OR_RETURN(Settings settings, ReadSettings(path));
  world.rules = std::move(settings.act.rules);
  for (const auto& [id, person] : settings.dispatch.oncall.people) world.on_call.push_back(id);
  return world;
}

}  // namespace tocsin::runtime
