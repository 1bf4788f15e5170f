// kubernetes.scale, restart, rollback and get: deployments, stateful sets and daemon sets of the clusters and
// namespaces that the configuration names, over the API. Looking asks the API server for a dry run. A key in
// an annotation, set by the same patch as the change, tells after a crash what became of it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "act/execute/executor.h"
#include "act/execute/executor_settings.h"
#include "ports/clock.h"

namespace tocsin::act {

std::vector<ActionSpec> KubeWorkloadActions();
// `clock` must outlive the executor.
std::unique_ptr<Executor> MakeKubeWorkloads(std::map<std::string, ClusterEntry> clusters,
                                            const ports::Clock& clock);

}  // namespace tocsin::act
