// Which threads give way when the machine is full.
//
// Linux gives each thread a niceness of its own; lowering one's own priority needs no privilege. Acts on the
// calling thread only. Best effort: where the system refuses, nothing changes.
#pragma once

namespace tocsin::ports {

// Niceness of work that may lag behind, or be sampled, so that what was promised to senders is kept first.
inline constexpr int kBackgroundNiceness = 10;

void LowerThreadPriority(int niceness);

}  // namespace tocsin::ports
