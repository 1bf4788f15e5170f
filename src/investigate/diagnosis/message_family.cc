#include "investigate/diagnosis/message_family.h"

#include <re2/re2.h>

#include <memory>
#include <vector>

namespace tocsin::investigate {
namespace {

struct Pattern {
  Family family;
  const char* text;
};

// The first that matches names the family; MatchesFamily asks each by itself.
constexpr Pattern kPatterns[] = {
    {Family::kInstruction,
     R"((ignore|disregard|forget) (all |any )?(the |your )?(previous|prior|above|earlier) |you are (an?|the) (ai|assistant|agent)|system prompt|(the )?(real |true |actual )?root[ _]cause (is|was|=|:))"},
    {Family::kFailoverFinished,
     R"(fail[- ]?over .{0,60}(completed|finished|succeeded|complete)|completed .{0,40}failover)"},
    {Family::kFailoverStarted,
     R"(fail(ed|ing)[- ]over|fail[- ]?over\b.{0,60}(start|initiat|in progress|began|begun|trigger|execut|underway|occurred)|(start|initiat|begin|trigger|perform|execut)\w*\b.{0,40}fail[- ]?over|fail[- ]?over (to|of|event)|promot(ed|ing|ion) .{0,40}(standby|replica|primary)|standby .{0,40}promot)"},
    {Family::kStorageGrown,
     R"((storage|volume|disk).{0,60}(autoscal\w*|scaled|increased|expanded|extended|grown|resized|modification (finished|complete))|(finished|completed|applied|applying) .{0,40}(modification|increase) .{0,30}storage|storage (space )?(recovered|reclaimed|restored))"},
    {Family::kStorageFull,
     R"(no space left on device|storage[- ]full|(storage|disk) .{0,40}(exhausted|is full|full\b|ran out|has been used)|(run|ran|running) out of .{0,20}(storage|disk)|could not (extend|write).{0,80}(space|disk))"},
    {Family::kStorageLow,
     R"((free |available )?(storage|disk)( space)?.{0,40}(low|below|less than|only|critical|approaching|nearing)|low (free )?(storage|disk)|FreeStorageSpace)"},
    {Family::kConnectionSlots,
     R"(remaining connection slots|too many (clients|connections)|max_connections|connection (limit|slots)|connections? exhaust|could not obtain .{0,30}connection from .{0,20}pool|pool .{0,30}(exhausted|timeout))"},
    {Family::kDeadlock, R"(dead ?lock)"},
    {Family::kLockWait,
     R"(lock (wait )?timeout|still waiting for \w+lock|waiting for .{0,20}lock|lock contention|could not obtain lock|blocked by (pid|process|session))"},
    {Family::kReplicationSlot, R"(replication slot|wal (retention|retained|accumul)|inactive slot)"},
    {Family::kReplicationStopped,
     R"(replication (has |was )?(stopped|broken|terminated|failed|error)|replica .{0,30}(disconnected|error state))"},
    {Family::kReplicaLag,
     R"(replica(tion)?[ -]?lag|replay .{0,20}behind|behind the (source|primary)|ReplicaLag)"},
    {Family::kWraparound, R"(wrap ?around|must be vacuumed within|transaction ids? (limit|exhaust))"},
    {Family::kCheckpoint, R"(checkpoint)"},
    {Family::kVacuum, R"(vacuum)"},
    {Family::kThrottled,
     R"((burst|iops|throughput|cpu credit|ebs).{0,40}(exhaust|deplet|throttl|limit (reached|exceeded)|exceeded)|throttl\w* .{0,30}(iops|ebs|throughput))"},
    {Family::kLongTransaction,
     R"(long[- ]running (transaction|query)|idle in transaction|conflict with recovery)"},
    {Family::kMemoryLow, R"(low (on )?(freeable )?memory|memory (pressure|low|is low)|freeable memory)"},
    {Family::kRestart,
     R"((instance|database|server|postgres\w*) .{0,40}(restart(ed|ing)?\b|reboot(ed|ing)?\b|shut ?down|crash)|recovery of the db instance|database system is (shutting down|starting up|in recovery))"},
    {Family::kAvailable, R"((instance|database) .{0,40}(is |now )?available\b|ready to accept connections)"},
    {Family::kBackup, R"(back(ing)? ?up|snapshot)"},
    {Family::kMaintenance, R"(maintenance|minor version|engine (version )?upgrade|os update|patch)"},
    {Family::kParameters, R"(parameter group)"},
    {Family::kOutOfMemory,
     R"(out of memory|oom[- ]?kill|killed process|OutOfMemoryError|cannot allocate memory|heap out of memory)"},
    {Family::kDns,
     R"(no such host|NXDOMAIN|SERVFAIL|name (or service )?(resolution|not known)|(cannot|could not|unable to|failed to) (be )?resolve|could ?n[o']t resolve|getaddrinfo|EAI_AGAIN|ENOTFOUND|UnknownHost|lookup [\w.-]+( on [\d.:]+)?:|temporary failure in name|dns .{0,30}(fail|timeout|timed out|error|refused))"},
    {Family::kCertificate,
     R"(x509|certificate .{0,30}(expired|invalid|unknown|verify|not valid)|tls .{0,20}handshake|ssl .{0,30}(error|handshake)|CERTIFICATE_VERIFY_FAILED)"},
    {Family::kPermission,
     R"(is forbidden: user|cannot (get|list|watch|create|update|patch|delete) resource|system:serviceaccount:|AccessDenied|not authorized to perform|permission denied|UnauthorizedOperation|RBAC)"},
    {Family::kAuthentication,
     R"(password authentication failed|authentication failed|invalid (api key|credentials|token)|401 unauthorized|access denied for user|token .{0,20}expired|no pg_hba.conf entry|bad credentials)"},
    {Family::kRateLimit,
     R"(too many requests|rate ?limit|(status|code|http\S*|returned|got|with|error)\W{0,3}429\b|429 too many|throttl(ed|ing)Exception|slow ?down)"},
    {Family::kMissingConfig,
     R"((environment|\benv\b|config\w*|required|mandatory)[\w ]{0,30}(variable|var|key|setting|property|value|option|parameter|field)?[^\n]{0,60}(not set|missing|not found|undefined|is required|unset|must be set|invalid|not defined|empty)|missing (required )?(env\w*|config\w*|setting|key|secret|parameter|property)|(failed|unable|error|cannot|could not) .{0,20}(load|pars|read|unmarshal)\w* .{0,30}(config|yaml|settings|\.env|properties|toml)|no such file or directory.{0,60}(conf|yaml|yml|json|env|properties)|(configmap|secret) .{0,80}not found|invalid config\w*|executable file not found|(?-i:KeyError: '[A-Z_]{3,}'))"},
    {Family::kUnreachable,
     R"(connection refused|ECONNREFUSED|connection reset|ECONNRESET|no route to host|host unreachable|EHOSTUNREACH|network (is )?unreachable|no healthy upstream|upstream (connect error|unavailable|request failed)|service unavailable|bad gateway|(status|code|http\S*|returned|got|with|error)\W{0,3}50[234]\b|50[234] (bad|service|gateway)|failed to connect|could not connect|unable to connect|connection (failed|closed|error)|server closed the connection)"},
    {Family::kTimeout, R"(timed? ?out|deadline exceeded|ETIMEDOUT|i/o timeout|context deadline)"},
    {Family::kDiskFull, R"(disk (is )?full|ENOSPC|disk quota exceeded)"},
    {Family::kBadData,
     R"(schema (mismatch|violation|validation)|malformed (record|row|json|payload)|null value in column|violates .{0,20}constraint|invalid input syntax|corrupt(ed)? (record|data|file))"},
    {Family::kException,
     R"(panic:|unhandled|uncaught|traceback \(most recent|exception in thread|nil pointer|null ?pointer|segmentation fault|segfault|sigsegv|assertion .{0,20}failed|stack ?trace|TypeError|ReferenceError|ImportError|ModuleNotFoundError|cannot find module|AttributeError|ClassNotFound|NoSuchMethod|fatal error|index out of (range|bounds))"},
};

struct Compiled {
  Family family;
  std::unique_ptr<RE2> pattern;
};

const std::vector<Compiled>& Patterns() {
  static const auto* const kCompiled = [] {
    RE2::Options options;
    options.set_case_sensitive(false);
    options.set_log_errors(false);
    auto* out = new std::vector<Compiled>;
    for (const Pattern& p : kPatterns) out->push_back({p.family, std::make_unique<RE2>(p.text, options)});
    return out;
  }();
  return *kCompiled;
}

constexpr size_t kMostBytes = 4096;

}  // namespace

Family FamilyOf(std::string_view text) {
  text = text.substr(0, kMostBytes);
  for (const Compiled& c : Patterns())
    if (RE2::PartialMatch(text, *c.pattern)) return c.family;
  return Family::kNone;
}

Family ApplicationFamilyOf(std::string_view text) {
  text = text.substr(0, kMostBytes);
  if (MatchesFamily(text, Family::kInstruction)) return Family::kInstruction;
  if (MatchesFamily(text, Family::kStorageFull)) return Family::kDiskFull;
  for (const Compiled& c : Patterns())
    if (c.family > Family::kInstruction && c.family <= Family::kLastOfApplications &&
        RE2::PartialMatch(text, *c.pattern))
      return c.family;
  return MatchesFamily(text, Family::kConnectionSlots) ? Family::kUnreachable : Family::kNone;
}

bool MatchesFamily(std::string_view text, Family family) {
  text = text.substr(0, kMostBytes);
  for (const Compiled& c : Patterns())
    if (c.family == family) return RE2::PartialMatch(text, *c.pattern);
  return false;
}

}  // namespace tocsin::investigate
