// Alerts as a Kubernetes monitored by Prometheus raises them, in the bodies Prometheus would post.
//
// Deterministic: alert number i is always the same. 20 alerts a node: 12 labels, 3 annotations each. On every
// second node the first alert is critical (the node is down) and explains the 19 others, which kInhibitRule
// suppresses: 47.5 % of all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tocsin::bench {

// The rule in the YAML of both sides: route, receiver and one inhibit rule.
std::string AlertmanagerYaml();

// `count` alerts in bodies of `batch`, for POST /api/v2/alerts. They fire for an hour from now.
std::vector<std::string> AlertBodies(size_t count, size_t batch);
// How many of `count` alerts the rule suppresses.
size_t Suppressed(size_t count);

}  // namespace tocsin::bench
