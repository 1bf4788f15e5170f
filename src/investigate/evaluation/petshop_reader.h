// Reads cases of the PetShop data set (Hardt et al., "The PetShop dataset", 2023).
//
// Below `dir`, every folder with graph.csv and noissue/metrics.csv is one deployment; every folder below it
// with target.json and metrics.csv is one labelled fault. metrics.csv has four header rows (service, metric,
// statistic, "unix_timestamp") and one row per five minutes; graph.csv is an adjacency matrix, row calls
// column. A case is the deployment's fault-free rows as reference and the fault's rows as window, and the
// alerted node as symptom. The alert's time, metric and statistic are not used, nor where in the window the
// fault began. Fault-free cases are the reference's own rows, in windows as long as the faults', each left
// out of its reference. Nodes of X-Ray type `remote` and `client` are seen from their callers only.
//
// Errors: kNotFound (no deployment below dir), kInvalidArgument (a file that is not as above, named, with
// row).
#pragma once

#include <filesystem>
#include <vector>

#include "investigate/evaluation/rca_case.h"
#include "kernel/status.h"

namespace tocsin::investigate {

Result<std::vector<RcaCase>> ReadPetshop(const std::filesystem::path& dir);

}  // namespace tocsin::investigate
