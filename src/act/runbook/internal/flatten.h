// A runbook and all it calls made one flat plan: sub-runbooks written out, branches decided by a step of
// their own, an order by name.
//
//   a                                a
//   if c: then [b] else [d]          if-1 (when c) after a
//                                    b (when if-1 done) after if-1      d (when if-1 skipped) after if-1
//   e                                e after b, d
#pragma once

#include <functional>
#include <string_view>

#include "act/runbook/runbook_library.h"

namespace tocsin::act::internal {

inline constexpr size_t kMostRunbookLevels = 5;

Result<Plan> Flatten(const RunbookLibrary& library, const Runbook& runbook, const nlohmann::json& inputs,
                     const std::function<Origin(std::string_view input)>& origin_of);

}  // namespace tocsin::act::internal
