// Runbooks from other formats. What comes out is YAML of docs/formats/runbook.md that reads, at most advised
// (`advise_only: true`) until somebody has gone through it and takes that line out. What could not be carried
// over is said in comments where it was, and in `left_out`.
//
//   CACAO 2.0 (OASIS)   start, end, action, parallel, if-condition, playbook-action; commands manual and
//                       http-api, all others by hand; tier and reach of extensions
//   SKILL.md            name and description; each section of the body by hand
//
// Input is hostile: 1 MiB at most, nothing of it is run. Pure; thread-safe. Errors: kInvalidArgument (no such
// file format), kUnimplemented (loops, switches: named), kOutOfRange (more than kMaxPlanSteps steps).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"

namespace tocsin::act {

inline constexpr size_t kMaxImportBytes = 1u << 20;

struct ImportedRunbook {
  std::string id;
  std::string yaml;
  std::vector<std::string> left_out;
};

// `name` is the file's, for errors.
Result<ImportedRunbook> ImportCacao(std::string_view text, const std::string& name);
Result<ImportedRunbook> ImportSkill(std::string_view text, const std::string& name);

}  // namespace tocsin::act
