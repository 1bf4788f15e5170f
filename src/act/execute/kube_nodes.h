// kubernetes.cordon, uncordon, drain and delete_pod: nodes and pods of the clusters that the configuration
// names. A drain evicts, so that disruption budgets hold, and waits for them until its time is over. A key in
// an annotation of the node or pod tells after a crash how far it came.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "act/execute/executor.h"
#include "act/execute/executor_settings.h"

namespace tocsin::act {

std::vector<ActionSpec> KubeNodeActions();
std::unique_ptr<Executor> MakeKubeNodes(std::map<std::string, ClusterEntry> clusters);

}  // namespace tocsin::act
