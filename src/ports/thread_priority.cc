#include "ports/thread_priority.h"

#include <sys/resource.h>
#include <unistd.h>

namespace tocsin::ports {

void LowerThreadPriority(int niceness) {
  // PRIO_PROCESS with a thread id: on Linux the niceness is the thread's.
  static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), niceness));
}

}  // namespace tocsin::ports
