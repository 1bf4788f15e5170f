// RunbookSource: where runbooks that may fit an incident come from. Implemented where runbooks are kept; with
// none registered a context pack names those that alerts link to.
// Thread-safety: Candidates may be called from any thread.
#pragma once

#include <string>
#include <vector>

#include "investigate/context/context_pack.h"
#include "kernel/status.h"

namespace tocsin::investigate {

class RunbookSource {
 public:
  virtual ~RunbookSource() = default;
  // Best first, at most `limit`. The pack is complete but for runbooks and people.
  virtual Result<std::vector<RunbookMatch>> Candidates(const ContextPack& pack, size_t limit) const = 0;
};

}  // namespace tocsin::investigate
