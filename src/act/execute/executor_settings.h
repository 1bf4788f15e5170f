// ExecutorSettings: what each executor may touch, from `act.executors` in tocsin.yaml. What is not named
// cannot be reached: no executor has a default address, binary, namespace or repository. Value type.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernel/time.h"

namespace tocsin::act {

struct ExecutorSettings {};

}  // namespace tocsin::act
