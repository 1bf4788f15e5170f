#include "runtime/internal/read_investigation.h"

#include "ports/model/model_settings_reader.h"

namespace tocsin::runtime::internal {

void ReadInvestigation(ports::YamlSection& root, investigate::InvestigationSettings& settings) {
  root.Map("investigation", [&](ports::YamlSection& r) {
    r.Flag("briefs", settings.briefs);
    r.Flag("ask_by_itself", settings.ask_by_itself);
    r.Number("turns", settings.options.max_turns, 1, 100);
    r.Number("tool_calls", settings.options.max_tool_calls, 0, 1000);
    r.Map("model", [&](ports::YamlSection& section) {
      ports::ConfiguredModel model;
      model.budget = settings.options.budget;
      ports::ReadModel(section, model);
      settings.options.model = model.settings.model;
      settings.options.budget = model.budget;
      settings.model = std::move(model.settings);
    });
  });
}

}  // namespace tocsin::runtime::internal
