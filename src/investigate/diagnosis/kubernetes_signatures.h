// The Kubernetes part of the catalogue: known failures of workloads, their pods, nodes and what they call. As
// with the database part, each always returns a Finding, with why it does not hold when it does not.
//
//   pods       image, references, start, memory, probes, crash, scheduling, volumes, sandbox, eviction, node
//   lost platform   node conditions, quota, admission, autoscaler, rollout deadline application  what error
//   lines speak of: names, certificates, credentials, permissions, network policy,
//                dependencies, settings, exceptions, data
// Pure, thread-safe.
#pragma once

#include <vector>

#include "investigate/diagnosis/kubernetes_view.h"

namespace tocsin::investigate {

void AddPodFindings(const KubernetesView& view, std::vector<Finding>& out);
void AddPlatformFindings(const KubernetesView& view, std::vector<Finding>& out);
void AddApplicationFindings(const KubernetesView& view, std::vector<Finding>& out);

// Gives roles; returns the cause, or one with mode "healthy" or "unknown".
Finding ArbitrateKubernetes(const KubernetesView& view, std::vector<Finding>& findings);

// What the pods, events, monitors and nodes look like when nothing failed, and which past trouble they show.
void DescribeHealthy(const KubernetesView& view, Finding& out);
Fact LogFact(const LogView& log, size_t n);
Fact PodFact(const PodView& pod);
// The replicas that serve beside the failing ones, as a sentence; empty when none do.
std::string Siblings(const KubernetesView& view);

}  // namespace tocsin::investigate
