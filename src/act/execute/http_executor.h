// http.request and http.get: requests to services that the configuration names, within the methods and paths
// it allows. A run sends its key as Idempotency-Key; what became of it after a crash only a service with a
// place to ask (`recover`) can tell.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "act/execute/executor.h"
#include "act/execute/executor_settings.h"

namespace tocsin::act {

std::vector<ActionSpec> HttpActions();
std::unique_ptr<Executor> MakeHttpExecutor(std::map<std::string, HttpService> services);

}  // namespace tocsin::act
