// Reads cases of the Nezha data set (Yu et al., "Nezha: Interpretable Fine-Grained Root Causes Analysis for
// Microservices on Multi-modal Observability Data", ESEC/FSE 2023).
//
// Below `dir`: rca_data/DAY/{log,trace}/HH_MM_{log,trace}.csv (one recorded minute each),
// rca_data/DAY/metric/
// *_metric.csv (the whole day, one row a minute and pod), rca_data/DAY/DAY-fault_list.json (what was
// injected), construct_data/DAY/ (a fault-free window), construct_data/root_cause_ts*.json (what the cause is
// inside the service). One case per injected fault:
//   window     the recorded minutes named after the injection's minute and the two after it. A file holds the
//              minute before its name, so the window begins about a minute before the fault.
//   reference  the construction window's traces and logs; metrics of the 30 minutes before the window, filled
//   up
//              from the construction window when the day begins later
// The injection's second is not used, nor its timestamp. Metrics reach one scrape beyond the last span,
// because a scrape describes the minute before it. Columns of the host (Node…) are left out: its pods share
// them. Fault-free cases: the part of each window before the injection, as the labels have it.
//
// Errors: kNotFound (no day below dir), kInvalidArgument (a file that is not as above, named, with row).
#pragma once

#include <filesystem>
#include <vector>

#include "investigate/evaluation/rca_case.h"
#include "kernel/status.h"

namespace tocsin::investigate {

Result<std::vector<RcaCase>> ReadNezha(const std::filesystem::path& dir);

// ts-order-service-6cdbf9b4cc-h7mqk is a pod of ts-order-service.
std::string ServiceOfPod(std::string_view pod);

}  // namespace tocsin::investigate
