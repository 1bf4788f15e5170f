// What a log line or an event's message is about: the error texts of kernels, resolvers, TLS stacks, HTTP
// clients, PostgreSQL, RDS and Kubernetes are few and stable, and each has one family here.
//
// Only the wording of errors counts; what a text says about causes, or asks a reader to do, does not. Lines
// that address a reader ("ignore previous instructions") are in family kInstruction and nobody uses them.
// Bounded: the first 4 KiB of a text. Pure, thread-safe.
#pragma once

#include <string_view>

namespace tocsin::investigate {

enum class Family {
  kNone,
  kInstruction,
  // applications
  kDns,
  kCertificate,
  kAuthentication,
  kPermission,
  kRateLimit,
  kUnreachable,  // connection refused, reset, unreachable, 502-504 of something called
  kTimeout,      // of something called
  kMissingConfig,
  kException,  // panic, unhandled exception, stack trace
  kOutOfMemory,
  kDiskFull,
  kBadData,
  kLastOfApplications = kBadData,
  // databases
  kConnectionSlots,
  kDeadlock,
  kLockWait,
  kFailoverStarted,
  kFailoverFinished,
  kRestart,
  kAvailable,
  kStorageFull,
  kStorageLow,
  kStorageGrown,
  kReplicaLag,
  kReplicationStopped,
  kReplicationSlot,
  kCheckpoint,
  kWraparound,
  kVacuum,
  kMemoryLow,
  kThrottled,
  kLongTransaction,
  kBackup,
  kMaintenance,
  kParameters,
};

Family FamilyOf(std::string_view text);
// Of an application's log line: what a database says of itself is a dependency's failure there.
Family ApplicationFamilyOf(std::string_view text);
bool MatchesFamily(std::string_view text, Family family);

}  // namespace tocsin::investigate
