// The database part of the catalogue: one function a known failure of PostgreSQL (RDS and others). Each
// always returns its Finding: with the facts for it, or with what it looked at and why it does not hold
// (`remark`), or as not assessed when the evidence is not there. Roles among those that hold are given by
// ArbitrateDatabase.
//
// Bounds are those an experienced operator pages on, the same for all systems; each is beside its reason.
// Pure, thread-safe.
#pragma once

#include <vector>

#include "investigate/diagnosis/database_view.h"

namespace tocsin::investigate {

// Above 90 % a database has no headroom for its next plan or vacuum; below 80 % it has.
inline constexpr double kCpuSaturated = 90, kCpuElevated = 75;
// Nine tenths of max_connections: with the reserved slots, the next pool that grows is refused.
inline constexpr double kConnectionsFull = 0.9;
// A heartbeat makes idle replicas report up to some seconds; a minute is a backlog.
inline constexpr double kLagSeconds = 60;
// Milliseconds a page's read or write takes on a network volume that keeps up: single digits.
inline constexpr double kSlowIoMs = 20;

Finding ConnectionExhaustion(const DatabaseView& view);
Finding CpuSaturation(const DatabaseView& view);
Finding ReplicationLag(const DatabaseView& view);
Finding StorageExhaustion(const DatabaseView& view);
Finding IoSaturation(const DatabaseView& view);  // checkpoint storms, throttled volumes
Finding MemoryPressure(const DatabaseView& view);
Finding LockContention(const DatabaseView& view);  // and deadlocks
Finding Failover(const DatabaseView& view);        // and restarts
Finding WraparoundPressure(const DatabaseView& view);

std::vector<Finding> DatabaseFindings(const DatabaseView& view);
// Gives roles; returns the cause, or one with mode "healthy" or "unknown". The rest stay in `findings`.
Finding ArbitrateDatabase(const DatabaseView& view, std::vector<Finding>& findings);

Finding MakeFinding(const char* mode, const char* name, Category category);
// A sentence with the first letter large.
std::string Sentence(std::string text);

}  // namespace tocsin::investigate
