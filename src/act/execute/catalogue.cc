#include "act/execute/catalogue.h"

#include <algorithm>

#include "act/execute/bundle_executor.h"
#include "act/execute/command_executor.h"
#include "act/execute/flag_executor.h"
#include "act/execute/git_executor.h"
#include "act/execute/http_executor.h"
#include "act/execute/kube_nodes.h"
#include "act/execute/kube_workloads.h"

namespace tocsin::act {

std::vector<ActionSpec> AllActionSpecs() {
  std::vector<ActionSpec> all;
  for (auto& some : {HttpActions(), CommandActions(), FlagActions(), BundleActions(), KubeWorkloadActions(),
                     KubeNodeActions(), GitActions()})
    all.insert(all.end(), some.begin(), some.end());
  std::ranges::sort(all, {}, &ActionSpec::name);
  return all;
}

Result<std::unique_ptr<ExecutorDirectory>> MakeExecutors(const ExecutorSettings& settings,
                                                         const ports::Clock& clock,
                                                         const std::string& data_directory) {
  auto executors = std::make_unique<ExecutorDirectory>();
  const std::string directory = data_directory + "/executors";
  executors->Add(MakeBundleExecutor());
  if (!settings.services.empty()) executors->Add(MakeHttpExecutor(settings.services));
  if (!settings.commands.empty()) {
    TOCSIN_ASSIGN_OR_RETURN(auto made, MakeCommandExecutor(settings.commands, directory + "/commands"));
    executors->Add(std::move(made));
  }
  if (!settings.flags.empty()) {
    TOCSIN_ASSIGN_OR_RETURN(auto made, MakeFlagExecutor(settings.flags, directory + "/flags"));
    executors->Add(std::move(made));
  }
  if (!settings.clusters.empty()) {
    executors->Add(MakeKubeWorkloads(settings.clusters, clock));
    executors->Add(MakeKubeNodes(settings.clusters));
  }
  if (!settings.repositories.empty()) {
    TOCSIN_ASSIGN_OR_RETURN(auto made, MakeGitExecutor(settings, directory + "/git"));
    executors->Add(std::move(made));
  }
  return executors;
}

}  // namespace tocsin::act
