// Reads one recorded incident of the OpenSRE synthetic suites into Evidence.
//
//   scenario/  alert.json  scenario.yml
//              aws_cloudwatch_metrics.json, or one aws_cloudwatch_metrics_<Name>.json a metric
//              aws_rds_events.json  aws_performance_insights.json
//              eks_pods.json  eks_events.json  eks_deployments.json  eks_node_health.json  eks_pod_logs.json
//              datadog_logs.json  datadog_monitors.json
//
// Of scenario.yml only the resource is read (instance class, base, available_evidence), and of the alert's
// annotations not those that name the failure mode: both would be the answer. answer.yml is never opened
// here. A file that available_evidence names and the folder lacks is taken from the folder that `base` names,
// as the suite does; when neither has it, it is noted as missing. Errors: kNotFound (no folder, no
// alert.json), kInvalidArgument (not JSON; the file is named), kOutOfRange (more than 16 MiB). Fields of
// another shape than expected are left out. Thread-safe.
#pragma once

#include <string>

#include "investigate/diagnosis/evidence.h"
#include "kernel/status.h"

namespace tocsin::investigate {

Result<Evidence> ReadOpensreScenario(const std::string& folder);

}  // namespace tocsin::investigate
