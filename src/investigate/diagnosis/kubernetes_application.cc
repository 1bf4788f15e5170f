// What a workload's own error lines speak of. One line proves little: lines count when pods fail, a monitor
// alerts or they repeat, and when nothing after them shows that the service answers again. Of several kinds
// the deepest is the cause: a name that does not resolve makes connections fail, which makes probes fail and
// processes exit.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "investigate/diagnosis/database_signatures.h"
#include "investigate/diagnosis/database_view.h"
#include "investigate/diagnosis/kubernetes_signatures.h"
#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

struct Row {
  Family family;
  const char* mode;
  const char* name;
  Category category;
  const char* cause;  // after "{workload} "
  const char* chain;
};

constexpr Row kRows[] = {
    {Family::kDns, "dns", "DNS resolution failure", Category::kInfrastructure,
     "cannot resolve names: DNS resolution fails",
     "DNS lookups of the workload fail, so it cannot find what it calls"},
    {Family::kCertificate, "certificate", "TLS certificate failure", Category::kConfigurationError,
     "cannot complete TLS handshakes: a certificate is expired or not trusted",
     "A certificate expired or is not trusted"},
    {Family::kAuthentication, "authentication", "authentication failure", Category::kConfigurationError,
     "is refused by what it calls: its credentials are wrong, expired or were rotated",
     "Credentials are wrong or expired"},
    {Family::kPermission, "permission", "permission (RBAC) failure", Category::kConfigurationError,
     "lacks permission: RBAC (a Role, RoleBinding or policy) does not allow what its service account asks "
     "for",
     "The service account's Role or RoleBinding lacks a permission, and the API answers Forbidden"},
    {Family::kRateLimit, "rate_limited", "rate limiting by a dependency", Category::kDependencyFailure,
     "is rate limited (HTTP 429) by a dependency", "An upstream service limits the rate of requests"},
    {Family::kMissingConfig, "application_configuration", "application configuration error",
     Category::kConfigurationError,
     "does not start or work because of its configuration: a required setting or environment variable is "
     "missing or invalid",
     "A required setting is missing or invalid, and the application refuses to run"},
    {Family::kBadData, "bad_data", "bad data", Category::kDataQuality, "fails on data it is given",
     "Records break what the code expects of them"},
    {Family::kDiskFull, "disk_full", "full disk", Category::kResourceExhaustion,
     "cannot write: its disk is full", "A volume or the node's disk is full"},
    {Family::kOutOfMemory, "application_memory", "memory exhaustion in the application",
     Category::kResourceExhaustion, "runs out of memory", "The application's heap grows to its limit"},
    {Family::kUnreachable, "dependency_down", "dependency failure", Category::kDependencyFailure,
     "cannot reach a dependency: its upstream refuses connections or answers with errors",
     "A dependency (upstream service) is down or refuses connections"},
    {Family::kTimeout, "dependency_timeout", "dependency timeout", Category::kDependencyFailure,
     "times out on a dependency: its upstream does not answer in time",
     "A dependency (upstream service) does not answer in time"},
    {Family::kException, "exception", "unhandled exception", Category::kCodeDefect,
     "fails with an unhandled exception of its own code",
     "The application's code throws and does not handle it"},
};

// Words that stand where a name could.
bool IsPlainWord(const std::string& word) {
  static constexpr std::array kWords{"request", "connect",  "connection", "the",      "server",     "service",
                                     "host",    "upstream", "backend",    "database", "error",      "failed",
                                     "timeout", "response", "be",         "resolve",  "dependency", "call",
                                     "load",    "reach",    "get",        "read",     "write",      "start"};
  return std::ranges::find(kWords, LowerAscii(word)) != kWords.end();
}

// "orders-db:5432", "redis.cache.svc.cluster.local" in "dial tcp orders-db:5432: connection refused". Of a
// failed look-up the name, not the resolver's address.
std::string TargetOf(const std::string& text) {
  static const RE2 kLookup(
      R"((?i)(?:lookup|resolve(?: host)?|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|UnknownHostException:)\s+[`'"]?([A-Za-z][\w.-]{2,}))");
  static const RE2 kPort(R"(([A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?(?:\.[\w-]+)*:\d{2,5})\b)");
  static const RE2 kHost(R"(\b([a-z0-9][\w-]*(?:\.[\w-]+){1,6})\b)");
  static const RE2 kNamed(
      R"((?i)(?:host|to|upstream|dependency|service)\s+[`'"]?([A-Za-z][\w.-]{2,})[`'"]?)");
  std::string target;
  if (RE2::PartialMatch(text, kLookup, &target) && !IsPlainWord(target)) return target;
  if (RE2::PartialMatch(text, kPort, &target) && !RE2::FullMatch(target, R"(\d\d:\d\d)")) return target;
  if (RE2::PartialMatch(text, kNamed, &target) && !IsPlainWord(target)) return target;
  return RE2::PartialMatch(text, kHost, &target) ? target : std::string();
}

bool NetworkPolicyNamed(const KubernetesView& view) {
  const auto names = [](const std::string& text) {
    const std::string lower = LowerAscii(text);
    return lower.find("networkpolic") != std::string::npos ||
           lower.find("network policy") != std::string::npos ||
           lower.find("policy denied") != std::string::npos ||
           lower.find("denied by policy") != std::string::npos;
  };
  for (const EvidenceLog* line : view.lines)
    if (names(line->message)) return true;
  return std::ranges::any_of(view.events,
                             [&](const EvidenceEvent* e) { return names(e->message + e->object); });
}

// A resolver that fails for all, rather than one name that does not exist.
bool ResolverFails(const KubernetesView& view, const std::vector<const LogView*>& lines) {
  for (const PodView& p : view.others)
    if (LowerAscii(p.pod->name).find("dns") != std::string::npos) return true;
  // One name outside the cluster that does not exist is that name's trouble; anything else is the resolver's.
  std::set<std::string> names;
  for (const LogView* l : lines) names.insert(TargetOf(l->line->message));
  const bool absent = std::ranges::all_of(lines, [](const LogView* l) {
    const std::string text = LowerAscii(l->line->message);
    return text.find("no such host") != std::string::npos || text.find("nxdomain") != std::string::npos ||
           text.find("enotfound") != std::string::npos;
  });
  const std::string& name = *names.begin();
  const bool outside = name.find('.') != std::string::npos && name.find(".local") == std::string::npos &&
                       name.find(".internal") == std::string::npos;
  if (names.size() > 1 || !absent || !outside) return true;
  return std::ranges::any_of(lines, [](const LogView* l) {
    const std::string text = LowerAscii(l->line->message);
    return text.find(":53") != std::string::npos || text.find("servfail") != std::string::npos ||
           text.find("coredns") != std::string::npos || text.find("timeout") != std::string::npos ||
           text.find("temporary failure") != std::string::npos || text.find(".svc") != std::string::npos ||
           text.find("eai_again") != std::string::npos;
  });
}

bool PodsSufferFromCalls(const KubernetesView& view) {
  return std::ranges::any_of(view.pods, [](const PodView& p) {
    return p.problem == PodProblem::kCrash || p.problem == PodProblem::kNotReady ||
           p.problem == PodProblem::kProbeKilled;
  });
}

void Refine(const KubernetesView& view, const std::vector<const LogView*>& lines, const std::string& target,
            Finding& f) {
  if (f.mode == "dns") {
    if (!ResolverFails(view, lines)) f.category = Category::kDependencyFailure;
    for (const PodView& p : view.others)
      if (LowerAscii(p.pod->name).find("dns") != std::string::npos) f.facts.push_back(PodFact(p));
    for (const EvidenceEvent* event : view.events)
      if (LowerAscii(event->object).find("dns") != std::string::npos) f.facts.push_back(EventFact(*event));
  }
  const bool api = std::ranges::any_of(lines, [](const LogView* l) {
    const std::string text = LowerAscii(l->line->message);
    return text.find("forbidden") != std::string::npos || text.find("serviceaccount") != std::string::npos ||
           text.find("rbac") != std::string::npos;
  });
  if (f.mode == "permission" && !api) {
    f.name = "permission failure";
    f.cause = fmt::format("Workload {} is denied access (a policy, a file mode or a security context): {}",
                          view.evidence->workload, Quoted(lines.back()->line->message, 300));
    f.chain.front() = "What the workload may do does not cover what it needs";
  }
  const std::string host = target.substr(0, target.find_first_of(":."));
  for (const PodView& p : view.others)
    if (!host.empty() && p.pod->name.starts_with(host)) {
      f.facts.push_back(PodFact(p));
      f.cause += fmt::format("; the dependency's own pod {} is not Ready", p.pod->name);
    }
  if ((f.mode == "dependency_timeout" || f.mode == "dependency_down") && NetworkPolicyNamed(view)) {
    f.mode = "network_policy", f.name = "network policy", f.category = Category::kConfigurationError;
    f.cause = fmt::format(
        "A NetworkPolicy blocks the traffic of {} to {}: connections time out while both sides run",
        view.evidence->workload, target.empty() ? "what it calls" : target);
    f.chain.front() =
        "A NetworkPolicy does not allow the workload's egress or the target's ingress, so packets are "
        "dropped";
    for (const EvidenceLog* line : view.lines)
      if (LowerAscii(line->message).find("polic") != std::string::npos && f.facts.size() < 8)
        f.facts.push_back({.kind = FactKind::kLog,
                           .subject = line->service,
                           .text = "Log: " + Quoted(line->message, 300),
                           .n = 1,
                           .at = line->time});
    for (const EvidenceEvent* event : view.events)
      if (LowerAscii(event->message + event->object).find("polic") != std::string::npos)
        f.facts.push_back(EventFact(*event));
  }
}

Finding FromLines(const KubernetesView& view, const Row& row, const std::vector<const LogView*>& lines) {
  Finding f = MakeFinding(row.mode, row.name, row.category);
  double errors = 0;  // a warning is half an error
  for (const LogView* l : lines) errors += LowerAscii(l->line->level).starts_with("warn") ? 0.5 : 1;
  f.strength = PodsSufferFromCalls(view) ? 0.85 : !view.alerting.empty() ? 0.8 : errors >= 2 ? 0.65 : 0.45;
  f.onset = lines.front()->line->time;
  std::string target;
  const bool named =
      std::ranges::any_of(lines, [](const LogView* l) { return !TargetOf(l->line->message).empty(); });
  // A time-out that names nothing it waited for may be the service's own slowness.
  if (row.family == Family::kTimeout && !named && lines.size() < 3) f.strength = std::min(f.strength, 0.45);
  std::set<std::string> said;
  for (const LogView* l : lines) {
    if (target.empty()) target = TargetOf(l->line->message);
    if (said.size() < 4 && said.insert(l->line->message).second) f.facts.push_back(LogFact(*l, lines.size()));
  }
  const std::string who =
      view.evidence->workload.empty() ? "The workload" : "Workload " + view.evidence->workload;
  f.cause = fmt::format("{} {}{} ({} error log lines, e.g. {})", who, row.cause,
                        target.empty() || row.family == Family::kException ? "" : ": " + target, lines.size(),
                        Quoted(lines.back()->line->message, 300));
  f.chain = {row.chain, fmt::format("{} logs errors and cannot serve", who)};
  if (PodsSufferFromCalls(view))
    f.chain.push_back(
        "Its containers exit or their probes fail: restarts, CrashLoopBackOff or pods that are not Ready");
  else
    f.chain.push_back("Its pods stay Running and Ready, but requests fail");
  Refine(view, lines, target, f);
  return f;
}

}  // namespace

void AddApplicationFindings(const KubernetesView& view, std::vector<Finding>& out) {
  size_t most = 0;
  std::map<Family, std::vector<const LogView*>> lines;
  for (const Row& row : kRows) {
    lines[row.family] = view.Errors(row.family);
    most = std::max(most, lines[row.family].size());
  }
  for (const Row& row : kRows) {
    const auto& of = lines[row.family];
    if (!of.empty() && of.size() * 4 >= most) {
      out.push_back(FromLines(view, row, of));
      continue;
    }
    if (row.family != Family::kDns && row.family != Family::kUnreachable) continue;
    Finding f = MakeFinding(row.mode, row.name, row.category);
    f.remark = view.evidence->logs.empty() ? "no logs were available"
               : row.family == Family::kDns
                   ? "no log line speaks of names that do not resolve"
                   : "no log line speaks of refused connections or timeouts of a dependency";
    if (view.evidence->logs.empty()) f.role = Role::kNotAssessed;
    out.push_back(std::move(f));
  }
}

}  // namespace tocsin::investigate
