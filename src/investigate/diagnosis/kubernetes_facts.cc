// What was observed of pods and logs, as facts.
#include <fmt/format.h>

#include <set>

#include "investigate/diagnosis/database_view.h"
#include "investigate/diagnosis/kubernetes_signatures.h"

namespace tocsin::investigate {

Fact PodFact(const PodView& p) {
  std::string text =
      fmt::format("Pod {} is {}", p.pod->name, p.pod->phase.empty() ? "in an unknown phase" : p.pod->phase);
  text += p.ready ? " and Ready" : ", not Ready";
  if (p.container != nullptr) {
    if (!p.container->reason.empty())
      text += fmt::format(", container {} {} with reason {}", p.container->name, p.container->state,
                          p.container->reason);
    if (p.container->exit_code) text += fmt::format(", exit code {}", *p.container->exit_code);
    text += fmt::format(", restart count {}", p.restarts);
    if (!p.container->message.empty()) text += ": " + Quoted(p.container->message, 300);
  }
  if (p.pod->deleted.known())
    text += fmt::format(", terminating (deletion timestamp {})", FormatTime(p.pod->deleted));
  if (!p.pod->message.empty()) text += ": " + Quoted(p.pod->message, 300);
  return {.kind = FactKind::kState,
          .subject = "Pod",
          .resource = p.pod->name,
          .text = text,
          .to = static_cast<double>(p.restarts),
          .n = 1,
          .at = p.pod->started};
}

std::string Siblings(const KubernetesView& view) {
  const std::vector<const PodView*> serving = view.Ready();
  std::set<std::string> sets;
  for (const PodView& p : view.pods)
    if (p.failing()) sets.insert(p.replica_set);
  if (serving.empty() || sets.empty()) return {};
  std::vector<const PodView*> old;
  for (const PodView* p : serving)
    if (!sets.contains(p->replica_set)) old.push_back(p);
  if (!old.empty() && !sets.empty() && old.size() == serving.size())
    return fmt::format(
        "{} of the old ReplicaSet {} still Running and Ready and {} traffic; only pods of the new ReplicaSet "
        "{} fail",
        JoinNames(old), old.size() == 1 ? "is" : "are", old.size() == 1 ? "serves" : "serve", *sets.begin());
  return fmt::format(
      "The sibling replicas {} are Running and Ready, so the fault is confined to the failing pods",
      JoinNames(serving));
}

Fact LogFact(const LogView& log, size_t n) {
  std::string text = "Log line";
  if (!log.line->host.empty()) text += " of " + log.line->host;
  text += ": " + Quoted(log.line->message, 400);
  return {.kind = FactKind::kLog,
          .subject = log.line->service,
          .resource = log.line->host,
          .text = text,
          .n = n,
          .at = log.line->time};
}

}  // namespace tocsin::investigate
