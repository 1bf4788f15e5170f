// How well log templates are found, on lines whose true template is known (the loghub collection).
//
// Grouping accuracy (Zhu et al., "Tools and benchmarks for automated log parsing", ICSE-SEIP 2019): the share
// of lines whose group is exactly the set of lines that truly belong together. Groups are taken after the
// last line, with ids resolved through merges, as a query over stored lines would; what each line is told
// when it arrives is given beside it.
//
// A folder holds, at any depth, SYSTEM/SYSTEM_2k.log_structured.csv (original labels, column EventId) and
// SYSTEM/SYSTEM_2k.log_structured_corrected.csv (column EventTemplate); lines are their column Content, in
// order. Errors: kNotFound (no such file below the folder), kInvalidArgument (a file without these columns,
// with its name), kOutOfRange (a file over max_file_bytes). Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernel/status.h"

namespace tocsin::detect {

struct LabelledLog {
  std::string name;
  std::vector<std::string> lines;
  std::vector<std::string> corrected;  // a label a line; empty when the folder has none
  std::vector<std::string> original;
};

struct TemplateScore {
  std::string name;
  size_t lines = 0;
  size_t groups = 0;
  size_t true_groups = 0;
  double grouping_accuracy = 0;           // against the corrected labels where there are, else the original
  double grouping_accuracy_original = 0;  // NaN without original labels
  double grouping_accuracy_on_arrival = 0;
};

struct TemplateResult {
  double grouping_accuracy = 0;  // means over the systems
  double grouping_accuracy_original = 0;
  double grouping_accuracy_on_arrival = 0;
  double lines_per_s = 0;  // one thread, all systems one after the other, for a second
  std::vector<TemplateScore> systems;
};

// Systems in order of name.
Result<std::vector<LabelledLog>> ReadLoghub(const std::string& folder,
                                            size_t max_file_bytes = size_t{256} << 20);

// A miner with its defaults for each system, new for each.
TemplateResult EvaluateTemplates(const std::vector<LabelledLog>& logs);

double GroupingAccuracy(const std::vector<uint64_t>& found, const std::vector<std::string>& truth);

}  // namespace tocsin::detect
