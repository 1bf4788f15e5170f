// bundle.switch: an inference server moved to another signed bundle. The action is spoken of, so that
// runbooks can be written and linted; nothing switches bundles yet, and Check says so.
#pragma once

#include <memory>
#include <vector>

#include "act/execute/executor.h"

namespace tocsin::act {

std::vector<ActionSpec> BundleActions();
std::unique_ptr<Executor> MakeBundleExecutor();

}  // namespace tocsin::act
